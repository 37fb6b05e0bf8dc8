"""A flatten that is asked for again while no other function works: it ends flat, and says what it did."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from tests.fakes.cloud import Cloud
from tests.integration.trading.world import World, new_world
from tests.simulation.memory.tables import MemoryTables
from tests.unit.control.records import entry, filled, position, venue_position
from tests.unit.operator.scene import RULES, cloud_of, desk_of
from tests.unit.operator.scene import World as Scene
from tests.unit.operator.trade_scene import closed_by_a_person, held, outage, outage_ends, working
from trading import matching
from trading.execution.flattening import ordered_to_close
from trading.execution.plan import exit_intent
from trading.execution.protection import exits_under_way, proven_gone
from trading.model.orders import IntentState, OrderIntent, OrderType, Purpose
from trading.model.positions import Position, PositionState
from trading.model.units import NOTHING, Quantity

PATIENCE = timedelta(seconds=RULES.execution.answer_timeout_s)
GONE = "COIN: the venue shows nothing of it any more; its other orders are taken off"


@pytest.fixture
def cloud() -> Cloud:
    return cloud_of(MemoryTables())


@pytest.fixture
def world(cloud: Cloud) -> World:
    return new_world(cloud, ("COIN", "ETH"))


def rest_of(world: World, size: int) -> None:
    """The market order was filled in part only; the same is left as if so much had come back."""
    world.venue.engine.send(
        matching.OrderRequest(
            symbol="PF_COINUSD",
            side=matching.Side.BUY,
            order_type=matching.OrderType.MARKET,
            size=Decimal(size),
        )
    )


@pytest.mark.parametrize("scope", ["ALL", "COIN"])
def test_rest_goes_with_the_next_flatten(world: World, scope: str) -> None:
    world.open_position()
    closed_by_a_person(world, scope)
    rest_of(world, 5)
    world.venue.advance(60)
    answer = closed_by_a_person(world, scope)
    assert (held(world), answer["orders_sent"], answer["failures"]) == (set(), 1, [])


@pytest.mark.parametrize("scope", ["ALL", "COIN"])
def test_stop_goes_when_the_venue_shows_nothing(world: World, scope: str) -> None:
    world.open_position()
    closed_by_a_person(world, scope)
    assert working(world) > 0
    world.venue.advance(60)
    for _ in range(2):
        answer = closed_by_a_person(world, scope)
        assert (answer["closing"], answer["orders_sent"], working(world)) == ([GONE], 0, 0)
    world.minutes(2)
    assert world.cloud.ledger.open_positions() == ()
    assert [each.exit_reason for each in world.trades()] == ["flatten"]


def test_stop_goes_though_another_coin_is_held(world: World) -> None:
    for name in ("COIN", "ETH"):
        world.open_position(name)
    closed_by_a_person(world, "COIN")
    world.venue.advance(60)
    assert closed_by_a_person(world, "COIN")["closing"] == [GONE]
    others = [each for each in world.position().intents if each.purpose is Purpose.STOP]
    assert [(each.state, each.reason) for each in others] == [(IntentState.CANCEL_PENDING, "the position is flat")]
    assert held(world) == {"PF_ETHUSD"}


def test_answer_speaks_only_of_what_was_sent(world: World) -> None:
    world.open_position()
    assert closed_by_a_person(world)["closing"] == [f"COIN: market exit of {world.position().quantity}"]
    world.venue.advance(5)
    again = closed_by_a_person(world)
    assert (again["closing"], again["orders_sent"]) == (["COIN: an exit is under way, nothing more was sent"], 0)


def test_hidden_position_keeps_its_stop(world: World) -> None:
    """Empty answers are no proof where no exit of ours was taken."""
    world.open_position()
    world.venue.faults.hidden_positions = True
    before = working(world)
    for _ in range(2):
        world.venue.faults.sends = ["insufficientAvailableFunds"]
        assert "refused: insufficientAvailableFunds" in closed_by_a_person(world)["failures"][0]
        world.venue.advance(60)
    assert working(world) == before


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("wouldNotReducePosition", "COIN: the venue says that there is nothing to reduce"),
        ("lost request", "COIN: market exit of 23.36, no answer yet"),
    ],
)
def test_exit_without_effect_is_told_as_such(world: World, word: str, told: str) -> None:
    world.open_position()
    world.venue.faults.sends = [word] * 2
    assert closed_by_a_person(world)["closing"] == [told]


def test_lag_of_positions_loses_no_order(world: World) -> None:
    """The entry is filled, the view of positions does not show it yet, and then nothing answers."""
    world.add_signal()
    world.execute()
    world.venue.advance(30, COIN="99.5")
    world.venue.faults.hidden_positions = True
    with suppress(Exception):
        world.reconcile()
    assert (world.position().quantity, world.intent(Purpose.ENTRY).state) == (NOTHING, IntentState.FILLED)
    world.venue.faults.hidden_positions = False
    outage(world)
    assert closed_by_a_person(world, "COIN")["closing"] == ["COIN: closed as soon as the venue shows it"]
    assert world.position().close_reason == "flatten"
    outage_ends(world)
    world.minutes(4)
    assert (held(world), working(world)) == (set(), 0)


# the rules behind it


def lagging(**changes: object) -> Position:
    """Bought, and not shown."""
    return replace(filled(position()), **({"quantity": NOTHING} | changes))  # type: ignore[arg-type]


def test_order_stands_in_what_may_still_be_shown() -> None:
    adopted = replace(position(state=PositionState.FOREIGN), quantity=NOTHING)
    for made in (lagging(), adopted):
        assert replace(ordered_to_close(made), close_reason="") == made
        assert ordered_to_close(made).close_reason == "flatten"


def test_order_leaves_alone_what_is_over_or_closing() -> None:
    (bought,) = filled(position()).fills
    over = lagging(fills=(bought, replace(bought, id="sold", opens=False)))
    entered = over.with_intent(entry_of(over))
    for made in (entered, lagging(state=PositionState.CLOSING, close_reason="time_exit")):
        assert ordered_to_close(made) == made


def entry_of(made: Position) -> OrderIntent:
    return replace(entry(made), state=IntentState.FILLED)


def leaving(state: IntentState, reason: str = "") -> Position:
    made = position(state=PositionState.CLOSING)
    sent = replace(exit_intent(made, made.planned_at), state=state, sent_at=made.planned_at, reason=reason)
    return made.with_intent(sent)


@pytest.mark.parametrize("state", [IntentState.PLANNED, IntentState.SENDING, IntentState.LIVE, IntentState.PARTIAL])
def test_exit_is_under_way_for_a_time(state: IntentState) -> None:
    made = leaving(state)
    assert exits_under_way(made, RULES, made.planned_at + PATIENCE)
    assert not exits_under_way(made, RULES, made.planned_at + PATIENCE + timedelta(seconds=1))


def test_exit_that_was_sent_again_is_under_way_anew() -> None:
    made = leaving(IntentState.LIVE)
    newest = made.intent(Purpose.EXIT)
    assert newest is not None
    again = made.with_intent(replace(newest, resent_at=made.planned_at + PATIENCE))
    assert exits_under_way(again, RULES, made.planned_at + 2 * PATIENCE)


@pytest.mark.parametrize(
    ("state", "reason", "proof"),
    [
        (IntentState.LIVE, "", True),
        (IntentState.FILLED, "", True),
        (IntentState.REJECTED, "wouldNotReducePosition", True),
        (IntentState.REJECTED, "marketSuspended", False),
        (IntentState.UNKNOWN, "", False),
    ],
)
def test_answered_exit_is_the_proof_of_flat(state: IntentState, reason: str, proof: bool) -> None:
    made = leaving(state, reason)
    assert not proven_gone(made, RULES, made.planned_at + PATIENCE)
    assert proven_gone(made, RULES, made.planned_at + PATIENCE + timedelta(seconds=1)) is proof


def test_dust_that_is_left_is_told_as_that() -> None:
    scene = Scene()
    dust = Quantity("0.0004")
    made = position(state=PositionState.CLOSING, quantity=dust)
    refused = replace(
        exit_intent(made, made.planned_at), state=IntentState.REJECTED, sent_at=made.planned_at, reason="invalidSize"
    )
    scene.ledger.adopt_position(made.with_intent(refused))
    scene.venue.held = (venue_position("BTC", "0.0004"),)
    told = desk_of(scene).close("ALL")["closing"]
    assert told == ["BTC: nothing was sent; 0.0004 is less than the venue takes"]
    assert all(each.type is not OrderType.MARKET for each in scene.venue.sent)


def test_ended_record_is_told_as_nothing_held() -> None:
    scene = Scene()
    (bought,) = filled(position()).fills
    over = lagging(fills=(bought, replace(bought, id="sold", opens=False)))
    scene.ledger.adopt_position(over.with_intent(entry_of(over)))
    assert desk_of(scene).close("ALL")["closing"] == ["BTC: nothing held"]
