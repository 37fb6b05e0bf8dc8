"""Orders, events, fills and positions of the matching core as Kraken's derivatives API writes them."""

from typing import Any

from infra.local.sandbox.venue import SandboxVenue
from infra.local.sandbox.wire import iso, number
from trading.matching import Answer, EventKind, Fill, Order, OrderEvent, OrderState, OrderType, Position, TriggerSignal

Json = dict[str, Any]
EVENT_SIGNALS = {TriggerSignal.MARK: "mark_price", TriggerSignal.INDEX: "spot_price", TriggerSignal.LAST: "last_price"}
OPEN_SIGNALS = {TriggerSignal.MARK: "mark", TriggerSignal.INDEX: "spot", TriggerSignal.LAST: "last"}


def symbol_text(venue: SandboxVenue, symbol: str) -> str:
    """Contract symbol in the letter case that the switch asks for."""
    return symbol.lower() if venue.wire.lower_case_symbols else symbol


def event_order(venue: SandboxVenue, order: Order) -> Json:
    """Order inside an order event."""
    return {
        "orderId": order.order_id,
        "cliOrdId": order.client_order_id,
        "type": order.order_type.value,
        "symbol": symbol_text(venue, order.symbol),
        "side": order.side.value,
        "quantity": number(order.size),
        "filled": number(order.filled),
        "limitPrice": None if order.limit_price is None else number(order.limit_price),
        "reduceOnly": order.reduce_only,
        "timestamp": iso(order.received_at),
        "lastUpdateTimestamp": iso(order.updated_at),
    }


def event_trigger(venue: SandboxVenue, order: Order) -> Json:
    """Waiting trigger inside a PLACE or CANCEL event."""
    return {
        "uid": order.order_id,
        "clientId": order.client_order_id,
        "type": "lmt" if order.limit_price is not None else "ioc",
        "symbol": symbol_text(venue, order.symbol),
        "side": order.side.value,
        "quantity": number(order.size),
        "limitPrice": None if order.limit_price is None else number(order.limit_price),
        "triggerPrice": None if order.stop_price is None else number(order.stop_price),
        "triggerSide": "trigger_above" if order.triggers_above else "trigger_below",
        "triggerSignal": EVENT_SIGNALS[order.trigger_signal or TriggerSignal.LAST],
        "reduceOnly": order.reduce_only,
        "timestamp": iso(order.received_at),
        "lastUpdateTimestamp": iso(order.updated_at),
    }


def event(venue: SandboxVenue, item: OrderEvent) -> Json:
    """One entry of `orderEvents`."""
    reduced = None if item.reduced is None else number(item.reduced)
    if item.kind is EventKind.EXECUTION and item.fill is not None:
        return {
            "type": "EXECUTION",
            "executionId": item.fill.fill_id,
            "price": number(item.fill.price),
            "amount": number(item.fill.size),
            "orderPriorEdit": None,
            "orderPriorExecution": event_order(venue, item.order),
            "takerReducedQuantity": reduced,
        }
    if item.kind is EventKind.EDIT and item.old is not None:
        old, new = event_order(venue, item.old), event_order(venue, item.order)
        return {"type": "EDIT", "old": old, "new": new, "reducedQuantity": reduced}
    if item.kind is EventKind.REJECT:
        order = event_order(venue, item.order)
        return {"type": "REJECT", "uid": item.order.order_id, "reason": item.reason, "order": order}
    content: Json = {"type": item.kind.value}
    if item.order.state is OrderState.TRIGGER:
        content["orderTrigger"] = event_trigger(venue, item.order)
    else:
        content["order"] = event_order(venue, item.order)
    if item.kind is EventKind.CANCEL:
        return {**content, "uid": item.order.order_id}
    return {**content, "reducedQuantity": reduced}


def events(venue: SandboxVenue, answer: Answer) -> Json:
    """`orderEvents` of an answer as the switch asks for: present, empty or missing."""
    if venue.wire.order_events == "missing":
        return {}
    rows = [event(venue, item) for item in answer.events] if venue.wire.order_events == "present" else []
    return {"orderEvents": rows}


def send_status(venue: SandboxVenue, answer: Answer) -> Json:
    """`sendStatus` of an answer to sendorder."""
    content: Json = {"status": answer.status, "receivedTime": iso(venue.now)}
    if answer.order_id is not None:
        content["order_id"] = answer.order_id
    if answer.client_order_id is not None and venue.wire.echo_client_id:
        content["cliOrdId"] = answer.client_order_id
    return content | events(venue, answer)


