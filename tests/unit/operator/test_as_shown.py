"""A closing by what the venue shows where the records say less, and the order to close in the records themselves."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from functions.control_trading.closing import order_closing
from tests.unit.control.records import NOW, entry, position, venue_position, with_live
from tests.unit.operator.scene import RULES, World, desk_of
from trading.execution.plan import stop_intent
from trading.model.orders import IntentState, OrderType
from trading.model.positions import Position, PositionState
from trading.model.units import NOTHING, Quantity

LONGEST = timedelta(seconds=RULES.execution.unprotected_maximum_s)


def recorded(world: World, code: str = "BTC") -> Position:
    return next(each for each in world.ledger.open_positions() if each.instrument == code)


def waiting(state: IntentState) -> Position:
    """Nothing is held yet; its entry is in this state."""
    made = replace(position(state=PositionState.OPENING), quantity=NOTHING)
    return made.with_intent(replace(entry(made), state=state))


@pytest.mark.parametrize(
    "state", [PositionState.UNPROTECTED, PositionState.PROTECTED, PositionState.FOREIGN, PositionState.CLOSING]
)
def test_more_than_recorded_is_closed_whole(world: World, state: PositionState) -> None:
    world.ledger.adopt_position(position(state=state))
    world.venue.held = (venue_position("BTC", "0.75"),)
    answer = desk_of(world).close("ALL")
    assert (answer["closing"], answer["failures"]) == (["BTC: market exit of 0.75"], [])
    assert [each.quantity for each in world.venue.sent if each.type is OrderType.MARKET] == [Quantity("0.75")]
    assert (recorded(world).state, recorded(world).quantity) == (PositionState.CLOSING, Quantity("0.75"))


def test_row_of_size_zero_is_no_position(world: World) -> None:
    made = replace(position(state=PositionState.OPENING), quantity=NOTHING)
    world.ledger.adopt_position(with_live(made, entry(made)))
    world.venue.held = (venue_position("BTC", "0"),)
    assert desk_of(world).close("ALL")["closing"] == ["BTC: entry being taken off"]
    assert recorded(world).state is PositionState.OPENING


@pytest.mark.parametrize("state", [IntentState.CANCELLED, IntentState.REJECTED, IntentState.NOT_PLACED])
def test_record_that_came_to_nothing_closes_nothing(world: World, state: IntentState) -> None:
    """What the venue shows there is somebody else's, and is closed by a record of its own."""
    world.ledger.adopt_position(waiting(state))
    world.venue.held = (venue_position("BTC"),)
    answer = desk_of(world).close("ALL")
    assert answer["closing"] == ["BTC: entry given up"]
    assert recorded(world).quantity == 0


def without_a_stop(since: timedelta) -> Position:
    """Entered by an order of ours; two stops were sent and none came to be."""
    made = replace(position(state=PositionState.UNPROTECTED), intents=(), unprotected_since=NOW - since)
    made = made.with_intent(replace(entry(made), state=IntentState.FILLED, filled=made.quantity))
    for _ in range(2):
        made = made.with_intent(replace(stop_intent(made, made.quantity, NOW), state=IntentState.NOT_PLACED))
    return made


@pytest.mark.parametrize(
    ("since", "sent"),
    [(LONGEST, [OrderType.STOP, OrderType.MARKET]), (LONGEST + timedelta(seconds=1), [OrderType.MARKET])],
)
def test_closing_asks_for_no_hopeless_stop(world: World, since: timedelta, sent: list[OrderType]) -> None:
    """The exit does not wait for one either."""
    world.ledger.adopt_position(without_a_stop(since))
    world.venue.held = (venue_position("BTC"),)
    answer = desk_of(world).close("ALL")
    assert (answer["closing"], answer["failures"]) == (["BTC: market exit of 0.5"], [])
    assert [each.type for each in world.venue.sent] == sent


@pytest.mark.parametrize("made", [position(), waiting(IntentState.LIVE)], ids=["held", "waiting"])
def test_repeated_order_to_close_writes_nothing(world: World, made: Position) -> None:
    world.ledger.adopt_position(made)
    assert order_closing(world.ledger, "ALL") == []
    assert recorded(world).close_reason == "flatten"
    before = world.everything()
    assert order_closing(world.ledger, "ALL") == []
    assert world.everything() == before
