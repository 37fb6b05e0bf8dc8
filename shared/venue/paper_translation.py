"""Records of the matching core in the terms of `trading.ports`, and requests the other way round."""

from __future__ import annotations

from decimal import Decimal

from shared.venue.classification import ACCEPTING_STATUSES, REJECTING_STATUSES
from trading import matching
from trading.matching import OrderState
from trading.model.instruments import Side
from trading.model.orders import OrderRequest, OrderSide, OrderType
from trading.model.units import Money, Price, Quantity
from trading.model.venue import (
    ContractStress,
    Fill,
    LedgerRow,
    OpenOrder,
    OpenOrderKind,
    OrderFate,
    OrderReport,
    SendAnswer,
    SendOutcome,
    VenuePosition,
)

_TYPES = {
    OrderType.POST: matching.OrderType.POST,
    OrderType.LIMIT: matching.OrderType.LIMIT,
    OrderType.IMMEDIATE: matching.OrderType.IMMEDIATE,
    OrderType.MARKET: matching.OrderType.MARKET,
    OrderType.STOP: matching.OrderType.STOP,
}
_FATES = {
    OrderState.TRIGGER: OrderFate.WORKING,
    OrderState.RESTING: OrderFate.WORKING,
    OrderState.FILLED: OrderFate.FILLED,
    OrderState.CANCELLED: OrderFate.CANCELLED,
    OrderState.ACTIVATION_FAILED: OrderFate.CANCELLED,
}


def contract_stress(market: matching.Market) -> ContractStress:
    return ContractStress(
        contract=market.symbol,
        dislocated=market.stress.dislocation is not None,
        extreme_volatility=market.stress.extreme_volatility,
        margin_multiplier=market.stress.initial_margin_multiplier,
    )


def matching_request(request: OrderRequest) -> matching.OrderRequest:
    return matching.OrderRequest(
        symbol=request.contract,
        side=matching.Side(request.side.value),
        order_type=_TYPES[request.type],
        size=Decimal(request.quantity),
        limit_price=None if request.limit_price is None else Decimal(request.limit_price),
        stop_price=None if request.trigger_price is None else Decimal(request.trigger_price),
        trigger_signal=matching.TriggerSignal.MARK,
        reduce_only=request.reduce_only,
        client_order_id=request.client_order_id,
        process_before=request.process_before,
    )


def send_answer(answer: matching.Answer) -> SendAnswer:
    if answer.status in ACCEPTING_STATUSES:
        return SendAnswer(outcome=SendOutcome.ACCEPTED, detail=answer.status, order_id=answer.order_id)
    refused = answer.status in REJECTING_STATUSES
    return SendAnswer(outcome=SendOutcome.REJECTED if refused else SendOutcome.UNKNOWN, detail=answer.status)


def open_order(order: matching.Order) -> OpenOrder:
    trigger = order.state is OrderState.TRIGGER
    stop = order.order_type is matching.OrderType.STOP
    kind = (OpenOrderKind.STOP if stop else OpenOrderKind.TAKE_PROFIT) if trigger else OpenOrderKind.LIMIT
    return OpenOrder(
        order_id=order.order_id,
        client_order_id=order.client_order_id,
        contract=order.symbol,
        side=OrderSide(order.side.value),
        kind=kind,
        open_quantity=Quantity(order.remaining),
        filled=Quantity(order.filled),
        reduce_only=order.reduce_only,
        limit_price=None if order.limit_price is None else Price(order.limit_price),
        trigger_price=None if order.stop_price is None else Price(order.stop_price),
        trigger_signal=order.trigger_signal.value if order.trigger_signal else None,
        received_at=order.received_at,
    )


def order_report(order: matching.Order) -> OrderReport:
    return OrderReport(
        order_id=order.order_id,
        client_order_id=order.client_order_id,
        contract=order.symbol,
        fate=_FATES[order.state],
        filled=Quantity(order.filled),
    )


def fill_of(fill: matching.Fill) -> Fill:
    return Fill(
        id=fill.fill_id,
        order_id=fill.order_id,
        client_order_id=fill.client_order_id,
        contract=fill.symbol,
        side=OrderSide(fill.side.value),
        quantity=Quantity(fill.size),
        price=Price(fill.price),
        at=fill.time,
        kind=fill.fill_type.value,
    )


def ledger_row(row: matching.LogRow) -> LedgerRow:
    return LedgerRow(
        id=row.row_id,
        at=row.time,
        contract=row.contract.upper(),
        kind=row.info.value,
        execution=row.execution,
        fee=Money(row.fee or 0),
        realised=Money(row.realised_pnl or 0),
        funding=Money(row.realised_funding or 0),
        old_balance=Money(row.old_balance),
        new_balance=Money(row.new_balance),
    )


def venue_position(position: matching.Position) -> VenuePosition:
    return VenuePosition(
        contract=position.symbol,
        side=Side.LONG if position.size > 0 else Side.SHORT,
        quantity=Quantity(abs(position.size)),
        entry=Price(position.entry),
        isolated=False,
    )
