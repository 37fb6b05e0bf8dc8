"""History: GET /api/history/v2|v3/{orders,triggers,executions,positions,account-log}. Amounts are decimal strings."""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from infra.local.sandbox.derivatives_private import BadParameter, Parameters, one
from infra.local.sandbox.venue import SandboxVenue
from infra.local.sandbox.wire import Response, iso, json_response, milliseconds, number, text
from trading.matching import Fill, FillType, LogRow, Order, OrderState, OrderType, TriggerSignal
from trading.matching.records import HistoryKind, HistoryRow, PositionRow

COUNT_MAX = 1000
LOG_COUNT = 500
SIGNALS = {
    TriggerSignal.MARK: "MarkPrice",
    TriggerSignal.INDEX: "SpotPrice",
    TriggerSignal.LAST: "LastPrice",
}
TYPES = {
    OrderType.LIMIT: "Limit",
    OrderType.POST: "Post",
    OrderType.IMMEDIATE: "IoC",
    OrderType.FILL_OR_KILL: "FoK",
    OrderType.MARKET: "IoC",
    OrderType.STOP: "IoC",
    OrderType.TAKE_PROFIT: "IoC",
}
TRIGGER_KINDS = (HistoryKind.TRIGGER_PLACED, HistoryKind.TRIGGER_ACTIVATED, HistoryKind.TRIGGER_CANCELLED)
TRADE_TYPES = {FillType.LIQUIDATION: "liquidation", FillType.PARTIAL_LIQUIDATION: "partialLiquidation"}


@dataclass(frozen=True, slots=True)
class Element:
    """One history element with what the filters look at."""

    time: datetime
    symbol: str
    event_id: str
    event: dict[str, Any]


