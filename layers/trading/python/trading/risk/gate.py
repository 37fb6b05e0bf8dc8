"""The gate: size the idea, evaluate every limit, approve or refuse. Nothing else lets an entry out."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from trading.model.risk import RiskApproved, RiskRefused
from trading.model.signals import Signal
from trading.risk import limits
from trading.risk.case import Market, Portfolio, RiskCase
from trading.risk.liquidation import liquidation_buffer, liquidation_distance
from trading.risk.sizing import contract_levels, size, trade_cost
from trading.rules import Rules

LIMITS: tuple[limits.Limit, ...] = (
    limits.kill_level,
    limits.signal_life,
    limits.market_open,
    limits.quote_age,
    limits.equity_age,
    limits.basis,
    limits.entry_collar,
    limits.daily_loss,
    limits.loss_streak,
    limits.positions,
    limits.cluster_positions,
    limits.instrument_positions,
    limits.isolated_margin,
    limits.minimum_size,
    limits.gross_notional,
    limits.side_notional,
    limits.single_margin,
    limits.available_margin,
    liquidation_buffer,
    liquidation_distance,
)


def decide_risk(
    signal: Signal, portfolio: Portfolio, market: Market, rules: Rules, now: datetime
) -> RiskApproved | RiskRefused:
    """Evaluate every limit, also after the first refusal, so that the trace shows them all.

    A rule that is switched off in the rules file is not evaluated and not listed.
    """
    levels = contract_levels(signal, market.instrument, market.quote.mark / market.spot)
    cost = trade_cost(signal, market.instrument, market.quote, rules)
    sizing = size(levels, market.instrument, portfolio.account, cost, rules.risk)
    case = RiskCase(
        signal=signal, portfolio=portfolio, market=market, levels=levels, sizing=sizing, rules=rules, now=now
    )
    checks = tuple(check for limit in LIMITS if (check := limit(case)) is not None)
    refused = next((check for check in checks if not check.passed), None)
    if refused is not None:
        return RiskRefused(signal=signal, reason=refused.reason, limits=checks)
    return RiskApproved(
        signal=signal,
        instrument=market.instrument,
        levels=levels,
        spot_invalidation=signal.levels.invalidation,
        sizing=sizing,
        limits=checks,
    )


def rank(signals: tuple[Signal, ...]) -> tuple[Signal, ...]:
    """Best score first; equal scores by id, so that a repeated run allocates the same way."""
    return tuple(sorted(signals, key=lambda each: (-each.score, each.id)))


def sentence(answer: RiskApproved | RiskRefused) -> str:
    """The answer as a person would say it."""
    name = answer.signal.instrument
    if isinstance(answer, RiskRefused):
        check = next(each for each in answer.limits if not each.passed)
        return f"{name} was refused: {check.reason} is {_short(check.value)} against {_short(check.bound)}."
    capped = f", capped by {answer.sizing.capped_by}" if answer.sizing.capped_by else ""
    return (
        f"{name} {answer.signal.side} was approved: {answer.sizing.quantity} at {answer.levels.entry}, "
        f"stop {answer.levels.stop}, risk {_short(answer.sizing.risk)} USD{capped}."
    )


def _short(value: Decimal) -> str:
    return f"{value:.4g}"
