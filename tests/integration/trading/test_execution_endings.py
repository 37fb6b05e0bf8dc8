"""Entries that come to nothing: each ends with a reason, and its stop never outlives it, wherever a run is killed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest

from functions.execute_signals.execute import execute_signals
from tests.fakes.records import BAR
from tests.integration.trading.interleaving import Meanwhile
from tests.integration.trading.killed_writes import Killed, Writes, watched
from tests.integration.trading.world import World
from trading.model.decisions import Outcome
from trading.model.orders import IntentState, Purpose

S = IntentState
EXECUTE: Callable[[World], object] = World.execute
MOST_WRITES = 14
"""More than one run makes: the last cases are killed nowhere."""


@pytest.fixture
def writes(monkeypatch: pytest.MonkeyPatch, world: World) -> Writes:
    assert world.venue is not None
    return watched(monkeypatch)


def refused(world: World) -> None:
    """The price goes through the level between the look and the send."""
    world.add_signal()
    world.venue.faults.sends = ["", "postWouldExecute"]


def ended(world: World) -> list[str]:
    return [each.close_reason for each in world.cloud.ledger.closed_positions(["2024-05"])]


def test_passed_level_is_told_and_not_chased(world: World) -> None:
    refused(world)
    world.execute()
    sentence = "the price had left the entry level 100 (postWouldExecute); it is not chased"
    assert [(each.outcome, each.sentence) for each in world.cloud.decisions.stages(BAR)] == [
        (Outcome.FAILED, f"COIN: {sentence}.")
    ]
    world.minutes(3)
    assert ended(world) == [sentence]
    assert (world.entries_placed(), world.venue.open_orders()) == (0, ())


@pytest.mark.parametrize("fatal", range(1, MOST_WRITES))
def test_stop_never_outlives_a_refused_entry(world: World, writes: Writes, fatal: int) -> None:
    refused(world)
    writes.fatal = fatal
    writes.run(world, EXECUTE)
    writes.fatal = None
    world.minutes(6)
    assert world.venue.open_orders() == ()
    assert world.cloud.ledger.open_positions() == ()
    assert world.entries_placed() <= 1


def test_refused_entry_is_killed_at_all_its_writes(world: World, writes: Writes) -> None:
    refused(world)
    assert writes.run(world, EXECUTE)
    assert 8 <= len(writes.done) < MOST_WRITES


@pytest.mark.parametrize("fault", ["killed before", "killed after"])
@pytest.mark.parametrize("number", [0, 1])
def test_killed_plan_that_never_fills_leaves_nothing(world: World, number: int, fault: str) -> None:
    world.add_signal()
    world.venue.faults.sends = [""] * number + [fault]
    with suppress(SystemExit, Killed):
        world.execute()
    world.venue.advance(3600)
    world.minutes(6)
    assert world.venue.open_orders() == ()
    assert world.cloud.ledger.open_positions() == ()


@pytest.mark.parametrize("fault", ["lost reply", "killed after"])
def test_entry_found_after_its_end_is_taken_off(world: World, fault: str) -> None:
    world.add_signal()
    world.venue.faults.sends = ["", fault]
    with suppress(SystemExit):
        world.execute()
    world.venue.advance(3600, COIN="101")
    world.minutes(5)
    assert ended(world) == ["entry CANCELLED (entry expired)"]
    assert world.venue.open_orders() == ()


def test_expired_cancel_that_was_lost_is_asked_again(world: World) -> None:
    world.add_signal()
    world.execute()
    world.venue.faults.reads = {"cancel"}
    world.venue.advance(3600, COIN="101")
    world.minute()
    assert world.intent(Purpose.ENTRY).state is S.CANCEL_PENDING
    world.venue.faults.reads = set()
    world.minutes(4)
    assert ended(world) == ["entry CANCELLED (entry expired)"]


def test_part_filled_entry_is_not_filled_further(world: World) -> None:
    world.add_signal()
    world.execute()
    world.venue.advance(60, COIN="99.95")
    held = world.venue.engine.books.size_of("PF_COINUSD")
    assert 0 < held < world.intent(Purpose.ENTRY).quantity
    world.minutes(3)
    assert world.intent(Purpose.ENTRY).state is S.CANCELLED
    assert world.venue.naked_seconds_max() == 0


def test_given_up_plan_says_why_in_the_trace(world: World) -> None:
    world.add_signal()
    reads = world.venue.faults.reads
    silent = Meanwhile(world.venue, "place", lambda: reads.add("open_orders"), after=True)
    execute_signals(world.desk(silent))
    reads.clear()
    world.venue.advance(121)
    world.execute()
    told = {each.outcome: each.sentence for each in world.cloud.decisions.stages(BAR)}
    assert told[Outcome.FAILED] == "COIN: the entry was not sent, the plan is stale."
