"""A week of 1h bars with the events the real detector finds in them."""

from __future__ import annotations

from functools import cache

from tests.unit.strategy.markets import hours, series
from trading.model.candles import CandleSeries
from trading.model.times import Timeframe
from trading.rules import load_rules
from trading.smc import Detector, Event
from trading.strategy.bias import detector_parameters

SCALES = (5, 20)


@cache
def found(seed: int = 3, count: int = 600) -> tuple[CandleSeries, tuple[Event, ...]]:
    bars = series(Timeframe.H1, hours(seed, count=count))
    detector = Detector(detector_parameters(load_rules().detector, scales=SCALES))
    columns = zip(bars.opens, bars.highs, bars.lows, bars.closes, strict=True)
    return bars, tuple(Event.from_raw(raw) for bar in columns for raw in detector.update(*bar))
