"""An order of ours that is not what we meant: compared field by field with its intent."""

from __future__ import annotations

from trading.model.orders import OrderIntent, Purpose
from trading.model.venue import OpenOrder, OpenOrderKind

TRIGGERED_BY = "mark"
"""A stop on any other price may fire on a wick of the last trade, or not with the price that liquidates."""


def order_faults(intent: OrderIntent, contract: str, order: OpenOrder) -> tuple[str, ...]:
    """What is wrong with the working order of this intent; empty when it stands as meant.

    A resting order may be smaller than meant (the venue shrinks what only reduces), never larger; a stop may be
    neither. Its own figures are added up: our fills are read at another moment.
    """
    wrong = list(semantic_faults(intent, contract, order))
    shown, stop = order.open_quantity + order.filled, intent.purpose is Purpose.STOP
    if shown > intent.quantity or (stop and shown < intent.quantity):
        wrong.append(_told("quantity", shown, intent.quantity))
    if stop and order.trigger_price != intent.trigger_price:
        wrong.append(_told("trigger price", order.trigger_price, intent.trigger_price))
    return tuple(wrong)


def semantic_faults(intent: OrderIntent, contract: str, order: OpenOrder) -> tuple[str, ...]:
    """Faults that make it another order altogether: a stop with one of them covers nothing at all."""
    compared: list[tuple[str, object, object]] = [
        ("contract", order.contract, contract),
        ("side", order.side, intent.side),
    ]
    if intent.purpose.protective:
        compared.append(("reduce-only", order.reduce_only, True))
    if intent.purpose is Purpose.STOP:
        compared.append(("kind", order.kind, OpenOrderKind.STOP))
        compared.append(("trigger signal", order.trigger_signal, TRIGGERED_BY))
    return tuple(_told(name, shown, meant) for name, shown, meant in compared if shown != meant)


def _told(name: str, shown: object, meant: object) -> str:
    return f"its {name} is {shown}, not {meant}"
