"""A protective order whose fate is unknown goes out once more by the same id: it is repaired, or proven to exist."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.integration.trading.world import World
from trading.model.orders import IntentState, OrderRequest, Purpose
from trading.model.positions import PositionState
from trading.model.venue import SendAnswer

S = IntentState


def lose_stop(world: World) -> None:
    world.venue.engine.cancel(client_order_id=world.intent(Purpose.STOP).client_order_id)


def live_stops(world: World) -> int:
    return sum(each.trigger_price is not None for each in world.venue.open_orders())


def payloads(requests: list[OrderRequest]) -> set[OrderRequest]:
    """The requests without their deadlines."""
    return {replace(each, process_before=requests[0].process_before) for each in requests}


@pytest.fixture
def naked(world: World) -> World:
    world.open_position()
    lose_stop(world)
    world.venue.placed.clear()
    world.venue.advance(10)
    return world


@pytest.mark.parametrize("fault", ["lost request", "lost reply"])
def test_stop_in_doubt_is_settled_in_the_same_run(naked: World, fault: str) -> None:
    naked.venue.faults.sends = [fault]
    naked.reconcile()
    assert len(naked.venue.placed) == 2
    assert len(payloads(naked.venue.placed)) == 1
    stop = naked.intent(Purpose.STOP)
    assert (stop.generation, stop.state, live_stops(naked)) == (2, S.LIVE, 1)
    assert stop.resent_at == naked.venue.now()
    assert stop.venue_order_id in naked.venue.engine.books.live
    naked.minutes(2)
    assert (naked.position().state, live_stops(naked)) == (PositionState.PROTECTED, 1)
    assert naked.venue.naked_seconds_max() == 10


def test_stop_lost_twice_is_replaced_by_the_next_run(naked: World) -> None:
    naked.venue.faults.sends = ["lost request", "lost request"]
    naked.reconcile()
    assert (len(naked.venue.placed), live_stops(naked)) == (2, 0)
    naked.venue.advance(30)
    naked.reconcile()
    assert (naked.intent(Purpose.STOP).generation, live_stops(naked)) == (3, 1)


def test_second_stop_goes_when_the_first_shows_up(naked: World) -> None:
    naked.venue.faults.sends = ["lost reply", "lost request"]
    naked.reconcile()
    naked.venue.advance(5)
    naked.manage()
    naked.minutes(2)
    assert live_stops(naked) == 1
    assert naked.position().state is PositionState.PROTECTED


def test_duplicate_without_a_working_order_waits_for_look_ups(naked: World) -> None:
    naked.venue.faults.sends = ["lost reply"]
    desk = naked.desk(_TakesOffAgain(naked))
    position = naked.position()
    stop = position.intent(Purpose.STOP)
    assert stop is not None
    planned = replace(stop, generation=2, client_order_id=type(stop.client_order_id)("smc-again-2"), state=S.PLANNED)
    position = desk.orders.send(position, planned)
    known = position.by_client_order_id("smc-again-2")
    assert known is not None
    position = desk.orders.send(position, known)
    known = position.by_client_order_id("smc-again-2")
    assert known is not None
    assert (known.state, known.reason) == (S.UNKNOWN, "clientOrderIdAlreadyExist")
    naked.reconcile()
    known = naked.position().by_client_order_id("smc-again-2")
    assert known is not None
    assert known.state is S.CANCELLED
    assert naked.intent(Purpose.STOP).state is S.LIVE


class _TakesOffAgain:
    """Somebody cancels the order right after it arrived."""

    def __init__(self, world: World) -> None:
        self._world = world

    def __getattr__(self, name: str) -> Any:
        return getattr(self._world.venue, name)

    def place(self, request: OrderRequest) -> SendAnswer:
        answer = self._world.venue.place(request)
        self._world.venue.engine.cancel(client_order_id=request.client_order_id)
        return answer


def test_duplicate_stays_in_doubt_without_open_orders(naked: World) -> None:
    naked.venue.faults.sends = ["lost reply"]
    naked.reconcile()  # sends it, and once more
    stop = naked.intent(Purpose.STOP)
    assert stop.state is S.LIVE
    doubtful = replace(stop, state=S.UNKNOWN, resent_at=None)
    position = naked.cloud.ledger.save_position(naked.position().with_intent(doubtful))
    naked.venue.faults.reads = {"open_orders"}
    naked.desk().orders.send(position, doubtful)
    assert naked.intent(Purpose.STOP).state is S.UNKNOWN


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("marketSuspended", S.UNKNOWN),
        ("HTTP 429", S.UNKNOWN),
        ("wouldProcessAfterSpecifiedTime", S.UNKNOWN),
        ("wouldNotReducePosition", S.REJECTED),
    ],
)
def test_refused_second_send_tells_only_what_it_knows(naked: World, word: str, state: IntentState) -> None:
    naked.venue.faults.sends = ["lost request", word, *["lost request"] * 4]
    naked.reconcile()
    first = next(each for each in naked.position().of(Purpose.STOP) if each.generation == 2)
    assert (first.state, first.reason) == (state, word)


def test_first_stop_in_doubt_does_not_cost_the_plan(world: World) -> None:
    world.venue.faults.sends = ["lost reply"]
    world.add_signal()
    world.execute()
    assert {each.state for each in world.position().intents} == {S.LIVE}
    assert (live_stops(world), world.entries_placed()) == (1, 1)


@pytest.mark.parametrize("fault", ["lost request", "lost reply"])
def test_entry_in_doubt_is_never_sent_again(world: World, fault: str) -> None:
    world.venue.faults.sends = ["", fault]
    world.add_signal()
    world.execute()
    world.minutes(8)
    assert sum(not each.reduce_only for each in world.venue.placed) == 1


@pytest.mark.parametrize("fault", ["lost request", "lost reply"])
def test_exit_in_doubt_closes_the_position_once(world: World, fault: str) -> None:
    position = world.open_position()
    world.venue.placed.clear()
    world.cloud.ledger.save_position(position.moved(PositionState.CLOSING, close_reason="test"))
    world.venue.faults.sends = [fault]
    world.venue.advance(10)
    world.reconcile()
    assert world.venue.positions() == ()
    assert len(payloads(world.venue.placed)) == 1
    assert len(world.venue.placed) == 2
    world.minutes(4)
    assert world.trades()[0].exit_reason == "test"
    assert world.venue.open_orders() == ()


def test_target_in_doubt_rests_once(world: World) -> None:
    world.add_signal()
    world.execute()
    world.venue.advance(60, COIN="99.5")
    world.venue.faults.sends = ["lost reply"]
    world.reconcile()
    target = world.intent(Purpose.TARGET_1)
    assert (target.generation, target.state) == (1, S.LIVE)
    assert sum(each.limit_price == 102 for each in world.venue.open_orders()) == 1
