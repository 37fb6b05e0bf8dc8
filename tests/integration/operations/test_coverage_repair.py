from __future__ import annotations

from contextlib import nullcontext
from datetime import datetime, timedelta
from typing import Any

import pytest

from functions.maintain_records.handler import handler
from functions.maintain_records.maintain import Records, maintain
from functions.maintain_records.report import MaintenanceReport
from shared.clock import install_clock
from shared.storage.quality import QualityStore
from shared.storage.tables import DecisionItem, MarketDataItem
from tests.fakes.spot_market import SpotInMemory
from tests.integration.operations.conftest import CONTEXT, MARKET, RULES, StoppedClock, World
from tests.unit.control.records import NOW, decision
from trading.model.candles import Candle, CandleSeries
from trading.model.decisions import Outcome
from trading.model.instruments import InstrumentId
from trading.model.times import Timeframe, to_text

HOUR = timedelta(hours=1)
COINS = ("BTC", "ETH", "SOL")


def run(world: World, now: datetime, *, keep: bool = True, spot: SpotInMemory | None = None) -> MaintenanceReport:
    market = spot or SpotInMemory(history={}, now=now)
    records = Records(
        control=world.control,
        ledger=world.ledger,
        market_data=world.market,
        quality=QualityStore(MARKET),
        spot_for=lambda calls: nullcontext(market),
        decisions=world.decisions,
        rules=RULES,
        code_version="test",
    )
    report = maintain(records, now)
    if keep:
        world.control.record_run("maintain_records", now, report.proof())
    return report


def decide(world: World, bar: datetime, *coins: str) -> None:
    world.decisions.add([decision(coin, bar) for coin in coins or COINS])


def series(timeframe: Timeframe, *opened: datetime) -> CandleSeries:
    return CandleSeries(
        timeframe,
        (Candle(open_time=int(at.timestamp()), open=1, high=2, low=1, close=2, volume=3) for at in opened),
    )


def test_first_run_writes_nothing_about_the_past(world: World) -> None:
    found = run(world, NOW).coverage
    assert (found.bars, found.written, found.after_pct) == ((), 0, 100.0)
    assert world.decisions.decided(NOW - HOUR) == {}


def test_missing_traces_are_written_and_told(world: World) -> None:
    run(world, NOW)
    decide(world, NOW, "BTC")
    report = run(world, NOW + HOUR)
    assert world.decisions.decided(NOW) == {
        "BTC": Outcome.NO_SETUP,
        "ETH": Outcome.NO_DATA,
        "SOL": Outcome.NO_DATA,
    }
    assert (round(report.coverage.before_pct, 1), report.coverage.after_pct) == (33.3, 100.0)
    (alert,) = report.alerts()
    assert ("coins", "ETH, SOL") in alert.fields
    assert "(2 missing); maintenance wrote 2, 2 of them decided afresh." in alert.text
    assert all(each.inputs and each.inputs.late for each in world.decisions.traces(NOW) if each.instrument != "BTC")


def test_whole_coverage_raises_no_alert(world: World) -> None:
    run(world, NOW)
    decide(world, NOW)
    report = run(world, NOW + HOUR)
    assert (report.coverage.before_pct, report.coverage.expected, report.alerts()) == (100.0, 3, ())


def test_older_holes_only_say_there_was_none(world: World) -> None:
    run(world, NOW)
    bars = {(InstrumentId("ETH"), Timeframe.H1): series(Timeframe.H1, NOW - HOUR)}
    world.market.add_history(bars, NOW)
    report = run(world, NOW + 2 * HOUR)
    assert (report.coverage.written, report.coverage.afresh) == (6, 3)
    by_coin = {each.instrument: each for each in world.decisions.traces(NOW)}
    assert (by_coin[InstrumentId("ETH")].outcome, by_coin[InstrumentId("SOL")].outcome) == (
        Outcome.STALE_DATA,
        Outcome.NO_DATA,
    )
    assert all(each.inputs is None and "written by maintenance" in each.sentence for each in by_coin.values())


def test_newest_bar_is_left_to_scoring(world: World) -> None:
    run(world, NOW)
    report = run(world, NOW + timedelta(minutes=20))
    assert (report.coverage.bars, world.decisions.decided(NOW)) == ((), {})


def test_skipped_hours_are_all_made_good(world: World) -> None:
    run(world, NOW)
    report = run(world, NOW + 4 * HOUR)
    assert report.coverage.proof()["bars_checked"] == 4
    assert all(len(world.decisions.decided(NOW + step * HOUR)) == 3 for step in range(4))


