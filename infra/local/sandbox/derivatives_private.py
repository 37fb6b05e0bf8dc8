"""Private part of Derivatives REST v3: account, positions, orders, fills, leverage preferences."""

import uuid
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from infra.local.sandbox import lagging
from infra.local.sandbox.bodies import events, fill_row, open_order, position_row, send_status, status_row
from infra.local.sandbox.venue import SandboxVenue
from infra.local.sandbox.wire import Response, api_error, http_error, invalid_argument, iso, number, success
from trading.errors import InvalidInput
from trading.matching import Answer, EditRequest, OrderRequest, OrderType, Side, TriggerSignal

Parameters = dict[str, list[str]]
NOT_OFFERED = (
    "trailingStopMaxDeviation",
    "trailingStopDeviationUnit",
    "limitPriceOffsetValue",
    "limitPriceOffsetUnit",
)
"""Documented parameters of orders that are not matched here: refused, because leaving them out is another order."""
FILLS_MAX = 100
SIGNALS = {"mark": TriggerSignal.MARK, "index": TriggerSignal.INDEX, "spot": TriggerSignal.INDEX} | {
    "last": TriggerSignal.LAST
}


class BadParameter(InvalidInput):
    """A parameter that does not parse; `name` is what the answer names."""

    def __init__(self, name: str) -> None:
        super().__init__(f"parameter {name} does not parse")
        self.name = name


class MissingParameter(BadParameter):
    """A required parameter is absent."""


def one(parameters: Parameters, name: str) -> str | None:
    """Last value of a parameter, None when absent or empty."""
    values = parameters.get(name)
    return values[-1] if values and values[-1] != "" else None


def required(parameters: Parameters, name: str) -> str:
    """Value of a parameter that must be there."""
    value = one(parameters, name)
    if value is None:
        raise MissingParameter(name)
    return value


def decimal_of(parameters: Parameters, name: str) -> Decimal | None:
    """Decimal value of a parameter, None when absent."""
    value = one(parameters, name)
    if value is None:
        return None
    try:
        parsed = Decimal(value)
    except InvalidOperation as error:
        raise BadParameter(name) from error
    if not parsed.is_finite():
        raise BadParameter(name)
    return parsed


def time_of(parameters: Parameters, name: str) -> datetime | None:
    """Aware time of a parameter, None when absent."""
    value = one(parameters, name)
    if value is None:
        return None
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError as error:
        raise BadParameter(name) from error
    if parsed.tzinfo is None:
        raise BadParameter(name)
    return parsed


def flag_of(parameters: Parameters, name: str) -> bool:
    """Boolean of a parameter, False when absent."""
    value = (one(parameters, name) or "false").lower()
    if value not in ("true", "false"):
        raise BadParameter(name)
    return value == "true"


# orders


def send_order(venue: SandboxVenue, parameters: Parameters) -> Response:
    """POST /sendorder."""
    for name in NOT_OFFERED:
        if one(parameters, name) is not None:
            raise BadParameter(name)
    kind, side = required(parameters, "orderType"), required(parameters, "side").lower()
    if kind not in [item.value for item in OrderType]:
        return _sent(venue, Answer(status="invalidOrderType", order_id=None, client_order_id=None))
    if side not in [item.value for item in Side]:
        return _sent(venue, Answer(status="invalidSide", order_id=None, client_order_id=None))
    symbol = required(parameters, "symbol").upper()
    if symbol not in venue.engine.markets:
        return invalid_argument(venue.now, "symbol")
    size = decimal_of(parameters, "size")
    if size is None:
        raise MissingParameter("size")
    signal = SIGNALS.get(one(parameters, "triggerSignal") or "last")
    if signal is None:
        raise BadParameter("triggerSignal")
    order = OrderRequest(
        symbol=symbol,
        side=Side(side),
        order_type=OrderType(kind),
        size=size,
        limit_price=decimal_of(parameters, "limitPrice"),
        stop_price=decimal_of(parameters, "stopPrice"),
        trigger_signal=signal,
        reduce_only=flag_of(parameters, "reduceOnly"),
        client_order_id=one(parameters, "cliOrdId"),
        process_before=time_of(parameters, "processBefore"),
    )
    return _sent(venue, venue.engine.send(order))


def _sent(venue: SandboxVenue, answer: Answer) -> Response:
    return success(venue.now, sendStatus=send_status(venue, answer))


def edit_order(venue: SandboxVenue, parameters: Parameters) -> Response:
    """POST /editorder."""
    if _expired(venue, parameters):
        answer = Answer(status="wouldProcessAfterSpecifiedTime", order_id=None, client_order_id=None)
    else:
        answer = venue.engine.edit(
            EditRequest(
                order_id=one(parameters, "orderId"),
                client_order_id=one(parameters, "cliOrdId"),
                size=decimal_of(parameters, "size"),
                size_is_total=one(parameters, "qtyMode") == "ABSOLUTE",
                limit_price=decimal_of(parameters, "limitPrice"),
                stop_price=decimal_of(parameters, "stopPrice"),
            )
        )
    content = {"status": answer.status, "receivedTime": iso(venue.now)} | _ids(answer, "orderId")
    return success(venue.now, editStatus=content | events(venue, answer))


