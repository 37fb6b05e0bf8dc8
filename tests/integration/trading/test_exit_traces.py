"""Each exit in the trace of the decision behind it: after the order, and never in its way."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pynamodb.exceptions import PutError

from functions.manage_exits.exit import manage_exits
from shared.storage.decisions import StageRecord
from tests.fakes.records import BAR
from tests.integration.trading.exit_scene import NAMES, first_target, hours, to_next_hour
from tests.integration.trading.world import World
from trading.model.decisions import Outcome


def exits_told(world: World) -> list[StageRecord]:
    return [each for each in world.cloud.decisions.stages(BAR) if each.rule]


def long_held(world: World) -> World:
    world.open_position()
    world.venue.advance(timedelta(hours=5).total_seconds())
    return world


def test_close_is_explained_in_the_trace(world: World) -> None:
    long_held(world).manage()
    (told,) = exits_told(world)
    assert (told.instrument, told.outcome, told.rule, told.at) == (
        "COIN",
        Outcome.EXIT,
        "time_exit",
        world.venue.now(),
    )
    assert told.sentence == (
        "COIN long: time_exit, no first target within 20 bars of 15m. 23.36 closed at the market: the order is LIVE."
    )
    details = dict(told.details)
    assert tuple(details) == NAMES
    assert details["premise"] == "without input: the close of the newest 15m bar"


def test_moved_stop_is_explained_in_the_trace(world: World) -> None:
    first_target(world)
    (told,) = exits_told(world)
    assert (told.outcome, told.rule) == (Outcome.STOP_MOVED, "break_even")
    assert told.sentence == (
        "COIN long: break_even, break-even after the first target: stop to 100.4. "
        "Stop moved from 98 to 100.4: the new order is LIVE."
    )


def test_later_moves_of_one_rule_are_told_too(world: World) -> None:
    first_target(world)
    for newest in ((104.0, 103.0), (105.0, 104.0)):
        world.venue.advance(60, COIN=newest[1])
        to_next_hour(world)
        hours(world, newest)
        world.manage()
    moved = [each for each in exits_told(world) if each.rule in ("trailing", "progressive_tightening")]
    assert len(moved) == 2


@pytest.mark.parametrize("fault", ["wouldCauseLiquidation", "lost request"])
def test_order_that_fails_is_told_as_such(world: World, fault: str) -> None:
    long_held(world).venue.faults.sends = [fault] * 9
    world.manage()
    (told,) = exits_told(world)
    state = "REJECTED" if fault == "wouldCauseLiquidation" else "UNKNOWN"
    assert told.sentence.endswith(f"closed at the market: the order is {state}.")


class Watched:
    """Decisions that note how many orders had been sent when they were asked to write, and may fail to."""

    def __init__(self, world: World, fails: bool) -> None:
        self._world, self._fails = world, fails
        self.sent_before: list[int] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._world.cloud.decisions, name)

    def add_stage(self, record: StageRecord) -> None:
        self.sent_before.append(len(self._world.venue.placed))
        if self._fails:
            raise PutError("the table does not answer")


@pytest.mark.parametrize("fails", [False, True])
def test_trace_comes_after_the_order(world: World, fails: bool) -> None:
    before = len(long_held(world).venue.placed)
    watched: Any = Watched(world, fails)
    report = manage_exits(replace(world.desk(), decisions=watched))
    assert watched.sent_before == [before + 1]
    assert not world.venue.positions()
    assert report.failures == (["trace of COIN: the table does not answer"] if fails else [])


def test_broken_order_desk_is_explained_all_the_same(world: World) -> None:
    """The record could not be saved after it was changed: the trace says that nothing was sent."""
    long_held(world)
    desk = world.desk()

    def fail(*_: object) -> object:
        raise PutError("the table does not answer")

    desk.orders.send = fail  # type: ignore[method-assign, assignment]
    report = manage_exits(desk)
    assert report.failures == ["COIN: the table does not answer"]
    (told,) = exits_told(world)
    assert told.sentence.endswith("closed at the market: the order is not sent.")
