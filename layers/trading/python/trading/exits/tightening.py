"""The rules that move the stop. None of them ever loosens it, and none asks for a level that the mark has reached."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Context, Decimal
from math import isnan

from trading.exits.case import Answer, Close, ExitCase, MoveStop, NoInput, Silent, break_even_level, reached, tightens
from trading.indicators import average_true_range, true_ranges
from trading.model.candles import CandleSeries
from trading.model.instruments import Side
from trading.model.times import Timeframe, to_text
from trading.model.units import Price, plain
from trading.rules import ExitRules

DIGITS = Context(prec=6)
"""Significant digits of a price that a person reads."""


def break_even(case: ExitCase) -> Answer:
    """After the first target: the stop goes to entry plus the round trip's cost, in the position's favour."""
    if case.position.first_target_at is None:
        return Silent(saw="no first target yet")
    return _to_break_even(case, "break-even after the first target")


def market_disorder(case: ExitCase) -> Answer:
    """The position's own contract is shaken: its stop goes to break-even without waiting for the first target.

    Never a close: in a torn market the price of leaving is the worst. A halt without a shaken price, and disorder
    elsewhere, say nothing about this position.
    """
    watch, contract = case.watch, case.position.contract
    oldest = case.now - timedelta(minutes=case.rules.risk.disorder_pause_minutes)
    if watch is None or watch.unreadable or not watch.seen or watch.seen[0].at < oldest:
        return NoInput(missing="a readable market watch of late")
    paused = [each for each in watch.pauses if each.contract == contract and each.until > case.now]
    if not paused and contract not in watch.seen[0].marks:
        return NoInput(missing=f"{contract} in the market watch")
    shaken = [each for each in paused if each.shaken_at is not None]
    if not shaken:
        return Silent(saw=f"{contract} is calm")
    return _to_break_even(case, f"break-even in disorder ({shaken[0].why})")


def trailing(case: ExitCase) -> Answer:
    """After the first target the stop follows the best price since. A level that the mark has passed already closes:
    had the stop stood there, it would have closed."""
    trail = _trail(case)
    if not isinstance(trail, _Trail):
        return trail
    answer = _follow(case, trail, case.rules.exits.trailing_atr)
    if isinstance(answer, _Passed):
        return Close(why=f"the mark {answer.mark} has passed the trailing stop: {answer.follows}")
    return answer


def progressive_tightening(case: ExitCase) -> Answer:
    """The further the best price has gone, in multiples of the first risk, the nearer the stop follows. A level that
    the mark has passed already is not placed: the plain trailing stop says when the pullback is too much."""
    trail = _trail(case)
    if not isinstance(trail, _Trail):
        return trail
    position = case.position
    entry = position.average_entry
    if entry is None:
        return NoInput(missing="the price of its entry")
    gained = (trail.best - entry) * position.side.sign / abs(position.levels.entry - position.levels.stop)
    steps = [multiple for start, multiple in _steps(case.rules.exits) if gained >= start]
    if not steps:
        return Silent(saw=f"the best price since the first target is {gained:.1f} R")
    answer = _follow(case, trail, steps[-1])
    if isinstance(answer, _Passed):
        return Silent(saw=f"at {gained:.1f} R, the mark {answer.mark} has passed it: {answer.follows}")
    return answer


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trail:
    """Best price since the first target and ATR, in contract USD."""

    best: Decimal
    atr: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class _Passed:
    mark: Price
    follows: str


def _to_break_even(case: ExitCase, why: str) -> Answer:
    level, quote, position = break_even_level(case), case.fresh_quote, case.position
    if level is None:
        return NoInput(missing="the price of its entry")
    if not tightens(position, level):
        return Silent(saw=f"{why}: {level} is not tighter than {position.stop}")
    if quote is None:
        return NoInput(missing="a fresh quote")
    if reached(position.side, quote.mark, level):
        return Silent(saw=f"{why}: the mark {quote.mark} has passed {level}")
    return MoveStop(to=level, why=f"{why}: stop to {level}")


def _steps(rules: ExitRules) -> tuple[tuple[Decimal, Decimal], ...]:
    """Each as (from so many R on, multiple of the ATR)."""
    return (
        (rules.progressive_1_r, rules.progressive_1_atr),
        (rules.progressive_2_r, rules.progressive_2_atr),
        (rules.progressive_3_r, rules.progressive_3_atr),
    )


def _trail(case: ExitCase) -> _Trail | Silent | NoInput:
    since, rules = case.position.first_target_at, case.rules.exits
    if since is None:
        return Silent(saw="no first target yet")
    bars = case.bars.until(int(case.now.timestamp())) if case.bars is not None else CandleSeries(Timeframe.H1)
    closed_at = bars.closed_at
    if closed_at is None or case.now - closed_at > timedelta(hours=rules.trailing_maximum_age_hours):
        return NoInput(missing=f"1h bars of the last {rules.trailing_maximum_age_hours} hours")
    atr = average_true_range(true_ranges(bars.highs, bars.lows, bars.closes), rules.trailing_atr_bars)
    if isnan(atr) or atr <= 0:
        return NoInput(missing=f"{rules.trailing_atr_bars + 1} closed 1h bars that moved, of {len(bars)}")
    if closed_at <= since:
        return Silent(saw=f"no 1h bar has closed since the first target at {to_text(since)}")
    return _Trail(best=_best(case, bars, since), atr=_on_contract(case, atr))


def _best(case: ExitCase, bars: CandleSeries, since: datetime) -> Decimal:
    """The best price of the bars since the first target.

    The target's own bar counts: its best price came with the target or after it. But one that was open before the
    position was may have it from before the entry: of that bar only the target itself is known to have been reached.
    """
    position, long = case.position, case.position.side is Side.LONG
    target_bar, opened = since.timestamp() - Timeframe.H1.seconds, (position.opened_at or since).timestamp()
    rows = zip(bars.times, bars.highs if long else bars.lows, strict=True)
    after = [
        _on_contract(case, price) if time >= opened else position.levels.target_1
        for time, price in rows
        if time > target_bar
    ]
    return max(after) if long else min(after)


def _on_contract(case: ExitCase, spot: float) -> Decimal:
    """Spot USD in contract USD, by the ratio that the position's levels were planned with."""
    position = case.position
    return Decimal(repr(spot)) * position.levels.invalidation / position.spot_invalidation


def _short(price: Decimal) -> str:
    return plain(DIGITS.plus(price))


def _follow(case: ExitCase, trail: _Trail, multiple: Decimal) -> MoveStop | Silent | NoInput | _Passed:
    """The stop this many ATR behind the best price, rounded away from it."""
    position, quote = case.position, case.fresh_quote
    raw = trail.best - trail.atr * multiple * position.side.sign
    follows = f"{plain(multiple)} x ATR {_short(trail.atr)} from the best price {_short(trail.best)}"
    if raw < position.market.tick:
        return Silent(saw=f"{follows} is no price")
    level = position.market.price_down(raw) if position.side is Side.LONG else position.market.price_up(raw)
    if not tightens(position, level):
        return Silent(saw=f"{follows}: {plain(level)} is not tighter than {plain(position.stop)}")
    if quote is None:
        return NoInput(missing="a fresh quote")
    if reached(position.side, quote.mark, level):
        return _Passed(mark=quote.mark, follows=follows)
    return MoveStop(to=level, why=f"{follows}: stop to {plain(level)}")
