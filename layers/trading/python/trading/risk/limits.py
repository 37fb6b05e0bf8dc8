"""One pure function per limit. Each says what it compared, so that a refusal can be read and a pass can be proven."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from trading.model.control import KillLevel
from trading.model.risk import LimitCheck, RefusalReason
from trading.risk.case import RiskCase

PERCENT = Decimal(100)
Limit = Callable[[RiskCase], LimitCheck | None]


def _at_most(reason: RefusalReason, value: Decimal | int, bound: Decimal | int) -> LimitCheck:
    return LimitCheck(reason=reason, value=Decimal(value), bound=Decimal(bound), passed=value <= bound)


def kill_level(case: RiskCase) -> LimitCheck:
    return _at_most(RefusalReason.KILL_LEVEL, case.portfolio.control.level.value, KillLevel.NORMAL.value)


def signal_life(case: RiskCase) -> LimitCheck:
    """Seconds since the signal's expiry; an expired idea is never sent."""
    late = Decimal(str((case.now - case.signal.expires_at).total_seconds()))
    return LimitCheck(reason=RefusalReason.SIGNAL_EXPIRED, value=late, bound=Decimal(0), passed=late < 0)


def market_open(case: RiskCase) -> LimitCheck:
    return _at_most(RefusalReason.MARKET_CLOSED, int(case.market.quote.suspended or case.market.quote.post_only), 0)


def quote_age(case: RiskCase) -> LimitCheck:
    """Both prices fresh, and read close to each other: the conversion is only as good as their agreement."""
    bound = Decimal(case.rules.risk.quote_maximum_age_s)
    moments = (case.market.quote.at, case.market.spot_at, case.now)
    return _at_most(RefusalReason.QUOTE_AGE, Decimal(str((max(moments) - min(moments)).total_seconds())), bound)


def equity_age(case: RiskCase) -> LimitCheck:
    age = Decimal(str(abs((case.now - case.portfolio.account.at).total_seconds())))
    return _at_most(RefusalReason.EQUITY_AGE, age, case.rules.risk.equity_maximum_age_s)


def basis(case: RiskCase) -> LimitCheck | None:
    if not case.rules.risk.basis_guard:
        return None
    distance = abs(case.market.spot - case.market.quote.mark) / case.market.spot * PERCENT
    return _at_most(RefusalReason.BASIS, distance, case.rules.risk.basis_maximum_pct)


def entry_collar(case: RiskCase) -> LimitCheck:
    """A fat finger or a stale level: the entry may not lie far from the mark."""
    distance = abs(case.levels.entry - case.market.quote.mark) / case.market.quote.mark * PERCENT
    return _at_most(RefusalReason.ENTRY_COLLAR, distance, case.rules.execution.price_collar_pct)


def daily_loss(case: RiskCase) -> LimitCheck | None:
    """Loss from the day's peak equity in percent of it; a halted day stays halted until a person resumes."""
    if not case.rules.risk.daily_loss_limit:
        return None
    day, bound = case.portfolio.risk_day, case.rules.risk.daily_loss_pct
    peak = max(day.peak_equity, case.portfolio.account.equity)
    lost = (peak - case.portfolio.account.equity) / peak * PERCENT if peak > 0 else PERCENT
    return LimitCheck(reason=RefusalReason.DAILY_LOSS, value=lost, bound=bound, passed=lost < bound and not day.halted)


def loss_streak(case: RiskCase) -> LimitCheck | None:
    """Seconds left of the regime's pause after too many losses in a row."""
    if not case.rules.risk.loss_streak_pause:
        return None
    until = case.portfolio.risk_day.streak(case.signal.regime).paused_until
    left = Decimal(str((until - case.now).total_seconds())) if until else Decimal(0)
    return _at_most(RefusalReason.LOSS_STREAK, max(left, Decimal(0)), 0)


def positions(case: RiskCase) -> LimitCheck:
    return _at_most(RefusalReason.POSITIONS, len(case.open_positions) + 1, case.rules.risk.maximum_positions)


def cluster_positions(case: RiskCase) -> LimitCheck:
    same = sum((each.regime, each.setup) == (case.signal.regime, case.signal.setup) for each in case.open_positions)
    return _at_most(RefusalReason.CLUSTER_POSITIONS, same + 1, case.rules.risk.maximum_positions_per_cluster)


def instrument_positions(case: RiskCase) -> LimitCheck:
    """Our records and the venue's own positions on this contract, whichever is more."""
    ours = sum(each.instrument == case.signal.instrument for each in case.open_positions)
    theirs = sum(each.contract == case.market.instrument.contract for each in case.portfolio.venue_positions)
    bound = case.rules.risk.maximum_positions_per_instrument
    return _at_most(RefusalReason.INSTRUMENT_POSITIONS, max(ours, theirs) + 1, bound)


def isolated_margin(case: RiskCase) -> LimitCheck:
    """We trade cross margin only; any isolated position means that somebody changed the account's set-up."""
    return _at_most(RefusalReason.ISOLATED_MARGIN, sum(each.isolated for each in case.portfolio.venue_positions), 0)


def minimum_size(case: RiskCase) -> LimitCheck:
    """Never bumped up: what is too small for the venue is not traded."""
    value, bound = case.sizing.quantity, max(case.market.instrument.minimum, case.market.instrument.step)
    return LimitCheck(reason=RefusalReason.MINIMUM_SIZE, value=value, bound=bound, passed=value >= bound)


def gross_notional(case: RiskCase) -> LimitCheck:
    bound = case.portfolio.account.equity * case.rules.risk.gross_notional_pct / PERCENT
    return _at_most(RefusalReason.GROSS_NOTIONAL, case.notional() + case.sizing.notional, bound)


def side_notional(case: RiskCase) -> LimitCheck:
    bound = case.portfolio.account.equity * case.rules.risk.side_notional_pct / PERCENT
    side = case.signal.side
    net = case.notional(side) - case.notional(side.opposite) + case.sizing.notional
    return _at_most(RefusalReason.SIDE_NOTIONAL, net, bound)


def single_margin(case: RiskCase) -> LimitCheck:
    bound = case.portfolio.account.equity * case.rules.risk.margin_single_pct / PERCENT
    return _at_most(RefusalReason.SINGLE_MARGIN, case.sizing.margin, bound)


def available_margin(case: RiskCase) -> LimitCheck:
    """The new margin together with what entries in flight will take: the venue counts only what is filled."""
    bound = case.portfolio.account.available_margin * case.rules.risk.margin_available_pct / PERCENT
    return _at_most(RefusalReason.AVAILABLE_MARGIN, case.sizing.margin + case.margin_in_flight(), bound)
