"""`traces`, `explain` and `chart` on decisions that the whole system made."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from infra.local.stack import LocalStack
from tests.integration.local.commands import refused, smc_trader

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

REWRITE = """
import sys, zlib
from pathlib import Path
from infra.local.attached import Attached
from shared.storage.tables import DecisionItem

with Attached.open(Path(sys.argv[1])) as local:
    local.decisions()
    item = DecisionItem.get("BAR#" + sys.argv[2], "TRACE#" + sys.argv[3])
    text = zlib.decompress(item.data).decode()
    item.data = zlib.compress(text.replace(sys.argv[4], sys.argv[5]).encode())
    item.save()
"""


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    directory = tmp_path_factory.mktemp("stack") / "state"
    options = ("--coins", "2", "--days", "1", "--trades", "0", "--seed", "7", "--state-dir", str(directory))
    try:
        # A slow machine may cost a run of maintenance, which the demo reports; the decisions are there all the same.
        answer = smc_trader("demo", *options, "--keep", "--json", seconds=240)
        assert json.loads(answer.stdout)["decisions"] == 50, answer.stderr
        yield directory
    finally:
        LocalStack.end(directory)


def ask(state: Path, *arguments: str) -> Any:
    answer = smc_trader(*arguments, "--state-dir", str(state), "--json")
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


def rewrite(state: Path, *arguments: str) -> None:
    subprocess.run([sys.executable, "-c", REWRITE, str(state), *arguments], check=True, timeout=60)


@cache
def all_traces(state: Path, coin: str) -> list[dict[str, Any]]:
    """As they were before any test altered one."""
    answer = smc_trader("traces", coin, "--bars", "100", "--json", "--state-dir", str(state))
    assert answer.returncode == 0, answer.stderr
    return [json.loads(line) for line in answer.stdout.splitlines()]


def test_every_stored_decision_is_replayed_identically(state: Path) -> None:
    bars = [each["decision_bar"] for each in all_traces(state, "BTC")]
    assert len(bars) == 25
    assert {each["format"] for each in all_traces(state, "BTC")} == {2}
    for bar in (bars[0], bars[12], bars[-1]):
        found = ask(state, "explain", "BTC", "--at", bar)
        assert found["decision"]["decision_bar"] == bar
        assert found["replay"]["sentence"] == "replayed identically", found["replay"]
        assert found["replay"]["identical"] is True


def test_explanation_shows_gates_score_and_levels(state: Path) -> None:
    judged = next(each for each in all_traces(state, "BTC") if each["gates"])
    answer = smc_trader("explain", "btc", "--at", judged["decision_bar"], "--state-dir", str(state))
    assert answer.returncode == 0, answer.stderr
    for gate in judged["gates"]:
        assert gate["name"] in answer.stdout
    for word in ("Gates", "Score", "Levels", "target 2", "Decided from", "Replay: replayed identically"):
        assert word in answer.stdout


def test_time_within_the_hour_means_the_bar_in_force(state: Path) -> None:
    bar = all_traces(state, "ETH")[-2]["decision_bar"]
    found = ask(state, "explain", "ETH", "--at", bar.replace(":00:00.000Z", ":59"))
    assert found["decision"]["decision_bar"] == bar


def test_funnel_counts_every_stored_decision(state: Path) -> None:
    made = [*all_traces(state, "BTC"), *all_traces(state, "ETH")]
    found = ask(state, "traces", "--funnel", "--bars", "30")
    assert (found["decisions"], found["coins"], found["bars"], found["refused"]) == (50, 2, 25, 0)
    assert sum(found["by_outcome"].values()) == 50
    assert sum(found["by_failed_gate"].values()) == sum(each["outcome"] == "GATE_FAILED" for each in made)
    assert ask(state, "traces", "ETH", "--funnel", "--bars", "5")["decisions"] == 5
    assert "Decisions by outcome" in smc_trader("traces", "--funnel", "--bars", "9", "--state-dir", str(state)).stdout


def test_chart_of_a_decision_shows_its_levels(state: Path, tmp_path: Path) -> None:
    judged = next(each for each in all_traces(state, "BTC") if each["levels"])
    out = tmp_path / "btc.html"
    assert ask(state, "chart", "BTC", "--at", judged["decision_bar"], "--out", str(out)) == {"written": str(out)}
    page = out.read_text(encoding="utf-8")
    assert all(f"{name} " in page for name in ("target 2", "target 1", "entry", "stop"))
    assert "(this idea)" in page
    assert page.count("<circle") > 5


def test_unknown_coins_and_times_are_refused(state: Path) -> None:
    where = ("--state-dir", str(state))
    assert refused(smc_trader("explain", "XYZ", *where)) == (
        "smc-trader: there is no trace of XYZ in the newest 48 decision bars"
    )
    assert "no trace of BTC for the bar closed at 2020" in refused(
        smc_trader("chart", "BTC", "--at", "2020-01-01", *where)
    )
    assert "--at is 'noon'; expected a time" in refused(smc_trader("explain", "BTC", "--at", "noon", *where))


def test_altered_inputs_replay_to_another_decision(state: Path) -> None:
    judged = next(each for each in all_traces(state, "ETH") if each["gates"] and each["gates"][0]["passed"])
    rewrite(state, judged["decision_bar"], "ETH", '"healthy_share":1.0', '"healthy_share":0.0')
    found = ask(state, "explain", "ETH", "--at", judged["decision_bar"])["replay"]
    assert found["identical"] is False
    assert {"name": "gates.universe_health.value", "then": "100.0", "now": "0.0"} in found["changes"]
    assert found["sentence"].endswith("the code reads the same inputs differently")


def test_trace_of_unknown_format_is_refused_loudly(state: Path) -> None:
    bar = all_traces(state, "ETH")[3]["decision_bar"]
    rewrite(state, bar, "ETH", '{"format":2', '{"format":1')
    told = f"smc-trader: the trace of ETH at {bar} cannot be read: it has format 1, expected format 2"
    answer = smc_trader("traces", "ETH", "--bars", "100", "--json", "--state-dir", str(state))
    assert len(answer.stdout.splitlines()) == 24
    assert refused(answer) == told
    assert refused(smc_trader("explain", "ETH", "--at", bar, "--state-dir", str(state))) == told
    assert refused(smc_trader("traces", "--funnel", "--bars", "30", "--state-dir", str(state))) == told
