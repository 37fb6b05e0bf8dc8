"""Sending: recorded first, once, and whatever is lost on the way is found or proven absent."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from tests.fakes.records import seconds
from tests.integration.trading.world import World
from tests.unit.risk.cases import SCENE
from trading.errors import StoreConflict, VenueUnavailable
from trading.execution.plan import plan_position
from trading.execution.protection import protective_steps
from trading.model.control import KillLevel
from trading.model.orders import IntentState, Purpose
from trading.model.positions import Position
from trading.model.risk import RiskApproved
from trading.model.steps import Send

S = IntentState


def planned_in(world: World) -> Position:
    """The write-ahead record of one approved signal."""
    world.add_signal()
    approved = SCENE.decide()
    assert isinstance(approved, RiskApproved)
    position = plan_position(approved, world.rules, "test", world.venue.now())
    return world.cloud.ledger.open_position(position, approved.signal, world.cloud.ledger.book(world.venue.now()))


def send(world: World, purpose: Purpose) -> Position:
    intent = world.intent(purpose)
    return world.desk().orders.send(world.position(), intent)


def test_accepted_order_is_recorded_with_its_id(world: World) -> None:
    planned_in(world)
    sent = send(world, Purpose.STOP)
    stop = sent.intent(Purpose.STOP)
    assert stop is not None
    assert (stop.state, stop.sent_at) == (S.LIVE, world.venue.now())
    assert stop.venue_order_id in world.venue.engine.books.live
    assert stop.process_before == world.venue.now() + seconds(10)
    assert world.position() == sent


def test_refusal_is_recorded_with_the_venues_word(world: World) -> None:
    planned_in(world)
    world.venue.faults.sends = ["invalidPrice"]
    send(world, Purpose.STOP)
    assert (world.intent(Purpose.STOP).state, world.intent(Purpose.STOP).reason) == (S.REJECTED, "invalidPrice")


def test_lost_reply_is_unknown_then_found(world: World) -> None:
    planned_in(world)
    world.venue.faults.sends = ["lost reply"]
    send(world, Purpose.STOP)
    assert world.intent(Purpose.STOP).state is S.UNKNOWN
    world.venue.advance(5)
    world.reconcile()
    assert world.intent(Purpose.STOP).state is S.LIVE
    assert len(world.venue.engine.books.live) == 1


def test_lost_request_is_not_placed_only_with_proof(world: World) -> None:
    planned_in(world)
    world.venue.faults.sends = ["lost request"]
    send(world, Purpose.STOP)
    states = []
    for _ in range(3):
        world.venue.advance(60)
        world.reconcile()
        states.append(world.intent(Purpose.STOP).state)
    assert states == [S.UNKNOWN, S.NOT_PLACED, S.NOT_PLACED]


@pytest.mark.parametrize(("crash", "end"), [("killed before", S.NOT_PLACED), ("killed after", S.LIVE)])
def test_crash_around_the_send_is_resolved(world: World, crash: str, end: IntentState) -> None:
    planned_in(world)
    world.venue.faults.sends = [crash]
    with pytest.raises(SystemExit):
        send(world, Purpose.STOP)
    assert world.intent(Purpose.STOP).state is S.SENDING
    for _ in range(3):
        world.venue.advance(60)
        world.reconcile()
    assert world.intent(Purpose.STOP).state is end


def test_sent_intent_is_never_sent_again(world: World) -> None:
    stale = planned_in(world)
    intent = stale.intent(Purpose.STOP)
    assert intent is not None
    sent = world.desk().orders.send(stale, intent)
    with pytest.raises(StoreConflict):
        world.desk().orders.send(sent, intent)
    with pytest.raises(StoreConflict):
        world.desk().orders.send(stale, intent)
    assert len(world.venue.placed) == 1


def test_entry_is_not_sent_once_stopped(world: World) -> None:
    planned_in(world)
    send(world, Purpose.STOP)
    world.set_level(KillLevel.NO_ENTRIES)
    with pytest.raises(StoreConflict, match="not sent"):
        send(world, Purpose.ENTRY)
    assert world.intent(Purpose.ENTRY).state is S.PLANNED
    assert [each.reduce_only for each in world.venue.placed] == [True]


def test_protection_is_sent_at_every_level(world: World) -> None:
    planned_in(world)
    world.set_level(KillLevel.LOCK)
    assert send(world, Purpose.STOP).intent(Purpose.STOP) == world.intent(Purpose.STOP)
    assert world.intent(Purpose.STOP).state is S.LIVE


def test_answer_survives_a_concurrent_writer(world: World) -> None:
    planned_in(world)
    desk = world.desk(venue=_WritesMeanwhile(world))
    sent = desk.orders.send(world.position(), world.intent(Purpose.STOP))
    assert world.position() == sent
    assert sent.version == 4
    assert sent.close_reason == "meanwhile"
    assert world.intent(Purpose.STOP).state is S.LIVE


class _WritesMeanwhile:
    """Another run saves the record while the venue is still answering."""

    def __init__(self, world: World) -> None:
        self._world = world

    def place(self, request: object) -> object:
        answer = self._world.venue.place(request)  # type: ignore[arg-type]
        position = self._world.position()
        self._world.cloud.ledger.save_position(replace(position, close_reason="meanwhile"))
        return answer


@pytest.mark.parametrize(("fault", "sends"), [("lost request", 2), ("invalidPrice", 4)])
def test_outage_is_not_answered_with_a_flood(world: World, fault: str, sends: int) -> None:
    position = world.open_position()
    stop = world.intent(Purpose.STOP)
    world.venue.engine.cancel(client_order_id=stop.client_order_id)
    world.venue.placed.clear()
    world.venue.faults.sends = [fault] * 20
    world.venue.advance(60)
    world.reconcile()
    assert len(world.venue.placed) == sends
    assert position.id == world.position().id


def test_failed_cancel_stays_asked_for(world: World) -> None:
    world.open_position()
    world.venue.faults.reads = {"cancel"}
    target = world.intent(Purpose.TARGET_1)
    with pytest.raises(VenueUnavailable):
        world.desk().orders.cancel(world.position(), target)
    assert world.intent(Purpose.TARGET_1).state is S.CANCEL_PENDING
    world.venue.faults.reads = set()
    world.minutes(2)
    assert world.intent(Purpose.TARGET_1).state is S.CANCELLED


def test_abandoned_plan_sends_nothing(world: World) -> None:
    position = planned_in(world)
    world.desk().orders.abandon(position, "changed my mind")
    assert {each.state for each in world.position().intents} == {S.ABANDONED}
    assert world.venue.placed == []


def test_nothing_due_means_nothing_sent(world: World) -> None:
    position = world.open_position()
    world.venue.placed.clear()
    decide = partial(protective_steps, mark=None, rules=world.rules, now=world.venue.now())
    assert world.desk().orders.carry_out(position, decide) == position
    assert world.venue.placed == []
    assert not any(isinstance(each, Send) for each in decide(position))