def open_order(venue: SandboxVenue, order: Order) -> Json:
    """Row of openorders. Kraken writes `stop` or `stp` for a stop (switch), `lmt` for anything on the book."""
    waiting = order.state is OrderState.TRIGGER
    kind = "lmt"
    if waiting:
        stop = order.order_type is OrderType.STOP
        kind = venue.wire.stop_type_in_open_orders if stop else "take_profit"
    row: Json = {
        "order_id": order.order_id,
        "symbol": symbol_text(venue, order.symbol),
        "side": order.side.value,
        "orderType": kind,
    }
    if order.limit_price is not None:
        row["limitPrice"] = number(order.limit_price)
    if waiting and order.stop_price is not None:
        row["stopPrice"] = number(order.stop_price)
        row["triggerSignal"] = OPEN_SIGNALS[order.trigger_signal or TriggerSignal.LAST]
    row |= {
        "unfilledSize": number(order.remaining),
        "receivedTime": iso(order.received_at),
        "status": "partiallyFilled" if order.filled else "untouched",
        "filledSize": number(order.filled),
        "reduceOnly": order.reduce_only,
        "lastUpdateTime": iso(order.updated_at),
    }
    if order.client_order_id is not None:
        row["cliOrdId"] = order.client_order_id
    return row


def status_row(venue: SandboxVenue, order: Order) -> Json:
    """Row of orders/status."""
    size = order.size if venue.wire.quantity_in_status == "total" else order.remaining
    trigger = None
    if order.state in (OrderState.TRIGGER, OrderState.ACTIVATION_FAILED) and order.stop_price is not None:
        signal = EVENT_SIGNALS[order.trigger_signal or TriggerSignal.LAST].upper()
        trigger = {
            "triggerPrice": number(order.stop_price),
            "triggerSide": "TRIGGER_ABOVE" if order.triggers_above else "TRIGGER_BELOW",
            "triggerSignal": signal,
            "triggerTime": None if order.activated_at is None else iso(order.activated_at),
        }
    body: Json = {
        "type": "TRIGGER_ORDER" if trigger else "ORDER",
        "orderId": order.order_id,
        "cliOrdId": order.client_order_id,
        "symbol": symbol_text(venue, order.symbol),
        "side": order.side.value,
        "quantity": number(size),
        "filled": number(order.filled),
        "limitPrice": None if order.limit_price is None else number(order.limit_price),
        "reduceOnly": order.reduce_only,
        "timestamp": iso(order.received_at),
        "lastUpdateTimestamp": iso(order.updated_at),
        "priceTriggerOptions": trigger,
    }
    return {"order": body, "status": order.state.value, "updateReason": order.reason.value, "error": None}


def position_row(venue: SandboxVenue, position: Position) -> Json:
    """Row of openpositions; `maxFixedLeverage` only when the contract is isolated."""
    mark = venue.engine.point(position.symbol).mark
    row: Json = {
        "side": "long" if position.size > 0 else "short",
        "symbol": symbol_text(venue, position.symbol),
        "price": float(position.entry),
        "fillTime": iso(position.updated_at),
        "size": number(abs(position.size)),
        "unrealizedFunding": float(position.accrued_funding),
        "unrealizedPnl": float(position.unrealised(mark)),
        "pnlCurrency": "USD",
    }
    if position.symbol in venue.leverage:
        row["maxFixedLeverage"] = number(venue.leverage[position.symbol])
    return row


def fill_row(venue: SandboxVenue, fill: Fill, paged: bool) -> Json:
    """Row of fills; never a fee. `realized_pnl` is null when paging, 0 when opening."""
    row: Json = {
        "fill_id": fill.fill_id,
        "symbol": symbol_text(venue, fill.symbol),
        "side": fill.side.value,
        "order_id": fill.order_id,
        "size": number(fill.size),
        "price": number(fill.price),
        "fillTime": iso(fill.time),
        "fillType": fill.fill_type.value,
        "realized_pnl": None if paged else number(fill.realised),
        "sequence_id": str(fill.sequence),
    }
    if fill.client_order_id is not None:
        row["cliOrdId"] = fill.client_order_id
    return row
