"""The exit rules. Each looks at one open position and says nothing, "move the stop here" or "close"."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from trading.model.instruments import Side
from trading.model.positions import Position
from trading.model.times import Timeframe
from trading.model.units import BasisPoints, Price
from trading.rules import Rules


@dataclass(frozen=True, slots=True, kw_only=True)
class ExitCase:
    """One open position and its market: `mark` and `index` of the contract as the venue quoted them at `quoted_at`,
    `last_close` of the newest closed 15m spot bar."""

    position: Position
    mark: Price | None
    index: Price | None
    quoted_at: datetime | None
    last_close: float | None
    rules: Rules
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveStop:
    to: Price
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Close:
    why: str


ExitRule = Callable[[ExitCase], MoveStop | Close | None]


def break_even(case: ExitCase) -> MoveStop | None:
    """After the first target: the stop goes to entry plus the round trip's cost, in the position's favour."""
    position, instrument = case.position, case.position.market
    entry = position.average_entry
    if position.first_target_at is None or entry is None:
        return None
    cost = BasisPoints(position.cost_bps).of(entry)
    extra = instrument.tick * case.rules.execution.break_even_extra_ticks
    raw = entry + (cost + extra) * position.side.sign
    level = instrument.price_up(raw) if position.side is Side.LONG else instrument.price_down(raw)
    if case.mark is None or not _tightens(position, level) or _reached(position.side, case.mark, level):
        return None
    return MoveStop(to=level, why=f"break-even after the first target: stop to {level}")


def time_exit(case: ExitCase) -> Close | None:
    """The idea had its time: no first target within the allowed 15m bars."""
    position = case.position
    if position.first_target_at is not None or position.opened_at is None:
        return None
    allowed = Timeframe.M15.length * case.rules.exits.time_exit_bars
    if case.now - position.opened_at < allowed:
        return None
    return Close(why=f"no first target within {case.rules.exits.time_exit_bars} bars of 15m")


def premise(case: ExitCase) -> Close | None:
    """A 15m spot close beyond the invalidation says that the idea was wrong."""
    if case.last_close is None:
        return None
    beyond = (Decimal(repr(case.last_close)) - case.position.spot_invalidation) * case.position.side.sign
    if beyond >= 0:
        return None
    return Close(why=f"closed at {case.last_close} beyond the invalidation {case.position.spot_invalidation}")


def maximum_hold(case: ExitCase) -> Close | None:
    opened = case.position.opened_at
    if opened is None or case.now - opened < timedelta(hours=case.rules.exits.maximum_hold_hours):
        return None
    return Close(why=f"held for {case.rules.exits.maximum_hold_hours} hours")


def basis_after_fill(case: ExitCase) -> Close | None:
    """Soon after the fill: the contract has left the spot price that the idea was found on and is judged on.

    One look is enough, as before the entry: the venue's mark is an average over time and its index one over
    exchanges, so a single trade tears neither; but only a fresh quote counts, as an old one says nothing of now.
    """
    opened, mark, index, rules = case.position.opened_at, case.mark, case.index, case.rules
    if opened is None or mark is None or index is None or not _fresh(case):
        return None
    torn = abs(index - mark) * 100 / index
    young = case.now - opened <= timedelta(minutes=rules.exits.basis_after_fill_minutes)
    if not young or torn <= rules.risk.basis_maximum_pct:
        return None
    return Close(why=f"mark {mark} is {torn:.2f} % from its index {index} soon after the fill")


REGISTRY: tuple[tuple[str, ExitRule], ...] = (
    ("basis_after_fill", basis_after_fill),
    ("premise", premise),
    ("time_exit", time_exit),
    ("maximum_hold", maximum_hold),
    ("break_even", break_even),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExitVerdict:
    """What was evaluated, and the first rule that fired with what it asks for."""

    evaluated: tuple[str, ...]
    fired: str | None = None
    action: MoveStop | Close | None = None


def decide_exit(case: ExitCase) -> ExitVerdict:
    """Evaluate every rule that is on, in the registry's order; closing goes before moving a stop."""
    evaluated: list[str] = []
    verdict: tuple[str, MoveStop | Close] | None = None
    for name, rule in REGISTRY:
        if not getattr(case.rules.exits, name):
            continue
        evaluated.append(name)
        action = rule(case)
        if action is not None and verdict is None:
            verdict = (name, action)
    if verdict is None:
        return ExitVerdict(evaluated=tuple(evaluated))
    return ExitVerdict(evaluated=tuple(evaluated), fired=verdict[0], action=verdict[1])


def _fresh(case: ExitCase) -> bool:
    allowed = timedelta(seconds=case.rules.risk.quote_maximum_age_s)
    return case.quoted_at is not None and abs(case.now - case.quoted_at) <= allowed


def _tightens(position: Position, level: Price) -> bool:
    return (level - position.stop) * position.side.sign > 0


def _reached(side: Side, mark: Price, level: Price) -> bool:
    """The mark is at or beyond the level already: a stop there would close at once."""
    return (mark - level) * side.sign <= 0
