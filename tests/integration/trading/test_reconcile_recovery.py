"""What reconcile finds at its start, row by row of the recovery table (reliability 3.2), each from nothing but records
and venue: the process that made them is gone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.fakes.records import seconds
from tests.integration.trading.test_reconcile_strangers import tamper
from tests.integration.trading.test_repairs import by_hand, cancel_stop
from tests.integration.trading.world import World
from trading.execution.plan import stop_intent
from trading.model.orders import IntentState, Purpose
from trading.model.positions import PositionState

S = IntentState


def killed(world: World, *sends: str) -> None:
    """A process that dies around one of its sends."""
    world.add_signal()
    world.venue.faults.sends = list(sends)
    with pytest.raises(SystemExit):
        world.execute()


def planned_fresh(world: World) -> Any:
    killed(world, "killed before")
    # The entry is still to be sent; reconcile leaves it to its sender.
    before = world.intent(Purpose.ENTRY)
    world.reconcile()
    assert before.state is S.PLANNED
    return world.intent(Purpose.ENTRY).state


def planned_late(world: World) -> Any:
    killed(world, "killed before")
    world.venue.advance(300)
    world.reconcile()
    world.execute()
    world.minutes(3)
    assert world.entries_placed() == 0
    return world.cloud.ledger.open_positions()


def planned_protection_late(world: World) -> Any:
    position = world.open_position()
    second = stop_intent(position, position.quantity, world.venue.now())
    world.cloud.ledger.save_position(position.with_intent(second))
    world.minute()
    found = world.position().by_client_order_id(second.client_order_id)
    return found.state if found else None


def sending_young(world: World) -> Any:
    killed(world, "", "killed before")
    world.venue.advance(20)
    world.reconcile()
    return world.intent(Purpose.ENTRY).state


def sending_old(world: World) -> Any:
    killed(world, "", "killed before")
    world.venue.advance(31)
    world.reconcile()
    return world.intent(Purpose.ENTRY).state


def sending_arrived(world: World) -> Any:
    killed(world, "", "killed after")
    world.venue.advance(1)
    world.reconcile()
    assert world.entries_placed() == 1
    return world.intent(Purpose.ENTRY).state


def unknown_entry(world: World) -> Any:
    killed(world, "", "killed before")
    states = []
    for _ in range(6):
        world.venue.advance(30)
        world.reconcile()
        found = world.cloud.ledger.open_positions()
        states += [each.state for each in found[0].intents if each.purpose is Purpose.ENTRY] if found else ["ended"]
        world.execute()
    assert world.entries_placed() == 0
    return list(dict.fromkeys(states))


def unknown_stop(world: World) -> Any:
    world.open_position()
    cancel_stop(world)
    world.venue.faults.sends = ["lost request"]
    world.minutes(2)
    assert world.venue.naked_seconds_max() <= 120
    world.minute()
    newest = world.position().resting(Purpose.STOP)
    return [each.state for each in newest if each.state is S.LIVE], world.position().state


def live_gone_filled(world: World) -> Any:
    world.add_signal()
    world.execute()
    world.venue.advance(60, COIN="99.5")
    world.reconcile()
    return world.intent(Purpose.ENTRY).state, world.position().state


def live_gone_cancelled(world: World) -> Any:
    world.add_signal()
    world.execute()
    world.venue.engine.cancel(client_order_id=world.intent(Purpose.ENTRY).client_order_id)
    name = world.position().id
    world.minutes(2)
    (ended,) = world.cloud.ledger.closed_positions(["2024-05"])
    assert ended.id == name
    return next(each.state for each in ended.intents if each.purpose is Purpose.ENTRY)


def partial_entry(world: World) -> Any:
    world.add_signal()
    world.execute()
    entry = world.intent(Purpose.ENTRY)
    world.venue.advance(60, COIN="99.5")
    books = world.venue.engine.books
    # Half of it was filled; the other half still rests.
    half = (entry.quantity / 2).quantize(entry.quantity)
    books.positions[world.position().contract] = replace(books.positions[world.position().contract], size=half)
    books.fills[:] = [replace(books.fills[0], size=half)]
    order = books.closed.pop(next(key for key, each in books.closed.items() if each.size == entry.quantity))
    books.live[order.order_id] = replace(order, filled=half, state=type(order.state).RESTING)
    world.reconcile()
    assert world.intent(Purpose.ENTRY).state is S.PARTIAL
    world.execute()
    world.minutes(3)
    stops = [each.open_quantity for each in world.venue.open_orders() if each.trigger_price is not None]
    return world.intent(Purpose.ENTRY).state, stops == [half], world.position().quantity == half


def cancel_pending_lost(world: World) -> Any:
    position = world.open_position()
    target = world.intent(Purpose.TARGET_1)
    # The record says that it was to be cancelled; the request never left.
    world.cloud.ledger.save_position(position.with_intent(target.moved(S.CANCEL_PENDING)))
    world.venue.advance(60)
    world.reconcile()
    world.minute()
    found = world.position().by_client_order_id(target.client_order_id)
    assert target.client_order_id in world.venue.cancelled
    return found.state if found else None


def orphan_entry(world: World) -> Any:
    world.add_signal()
    world.execute()
    world.cloud.ledger.close_position(world.position().moved(PositionState.CLOSED), None)
    world.venue.advance(30)
    world.reconcile()
    return world.venue.open_orders()


def orphan_stop_that_covers(world: World) -> Any:
    world.open_position()
    stop = world.intent(Purpose.STOP).client_order_id
    world.cloud.ledger.close_position(world.position().moved(PositionState.CLOSED), None)
    world.venue.faults.sends = ["apiLimitExceeded"]
    world.venue.advance(30)
    world.reconcile()
    kept = stop in {each.client_order_id for each in world.venue.open_orders()}
    world.minutes(2)
    assert world.venue.naked_seconds_max() == 0
    return kept, stop in {each.client_order_id for each in world.venue.open_orders()}


def foreign_order(world: World) -> Any:
    by_hand(world, "lmt", "sell", "1", "110")
    world.minutes(3)
    return [each.client_order_id for each in world.venue.open_orders()], world.venue.cancelled


def wrong_stop(world: World) -> Any:
    world.open_position()
    tamper(world, world.intent(Purpose.STOP).client_order_id, reduce_only=False)
    world.venue.advance(30)
    world.reconcile()
    return [each.reduce_only for each in world.venue.open_orders() if each.trigger_price is not None]


RECOVERY_ROWS: dict[str, tuple[Callable[[World], Any], Any]] = {
    "PLANNED fresh -> left to its sender": (planned_fresh, S.PLANNED),
    "PLANNED past its deadline -> ABANDONED, slot free": (planned_late, ()),
    "PLANNED protection past its deadline -> ABANDONED": (planned_protection_late, S.ABANDONED),
    "SENDING younger than the answer may take -> left": (sending_young, S.SENDING),
    "SENDING older -> UNKNOWN": (sending_old, S.UNKNOWN),
    "SENDING that the venue has -> LIVE": (sending_arrived, S.LIVE),
    "UNKNOWN -> proof, then the slot is free": (unknown_entry, [S.UNKNOWN, S.NOT_PLACED, "ended"]),
    "protective UNKNOWN -> covered at once, not waited for": (unknown_stop, ([S.LIVE], PositionState.PROTECTED)),
    "LIVE absent from the open orders -> FILLED by its fills": (live_gone_filled, (S.FILLED, PositionState.PROTECTED)),
    "LIVE absent from the open orders -> CANCELLED by look-up": (live_gone_cancelled, S.CANCELLED),
    "PARTIAL entry -> rest cancelled, stop sized to fills": (partial_entry, (S.CANCELLED, True, True)),
    "CANCEL_PENDING -> asked again": (cancel_pending_lost, S.CANCELLED),
    "our order without intent, entry -> cancelled": (orphan_entry, ()),
    "our order without intent, covering stop -> kept": (orphan_stop_that_covers, (True, False)),
    "order without our prefix -> foreign, left alone": (foreign_order, ([None], [])),
    "our stop that is not what was meant -> replaced": (wrong_stop, [True]),
}


@pytest.mark.parametrize("row", list(RECOVERY_ROWS))
def test_recovery_row_ends_as_the_table_says(world: World, row: str) -> None:
    scene, expected = RECOVERY_ROWS[row]
    assert scene(world) == expected


def test_wait_before_unknown_is_longer_than_the_guards_run(world: World) -> None:
    """SENDING is another run's own until it must have ended: 20 s of run and 5 s of clocks."""
    assert seconds(world.rules.execution.answer_timeout_s) == seconds(25)
