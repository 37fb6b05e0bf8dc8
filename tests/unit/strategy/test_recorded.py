"""Decisions on recorded candles: each setup gives a signal where the market once offered it."""

from __future__ import annotations

import csv
import gzip
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache

import pytest

from tests.fakes.shared_folder import SHARED
from tests.unit.strategy.markets import INSTRUMENT, QUOTE
from trading.model.candles import Candle, CandleSeries
from trading.model.decisions import Outcome
from trading.model.folding import fold
from trading.model.instruments import InstrumentId, Side
from trading.model.quality import QualityState
from trading.model.signals import Setup
from trading.model.snapshots import Snapshot
from trading.model.times import Timeframe
from trading.rules import load_rules
from trading.strategy.decide import decide

FOLDER = SHARED / "data/spot/binance"
RULES = load_rules()

pytestmark = pytest.mark.skipif(not FOLDER.exists(), reason=f"the recorded candles in {FOLDER} are absent")


@cache
def _recorded(coin: str) -> dict[Timeframe, CandleSeries]:
    with gzip.open(FOLDER / f"{coin}_USDT-15m-20240101-20240907.csv.gz", "rt") as file:
        rows = list(csv.DictReader(file))
    names = ("open", "high", "low", "close", "volume")
    candles = (
        Candle(open_time=int(row["timestamp"]) // 1000, **{name: float(row[name]) for name in names}) for row in rows
    )
    quarters = CandleSeries(Timeframe.M15, candles)
    return {timeframe: fold(quarters, timeframe) for timeframe in Timeframe}


def _at(coin: str, moment: datetime) -> Snapshot:
    bars = {tf: series.until(int(moment.timestamp())).last(720) for tf, series in _recorded(coin).items()}
    return Snapshot(
        instrument=replace(INSTRUMENT, id=InstrumentId(coin)),
        decision_bar=moment,
        m15=bars[Timeframe.M15],
        h1=bars[Timeframe.H1],
        h4=bars[Timeframe.H4],
        d1=bars[Timeframe.D1],
        market=QUOTE,
        last_signal_at=None,
        used_structures=(),
        quality=QualityState.HEALTHY,
        quality_reason="",
        healthy_share=1.0,
        code_version="test",
    )


@pytest.mark.parametrize(
    ("coin", "moment", "setup", "side"),
    [
        ("AAVE", datetime(2024, 8, 1, 19, tzinfo=UTC), Setup.ORDER_BLOCK, Side.LONG),
        ("UNI", datetime(2024, 8, 3, 13, tzinfo=UTC), Setup.FAIR_VALUE_GAP, Side.SHORT),
        ("AAVE", datetime(2024, 8, 1, 0, tzinfo=UTC), Setup.BREAK_OF_STRUCTURE, Side.LONG),
        ("AAVE", datetime(2024, 8, 6, 8, tzinfo=UTC), Setup.TREND, Side.SHORT),
    ],
)
def test_recorded_market_gives_a_signal_of_each_kind(coin: str, moment: datetime, setup: Setup, side: Side) -> None:
    decision = decide(_at(coin, moment), RULES)
    assert (decision.outcome, decision.setup, decision.side) == (Outcome.SIGNAL, setup, side)


def test_bars_after_the_decision_change_nothing() -> None:
    moment = datetime(2024, 8, 6, 8, tzinfo=UTC)
    snapshot = _at("AAVE", moment)
    # The series of the snapshot end where the decision stands: cutting the record there gives the same decision.
    cut = _recorded("AAVE")[Timeframe.M15].until(int(moment.timestamp()))
    again = replace(snapshot, m15=cut.last(720), h1=fold(cut, Timeframe.H1).last(720))
    assert decide(again, RULES) == decide(snapshot, RULES)
