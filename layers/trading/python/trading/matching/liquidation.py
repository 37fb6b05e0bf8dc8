"""Liquidation: cancel orders that could open, then close positions until the account is healthy again."""

from decimal import Decimal

from trading.matching.book import last_price, levels
from trading.matching.core import Core
from trading.matching.margin import margin_view
from trading.matching.orders import Order, OrderState, OrderType, Reason, Side
from trading.matching.records import FillType, HistoryKind
from trading.matching.rounding import ZERO, floor_to


def can_liquidate(core: Core) -> bool:
    """Whether a liquidation would change anything: nothing executes in a market that is not online."""
    return bool(_closable(core) or _opening(core))


def liquidate(core: Core) -> None:
    """Cancel orders that could open, then close positions, the one with most notional first, until healthy.

    With `Switches.partial_liquidation` halves of the largest position go first, for as long as a half is a whole step.
    """
    for order in _opening(core):
        if order.order_id in core.books.live:
            core.cancel(order, Reason.LIQUIDATION)
    while found := _closable(core):
        symbol = min(found, key=lambda name: (-abs(core.books.size_of(name)) * core.mark(name), name))
        whole = abs(core.books.size_of(symbol))
        half = floor_to(whole / 2, core.market(symbol).size_step)
        if core.switches.partial_liquidation and half > ZERO:
            _close_by_liquidation(core, symbol, half, FillType.PARTIAL_LIQUIDATION)
        else:
            _close_by_liquidation(core, symbol, whole, FillType.LIQUIDATION)
        view = margin_view(core.books, core.markets, core.mark)
        if view.equity >= view.maintenance:
            return


def _closable(core: Core) -> list[str]:
    return [symbol for symbol in core.books.positions if core.market(symbol).is_online]


def _opening(core: Core) -> list[Order]:
    return [order for order in core.books.live.values() if not order.reduce_only]


def _close_by_liquidation(core: Core, symbol: str, size: Decimal, fill_type: FillType) -> None:
    """Close `size` of a position through the book; what the book cannot take executes at its last level."""
    market, now = core.market(symbol), core.books.now
    side = Side.SELL if core.books.size_of(symbol) > ZERO else Side.BUY
    core.books.orders_accepted += 1
    core.books.liquidations += 1
    order = Order(
        order_id=core.new_id("liquidation"),
        client_order_id=None,
        symbol=symbol,
        side=side,
        order_type=OrderType.IMMEDIATE,
        size=size,
        limit_price=last_price(market, core.mark(symbol)),
        stop_price=None,
        trigger_signal=None,
        reduce_only=True,
        received_at=now,
        updated_at=now,
        sequence=core.books.orders_accepted,
        state=OrderState.RESTING,
        reason=Reason.LIQUIDATION,
    )
    core.remember(HistoryKind.PLACED, order, reason=Reason.LIQUIDATION.lower())
    book = list(levels(market, core.mark(symbol), side))
    for level in book[:-1]:
        if order.remaining > ZERO:
            order, _ = core.execute(order, level.price, min(order.remaining, level.size), fill_type)
    if order.remaining > ZERO:
        core.execute(order, book[-1].price, order.remaining, fill_type)
