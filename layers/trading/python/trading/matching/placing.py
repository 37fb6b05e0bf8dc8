"""Send, edit and cancel orders. Nothing rests that could have executed; an answer lists what happened at once."""

from dataclasses import dataclass, replace
from decimal import Decimal

from trading.matching.book import crosses, plan_taker
from trading.matching.checks import margin_refusal, new_order, refusal, state_refusal, worst_price
from trading.matching.core import Core
from trading.matching.orders import REJECT_REASONS, Order, OrderRequest, OrderState, OrderType, Reason
from trading.matching.records import Answer, EventKind, FillType, HistoryKind, OrderEvent
from trading.matching.rounding import ZERO, is_multiple


@dataclass(frozen=True, slots=True, kw_only=True)
class EditRequest:
    """New open size (base units) and prices (USD) of an order; None leaves a value as it is."""

    order_id: str | None = None
    client_order_id: str | None = None
    size: Decimal | None = None
    size_is_total: bool = False
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None


def send(core: Core, request: OrderRequest) -> Answer:
    """Accept or refuse an order. Accepted: `placed`, with executions or a PLACE event."""
    status = refusal(core, request)
    if status is not None:
        return _refused(core, request, status)
    size, reduced = request.size, None
    if request.reduce_only and not request.order_type.is_trigger:
        size = min(size, core.reducible(request.symbol, request.side))
        reduced = request.size - size if size < request.size else None
    order = new_order(core, request, core.new_id("order"), size)
    core.books.orders_accepted += 1
    if request.client_order_id is not None:
        core.books.client_ids[request.client_order_id] = order.order_id
    if order.state is OrderState.TRIGGER:
        core.put(order)
        core.remember(HistoryKind.TRIGGER_PLACED, order, reason=Reason.NEW_USER_ORDER.lower())
        return _placed(order, (OrderEvent(kind=EventKind.PLACE, order=order, reduced=reduced),))
    core.remember(HistoryKind.PLACED, order, reason=Reason.NEW_USER_ORDER.lower())
    limit = worst_price(core.market(order.symbol), core.mark(order.symbol), request)
    return _placed(order, take_and_rest(core, order, limit, reduced))


def take_and_rest(
    core: Core,
    order: Order,
    limit: Decimal,
    reduced: Decimal | None = None,
    fill_type: FillType = FillType.TAKER,
) -> tuple[OrderEvent, ...]:
    """Execute what crosses up to `limit` as taker; the rest of a limit order rests, of anything else is cancelled.

    Events: executions only when all of it executes at once; a PLACE before them when a rest stays on the book.
    """
    market, mark = core.market(order.symbol), core.mark(order.symbol)
    events: list[OrderEvent] = []
    current = order
    if crosses(market, mark, order.side, limit):
        for level in plan_taker(market, mark, order.side, order.remaining, limit):
            prior = current
            current, fill = core.execute(current, level.price, level.size, fill_type)
            events.append(OrderEvent(kind=EventKind.EXECUTION, order=prior, fill=fill, reduced=reduced))
    if current.remaining == ZERO or not current.state.is_live:
        return tuple(events)
    if order.order_type in (OrderType.LIMIT, OrderType.POST):
        current = core.put(replace(current, state=OrderState.RESTING))
        placed = current if not events else replace(order, state=OrderState.RESTING)
        return (OrderEvent(kind=EventKind.PLACE, order=placed, reduced=reduced), *events)
    core.cancel(current, Reason.IOC_WOULD_NOT_EXECUTE)
    return tuple(events)


def _placed(order: Order, events: tuple[OrderEvent, ...]) -> Answer:
    return Answer(status="placed", order_id=order.order_id, client_order_id=order.client_order_id, events=events)


def _refused(core: Core, request: OrderRequest, status: str) -> Answer:
    reason = REJECT_REASONS.get(status)
    if reason is None:
        return Answer(status=status, order_id=None, client_order_id=request.client_order_id)
    order = new_order(core, request, core.new_id("order"), request.size)
    core.remember(HistoryKind.REJECTED, order, reason=reason.lower())
    event = OrderEvent(kind=EventKind.REJECT, order=order, reason=reason)
    return Answer(status=status, order_id=order.order_id, client_order_id=request.client_order_id, events=(event,))


def find(core: Core, order_id: str | None, client_order_id: str | None) -> Order | None:
    """Live or closed order by the venue's id, else by the client's."""
    if order_id is None and client_order_id is not None:
        order_id = core.books.client_ids.get(client_order_id)
    if order_id is None:
        return None
    return core.books.live.get(order_id) or core.books.closed.get(order_id)


