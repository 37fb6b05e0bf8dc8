from __future__ import annotations

from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest

from shared.venue.history_bodies import HistoryElement
from shared.venue.order_history import executions, order_reports
from trading.errors import VenueAnswerInvalid
from trading.model.venue import OrderFate


def element(at: int, name: str, *, holder: str = "order", reason: str = "", **order: Any) -> HistoryElement:
    content = {holder: {"uid": "order-1", "tradeable": "pf_xbtusd", "quantity": "0.1", **order}, "reason": reason}
    return HistoryElement.model_validate({"uid": f"event-{at}", "timestamp": at, "event": {name: content}})


PLACED = element(1, "OrderPlaced", filled="0", clientId="smc-1")
PART = element(2, "OrderUpdated", holder="newOrder", quantity="0.06", filled="0.04", reason="partial_fill")
FULL = element(3, "OrderUpdated", holder="newOrder", quantity="0", filled="0.1", reason="full_fill")
CANCELLED = element(3, "OrderCancelled", quantity="0.06", filled="0.04")
REJECTED = element(2, "OrderRejected", filled="0")
TRIGGER = element(1, "OrderTriggerPlaced", clientId="smc-1")
FIRED = element(2, "OrderTriggerActivated")
FIRED_OLD_STYLE = element(2, "OrderTriggerCancelled", reason="stop_order_triggered")
TRIGGER_CANCELLED = element(2, "OrderTriggerCancelled", reason="cancelled_by_user")
NEW_WORD = element(9, "OrderSomethingNew")


@pytest.mark.parametrize(
    ("events", "fate", "filled"),
    [
        ([PLACED], OrderFate.WORKING, "0"),
        ([PLACED, PART], OrderFate.WORKING, "0.04"),
        ([PLACED, PART, FULL], OrderFate.FILLED, "0.1"),
        ([PLACED, PART, CANCELLED], OrderFate.CANCELLED, "0.04"),
        ([PLACED, CANCELLED, FULL], OrderFate.FILLED, "0.1"),
        ([PLACED, REJECTED], OrderFate.REJECTED, "0"),
        ([TRIGGER], OrderFate.WORKING, "0"),
        ([TRIGGER, FIRED], OrderFate.WORKING, "0"),
        ([TRIGGER, FIRED_OLD_STYLE], OrderFate.WORKING, "0"),
        ([TRIGGER, FIRED, FULL], OrderFate.FILLED, "0.1"),
        ([TRIGGER, TRIGGER_CANCELLED], OrderFate.CANCELLED, "0"),
        ([PLACED, NEW_WORD], OrderFate.WORKING, "0"),
    ],
)
def test_events_tell_one_fate_in_any_order(events: list[HistoryElement], fate: OrderFate, filled: str) -> None:
    for shuffled in permutations(events):
        (report,) = order_reports(shuffled)
        assert (report.fate, report.filled) == (fate, Decimal(filled))
        assert (report.contract, report.client_order_id) == ("PF_XBTUSD", "smc-1")


def test_empty_client_id_means_none() -> None:
    (report,) = order_reports([element(1, "OrderPlaced", clientId="")])
    assert report.client_order_id is None


def test_event_without_order_is_refused() -> None:
    broken = HistoryElement.model_validate({"uid": "event-1", "timestamp": "1", "event": {"OrderPlaced": {}}})
    with pytest.raises(VenueAnswerInvalid, match="event-1 is OrderPlaced without an order"):
        order_reports([broken])


def test_event_with_invalid_order_is_refused() -> None:
    with pytest.raises(VenueAnswerInvalid, match=r"expected valid order\.quantity"):
        order_reports([element(1, "OrderPlaced", quantity="much")])


@pytest.mark.parametrize("name", ["Execution", "execution"])
def test_both_spellings_of_execution_are_read(name: str) -> None:
    content = {"execution": {"uid": "e-1", "quantity": "0.1", "price": "5", "timestamp": 1}}
    found = executions([HistoryElement.model_validate({"uid": "u", "timestamp": 1, "event": {name: content}})])
    assert [(each.uid, each.price) for each in found] == [("e-1", Decimal(5))]
