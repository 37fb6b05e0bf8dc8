"""Limits on the account: may it take any risk now, and is what it shows to be believed."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

from trading.model.control import KillLevel
from trading.model.instruments import Side
from trading.model.orders import OrderSide
from trading.model.positions import Position
from trading.model.risk import LimitCheck, RefusalReason
from trading.model.units import BasisPoints
from trading.risk.case import Portfolio, RiskCase, full_size
from trading.risk.day import implausible, lost_share
from trading.risk.guards import automatic_level
from trading.risk.limits import PERCENT, at_most, seconds


def kill_level(case: RiskCase) -> LimitCheck:
    """The switch: any level above normal stops entries, also one that a guard asks for and has not raised yet."""
    level = case.portfolio.control.level
    asked = automatic_level(case.portfolio.risk_day, case.rules.risk)
    if asked is not None:
        level = max(level, asked[0])
    return at_most(RefusalReason.KILL_LEVEL, level.value, KillLevel.NORMAL.value)


def equity_age(case: RiskCase) -> LimitCheck:
    """Seconds since the account was shown, by the venue's own clock."""
    age = seconds(abs(case.now - case.portfolio.account.at))
    return at_most(RefusalReason.EQUITY_AGE, age, case.rules.risk.equity_maximum_age_s)


def clock_skew(case: RiskCase) -> LimitCheck:
    """Seconds between the venue's clock and ours when the account answered."""
    apart = abs(case.portfolio.account.at - case.portfolio.read_at)
    return at_most(RefusalReason.CLOCK_SKEW, seconds(apart), case.rules.risk.clock_skew_maximum_s)


def equity_jump(case: RiskCase) -> LimitCheck | None:
    """This reading against the last one, as a ratio: half or double is an error, a deposit or a withdrawal."""
    if not case.rules.risk.equity_jump:
        return None
    last, now = case.portfolio.risk_day.last_equity, case.portfolio.account.equity
    bound = case.rules.risk.equity_jump_ratio
    ratio = max(now / last, last / now) if last > 0 and now > 0 else bound
    passed = not implausible(case.portfolio.risk_day, now, case.rules.risk)
    return LimitCheck(reason=RefusalReason.EQUITY_JUMP, value=ratio, bound=bound, passed=passed)


def daily_loss(case: RiskCase) -> LimitCheck | None:
    """Loss from the day's peak equity in percent of it; a halted day stays halted until a person resumes."""
    if not case.rules.risk.daily_loss_limit:
        return None
    day, bound, lost = case.portfolio.risk_day, case.rules.risk.daily_loss_pct, _lost_today(case)
    return LimitCheck(reason=RefusalReason.DAILY_LOSS, value=lost, bound=bound, passed=lost < bound and not day.halted)


def _lost_today(case: RiskCase) -> Decimal:
    equity = case.portfolio.account.equity
    return lost_share(max(case.portfolio.risk_day.peak_equity, equity), equity)


def loss_streak(case: RiskCase) -> LimitCheck | None:
    """Seconds left of the regime's pause after too many losses in a row."""
    if not case.rules.risk.loss_streak_pause:
        return None
    until = case.portfolio.risk_day.streak(case.signal.regime).paused_until
    left = seconds(until - case.now) if until else Decimal(0)
    return at_most(RefusalReason.LOSS_STREAK, max(left, Decimal(0)), 0)


def open_risk(case: RiskCase) -> LimitCheck | None:
    """Today's loss if every stop is hit now, this trade's included, in percent of the day's peak equity."""
    if not case.rules.risk.open_risk:
        return None
    peak = max(case.portfolio.risk_day.peak_equity, case.portfolio.account.equity)
    at_stops = reserved_risk(case.portfolio) + case.sizing.risk
    share = at_stops / peak * PERCENT if peak > 0 else PERCENT
    return at_most(RefusalReason.OPEN_RISK, _lost_today(case) + share, case.rules.risk.daily_loss_pct)


def reserved_risk(portfolio: Portfolio) -> Decimal:
    """USD that all open records lose when their stops are hit, from today's marks, costs included.

    Entries in flight count from their entry price. Nothing is stored for it: it follows from the records alone, so
    no restart can forget a part of it."""
    return sum((_loss_at_stop(portfolio, each) for each in portfolio.positions), Decimal(0))


def _loss_at_stop(portfolio: Portfolio, position: Position) -> Decimal:
    sign, waiting = position.side.sign, full_size(position) - position.quantity
    lost = position.quantity * (portfolio.mark_of(position) - position.stop) * sign
    lost += waiting * (position.levels.entry - position.stop) * sign
    cost = BasisPoints(position.cost_bps).of(full_size(position) * position.levels.entry)
    return max(lost + cost, Decimal(0))


def unrecorded_positions(case: RiskCase) -> LimitCheck:
    """Contracts of which the venue holds more than our records of that side say: until reconcile has adopted it,
    what is at risk is not known."""
    known: defaultdict[tuple[str, Side], Decimal] = defaultdict(Decimal)
    for ours in case.portfolio.positions:
        known[ours.contract, ours.side] += full_size(ours)
    strange = [each for each in case.portfolio.venue_positions if each.quantity > known[each.contract, each.side]]
    return at_most(RefusalReason.UNRECORDED_POSITIONS, len(strange), 0)


def isolated_margin(case: RiskCase) -> LimitCheck:
    """Positions with isolated margin: we trade cross only, so somebody has changed the account's set-up."""
    return at_most(RefusalReason.ISOLATED_MARGIN, sum(each.isolated for each in case.portfolio.venue_positions), 0)


def self_match(case: RiskCase) -> LimitCheck:
    """Working orders of this account that the entry would trade against, whoever placed them."""
    entry, side = case.levels.entry, OrderSide.opening(case.signal.side)
    crossing = [
        each
        for each in case.portfolio.orders
        if each.contract == case.market.instrument.contract and each.side is not side and each.limit_price is not None
        if (entry - each.limit_price) * case.signal.side.sign >= 0
    ]
    return at_most(RefusalReason.SELF_MATCH, len(crossing), 0)
