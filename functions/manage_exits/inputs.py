"""What the exit rules look at, read once a run for the held coins only, and only what a rule that is on needs.

A read that fails costs the rules that need it their input and nothing else. In a run with held positions these are two
requests to DynamoDB (watch, traces) besides the closes; bars are read when a position is past its first target, once
per closed bar and process, because they change once an hour.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar
from weakref import WeakKeyDictionary

from shared.failures import FAILURES, VENUE_FAILURES
from shared.storage.market_data import MarketDataStore
from shared.trading_desk import TradingDesk
from trading.exits.case import ExitCase
from trading.model.candles import CandleSeries
from trading.model.decisions import Decision
from trading.model.disorder import MarketWatch
from trading.model.instruments import InstrumentId
from trading.model.positions import Position
from trading.model.times import Timeframe
from trading.model.venue import Quote

READING_LASTS = timedelta(seconds=8)
"""Nothing further is asked for after so long: tables that hang must not take the time that the exits need."""

DECISION = Timeframe.H1
Read = TypeVar("Read")
_KEPT: WeakKeyDictionary[MarketDataStore, dict[InstrumentId, CandleSeries]] = WeakKeyDictionary()
"""The bars that this process has read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExitInputs:
    """By contract the quotes (None when the venue does not answer), by coin what the stores hold."""

    quotes: Mapping[str, Quote] | None
    closes: Mapping[InstrumentId, float]
    bars: Mapping[InstrumentId, CandleSeries]
    traces: Mapping[InstrumentId, Decision]
    watch: MarketWatch | None

    def quote_of(self, position: Position) -> Quote | None:
        return self.quotes.get(position.contract) if self.quotes else None

    def case(self, desk: TradingDesk, position: Position) -> ExitCase:
        return ExitCase(
            position=position,
            quote=self.quote_of(position),
            last_close=self.closes.get(position.instrument),
            bars=self.bars.get(position.instrument),
            trace=self.traces.get(position.instrument),
            watch=self.watch,
            rules=desk.rules,
            now=desk.now,
        )


def read_inputs(desk: TradingDesk, held: Sequence[Position], failures: list[str]) -> ExitInputs:
    """Everything for these positions; what could not be read is named in `failures`."""
    exits = desk.rules.exits
    coins = [each.instrument for each in held]
    runners = [each.instrument for each in held if each.first_target_at is not None]
    follows = (exits.trailing or exits.progressive_tightening) and runners
    reading = _Reading(desk, failures)
    quotes = _quotes(desk, failures)
    closes = reading.of("last closes", lambda: desk.market.last_closes(desk.now))
    watch = reading.of("market watch", desk.watch.read) if exits.market_disorder else None
    traces = reading.of("decisions", lambda: _traces(desk, coins)) if exits.abandon_ship else None
    bars = reading.of("1h bars", lambda: _bars(desk, runners)) if follows else None
    return ExitInputs(quotes=quotes, closes=closes or {}, bars=bars or {}, traces=traces or {}, watch=watch)


class _Reading:
    """Reads one after the other until the time for it is over."""

    def __init__(self, desk: TradingDesk, failures: list[str]) -> None:
        self._clock = desk.clock
        self._until = desk.clock.now() + READING_LASTS
        self._failures = failures

    def of(self, what: str, read: Callable[[], Read]) -> Read | None:
        if self._clock.now() > self._until:
            self._failures.append(f"{what}: not asked for, others took too long")
            return None
        try:
            return read()
        except FAILURES as error:
            self._failures.append(f"{what}: {error}")
            return None


def _quotes(desk: TradingDesk, failures: list[str]) -> Mapping[str, Quote] | None:
    try:
        return desk.venue.quotes()
    except VENUE_FAILURES as error:
        failures.append(f"quotes: {error}")
        return None


def _traces(desk: TradingDesk, coins: Sequence[InstrumentId]) -> Mapping[InstrumentId, Decision]:
    newest = DECISION.floor(desk.now)
    bars = [newest - number * DECISION.length for number in range(desk.rules.exits.abandon_ship_hours)]
    return desk.decisions.newest(coins, bars)


def _bars(desk: TradingDesk, coins: Sequence[InstrumentId]) -> Mapping[InstrumentId, CandleSeries]:
    """The 1h bars of these coins. Those that end with the newest closed bar are not asked for again."""
    kept, newest = _KEPT.setdefault(desk.market, {}), Timeframe.H1.floor(desk.now)
    missing = [each for each in coins if each not in kept or kept[each].closed_at != newest]
    if missing:
        loaded = desk.market.load(missing, [Timeframe.H1], desk.now)
        kept.update({instrument: series for (instrument, _), series in loaded.series.items()})
    for gone in set(kept) - set(coins):
        del kept[gone]
    return dict(kept)
