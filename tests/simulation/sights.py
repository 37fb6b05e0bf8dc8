"""What other functions leave behind for the exits of a simulated day: 1h bars and decision traces, hour by hour."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import Any, cast

from shared.storage.decisions import DecisionStore
from tests.fakes.cloud import DECISIONS
from tests.simulation.memory.decisions import MemoryDecisions
from tests.simulation.memory.market import MemoryMarketData
from tests.simulation.memory.tables import MemoryTables
from tests.simulation.world import START, SimulatedWorld
from tests.unit.control.records import decision
from trading.model.candles import Candle, CandleSeries
from trading.model.decisions import Bias, Decision
from trading.model.instruments import Instrument, InstrumentId
from trading.model.times import Timeframe

HOUR = timedelta(hours=1)
HOURS_BEFORE = 24
RANGE = 0.006
"""Of a bar before the day, as a share of the price: about what an hour of a calm day makes."""

TURNS, TURNS_BACK = 0.03, 0.4
"""Chances in an hour that the bias of a coin leaves neutral, and that it comes back."""


class Sights:
    """Scripted worlds, which draw no signals, have a neutral bias throughout."""

    def __init__(self, world: SimulatedWorld) -> None:
        self._world = world
        self._random = Random(f"{world.options.seed}:sights")
        self._bias = dict.fromkeys((each.id for each in world.instruments), Bias.NEUTRAL)

    def remember(self) -> None:
        """Bars from before the day, so that an ATR can be had from its first hour on."""
        first = int(START.timestamp()) - HOURS_BEFORE * Timeframe.H1.seconds
        bars = {}
        for each in self._world.instruments:
            price = float(self._world.prices.quote(each.contract, START).index)
            low, high = price * (1 - RANGE / 2), price * (1 + RANGE / 2)
            times = range(first, int(START.timestamp()), Timeframe.H1.seconds)
            bars[each.id] = CandleSeries(Timeframe.H1, [_candle(time, low, high, price, price) for time in times])
        self._store(bars, START)

    def close_hour(self, hour: int) -> None:
        """The bar and the decision of this hour of the day, of every coin."""
        at = START + hour * HOUR
        self._store(
            {each.id: CandleSeries(Timeframe.H1, [self._bar(each, at)]) for each in self._world.instruments}, at
        )
        for each in self._world.instruments:
            self._turn(each.id)
            self._decide(_decision(each.id, at, self._bias[each.id]))

    def _bar(self, instrument: Instrument, at: datetime) -> Candle:
        prices = [float(each.index) for each in self._world.prices.path(instrument.contract, at - HOUR, at)]
        opened = int(at.timestamp()) - Timeframe.H1.seconds
        return _candle(opened, min(prices), max(prices), prices[0], prices[-1])

    def _turn(self, coin: InstrumentId) -> None:
        roll = self._random.random()
        if not self._world.options.signals:
            return
        if self._bias[coin] is Bias.NEUTRAL:
            turned = Bias.UP if roll < TURNS / 2 else Bias.DOWN
            self._bias[coin] = turned if roll < TURNS else Bias.NEUTRAL
        elif roll < TURNS_BACK:
            self._bias[coin] = Bias.NEUTRAL

    def _store(self, bars: dict[InstrumentId, CandleSeries], at: datetime) -> None:
        market = self._world.market_truth
        if isinstance(market, MemoryMarketData):
            market.set_bars(bars)
        else:
            cast(Any, market).add({(coin, Timeframe.H1): series for coin, series in bars.items()}, at)

    def _decide(self, decision: Decision) -> None:
        if isinstance(self._world.tables, MemoryTables):
            MemoryDecisions(self._world.tables).add([decision])
        else:
            # Its `add` writes with threads, which know nothing of the simulated transports.
            DecisionStore(DECISIONS)._add_alone(decision)


def _candle(opened: int, low: float, high: float, first: float, last: float) -> Candle:
    return Candle(open_time=opened, open=first, high=high, low=low, close=last, volume=1.0)


def _decision(coin: InstrumentId, at: datetime, bias: Bias) -> Decision:
    return replace(decision(coin, at), daily_bias=bias, structure_trend=bias)
