"""What is written carries the time at which the tables forget it, as the operations page says."""

from __future__ import annotations

from datetime import timedelta

import pytest

from functions.maintain_records.maintain import maintain
from shared.storage.decisions import StageRecord
from shared.storage.tables import DecisionItem, LedgerItem, MarketDataItem
from tests.fakes.records import signal
from tests.integration.operations.conftest import RULES, World
from tests.integration.operations.records_scene import HOUR, records_of, stored_items, walk
from tests.unit.control.records import NOW, decision
from trading.model.candles import CandleSeries
from trading.model.decisions import Outcome
from trading.model.folding import fold
from trading.model.instruments import InstrumentId
from trading.model.times import Timeframe, from_epoch, to_text

DAYS = {Timeframe.M15: 30, Timeframe.H1: 90, Timeframe.H4: 365}
"""As the operations page says; 1d is kept as long as the block has room."""
BTC = InstrumentId("BTC")


def test_traces_and_stages_are_kept_for_thirty_days(world: World) -> None:
    world.decisions.add([decision("BTC", NOW)])
    world.decisions.add_stage(
        StageRecord(instrument=BTC, decision_bar=NOW, outcome=Outcome.SENT, sentence="sent", at=NOW)
    )
    maintain(records_of(world, NOW), NOW)
    maintain(records_of(world, NOW + HOUR), NOW + HOUR)
    items = stored_items(NOW, "")
    assert {key.split("#")[0] for key in items} == {"TRACE", "STAGE"}
    assert {each.expires_at for each in items.values()} == {NOW + timedelta(days=30)}


def test_traces_that_maintenance_writes_expire_too(world: World) -> None:
    world.control.record_run("maintain_records", NOW, {"covers_from": to_text(NOW)})
    world.decisions.add([decision("BTC", NOW)])
    DecisionItem(f"BAR#{to_text(NOW)}", "TRACE#BTC").update([DecisionItem.data.set(b"spoiled")])
    report = maintain(records_of(world, NOW + HOUR), NOW + HOUR)
    assert report.coverage.written == 3
    items = stored_items(NOW, "")
    assert {key.split("#")[0] for key in items} == {"TRACE", "ASIDE"}
    assert {each.expires_at for each in items.values()} == {NOW + timedelta(days=30)}


def test_trace_without_expiry_is_counted_in_the_proof(world: World) -> None:
    world.control.record_run("maintain_records", NOW, {"covers_from": to_text(NOW)})
    world.decisions.add([decision("BTC", NOW)])
    DecisionItem(f"BAR#{to_text(NOW)}", "TRACE#BTC").update([DecisionItem.expires_at.remove()])
    assert maintain(records_of(world, NOW + HOUR), NOW + HOUR).proof()["without_expiry"] == 1


@pytest.mark.parametrize("timeframe", DAYS)
def test_candles_never_outlive_their_retention(world: World, timeframe: Timeframe) -> None:
    """A block forgets its oldest bar for each new one, a slab expires by itself after it is folded into its block."""
    kept = RULES.data.bars_kept
    bars = walk(3, NOW, 16 * (kept + 40) if timeframe is Timeframe.H4 else 4 * (kept + 40))
    world.market.add_history({(BTC, timeframe): fold(bars, timeframe) if timeframe.seconds > 900 else bars}, NOW)
    (series,) = world.market.load_series([BTC], [timeframe], NOW).values()
    assert len(series) == kept
    oldest = from_epoch(series.times[0])
    assert NOW - oldest <= timedelta(days=DAYS[timeframe])


def test_slabs_expire_within_the_retention(world: World) -> None:
    found = {}
    for timeframe in Timeframe:
        opened = timeframe.floor(NOW) - timeframe.length
        bar = fold(walk(3, timeframe.floor(NOW), timeframe.seconds // 900), timeframe)
        assert len(bar) == 1
        world.market.add({(BTC, timeframe): CandleSeries(timeframe, [bar[0]])}, NOW)
        period = 96 * timeframe.seconds
        start = int(opened.timestamp()) // period * period
        (item,) = MarketDataItem.query(f"SLAB#{timeframe}#{to_text(from_epoch(start))}", consistent_read=True)
        assert item.expires_at is not None
        found[timeframe] = item.expires_at - opened
    assert all(found[timeframe] <= timedelta(days=days) for timeframe, days in DAYS.items())
    # A bar is in its block long before its slab is forgotten: a period is folded when it is over.
    assert all(kept >= timedelta(days=7) for kept in found.values())


def test_signals_expire_and_run_records_stay(world: World) -> None:
    world.ledger.add_signal(signal("BTC", decision_bar=NOW))
    (item,) = LedgerItem.query(f"SIGNAL#{to_text(NOW)}", consistent_read=True)
    assert item.expires_at == NOW + timedelta(days=30)
    maintain(records_of(world, NOW), NOW)
    world.control.record_run("maintain_records", NOW, {})
    (run,) = LedgerItem.query("RUN", consistent_read=True)
    assert run.expires_at is None
