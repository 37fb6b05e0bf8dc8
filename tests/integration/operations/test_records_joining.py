"""A coin that came into the universe owes no decision for the bars before: its traces are written in silence."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from functions.maintain_records.maintain import BARS_LOOKED_BACK
from shared.storage.tables import DecisionItem, MarketDataItem
from tests.integration.operations.conftest import World
from tests.integration.operations.records_scene import counted_requests
from tests.integration.operations.test_coverage_repair import COINS, HOUR, decide, run
from tests.unit.control.records import NOW, universe
from trading.model.times import to_text


def join(world: World, at: datetime, *coins: str) -> None:
    world.market.save_universe(universe(*COINS, *coins), at, world.market.universe())


def test_new_coin_was_missed_by_nobody(world: World) -> None:
    run(world, NOW)
    decide(world, NOW)
    join(world, NOW + timedelta(minutes=40), "ADA")
    report = run(world, NOW + HOUR)
    assert report.alerts() == ()
    proof = report.proof()
    assert (proof["joined"], proof["missing_written"], proof["coverage_before_pct"]) == (1, 0, 100.0)
    assert len(world.decisions.decided(NOW)) == 4


def test_traces_from_before_joining_say_so(world: World) -> None:
    run(world, NOW)
    for bar in (NOW, NOW + HOUR):
        decide(world, bar)
    join(world, NOW + timedelta(minutes=100), "ADA")
    report = run(world, NOW + 2 * HOUR)
    (trace,) = [each for each in world.decisions.traces(NOW) if each.instrument == "ADA"]
    assert "has no decision of 2026-11-22T12:00:00.000Z: it was not in the universe yet" in trace.sentence
    assert (report.coverage.joined, report.coverage.afresh, report.alerts()) == (2, 0, ())


def test_bar_that_comes_due_later_is_not_owed_either(world: World) -> None:
    """Scoring decided 13:00 before the coin came at 13:05; the bar is due only after the run that saw it first."""
    run(world, NOW)
    for bar in (NOW, NOW + HOUR):
        decide(world, bar)
    join(world, NOW + timedelta(minutes=65), "ADA")
    assert run(world, NOW + timedelta(minutes=70)).coverage.joined == 1
    report = run(world, NOW + timedelta(minutes=130))
    assert (report.coverage.joined, report.alerts()) == (1, ())


def test_new_coin_owes_decisions_since_it_came(world: World) -> None:
    run(world, NOW)
    decide(world, NOW)
    join(world, NOW + timedelta(minutes=40), "ADA")
    decide(world, NOW + HOUR)
    report = run(world, NOW + 2 * HOUR)
    (alert,) = report.alerts()
    assert (dict(alert.fields)["coins"], report.coverage.joined) == ("ADA", 1)
    assert "(1 missing); maintenance wrote 1, 1 of them decided afresh." in alert.text


def test_lost_trace_is_told_beside_a_new_coin(world: World) -> None:
    run(world, NOW)
    decide(world, NOW, "BTC", "SOL")
    join(world, NOW + timedelta(minutes=40), "ADA")
    (alert,) = run(world, NOW + HOUR).alerts()
    assert (alert.title, dict(alert.fields)) == (
        "1 decisions were missing",
        {"coins": "ETH", "coverage": "66.7 % -> 100.0 %"},
    )


def test_damaged_trace_of_a_new_coin_is_told(world: World) -> None:
    run(world, NOW)
    decide(world, NOW, *COINS, "ADA")
    DecisionItem(f"BAR#{to_text(NOW)}", "TRACE#ADA").update([DecisionItem.data.set(b"spoiled")])
    join(world, NOW + timedelta(minutes=40), "ADA")
    (alert,) = run(world, NOW + HOUR).alerts()
    assert "(1 unreadable)" in alert.text


def test_first_discovery_after_the_first_run_is_silent(world: World) -> None:
    MarketDataItem.get("UNIVERSE", "CURRENT").delete()
    run(world, NOW)
    world.market.save_universe(universe(*COINS), NOW + timedelta(minutes=40), None)
    report = run(world, NOW + HOUR)
    assert (report.coverage.joined, report.alerts()) == (3, ())


def test_universe_that_was_gone_makes_nobody_new(world: World) -> None:
    run(world, NOW)
    MarketDataItem.get("UNIVERSE", "CURRENT").delete()
    run(world, NOW + timedelta(minutes=10))
    world.market.save_universe(universe(*COINS), NOW + timedelta(minutes=40), None)
    report = run(world, NOW + HOUR)
    assert (report.coverage.joined, len(report.alerts())) == (0, 1)


@pytest.mark.parametrize(
    "memory", [{}, {"members": 4}, {"members": {"coins": []}}, {"members": {"coins": ["BTC"], "joined": {"ETH": "x"}}}]
)
def test_without_a_memory_nobody_is_new(world: World, memory: dict[str, Any]) -> None:
    world.control.record_run("maintain_records", NOW, {"covers_from": to_text(NOW)} | memory)
    report = run(world, NOW + HOUR)
    assert (report.coverage.joined, report.coverage.written) == (0, 3)


def queries_of(world: World, now: datetime) -> int:
    with counted_requests() as sent:
        assert len(run(world, now).coverage.holes) == 1
    return sent["Query"]


def test_new_coin_costs_no_look_back(world: World) -> None:
    run(world, NOW)
    decide(world, NOW)
    join(world, NOW + timedelta(minutes=40), "ADA")
    joined = queries_of(world, NOW + HOUR)
    DecisionItem.get(f"BAR#{to_text(NOW)}", "TRACE#ETH").delete()
    assert queries_of(world, NOW + HOUR) == joined + BARS_LOOKED_BACK
