"""Every edge of the two state tables is taken by the product itself: an edge that nothing takes fails here."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from tests.integration.trading.test_repairs import by_hand, cancel_stop
from tests.integration.trading.world import World
from trading.model.control import KillLevel
from trading.model.orders import INTENT_TRANSITIONS, IntentState, OrderIntent, Purpose
from trading.model.positions import POSITION_TRANSITIONS, Position, PositionState

Edge = tuple[str, str]


def entered(world: World, *sends: str) -> None:
    """One signal, its orders answered like this."""
    world.add_signal()
    world.venue.faults.sends = list(sends)
    with suppress(SystemExit):
        world.execute()


def take_entry_off(world: World) -> None:
    world.venue.engine.cancel(client_order_id=world.intent(Purpose.ENTRY).client_order_id)


def winner(world: World) -> None:
    world.open_position()
    world.minute(COIN="102.2")
    world.minute(COIN="99")


def never_filled(world: World) -> None:
    entered(world)
    world.venue.advance(3600, COIN="101")
    world.minutes(3)


def part_then_all(world: World) -> None:
    entered(world)
    world.venue.advance(60, COIN="99.95")
    world.reconcile()
    world.venue.advance(10, COIN="99.5")
    world.reconcile()


def part_then_cancelled(world: World) -> None:
    entered(world)
    world.minute(COIN="99.95")


def part_then_gone(world: World) -> None:
    entered(world)
    world.venue.advance(60, COIN="99.95")
    world.reconcile()
    take_entry_off(world)
    world.reconcile()


def stop_taken_off(world: World) -> None:
    world.open_position()
    cancel_stop(world)
    world.minutes(2)


def filled_while_cancelled(world: World) -> None:
    entered(world)
    world.venue.faults.reads = {"cancel"}
    world.set_level(KillLevel.CANCEL_ENTRIES)
    world.minute()
    world.venue.faults.reads = set()
    world.venue.advance(10, COIN="99")
    world.reconcile()


def entry_seen_after(fault: str, price: str) -> Callable[[World], None]:
    def scenario(world: World) -> None:
        entered(world, "", fault)
        world.venue.advance(10, COIN=price)
        world.reconcile()

    return scenario


def exit_answered(fault: str) -> Callable[[World], None]:
    def scenario(world: World) -> None:
        position = world.open_position()
        world.cloud.ledger.save_position(position.moved(PositionState.CLOSING, close_reason="test"))
        world.venue.faults.sends = [fault]
        with suppress(SystemExit):
            world.reconcile()
        world.venue.advance(5)
        world.reconcile()

    return scenario


def entry_lost(world: World) -> None:
    entered(world, "", "lost request")
    world.minutes(3)


def entry_lost_and_taken_off(world: World) -> None:
    entered(world, "", "lost reply")
    take_entry_off(world)
    world.venue.advance(5)
    world.reconcile()


def refused_at_the_second_send(world: World) -> None:
    entered(world, "lost request", "wouldNotReducePosition")


def stop_refused(world: World) -> None:
    entered(world, "invalidPrice")


def watched_entry(world: World) -> None:
    world.venue.engine.switches = replace(world.venue.engine.switches, accept_stop_when_flat=False)
    entered(world)
    world.minute(COIN="99.9")


def beyond_its_stop(world: World) -> None:
    world.open_position()
    cancel_stop(world)
    world.minutes(1)
    cancel_stop(world)
    world.minute(COIN="97")
    world.minutes(2)


def closed_by_hand_while_naked(world: World) -> None:
    position = world.open_position()
    cancel_stop(world)
    world.venue.faults.sends = ["lost request"] * 2
    world.minute()
    by_hand(world, "mkt", "sell", str(position.quantity), reduce_only=True)
    world.minutes(3)


def out_of_time(world: World) -> None:
    world.open_position()
    world.venue.advance(5 * 3600)
    world.minutes(3)


def foreign_flattened(world: World) -> None:
    by_hand(world, "mkt", "buy", "5")
    world.minute()
    world.set_level(KillLevel.FLATTEN)
    world.minutes(3)


def foreign_closed_by_hand(world: World) -> None:
    by_hand(world, "mkt", "buy", "5")
    world.minute()
    by_hand(world, "mkt", "sell", "5", reduce_only=True)
    world.minutes(3)


SCENARIOS: dict[Callable[[World], None], str] = {
    winner: "PLANNED-SENDING SENDING-LIVE LIVE-FILLED LIVE-CANCEL_PENDING CANCEL_PENDING-CANCELLED OPENING-PROTECTED "
    "PROTECTED-CLOSED",
    never_filled: "OPENING-CLOSED",
    part_then_all: "LIVE-PARTIAL PARTIAL-FILLED",
    part_then_cancelled: "PARTIAL-CANCEL_PENDING",
    part_then_gone: "PARTIAL-CANCELLED",
    stop_taken_off: "LIVE-CANCELLED PROTECTED-UNPROTECTED UNPROTECTED-PROTECTED",
    filled_while_cancelled: "CANCEL_PENDING-FILLED",
    exit_answered("killed after"): "SENDING-FILLED",
    entry_seen_after("killed after", "99.95"): "SENDING-PARTIAL",
    entry_seen_after("lost reply", "100.5"): "SENDING-UNKNOWN UNKNOWN-LIVE",
    exit_answered("lost reply"): "UNKNOWN-FILLED",
    entry_seen_after("lost reply", "99.95"): "UNKNOWN-PARTIAL",
    entry_lost: "UNKNOWN-NOT_PLACED",
    entry_lost_and_taken_off: "UNKNOWN-CANCELLED",
    refused_at_the_second_send: "UNKNOWN-REJECTED",
    stop_refused: "SENDING-REJECTED PLANNED-ABANDONED",
    watched_entry: "OPENING-UNPROTECTED",
    beyond_its_stop: "UNPROTECTED-CLOSING CLOSING-CLOSED",
    closed_by_hand_while_naked: "UNPROTECTED-CLOSED",
    out_of_time: "PROTECTED-CLOSING",
    foreign_flattened: "FOREIGN-CLOSING",
    foreign_closed_by_hand: "FOREIGN-CLOSED",
}


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The edges that are taken from now on, by whatever code takes them."""
    seen: set[str] = set()
    for kind in (OrderIntent, Position):
        monkeypatch.setattr(kind, "moved", _noting(kind.moved, seen))
    return seen


def _noting(moved: Callable[..., Any], seen: set[str]) -> Callable[..., Any]:
    def noted(record: Any, state: Any, **changes: Any) -> Any:
        after = moved(record, state, **changes)
        if state is not record.state:
            seen.add(f"{record.state}-{state}")
        return after

    return noted


@pytest.mark.parametrize(("scenario", "edges"), SCENARIOS.items())
def test_each_edge_is_taken_by_the_product(
    world: World, taken: set[str], scenario: Callable[[World], None], edges: str
) -> None:
    scenario(world)
    assert set(edges.split()) <= taken


def test_no_edge_is_without_a_scenario() -> None:
    listed = {f"{start}-{end}" for start, ends in INTENT_TRANSITIONS.items() for end in ends}
    listed |= {f"{start}-{end}" for start, ends in POSITION_TRANSITIONS.items() for end in ends}
    assert {edge for edges in SCENARIOS.values() for edge in edges.split()} == listed
    names = [str(each) for each in (*IntentState, *PositionState)]
    assert len(set(names)) == len(names)
