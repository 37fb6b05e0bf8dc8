"""What an exit rule looks at and what it may answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from trading.model.candles import CandleSeries
from trading.model.decisions import Decision
from trading.model.disorder import MarketWatch
from trading.model.instruments import Side
from trading.model.positions import Position
from trading.model.units import BasisPoints, Price
from trading.model.venue import Quote
from trading.rules import Rules


@dataclass(frozen=True, slots=True, kw_only=True)
class ExitCase:
    """One open position and what is known of its market; None is what could not be read or is not there.

    `quote` as the venue gave it in this run; `last_close` of the newest closed 15m spot bar, `bars` the 1h spot bars
    (spot USD); `trace` the coin's newest decision; `watch` the market watch as the last look left it.
    """

    position: Position
    quote: Quote | None
    last_close: float | None
    bars: CandleSeries | None
    trace: Decision | None
    watch: MarketWatch | None
    rules: Rules
    now: datetime

    @property
    def fresh_quote(self) -> Quote | None:
        """The quote while it says something of now."""
        allowed = timedelta(seconds=self.rules.risk.quote_maximum_age_s)
        return self.quote if self.quote is not None and abs(self.now - self.quote.at) <= allowed else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Close:
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveStop:
    to: Price
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Silent:
    """The rule has judged and asks for nothing."""

    saw: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoInput:
    """The rule could not judge."""

    missing: str


Answer = Close | MoveStop | Silent | NoInput


def words(answer: Answer) -> str:
    """The answer for a person."""
    if isinstance(answer, NoInput):
        return f"without input: {answer.missing}"
    return answer.saw if isinstance(answer, Silent) else answer.why


def tightens(position: Position, level: Price) -> bool:
    return (level - position.stop) * position.side.sign > 0


def reached(side: Side, mark: Price, level: Price) -> bool:
    """The mark is at or beyond the level already: a stop there would close at once."""
    return (mark - level) * side.sign <= 0


def break_even_level(case: ExitCase) -> Price | None:
    """Entry plus the round trip's cost, rounded to the tick in the position's favour, plus the extra ticks; None before
    the first fill."""
    position, instrument = case.position, case.position.market
    entry = position.average_entry
    if entry is None:
        return None
    cost = BasisPoints(position.cost_bps).of(entry)
    raw = entry + (cost + instrument.tick * case.rules.execution.break_even_extra_ticks) * position.side.sign
    return instrument.price_up(raw) if position.side is Side.LONG else instrument.price_down(raw)
