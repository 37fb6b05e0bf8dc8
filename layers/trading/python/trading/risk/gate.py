"""The gate: size the idea, evaluate every limit, approve or refuse. Nothing else lets an entry out."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from trading.errors import InvalidInput
from trading.model.risk import LimitCheck, RefusalReason, RiskApproved, RiskRefused
from trading.model.signals import Signal
from trading.risk import account_limits, count_limits, liquidation, market_limits, size_limits
from trading.risk.case import Market, Portfolio, RiskCase
from trading.risk.limits import Limit
from trading.risk.sizing import contract_levels, size, trade_cost
from trading.rules import Rules

LIMITS: tuple[Limit, ...] = (
    account_limits.kill_level,
    market_limits.signal_life,
    market_limits.levels,
    market_limits.market_open,
    market_limits.market_disorder,
    market_limits.contract_age,
    account_limits.clock_skew,
    market_limits.quote_age,
    market_limits.quote_complete,
    account_limits.equity_age,
    account_limits.equity_jump,
    market_limits.basis,
    market_limits.entry_collar,
    market_limits.stop_minimum,
    market_limits.stop_maximum,
    market_limits.spread,
    market_limits.fees,
    market_limits.cost,
    market_limits.funding,
    account_limits.daily_loss,
    account_limits.loss_streak,
    account_limits.open_risk,
    count_limits.positions,
    count_limits.cluster_positions,
    count_limits.instrument_positions,
    account_limits.unrecorded_positions,
    account_limits.isolated_margin,
    account_limits.self_match,
    count_limits.entries_per_minute,
    count_limits.entries_per_day,
    count_limits.entries_per_coin,
    count_limits.repeated_entry,
    size_limits.cap(RefusalReason.MINIMUM_SIZE),
    size_limits.cap(RefusalReason.TIER_NOTIONAL),
    size_limits.cap(RefusalReason.TIER_NOTIONAL_USD),
    size_limits.cap(RefusalReason.LEVERAGE),
    size_limits.cap(RefusalReason.VENUE_MAXIMUM),
    size_limits.cap(RefusalReason.VOLUME_SHARE),
    size_limits.depth,
    size_limits.cap(RefusalReason.SINGLE_MARGIN),
    size_limits.cap(RefusalReason.AVAILABLE_MARGIN),
    size_limits.gross_notional,
    size_limits.side_notional,
    liquidation.liquidation_buffer,
    liquidation.liquidation_distance,
)


def decide_risk(
    signal: Signal, portfolio: Portfolio, market: Market, rules: Rules, now: datetime
) -> RiskApproved | RiskRefused:
    """Evaluate every limit, also after the first refusal, so that the trace shows them all.

    A rule that is switched off in the rules file is not evaluated and not listed.
    """
    try:
        levels = contract_levels(signal, market.instrument, market.quote.mark / market.spot)
    except InvalidInput:
        # Without a ladder on the contract's tick there is nothing to size: the one limit that says so stands alone.
        refused = market_limits.ladder(signal, market, passed=False)
        return RiskRefused(signal=signal, reason=refused.reason, limits=(refused,))
    cost = trade_cost(signal, market.instrument, market.quote, rules)
    sizing = size(levels, market, portfolio, cost, rules.risk)
    case = RiskCase(
        signal=signal, portfolio=portfolio, market=market, levels=levels, sizing=sizing, rules=rules, now=now
    )
    return judge(case)


def judge(case: RiskCase) -> RiskApproved | RiskRefused:
    """Every limit on a case that is already sized."""
    checks = tuple(check for limit in LIMITS if (check := limit(case)) is not None)
    refused = next((check for check in checks if not check.passed), None)
    if refused is not None:
        return RiskRefused(signal=case.signal, reason=refused.reason, limits=checks)
    return RiskApproved(
        signal=case.signal,
        instrument=case.market.instrument,
        levels=case.levels,
        spot_invalidation=case.signal.levels.invalidation,
        sizing=case.sizing,
        limits=checks,
    )


def sentence(answer: RiskApproved | RiskRefused) -> str:
    """The answer as a person would say it."""
    name = answer.signal.instrument
    if isinstance(answer, RiskRefused):
        refused: list[LimitCheck] = [each for each in answer.limits if not each.passed]
        also = f" ({', '.join(each.reason for each in refused[1:])} would refuse it too)" if len(refused) > 1 else ""
        first = refused[0]
        return f"{name} was refused: {first.reason} is {_short(first.value)} against {_short(first.bound)}{also}."
    capped = f", capped by {answer.sizing.capped_by}" if answer.sizing.capped_by else ""
    return (
        f"{name} {answer.signal.side} was approved: {answer.sizing.quantity} at {answer.levels.entry}, "
        f"stop {answer.levels.stop}, risk {_short(answer.sizing.risk)} USD{capped}."
    )


def _short(value: Decimal) -> str:
    return f"{value:.4g}"
