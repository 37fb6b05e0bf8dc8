"""The transition tables, checked against the states as designed (reliability 3.2 and 3.3), edge by edge."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest

from tests.fakes.records import NOW, filled, planned
from trading.errors import IllegalTransition, InvalidInput
from trading.model.flat_stop import FlatStop
from trading.model.instruments import Side
from trading.model.orders import (
    INTENT_TRANSITIONS,
    IntentState,
    OrderRequest,
    OrderSide,
    OrderType,
    PositionId,
    Purpose,
    client_order_id,
)
from trading.model.positions import POSITION_TRANSITIONS, PositionState
from trading.model.units import Price, Quantity

INTENT_EDGES = {
    "PLANNED": "SENDING ABANDONED",
    "SENDING": "LIVE PARTIAL FILLED REJECTED UNKNOWN",
    "UNKNOWN": "LIVE PARTIAL FILLED CANCELLED REJECTED NOT_PLACED",
    "LIVE": "PARTIAL FILLED CANCEL_PENDING CANCELLED",
    "PARTIAL": "FILLED CANCEL_PENDING CANCELLED",
    "CANCEL_PENDING": "FILLED CANCELLED",
}
POSITION_EDGES = {
    "OPENING": "UNPROTECTED PROTECTED CLOSED",
    "UNPROTECTED": "PROTECTED CLOSING CLOSED",
    "PROTECTED": "UNPROTECTED CLOSING CLOSED",
    "CLOSING": "CLOSED",
    "FOREIGN": "CLOSING CLOSED",
}


@pytest.mark.parametrize(("start", "end"), list(product(IntentState, IntentState)))
def test_intent_takes_only_listed_edges(start: IntentState, end: IntentState) -> None:
    entry = planned().intent(Purpose.ENTRY)
    assert entry is not None
    intent = replace(entry, state=start)
    if end is start or end in INTENT_EDGES.get(start, "").split():
        assert intent.moved(end).state is end
        return
    with pytest.raises(IllegalTransition, match=str(intent.client_order_id)):
        intent.moved(end)


@pytest.mark.parametrize(("start", "end"), list(product(PositionState, PositionState)))
def test_position_takes_only_listed_edges(start: PositionState, end: PositionState) -> None:
    position = replace(filled(), state=start)
    if end is start or end in POSITION_EDGES.get(start, "").split():
        assert position.moved(end).state is end
        return
    with pytest.raises(IllegalTransition, match=position.id):
        position.moved(end)


def test_every_state_has_its_row() -> None:
    assert set(INTENT_TRANSITIONS) == set(IntentState)
    assert set(POSITION_TRANSITIONS) == set(PositionState)
    terminal = {state for state in IntentState if state.terminal}
    assert terminal == {"FILLED", "CANCELLED", "REJECTED", "NOT_PLACED", "ABANDONED"}
    assert {state for state in IntentState if state.may_rest}.isdisjoint(terminal | {"PLANNED"})


def test_entry_never_gets_a_second_generation() -> None:
    entry = planned().intent(Purpose.ENTRY)
    assert entry is not None
    with pytest.raises(InvalidInput, match="never repeated"):
        replace(entry, generation=2)


@pytest.mark.parametrize("purpose", [purpose for purpose in Purpose if purpose is not Purpose.ENTRY])
def test_only_an_entry_may_open(purpose: Purpose) -> None:
    entry = planned().intent(Purpose.ENTRY)
    assert entry is not None
    with pytest.raises(InvalidInput, match="reduce-only"):
        replace(entry, purpose=purpose)


def test_client_order_ids_are_pure_short_distinct() -> None:
    positions = [PositionId(f"position-{number}") for number in range(50)]
    meanings = list(product(positions, Purpose, range(1, 30)))
    ids = [client_order_id(*meaning) for meaning in meanings]
    assert ids == [client_order_id(*meaning) for meaning in meanings]
    assert len(set(ids)) == len(ids)
    assert max(map(len, ids)) <= 36
    assert all(each.startswith("smc-") and each.isascii() for each in ids)


@pytest.mark.parametrize(
    ("kind", "limit", "trigger", "quantity"),
    [
        (OrderType.STOP, None, None, 1),
        (OrderType.STOP, 99, 98, 1),
        (OrderType.MARKET, 99, None, 1),
        (OrderType.POST, None, None, 1),
        (OrderType.LIMIT, 99, 98, 1),
        (OrderType.MARKET, None, None, 0),
    ],
)
def test_order_request_refuses_contradicting_prices(
    kind: OrderType, limit: int | None, trigger: int | None, quantity: int
) -> None:
    with pytest.raises(InvalidInput):
        OrderRequest(
            contract="PF_COINUSD",
            side=OrderSide.BUY,
            type=kind,
            quantity=Quantity(quantity),
            client_order_id=client_order_id(PositionId("p"), Purpose.ENTRY, 1),
            reduce_only=False,
            process_before=NOW,
            limit_price=None if limit is None else Price(limit),
            trigger_price=None if trigger is None else Price(trigger),
        )


def test_history_of_intents_keeps_every_generation() -> None:
    position = filled()
    stop = position.intent(Purpose.STOP)
    assert stop is not None
    second = replace(stop, generation=2, client_order_id=client_order_id(position.id, Purpose.STOP, 2))
    position = position.with_intent(second)
    assert position.intent(Purpose.STOP) == second
    assert len([each for each in position.intents if each.purpose is Purpose.STOP]) == 2


def test_request_says_what_the_intent_means() -> None:
    stop = planned().intent(Purpose.STOP)
    assert stop is not None
    request = stop.request("PF_COINUSD", NOW)
    assert (request.contract, request.process_before, request.client_order_id) == (
        "PF_COINUSD",
        NOW,
        stop.client_order_id,
    )
    assert (request.type, request.trigger_price, request.limit_price) == (OrderType.STOP, 98, None)
    assert (request.quantity, request.reduce_only, request.side) == (10, True, OrderSide.SELL)


def test_entry_is_never_recorded_as_sent_again() -> None:
    entry = planned().intent(Purpose.ENTRY)
    assert entry is not None
    with pytest.raises(InvalidInput, match="sent once"):
        replace(entry, resent_at=NOW)


def test_sides_of_entry_and_exit_are_opposite() -> None:
    for side in Side:
        assert {OrderSide.opening(side), OrderSide.closing(side)} == set(OrderSide)
    assert OrderSide.opening(Side.LONG) is OrderSide.BUY


def test_averages_weigh_by_quantity_and_need_fills() -> None:
    position = filled()
    assert (planned().average_entry, position.average_exit) == (None, None)
    first = position.fills[0]
    dearer = replace(first, id="dearer", quantity=Quantity(30), price=Price(104))
    out = replace(first, id="out", opens=False, price=Price(110))
    held = replace(position, fills=(first, dearer, out))
    assert (held.entered, held.left) == (40, 10)
    assert (held.average_entry, held.average_exit) == (103, 110)


def test_position_knows_its_orders_by_id_and_place() -> None:
    position = filled()
    stop = position.intent(Purpose.STOP)
    assert stop is not None
    assert position.by_client_order_id(stop.client_order_id) == stop
    assert position.by_client_order_id("smc-unknown") is None
    assert position.resting(Purpose.STOP) == (stop,)
    assert position.resting(Purpose.ENTRY) == ()
    assert (position.instrument, position.contract) == ("COIN", "PF_COINUSD")
    assert not position.adopted
    assert replace(position, intents=()).adopted


def test_answer_about_flat_stops_is_believed_for_its_time() -> None:
    answer = FlatStop(accepted=False, at=NOW, source="PF_COINUSD smc-1")
    assert answer.believed(NOW + timedelta(hours=23), 24)
    assert not answer.believed(NOW + timedelta(hours=24), 24)
    assert answer.sentence().startswith("The venue refuses a stop while flat, seen at 2024-05-01 10:00 UTC")
    assert "takes" in replace(answer, accepted=True).sentence()
