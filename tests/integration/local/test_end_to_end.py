"""The whole system, really run: several processes, HTTP, ccxt, handlers, DynamoDB, orders, alerts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from infra.local.stack import LocalStack
from tests.integration.local.commands import refused, smc_trader

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

OUTPUT_KEYS = (
    "source",
    "seed",
    "coins",
    "from",
    "to",
    "decision_bars",
    "decisions",
    "decisions_by_outcome",
    "signals",
    "orders_sent",
    "fills",
    "trades",
    "open_positions",
    "equity_start",
    "equity_end",
    "venue_equity_end",
    "fees",
    "funding",
    "alerts_published",
    "alerts_delivered",
    "runs",
    "rules_evaluated",
    "rules_fired",
    "seconds_without_stop_max",
    "discrepancies_end",
    "violations",
    "wall_seconds",
    "cpu_seconds",
    "schedule_compression",
)


@dataclass
class Stack:
    directory: Path
    summary: dict[str, Any]

    def ask(self, *arguments: str) -> dict[str, Any]:
        answer = smc_trader(*arguments, "--state-dir", str(self.directory), "--json")
        assert answer.returncode == 0, answer.stderr
        found: dict[str, Any] = json.loads(answer.stdout)
        return found


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    directory = tmp_path_factory.mktemp("stack") / "state"
    options = ("--coins", "3", "--days", "1", "--trades", "0", "--seed", "7", "--state-dir", str(directory))
    answer = smc_trader("demo", *options, "--keep", "--json", seconds=240)
    assert answer.returncode == 0, answer.stderr
    yield Stack(directory, json.loads(answer.stdout))
    LocalStack.end(directory)


def test_summary_has_every_key_programs_read(stack: Stack) -> None:
    assert [key for key in OUTPUT_KEYS if key not in stack.summary] == []
    assert json.loads((stack.directory / "summary.json").read_text()) == stack.summary
    assert (stack.directory / "report.html").read_text().startswith("<!doctype html>")


def test_every_coin_is_decided_at_every_bar(stack: Stack) -> None:
    summary = stack.summary

    assert summary["decision_bars"] == 25
    assert summary["decisions"] == 3 * 25 == sum(summary["decisions_by_outcome"].values())
    assert (summary["violations"], summary["handler_errors"]) == ([], {})


def test_all_scheduled_functions_ran_at_their_rate(stack: Stack) -> None:
    runs, steps = stack.summary["runs"], stack.summary["schedule_compression"]["minutes_fired"]
    each_step = {
        name: runs[name] for name in ("execute_signals", "manage_exits", "reconcile_positions", "check_health")
    }

    assert (runs["discover_markets"], runs["maintain_records"]) == (7, 25)
    assert all(count >= steps for count in each_step.values()), (each_step, steps)


def test_time_was_compressed_only_while_flat(stack: Stack) -> None:
    compression = stack.summary["schedule_compression"]

    assert compression["minutes_fired"] + compression["minutes_skipped"] == 24 * 60 + 1


def test_every_alert_reached_both_services(stack: Stack) -> None:
    published = stack.summary["alerts_published"]

    assert published >= 1
    assert stack.summary["alerts_delivered"] == {"slack": published, "discord": published}


def test_status_reads_the_kept_stack(stack: Stack) -> None:
    answer = stack.ask("status")

    assert answer["status"] in ("ok", "degraded")
    assert answer["kill_level"] == 0


def test_pause_and_resume_change_the_kill_level(stack: Stack) -> None:
    assert stack.ask("pause", "--reason", "a test")["kill_level"] == 1
    assert stack.ask("status")["kill_level"] == 1
    assert stack.ask("resume", "--reason", "the test is over")["kill_level"] == 0


def test_traces_of_a_coin_are_shown(stack: Stack) -> None:
    answer = smc_trader("traces", "btc", "--bars", "5", "--json", "--state-dir", str(stack.directory))
    rows = [json.loads(line) for line in answer.stdout.splitlines()]

    assert len(rows) == 5
    assert {row["instrument"] for row in rows} == {"BTC"}
    assert all(row["sentence"] for row in rows)


def test_unknown_coin_has_no_traces(stack: Stack) -> None:
    assert "no trace of XYZ" in refused(smc_trader("traces", "XYZ", "--state-dir", str(stack.directory)))


def test_wrong_flatten_scope_closes_nothing(stack: Stack) -> None:
    where = ("--state-dir", str(stack.directory))
    sentence = refused(smc_trader("flatten", "B T C!", "--reason", "a test", "--yes", *where))

    assert "scope is 'B T C!'" in sentence
    assert stack.ask("status")["kill_level"] == 0


def test_flatten_without_confirmation_closes_nothing(stack: Stack) -> None:
    answer = smc_trader("flatten", "--reason", "a test", "--state-dir", str(stack.directory))

    assert answer.returncode == 1
    assert "confirm with --yes" in answer.stderr
    assert stack.ask("status")["kill_level"] == 0