def test_traces_lost_later_are_restored_to_the_universe(world: World) -> None:
    run(world, NOW)
    decide(world, NOW)
    run(world, NOW + HOUR)
    lost = DecisionItem.get(f"BAR#{to_text(NOW)}", "TRACE#SOL")
    lost.delete()
    report = run(world, NOW + HOUR + timedelta(minutes=5))
    assert [each.instrument.id for each in report.coverage.holes] == ["SOL"]
    assert len(world.decisions.decided(NOW)) == 3


def test_repeated_run_overwrites_no_decision(world: World) -> None:
    run(world, NOW)
    decide(world, NOW)
    before = world.decisions.traces(NOW)
    for _ in range(2):
        run(world, NOW + HOUR, keep=False)
    assert world.decisions.traces(NOW) == before


OPENED = [NOW - timedelta(minutes=15 * step) for step in range(10, 0, -1)]


def store_with_gaps(world: World, spot: SpotInMemory) -> None:
    """BTC lacks the bars 2, 3, 6 and 7 of ten; the exchange has all of them."""
    pair = world.market.universe().universe.instruments[0].spot_pair  # type: ignore[union-attr]
    spot.history = {pair: series(Timeframe.M15, *OPENED)}
    kept = [OPENED[step] for step in (0, 1, 4, 5, 8, 9)]
    world.market.add_history({(InstrumentId("BTC"), Timeframe.M15): series(Timeframe.M15, *kept)}, NOW)


def stored(world: World) -> CandleSeries:
    key = (InstrumentId("BTC"), Timeframe.M15)
    return world.market.load_series([key[0]], [key[1]], NOW)[key]


def test_candle_gaps_are_filled_and_told(world: World) -> None:
    spot = SpotInMemory(history={}, now=NOW)
    store_with_gaps(world, spot)
    report = run(world, NOW, spot=spot)
    assert (report.gaps.missing, report.gaps.filled) == ({"BTC 15m": 4}, {"BTC 15m": 4})
    assert stored(world) == series(Timeframe.M15, *OPENED)
    (alert,) = report.alerts()
    assert alert.title == "4 missing bars were filled"
    assert run(world, NOW, spot=spot).alerts() == ()


def test_gap_of_the_exchange_is_not_asked_for_again(world: World) -> None:
    spot = SpotInMemory(history={}, now=NOW)
    store_with_gaps(world, spot)
    spot.skipped = {(pair, int(OPENED[2].timestamp())) for pair in spot.history}
    report = run(world, NOW, spot=spot)
    assert (report.gaps.filled, report.gaps.absent) == ({"BTC 15m": 3}, {"BTC 15m": 1})
    spot.calls.clear()
    report = run(world, NOW, spot=spot)
    assert (spot.calls, report.gaps.absent, report.alerts()) == ([], {"BTC 15m": 1}, ())


def test_silent_exchange_leaves_gaps_for_the_next_hour(world: World) -> None:
    spot = SpotInMemory(history={}, now=NOW)
    store_with_gaps(world, spot)
    spot.down = {"all"}
    report = run(world, NOW, spot=spot)
    assert (list(report.gaps.failed), report.gaps.absent) == (["BTC 15m"], {})
    spot.down = set()
    assert run(world, NOW, spot=spot).gaps.filled == {"BTC 15m": 4}


def test_run_before_first_discovery_is_harmless(world: World) -> None:
    MarketDataItem.get("UNIVERSE", "CURRENT").delete()
    run(world, NOW)
    report = run(world, NOW + HOUR)
    assert (report.coverage.expected, report.coverage.after_pct, report.alerts()) == (0, 100.0, ())


def test_handler_reports_and_records_what_it_did(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    run(world, NOW)
    install_clock(StoppedClock(NOW + HOUR))
    answer: dict[str, Any] = handler({"scheduled_time": "2026-11-22T13:00:00Z"}, CONTEXT)  # type: ignore[arg-type]
    assert (answer["traces_written"], answer["traces_expected"], answer["coverage_before_pct"]) == (3, 3, 0.0)
    stored = world.control.last_run("maintain_records")
    assert stored is not None
    assert stored.proof == answer
    assert '"TraceCoverage":[100.0]' in capsys.readouterr().out.replace(" ", "")
    assert "3 decisions were missing" in world.published()[0]["Body"]


def test_no_universe_is_no_whole_coverage(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """A share of nothing: 100 would look like a system that is well."""
    MarketDataItem.get("UNIVERSE", "CURRENT").delete()
    run(world, NOW)
    install_clock(StoppedClock(NOW + HOUR))
    assert handler({}, CONTEXT)["traces_expected"] == 0  # type: ignore[arg-type]
    shown = capsys.readouterr().out
    assert "CandleGaps" in shown
    assert "TraceCoverage" not in shown
