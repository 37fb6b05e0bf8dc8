"""Stops must be hit long before the venue liquidates, also when every position goes to its stop at once."""

from __future__ import annotations

from decimal import Decimal

from trading.model.positions import Position
from trading.model.risk import LimitCheck, RefusalReason
from trading.risk.case import RiskCase


def liquidation_buffer(case: RiskCase) -> LimitCheck | None:
    """Maintenance margin against margin equity with every open and in-flight position moved to its stop and then a
    further share of its stop distance."""
    if not case.rules.risk.liquidation_buffer:
        return None
    extra = case.rules.risk.liquidation_extra_stop_share
    equity, maintenance = Decimal(case.portfolio.account.equity), Decimal(0)
    for position in case.open_positions:
        lost, margin = _at_stop(case, position, extra)
        equity, maintenance = equity - lost, maintenance + margin
    notional = case.sizing.quantity * case.levels.stop
    own_loss = case.sizing.quantity * case.levels.stop_distance * (1 + extra)
    maintenance += notional * case.market.instrument.margin_level(notional).maintenance
    left = equity - own_loss
    return LimitCheck(
        reason=RefusalReason.LIQUIDATION_BUFFER, value=maintenance, bound=left, passed=left > 0 and maintenance < left
    )


def _at_stop(case: RiskCase, position: Position, extra: Decimal) -> tuple[Decimal, Decimal]:
    """Loss from the mark to beyond the stop, and the maintenance margin there (by this position's own market)."""
    quote = case.portfolio.quotes.get(position.contract)
    mark = quote.mark if quote else position.levels.entry
    size = max(position.quantity, position.planned) if position.entry_open else position.quantity
    distance = (mark - position.stop) * position.side.sign
    beyond = abs(position.levels.entry - position.levels.stop) * extra
    rate = position.market.margin_level(size * mark).maintenance
    return size * max(distance + beyond, Decimal(0)), size * position.stop * rate


def liquidation_distance(case: RiskCase) -> LimitCheck | None:
    """The stop's distance against a share of the distance to liquidation, the other positions held where they are."""
    if not case.rules.risk.liquidation_buffer or case.sizing.quantity <= 0:
        return None
    notional = case.sizing.notional
    own = notional * case.market.instrument.margin_level(notional).maintenance
    room = case.portfolio.account.equity - case.portfolio.account.maintenance_margin - own
    to_liquidation = max(room, Decimal(0)) / case.sizing.quantity
    bound = to_liquidation * case.rules.risk.liquidation_distance_share
    value = case.levels.stop_distance
    return LimitCheck(reason=RefusalReason.LIQUIDATION_DISTANCE, value=value, bound=bound, passed=value <= bound)
