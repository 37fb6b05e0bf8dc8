"""A stop that was accepted is not yet a stop that protects: what the venue shows is compared field by field."""

from __future__ import annotations

from collections.abc import Iterable

from trading.model.orders import OrderIntent
from trading.model.venue import OpenOrder, OpenOrderKind

NOT_SHOWN = "the stop is not among the working orders"


def stop_faults(intent: OrderIntent, contract: str, open_orders: Iterable[OpenOrder]) -> tuple[str, ...]:
    """What is wrong with the resting stop; empty when it stands exactly as meant."""
    order = next((each for each in open_orders if each.client_order_id == intent.client_order_id), None)
    if order is None:
        return (NOT_SHOWN,)
    compared = (
        ("contract", order.contract, contract),
        ("kind", order.kind, OpenOrderKind.STOP),
        ("side", order.side, intent.side),
        ("quantity", order.open_quantity, intent.open_quantity),
        ("trigger price", order.trigger_price, intent.trigger_price),
        ("reduce-only", order.reduce_only, True),
        ("trigger signal", order.trigger_signal, "mark"),
    )
    return tuple(f"the stop's {name} is {shown}, not {meant}" for name, shown, meant in compared if shown != meant)
