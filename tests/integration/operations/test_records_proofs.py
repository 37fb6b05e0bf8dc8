"""Every function of the running local stack leaves a run record that names what it evaluated."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import boto3
import pytest

from infra.local.runner import Runner
from infra.local.stack import LocalStack, StackParameters
from infra.local.template import FunctionSpec
from shared.clock import SystemClock, install_clock
from shared.runtime import control_of
from shared.storage.control import RunRecord
from tests.integration.local.conftest import _forget as forget

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

ONLY_READS = {"render_dashboard"}
"""It may not write, and nothing depends on when it last ran."""
EVALUATED: dict[str, dict[str, Any]] = {
    "discover_markets": {"markets": 2, "added": ["BTC", "ETH"]},
    "ingest_candles": {"coins": 2, "watermark": "2024-08-01T01:00:00.000Z"},
    "score_setups": {"decided_bar": "2024-08-01T01:00:00.000Z"},
    "execute_signals": {"outcomes": {}, "limits": {}, "pauses": 0, "watched": []},
    "manage_exits": {"positions": 0, "evaluated": {}, "fired": {}},
    "reconcile_positions": {"positions": 0, "equity": "10000", "discrepancies": []},
    "maintain_records": {"universe": 2, "bars_checked": 1, "traces_found": 2, "coverage_pct": 100.0},
    "check_health": {"status": "ok", "naked_positions": 0, "store_reachable": True},
    "control_trading": {"action": "status"},
    "forward_alerts": {"alerts": 1, "failures": 0},
}
"""Of a stack with two coins, no trade, one hour old."""


@dataclass(frozen=True, slots=True)
class Hour:
    functions: tuple[FunctionSpec, ...]
    runs: dict[str, RunRecord]
    posts: list[dict[str, Any]]


@pytest.fixture(scope="module")
def hour(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hour]:
    """The whole system for one hour, asked for its status at the end."""
    environment, session = dict(os.environ), boto3.DEFAULT_SESSION
    forget()
    state = tmp_path_factory.mktemp("proofs") / "state"
    parameters = StackParameters(candles=None, seed=7, coins=2)
    with LocalStack.open(state, parameters) as stack, stack.files.logs.open("a", encoding="utf-8") as log:
        runner = Runner(stack, log)
        runner.begin()
        while runner.now < runner.progress.start + timedelta(hours=1):
            runner.step()
        runner.control({"action": "status"})
        table = runner.template.function("control_trading").environment["SMC_LEDGER_TABLE"]
        posts = [json.loads(line) for line in stack.files.posts.read_text(encoding="utf-8").splitlines()]
        yield Hour(runner.template.functions, control_of(table).last_runs(), posts)
    forget()
    os.environ.clear()
    os.environ.update(environment)
    boto3.DEFAULT_SESSION = session
    install_clock(SystemClock())


def test_every_function_leaves_a_run_record(hour: Hour) -> None:
    assert {each.name for each in hour.functions} - ONLY_READS == set(hour.runs) == set(EVALUATED)


@pytest.mark.parametrize("function", sorted(EVALUATED))
def test_run_record_names_what_was_evaluated(hour: Hour, function: str) -> None:
    proof = hour.runs[function].proof
    assert {name: proof.get(name) for name in EVALUATED[function]} == EVALUATED[function]


def test_new_stack_says_that_it_is_deployed(hour: Hour) -> None:
    deployment = hour.runs["maintain_records"].proof["deployment"]
    assert (deployment["phase"], deployment["version_before"]) == ("finished", "none")
    told = [post["service"] for post in hour.posts if "Deployment of local finished" in post["body"]]
    assert sorted(told) == ["discord", "slack"]
