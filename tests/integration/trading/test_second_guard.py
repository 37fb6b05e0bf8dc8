"""Exits place the missing stop of a position that is known to be naked: reconcile may have died before it did."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.fakes.records import rules_with
from tests.integration.trading.world import World
from trading.model.orders import IntentState, Purpose
from trading.model.positions import PositionState


def naked(world: World) -> World:
    """The stop was taken off by hand; reconcile has seen it and died before it placed another."""
    position = world.open_position()
    for stop in position.resting(Purpose.STOP):
        world.venue.cancel(stop.client_order_id)
        position = position.with_intent(replace(stop, state=IntentState.CANCELLED))
    bare = position.moved(PositionState.UNPROTECTED, unprotected_since=world.venue.now())
    world.cloud.ledger.save_position(bare)
    return world


def test_exits_place_the_stop_reconcile_could_not(world: World) -> None:
    naked(world).manage()
    assert world.intent(Purpose.STOP).state is IntentState.LIVE
    assert world.venue.engine.naked_seconds() == 0


def test_exits_send_nothing_for_a_covered_position(world: World) -> None:
    world.open_position()
    before = len(world.venue.placed)
    world.manage()
    assert len(world.venue.placed) == before


@pytest.mark.parametrize("repairs", [True, False])
def test_second_guard_obeys_the_rule_of_repair(world: World, repairs: bool) -> None:
    world.rules = rules_with(f'{{"reconciliation": {{"repair_missing_stop": {str(repairs).lower()}}}}}')
    naked(world)
    before = len(world.venue.placed)
    world.manage()
    assert (len(world.venue.placed) > before) is repairs


def without_any_answer(world: World) -> World:
    """Nothing reaches the venue: no read, and no send comes back."""
    world.venue.faults.reads = {"quotes", "orders_by_client_ids", "open_orders", "fills", "positions"}
    world.venue.faults.sends = ["lost request"] * 100
    return world


def test_exit_fires_once_while_nothing_answers(world: World) -> None:
    position = world.open_position()
    world.venue.advance(timedelta(hours=72).total_seconds())
    without_any_answer(world)
    sent = []
    for _ in range(5):
        world.venue.advance(60)
        world.manage()
        sent.append(len(world.position().intents) - len(position.intents))
    assert world.position().state is PositionState.CLOSING
    assert sent[0] > 0
    assert sent == [sent[0]] * 5


def test_exit_goes_out_again_once_the_venue_answers(world: World) -> None:
    world.open_position()
    world.venue.advance(timedelta(hours=72).total_seconds())
    without_any_answer(world)
    world.manage()
    world.venue.faults.reads = set()
    world.venue.faults.sends = []
    world.minutes(3)
    assert not world.venue.positions()
