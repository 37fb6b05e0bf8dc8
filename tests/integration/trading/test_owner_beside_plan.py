"""Somebody trades a coin for which an entry is planned and not sent yet: his position is never closed by it."""

from __future__ import annotations

import pytest

from functions.execute_signals.execute import execute_signals
from tests.integration.trading.interleaving import Meanwhile
from tests.integration.trading.test_execution_flat_stop import behave
from tests.integration.trading.world import World
from trading import matching
from trading.matching import Side
from trading.model.decisions import Outcome
from trading.model.orders import IntentState, Purpose
from trading.model.positions import TAKEN_BY_OTHERS, PositionState
from trading.model.units import Quantity

CONTRACT = "PF_COINUSD"


def trade_by_hand(world: World, side: Side) -> None:
    request = matching.OrderRequest(symbol=CONTRACT, side=side, order_type=matching.OrderType.MARKET, size=Quantity(5))
    assert world.venue.engine.send(request).status == "placed"


@pytest.fixture
def watched(world: World) -> World:
    behave(world, accepts=False)
    world.add_signal()
    world.execute()
    return world


@pytest.fixture
def unconfirmed(world: World) -> World:
    """The stop rests; it was not read back, so that the entry was not sent."""
    world.add_signal()
    reads = world.venue.faults.reads
    execute_signals(world.desk(Meanwhile(world.venue, "place", lambda: reads.add("open_orders"), after=True)))
    reads.clear()
    assert world.intent(Purpose.STOP).state is IntentState.LIVE
    return world


@pytest.mark.parametrize("side", [Side.SELL, Side.BUY])
@pytest.mark.parametrize("plan", ["watched", "unconfirmed"])
def test_entry_is_not_sent_before_the_guard_looked(plan: str, side: Side, request: pytest.FixtureRequest) -> None:
    world: World = request.getfixturevalue(plan)
    trade_by_hand(world, side)
    world.venue.advance(60, COIN="99.9")
    world.execute()
    entry = world.intent(Purpose.ENTRY)
    assert (entry.state, entry.reason) == (IntentState.ABANDONED, TAKEN_BY_OTHERS)
    assert world.venue.engine.books.size_of(CONTRACT) == 5 * side.sign
    world.minutes(3)
    assert world.entries_placed() == 1
    (left,) = world.cloud.ledger.open_positions()
    assert (left.adopted, left.quantity, world.venue.engine.naked_seconds()) == (True, 5, 0)


@pytest.mark.parametrize("side", [Side.SELL, Side.BUY])
def test_guard_gives_the_watched_plan_up(watched: World, side: Side) -> None:
    trade_by_hand(watched, side)
    watched.venue.advance(60)
    watched.reconcile()
    (ended,) = watched.cloud.ledger.closed_positions(["2024-05"])
    assert ended.close_reason == TAKEN_BY_OTHERS


def test_entry_waits_while_positions_do_not_answer(watched: World) -> None:
    watched.venue.advance(60, COIN="99.9")
    watched.venue.faults.reads = {"positions"}
    watched.execute()
    assert watched.intent(Purpose.ENTRY).state is IntentState.PLANNED
    watched.venue.faults.reads = set()
    watched.minute()
    assert (watched.position().state, watched.entries_placed()) == (PositionState.PROTECTED, 1)


def test_plan_that_waits_is_not_called_sent(world: World) -> None:
    behave(world, accepts=False)
    found = world.add_signal()
    assert world.execute().outcomes == {Outcome.PLANNED: 1}
    world.minute(COIN="99.9")
    stages = world.cloud.decisions.stages(found.decision_bar)
    assert [each.outcome for each in stages] == [Outcome.PLANNED, Outcome.SENT]
    assert stages[0].sentence.endswith(" Its entry is not sent yet.")
