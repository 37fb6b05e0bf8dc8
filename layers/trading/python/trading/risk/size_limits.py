"""Limits on size. The caps made the quantity; here each is listed with what it allowed and holds it to that."""

from __future__ import annotations

from decimal import Decimal

from trading.model.instruments import Side
from trading.model.risk import LimitCheck, RefusalReason
from trading.risk.case import RiskCase
from trading.risk.limits import PERCENT, Limit, at_most


def cap(reason: RefusalReason) -> Limit:
    """The limit of one size cap, in base coins: it refuses when even the venue's smallest order is more than it
    allows (sizes are never bumped up), and whatever is larger than it allows."""

    def check(case: RiskCase) -> LimitCheck:
        return _within(case, reason)

    check.__name__ = reason.value
    return check


def depth(case: RiskCase) -> LimitCheck | None:
    """Base coins of the order, at least of the venue's smallest, against what the side of the order book on which the
    position would be closed allows: a stop that finds nobody there is no stop."""
    return _within(case, RefusalReason.DEPTH) if case.rules.risk.depth else None


def _within(case: RiskCase, reason: RefusalReason) -> LimitCheck:
    instrument, allowed = case.market.instrument, dict(case.sizing.allowed)[reason]
    smallest = max(instrument.minimum, instrument.step)
    return at_most(reason, max(case.sizing.quantity, smallest), allowed)


def gross_notional(case: RiskCase) -> LimitCheck:
    """USD value of everything open and this, both sides."""
    bound = _equity(case) * case.rules.risk.gross_notional_pct / PERCENT
    return at_most(RefusalReason.GROSS_NOTIONAL, case.portfolio.notional() + case.sizing.notional, bound)


def side_notional(case: RiskCase) -> LimitCheck:
    """USD value of this side and this, less what is filled on the other side."""
    bound = _equity(case) * case.rules.risk.side_notional_pct / PERCENT
    side: Side = case.signal.side
    net = case.portfolio.notional(side) - case.portfolio.held_notional(side.opposite) + case.sizing.notional
    return at_most(RefusalReason.SIDE_NOTIONAL, net, bound)


def _equity(case: RiskCase) -> Decimal:
    """USD; an account below zero may hold as little as one at zero."""
    return max(case.portfolio.account.equity, Decimal(0))
