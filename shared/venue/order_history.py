"""From the venue's order and trigger events to one report per order. Pure.

A trigger that fires keeps its uid and goes on as an order of the same uid, so both histories are read together.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from shared.venue.history_bodies import Execution, HistoryElement, HistoryEvent, HistoryOrder
from shared.venue.reading import first_problem
from trading.errors import VenueAnswerInvalid
from trading.model.units import Quantity
from trading.model.venue import OrderFate, OrderReport

PartType = TypeVar("PartType", bound=BaseModel)

_FATES = {
    "OrderPlaced": OrderFate.WORKING,
    "OrderUpdated": OrderFate.WORKING,
    "OrderEdited": OrderFate.WORKING,
    "OrderCancelled": OrderFate.CANCELLED,
    "OrderRejected": OrderFate.REJECTED,
    "OrderTriggerPlaced": OrderFate.WORKING,
    "OrderTriggerUpdated": OrderFate.WORKING,
    "OrderTriggerActivated": OrderFate.WORKING,
    "OrderTriggerCancelled": OrderFate.CANCELLED,
}
"""Events not listed here (a refused edit, an order not found, new words) say nothing about an order's fate."""

_GOES_ON_AS_AN_ORDER = frozenset({"stop_order_triggered", "limit_from_stop"})
"""Reasons with which a trigger ends because it fired."""

_FINALITY = {OrderFate.WORKING: 0, OrderFate.REJECTED: 1, OrderFate.CANCELLED: 1, OrderFate.FILLED: 2}
"""A cancelled order can still be reported filled (the cancel lost the race), never the other way round."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sighting:
    at: datetime
    order: HistoryOrder
    fate: OrderFate


def order_reports(elements: Iterable[HistoryElement]) -> tuple[OrderReport, ...]:
    """One report per order, in the order of their first event. An end is final, whatever is listed after it."""
    reports: dict[str, OrderReport] = {}
    for sighting in sorted(_sightings(elements), key=lambda each: each.at):
        known = reports.get(sighting.order.uid)
        reports[sighting.order.uid] = _report(sighting) if known is None else _merged(known, _report(sighting))
    return tuple(reports.values())


def executions(elements: Iterable[HistoryElement]) -> tuple[Execution, ...]:
    """The executions among these events; both spellings of the event's name occur."""
    found = []
    for element in elements:
        content = element.event.get("Execution", element.event.get("execution"))
        if isinstance(content, dict):
            found.append(_validated(Execution, content.get("execution", content), element))
    return tuple(found)


def _sightings(elements: Iterable[HistoryElement]) -> Iterable[_Sighting]:
    for element in elements:
        for name, content in element.event.items():
            if name not in _FATES:
                continue
            event = _validated(HistoryEvent, content, element)
            order = event.new_order or event.order or event.old_order
            if order is None:
                raise VenueAnswerInvalid(f"history event {element.uid} is {name} without an order; expected one")
            yield _Sighting(at=element.timestamp, order=order, fate=_fate(_FATES[name], event, order))


def _fate(fate: OrderFate, event: HistoryEvent, order: HistoryOrder) -> OrderFate:
    """`quantity` is what remains: nothing left of an order that has filled means that it is filled."""
    if (event.reason or "").lower() in _GOES_ON_AS_AN_ORDER:
        return OrderFate.WORKING
    if fate is OrderFate.WORKING and order.quantity == 0 and (order.filled or 0) > 0:
        return OrderFate.FILLED
    return fate


def _report(sighting: _Sighting) -> OrderReport:
    order = sighting.order
    return OrderReport(
        order_id=order.uid,
        client_order_id=order.client_id,
        contract=order.tradeable,
        fate=sighting.fate,
        filled=Quantity(order.filled or Decimal(0)),
    )


def _merged(known: OrderReport, later: OrderReport) -> OrderReport:
    return replace(
        known,
        client_order_id=known.client_order_id or later.client_order_id,
        fate=later.fate if _FINALITY[later.fate] > _FINALITY[known.fate] else known.fate,
        filled=max(known.filled, later.filled),
    )


def _validated(model: type[PartType], content: object, element: HistoryElement) -> PartType:
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise VenueAnswerInvalid(f"history event {element.uid} is invalid; expected {first_problem(error)}") from None
