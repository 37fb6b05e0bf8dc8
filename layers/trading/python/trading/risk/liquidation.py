"""Stops must be hit long before the venue liquidates, also when every position goes to its stop at once.

Cross margin of linear PF_ contracts: the account is liquidated when its margin equity is below the sum of the
positions' maintenance margins, each its notional at the mark times the rate of its level (contract, section 8). The
venue's stress multiplier is documented for initial margin only; it is applied here too, to stay on the safe side.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from trading.model.instruments import Instrument, MarginLevel, Side
from trading.model.positions import Position
from trading.model.risk import LimitCheck, RefusalReason
from trading.model.units import BasisPoints
from trading.risk.case import Portfolio, RiskCase, full_size
from trading.risk.limits import at_most


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """One position for the arithmetic: `size` in coins at `price`, the levels and multiplier of its contract."""

    side: Side
    size: Decimal
    price: Decimal
    levels: tuple[MarginLevel, ...]
    multiplier: Decimal

    def rate(self, level: MarginLevel) -> Decimal:
        return level.maintenance * self.multiplier


def liquidation_distance_of(holding: Holding, room: Decimal) -> Decimal | None:
    """How far (USD) the price may go against `holding` until the account is liquidated, all else held where it is.

    `room`: margin equity less the maintenance margin of everything else (USD). None when no price against it
    liquidates (a long loses no more than its notional, which is met at price 0). 0 when it would be liquidated at once.

    Level by level, because the rate follows the notional on the way: equity lost and maintenance due meet where
    room - size * d = size * (price - sign * d) * rate.
    """
    sign = holding.side.sign
    for level, begins, ends in _stretches(holding):
        rate = holding.rate(level)
        if room - holding.size * begins <= holding.size * (holding.price - sign * begins) * rate:
            return begins
        slope = 1 - sign * rate
        met = (room - holding.size * holding.price * rate) / (holding.size * slope) if slope > 0 else None
        if met is not None and (ends is None or met <= ends):
            return met
    return None


def _stretches(holding: Holding) -> Iterator[tuple[MarginLevel, Decimal, Decimal | None]]:
    """The margin levels in the order the price meets them, with the distances (USD) where each begins and ends. Those
    of a long end at price 0, the last of a short never."""
    notional, levels = holding.size * holding.price, holding.levels
    now = max(index for index, level in enumerate(levels) if level.from_notional <= notional)
    edges: list[Decimal | None]
    if holding.side is Side.LONG:
        met = levels[now::-1]
        edges = [level.from_notional for level in met]
    else:
        met = levels[now:]
        edges = [*(level.from_notional for level in met[1:]), None]
    begins = Decimal(0)
    for level, edge in zip(met, edges, strict=True):
        ends = None if edge is None else abs(notional - edge) / holding.size
        yield level, begins, ends
        begins = ends or begins


def liquidation_distance(case: RiskCase) -> LimitCheck | None:
    """The stop's distance against a share of the distance to liquidation, the other positions held where they are."""
    if not case.rules.risk.liquidation_buffer or case.sizing.quantity <= 0:
        return None
    instrument = case.market.instrument
    holding = Holding(
        side=case.signal.side,
        size=case.sizing.quantity,
        price=case.levels.entry,
        levels=instrument.margin_levels,
        multiplier=case.portfolio.multiplier(instrument.contract),
    )
    account = case.portfolio.account
    room = account.equity - account.maintenance_margin - case.portfolio.maintenance_in_flight()
    far = liquidation_distance_of(holding, room)
    distance = case.levels.entry if far is None else far
    bound = distance * case.rules.risk.liquidation_distance_share
    return at_most(RefusalReason.LIQUIDATION_DISTANCE, case.levels.stop_distance, bound)


def liquidation_buffer(case: RiskCase) -> LimitCheck | None:
    """Maintenance margin against margin equity with every open and in-flight position moved to its stop and then a
    further share of its stop distance, what leaving costs included."""
    if not case.rules.risk.liquidation_buffer:
        return None
    extra, portfolio = case.rules.risk.liquidation_extra_stop_share, case.portfolio
    equity, maintenance = Decimal(portfolio.account.equity), Decimal(0)
    for position in portfolio.positions:
        lost, margin = _beyond_stop(portfolio, position, extra)
        equity, maintenance = equity - lost, maintenance + margin
    instrument, distance = case.market.instrument, case.levels.stop_distance
    price = case.levels.stop - case.signal.side.sign * distance * extra
    left = equity - case.sizing.risk - case.sizing.quantity * distance * extra
    margin = _dearest_margin(instrument, case.sizing.quantity, case.levels.entry, price)
    maintenance += margin * portfolio.multiplier(instrument.contract)
    return LimitCheck(reason=RefusalReason.LIQUIDATION_BUFFER, value=maintenance, bound=left, passed=maintenance < left)


def _beyond_stop(portfolio: Portfolio, position: Position, extra: Decimal) -> tuple[Decimal, Decimal]:
    """Loss (USD) from the mark to beyond the stop, and the maintenance margin there by the position's own market."""
    sign, size = position.side.sign, full_size(position)
    mark = portfolio.mark_of(position)
    price = position.stop - sign * abs(position.levels.entry - position.levels.stop) * extra
    cost = BasisPoints(position.cost_bps).of(size * position.levels.entry)
    margin = _dearest_margin(position.market, size, mark, price) * portfolio.multiplier(position.contract)
    return max(size * (mark - price) * sign + cost, Decimal(0)), margin


def _dearest_margin(market: Instrument, size: Decimal, start: Decimal, end: Decimal) -> Decimal:
    """Maintenance margin (USD) at the price `end`, by the highest rate on the way there: a long whose notional falls
    into a cheaper level is safe at the end, and may have been liquidated just before that level began."""
    return size * end * market.margin_level(size * max(start, end)).maintenance