def cancel(core: Core, order_id: str | None, client_order_id: str | None) -> Answer:
    """Cancel a live order: `cancelled`, `filled` (too late) or `notFound`."""
    order = find(core, order_id, client_order_id)
    if order is None or order.state in (OrderState.CANCELLED, OrderState.ACTIVATION_FAILED):
        return Answer(status="notFound", order_id=order_id, client_order_id=client_order_id)
    if order.state is OrderState.FILLED:
        return Answer(status="filled", order_id=order.order_id, client_order_id=client_order_id)
    core.cancel(order, Reason.CANCELLED_BY_USER)
    event = OrderEvent(kind=EventKind.CANCEL, order=order)
    return Answer(status="cancelled", order_id=order.order_id, client_order_id=client_order_id, events=(event,))


def cancel_all(core: Core, symbol: str | None) -> Answer:
    """Cancel every live order, protective stops included, of one symbol or of all."""
    chosen = [order for order in core.books.live.values() if symbol in (None, order.symbol)]
    events = []
    for order in chosen:
        if order.order_id in core.books.live:
            core.cancel(order, Reason.CANCELLED_BY_USER)
            events.append(OrderEvent(kind=EventKind.CANCEL, order=order))
    status = "cancelled" if events else "noOrdersToCancel"
    return Answer(status=status, order_id=None, client_order_id=None, events=tuple(events))


def edit(core: Core, request: EditRequest) -> Answer:
    """Change a live order in place; it keeps its id and loses nothing when the change is refused."""
    order = find(core, request.order_id, request.client_order_id)
    if order is None or not order.state.is_live:
        return Answer(status="orderForEditNotFound", order_id=request.order_id, client_order_id=request.client_order_id)
    edited, status = _edited(core, order, request)
    if status is not None:
        return Answer(status=status, order_id=order.order_id, client_order_id=request.client_order_id)
    core.put(edited)
    core.remember(HistoryKind.EDITED, edited, old=order, reason=Reason.EDITED_BY_USER.lower())
    events: tuple[OrderEvent, ...] = (OrderEvent(kind=EventKind.EDIT, order=edited, old=order),)
    market, mark = core.market(order.symbol), core.mark(order.symbol)
    limit = edited.limit_price
    if edited.state is OrderState.RESTING and limit is not None and crosses(market, mark, edited.side, limit):
        taken = take_and_rest(core, edited, limit, fill_type=FillType.TAKER_AFTER_EDIT)
        events += tuple(event for event in taken if event.kind is EventKind.EXECUTION)
    return Answer(status="edited", order_id=order.order_id, client_order_id=request.client_order_id, events=events)


def _edited(core: Core, order: Order, request: EditRequest) -> tuple[Order, str | None]:
    """The order as edited, and the refusal if there is one."""
    market = core.market(order.symbol)
    size = order.size
    if request.size is not None:
        size = request.size if request.size_is_total else order.filled + request.size
    limit = order.limit_price if request.limit_price is None else request.limit_price
    stop = order.stop_price if request.stop_price is None else request.stop_price
    edited = replace(order, size=size, limit_price=limit, stop_price=stop, touched=False, updated_at=core.books.now)
    if size <= order.filled or not is_multiple(size, market.size_step):
        return edited, "invalidSize"
    if request.stop_price is not None and order.state is not OrderState.TRIGGER:
        return edited, "orderForEditNotAStop"
    for price in (limit, stop):
        if price is not None and (price <= ZERO or not is_multiple(price, market.tick_size)):
            return edited, "invalidPrice"
    return edited, _edit_refusal(core, edited)


def _edit_refusal(core: Core, edited: Order) -> str | None:
    if edited.state is OrderState.TRIGGER or edited.limit_price is None:
        return None
    market, mark = core.market(edited.symbol), core.mark(edited.symbol)
    takes = crosses(market, mark, edited.side, edited.limit_price)
    if (halted := state_refusal(market, takes=takes)) is not None:
        return halted
    if edited.reduce_only:
        oversized = edited.remaining > core.reducible(edited.symbol, edited.side)
        return "wouldNotReducePosition" if oversized else None
    if edited.order_type is OrderType.POST and takes:
        return "postWouldExecute"
    return margin_refusal(core, market, edited, edited.limit_price)