def account_uid(venue: SandboxVenue) -> str:
    """The account's id, derived from the seed."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"sandbox-account-{venue.settings.seed}"))


def _whole(parameters: Parameters, name: str) -> int | None:
    value = one(parameters, name)
    if value is None:
        return None
    if not value.isdigit():
        raise BadParameter(name)
    return int(value)


def _shown_until(venue: SandboxVenue) -> datetime:
    """Newest moment that the history shows already."""
    return venue.now - timedelta(seconds=venue.wire.history_lag_s)


def _page(venue: SandboxVenue, parameters: Parameters, elements: Sequence[Element]) -> Response:
    """Filter, sort and cut elements; `continuation_token` is the number of elements already given."""
    since, before = _whole(parameters, "since"), _whole(parameters, "before")
    shown_until = _shown_until(venue)
    symbol = one(parameters, "tradeable")
    chosen = [
        item
        for item in elements
        if item.time <= shown_until
        and (since is None or milliseconds(item.time) >= since)
        and (before is None or milliseconds(item.time) < before)
        and (symbol is None or item.symbol == symbol.upper())
    ]
    if one(parameters, "sort") != "asc":
        chosen.reverse()
    start = _whole(parameters, "continuation_token") or 0
    count = min(_whole(parameters, "count") or COUNT_MAX, COUNT_MAX)
    page = chosen[start : start + count]
    more = start + count < len(chosen)
    body: dict[str, Any] = {
        "accountUid": account_uid(venue),
        "len": len(page),
        "serverTime": iso(venue.now),
        "elements": [
            {"uid": item.event_id, "timestamp": milliseconds(item.time), "event": item.event} for item in page
        ],
    }
    headers = {"is-truncated": "true" if more else "false"}
    if more:
        body["continuationToken"] = headers["Next-Continuation-Token"] = str(start + count)
    answer = json_response(body)
    return Response(body=answer.body, headers=headers)


def _order(venue: SandboxVenue, order: Order) -> dict[str, Any]:
    return {
        "uid": order.order_id,
        "accountUid": account_uid(venue),
        "tradeable": order.symbol,
        "direction": order.side.value.capitalize(),
        "quantity": text(order.remaining),
        "filled": text(order.filled),
        "timestamp": milliseconds(order.received_at),
        "limitPrice": "" if order.limit_price is None else text(order.limit_price),
        "orderType": TYPES[order.order_type],
        "clientId": order.client_order_id or "",
        "reduceOnly": order.reduce_only,
        "lastUpdateTimestamp": milliseconds(order.updated_at),
    }


def _trigger(venue: SandboxVenue, order: Order) -> dict[str, Any]:
    content = _order(venue, order)
    del content["filled"]
    return {
        **content,
        "orderType": "Limit" if order.limit_price is not None else "IoC",
        "accountId": "1",
        "triggerOptions": {
            "triggerPrice": text(order.stop_price or Decimal(0)),
            "triggerSignal": SIGNALS[order.trigger_signal or TriggerSignal.LAST],
            "triggerSide": "Above" if order.triggers_above else "Below",
        },
    }


def _order_event(venue: SandboxVenue, row: HistoryRow) -> Element:
    tail = {"reason": row.reason, "reducedQuantity": "", "algoId": "", "origin": "Unknown Origin"}
    if row.kind in TRIGGER_KINDS:
        order = row.old if row.kind is HistoryKind.TRIGGER_CANCELLED and row.old else row.order
        content: dict[str, Any] = {"order": _trigger(venue, order)}
        if row.kind is not HistoryKind.TRIGGER_ACTIVATED:
            content |= {name: tail[name] for name in ("reason", "algoId", "origin")}
    elif row.kind in (HistoryKind.UPDATED, HistoryKind.EDITED) and row.old is not None:
        content = {"oldOrder": _order(venue, row.old), "newOrder": _order(venue, row.order), **tail}
    elif row.kind is HistoryKind.REJECTED:
        content = {"order": _order(venue, row.order), "orderError": row.reason.upper(), "algoId": ""}
    else:
        content = {"order": _order(venue, row.order), **tail}
    return Element(row.time, row.order.symbol, row.event_id, {row.kind.value: content})


def orders(venue: SandboxVenue, parameters: Parameters) -> Response:
    """GET /orders: events of orders on the book."""
    rows = [row for row in venue.engine.books.history if row.kind not in TRIGGER_KINDS]
    return _page(venue, parameters, [_order_event(venue, row) for row in rows])


def triggers(venue: SandboxVenue, parameters: Parameters) -> Response:
    """GET /triggers: events of trigger orders."""
    rows = [row for row in venue.engine.books.history if row.kind in TRIGGER_KINDS]
    return _page(venue, parameters, [_order_event(venue, row) for row in rows])


def executions(venue: SandboxVenue, parameters: Parameters) -> Response:
    """GET /executions: our side of each execution in full, the other side as far as it is public."""
    return _page(venue, parameters, [_execution(venue, fill) for fill in venue.engine.books.fills])


def _execution(venue: SandboxVenue, fill: Fill) -> Element:
    order = venue.engine.find(fill.order_id)
    ours = _order(venue, order) if order else {"uid": fill.order_id, "tradeable": fill.symbol}
    side, data = (
        ("makerOrder", "makerOrderData") if fill.fill_type is FillType.MAKER else ("takerOrder", "takerOrderData")
    )
    content = {
        "uid": fill.fill_id,
        side: ours,
        "timestamp": milliseconds(fill.time),
        "quantity": text(fill.size),
        "price": text(fill.price),
        "markPrice": text(fill.mark),
        "limitFilled": order is not None and order.state is OrderState.FILLED,
        "usdValue": f"{fill.size * fill.price:.2f}",
        data: {"fee": text(fill.fee), "positionSize": text(fill.size)},
    }
    event = {venue.wire.execution_key: {"execution": content, "takerReducedQuantity": ""}}
    return Element(fill.time, fill.symbol, fill.fill_id, event)


def positions(venue: SandboxVenue, parameters: Parameters) -> Response:
    """GET /positions: every change of a position with fee, gross profit and funding."""
    return _page(venue, parameters, [_position(venue, row) for row in venue.engine.books.position_log])


def _position(venue: SandboxVenue, row: PositionRow) -> Element:
    content = {
        "accountUid": account_uid(venue),
        "tradeable": row.symbol,
        "oldPosition": text(row.old_size),
        "oldAverageEntryPrice": text(row.old_entry),
        "newPosition": text(row.new_size),
        "newAverageEntryPrice": text(row.new_entry),
        "fillTime": milliseconds(row.time),
        "fee": text(row.fill.fee),
        "feeCurrency": "USD",
        "realizedPnL": text(row.fill.realised),
        "positionChange": row.change,
        "executionUid": row.fill.fill_id,
        "executionPrice": text(row.fill.price),
        "executionSize": text(row.fill.size),
        "tradeType": TRADE_TYPES.get(row.fill.fill_type, "userExecution"),
        "fundingRealizationTime": milliseconds(row.time),
        "realizedFunding": text(row.realised_funding),
        "timestamp": milliseconds(row.time),
        "updateReason": "trade",
    }
    return Element(row.time, row.symbol, row.event_id, {"PositionUpdate": content})


def account_log(venue: SandboxVenue, parameters: Parameters) -> Response:
    """GET /account-log: two rows a trade, one a funding payment; `count` 500 by default, newest first."""
    since, before = _whole(parameters, "since"), _whole(parameters, "before")
    first, last = _whole(parameters, "from"), _whole(parameters, "to")
    kind, shown_until = one(parameters, "info"), _shown_until(venue)
    chosen = [
        row
        for row in venue.engine.books.log
        if row.time <= shown_until
        and (since is None or milliseconds(row.time) >= since)
        and (before is None or milliseconds(row.time) < before)
        and (first is None or row.row_id >= first)
        and (last is None or row.row_id <= last)
        and (kind is None or row.info.value == kind)
    ]
    if one(parameters, "sort") != "asc":
        chosen.reverse()
    rows = [_log_row(row) for row in chosen[: _whole(parameters, "count") or LOG_COUNT]]
    return json_response({"accountUid": account_uid(venue), "logs": rows})


def _log_row(row: LogRow) -> dict[str, Any]:
    def amount(value: Decimal | None) -> int | float | None:
        return None if value is None else number(value)

    return {
        "asset": row.asset,
        "booking_uid": row.booking_id,
        "contract": row.contract,
        "date": iso(row.time),
        "execution": row.execution,
        "fee": amount(row.fee),
        "funding_rate": amount(row.funding_rate),
        "id": row.row_id,
        "info": row.info.value,
        "margin_account": "flex",
        "mark_price": amount(row.mark_price),
        "new_balance": amount(row.new_balance),
        "old_balance": amount(row.old_balance),
        "realized_funding": amount(row.realised_funding),
        "realized_pnl": amount(row.realised_pnl),
        "trade_price": amount(row.trade_price),
    }


ROUTES: dict[str, Callable[[SandboxVenue, Parameters], Response]] = {
    "orders": orders,
    "triggers": triggers,
    "executions": executions,
    "positions": positions,
    "account-log": account_log,
}