def cancel_order(venue: SandboxVenue, parameters: Parameters) -> Response:
    """POST /cancelorder."""
    order_id, client_id = one(parameters, "order_id"), one(parameters, "cliOrdId")
    if order_id is None and client_id is None:
        raise MissingParameter("order_id")
    if order_id is not None and not _is_uuid(order_id):
        return api_error(venue.now, "invalidArgument: order_id")
    if _expired(venue, parameters):
        answer = Answer(status="wouldProcessAfterSpecifiedTime", order_id=order_id, client_order_id=client_id)
    else:
        answer = venue.engine.cancel(order_id, client_id)
    content = {"status": answer.status, "receivedTime": iso(venue.now)} | _ids(answer, "order_id")
    return success(venue.now, cancelStatus=content | events(venue, answer))


def _is_uuid(value: str) -> bool:
    try:
        uuid.UUID(value)
    except ValueError:
        return False
    return True


def _expired(venue: SandboxVenue, parameters: Parameters) -> bool:
    before = time_of(parameters, "processBefore")
    return before is not None and venue.now > before


def _ids(answer: Answer, name: str) -> dict[str, str]:
    found = {} if answer.order_id is None else {name: answer.order_id}
    return found if answer.client_order_id is None else found | {"cliOrdId": answer.client_order_id}


def cancel_all(venue: SandboxVenue, parameters: Parameters) -> Response:
    """POST /cancelallorders: stops too."""
    symbol = one(parameters, "symbol")
    answer = venue.engine.cancel_all(symbol.upper() if symbol else None)
    content = {
        "receivedTime": iso(venue.now),
        "cancelOnly": symbol or "all",
        "status": answer.status,
        "cancelledOrders": [{"order_id": item.order.order_id} for item in answer.events],
    }
    return success(venue.now, cancelStatus=content | events(venue, answer))


def order_status(venue: SandboxVenue, parameters: Parameters) -> Response:
    """GET or POST /orders/status: open orders, and those ended within the last five seconds. No filter = all open."""
    order_ids, client_ids = parameters.get("orderIds", []), parameters.get("cliOrdIds", [])
    if order_ids or client_ids:
        found = lagging.named_orders(venue, order_ids, client_ids)
    else:
        found = lagging.open_orders(venue, venue.wire.status_lag_s)
    return success(venue.now, orders=[status_row(venue, order) for order in found])


def open_orders(venue: SandboxVenue, _: Parameters) -> Response:
    """GET /openorders: newest first, waiting triggers included."""
    live = lagging.open_orders(venue, venue.wire.open_orders_lag_s)
    return success(venue.now, openOrders=[open_order(venue, order) for order in reversed(live)])


# account


def accounts(venue: SandboxVenue, _: Parameters) -> Response:
    """GET /accounts: an empty cash account and the multi-collateral account in USD."""
    margin = venue.engine.margin()
    balance = number(margin.balance)
    unrealised = margin.unrealised + margin.accrued_funding
    flex: dict[str, Any] = {
        "type": "multiCollateralMarginAccount",
        "currencies": {
            "USD": {
                "quantity": balance,
                "value": balance,
                "collateral": balance,
                "available": number(max(min(margin.available, margin.balance), Decimal(0))),
            }
        },
        "balanceValue": balance,
        "portfolioValue": number(margin.equity),
        "collateralValue": balance,
        "initialMargin": number(margin.initial),
        "initialMarginWithOrders": number(margin.initial_with_orders),
        "maintenanceMargin": number(margin.maintenance),
        "pnl": number(margin.unrealised),
        "unrealizedFunding": number(margin.accrued_funding),
        "totalUnrealized": number(unrealised),
        "totalUnrealizedAsMargin": number(unrealised),
        "marginEquity": number(margin.equity),
        "availableMargin": number(margin.available),
    }
    return success(venue.now, accounts={"cash": {"type": "cashAccount", "balances": {}}, "flex": flex})


def open_positions(venue: SandboxVenue, _: Parameters) -> Response:
    """GET /openpositions: a flat contract has no row."""
    rows = [position_row(venue, position) for position in lagging.positions(venue)]
    return success(venue.now, openPositions=rows)


def fills(venue: SandboxVenue, parameters: Parameters) -> Response:
    """GET /fills: the newest 100 of all contracts; `lastFillTime` pages back, exclusive."""
    before = time_of(parameters, "lastFillTime")
    chosen = [fill for fill in lagging.fills(venue) if before is None or fill.time < before][-FILLS_MAX:]
    paged = before is not None
    return success(venue.now, fills=[fill_row(venue, fill, paged) for fill in reversed(chosen)])


def leverage(venue: SandboxVenue, _: Parameters) -> Response:
    """GET /leveragepreferences: rows for isolated contracts only."""
    rows = [{"symbol": symbol, "maxLeverage": number(value)} for symbol, value in venue.leverage.items()]
    return success(venue.now, leveragePreferences=rows)


def set_leverage(venue: SandboxVenue, parameters: Parameters) -> Response:
    """PUT /leveragepreferences: with `maxLeverage` the contract becomes isolated, without it cross again.

    Margin itself stays cross in the sandbox: isolated contracts are only marked, so that a client can see the trap.
    """
    symbol = required(parameters, "symbol").upper()
    if symbol not in venue.engine.markets:
        return http_error(venue.now, 500, 87, "CONTRACT_DOES_NOT_EXIST")
    value = decimal_of(parameters, "maxLeverage")
    if value is None:
        venue.leverage.pop(symbol, None)
    elif value <= 0:
        raise BadParameter("maxLeverage")
    else:
        venue.leverage[symbol] = value
    return success(venue.now)


def bad_parameter(venue: SandboxVenue, error: BadParameter) -> Response:
    """Answer to a missing (HTTP 200) or malformed (HTTP 400) parameter."""
    if isinstance(error, MissingParameter):
        return api_error(venue.now, f"requiredArgumentMissing: {error.name}")
    return invalid_argument(venue.now, error.name)
