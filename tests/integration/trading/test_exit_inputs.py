"""What the exits read: little, for held coins only, and what is missing is said and costs no other rule its turn."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pynamodb.exceptions import GetError

from functions.manage_exits.exit import ExitReport, manage_exits
from shared.storage.market_data import UNIVERSE_KEY
from tests.fakes.cloud import Cloud
from tests.fakes.records import NOW, rules_with
from tests.integration.trading.exit_scene import (
    NAMES,
    closed_at,
    counted,
    decided,
    first_target,
    hours,
    to_next_hour,
)
from tests.integration.trading.world import World, new_world
from trading.model.instruments import Universe
from trading.model.positions import PositionState


class Failing:
    """A store of which one read fails."""

    def __init__(self, store: Any, method: str) -> None:
        self._store, self._method = store, method

    def __getattr__(self, name: str) -> Any:
        if name != self._method:
            return getattr(self._store, name)

        def fail(*_: Any) -> Any:
            raise GetError("the table does not answer")

        return fail


def run_without(world: World, store: str, method: str) -> ExitReport:
    desk = world.desk()
    blind: dict[str, Any] = {store: Failing(getattr(desk, store), method)}
    return manage_exits(replace(desk, **blind))


BARS = {"trailing", "progressive_tightening"}
FAILURES = [
    ("market", "last_closes", {"premise"}, "last closes: the table does not answer"),
    ("watch", "read", {"market_disorder"}, "market watch: the table does not answer"),
    ("decisions", "newest", {"abandon_ship"}, "decisions: the table does not answer"),
    ("market", "load", BARS, "1h bars: the table does not answer"),
]


def seen_by_all(world: World) -> None:
    """Past its first target, and everything that a rule looks at is there."""
    first_target(world)
    to_next_hour(world)
    hours(world, (103.5, 102.5))
    decided(world)
    closed_at(world, 103.0)
    world.execute()


def test_rules_have_their_input_on_an_ordinary_day(world: World) -> None:
    seen_by_all(world)
    report = world.manage()
    assert (report.evaluated, report.without_input) == (dict.fromkeys(NAMES, 1), {})
    assert report.failures == []


@pytest.mark.parametrize(("store", "method", "blind", "said"), FAILURES)
def test_failing_read_costs_only_its_rules_their_input(
    world: World, store: str, method: str, blind: set[str], said: str
) -> None:
    seen_by_all(world)
    report = run_without(world, store, method)
    assert report.evaluated == dict.fromkeys(NAMES, 1)
    assert set(report.without_input) == blind
    assert report.failures == [said]


def test_exit_fires_although_every_table_fails(world: World) -> None:
    world.open_position()
    world.venue.advance(timedelta(hours=72).total_seconds())
    desk = world.desk()
    blind: dict[str, Any] = {
        "market": Failing(desk.market, "last_closes"),
        "watch": Failing(desk.watch, "read"),
        "decisions": Failing(desk.decisions, "newest"),
    }
    report = manage_exits(replace(desk, **blind))
    assert report.fired == {"time_exit": 1}
    assert not world.venue.positions()
    assert len(report.failures) == 3


def test_slow_tables_leave_time_for_the_exit(world: World) -> None:
    """A read that hangs for nine seconds: nothing further is asked for, what is due goes out."""
    world.open_position()
    world.venue.advance(timedelta(hours=72).total_seconds())
    desk = world.desk()

    class Slow(Failing):
        def last_closes(self, *_: Any) -> Any:
            world.venue.advance(9)
            raise GetError("timed out")

    report = manage_exits(replace(desk, market=Slow(desk.market, "none")))  # type: ignore[arg-type]
    assert report.failures == [
        "last closes: timed out",
        "market watch: not asked for, others took too long",
        "decisions: not asked for, others took too long",
        "second guard: left out, the exits took too long",
    ]
    assert report.fired == {"time_exit": 1}


@pytest.mark.parametrize("universe", ["empty", "corrupt"])
def test_coin_that_left_the_universe_is_managed(world: World, universe: str) -> None:
    world.open_position()
    stored = world.cloud.market.universe()
    if universe == "empty":
        world.cloud.market.save_universe(Universe(instruments=()), NOW, stored)
    else:
        item = world.cloud.market._item(*UNIVERSE_KEY)
        item.data = b"nonsense"
        item.save()
    world.venue.advance(timedelta(hours=5).total_seconds())
    report = world.manage()
    assert report.evaluated == dict.fromkeys(NAMES, 1)
    assert set(report.without_input) == {"premise", "abandon_ship", "market_disorder"}
    assert report.fired == {"time_exit": 1}
    assert world.position().state is PositionState.CLOSING


def test_nothing_held_reads_nothing_more(world: World) -> None:
    with counted() as sent:
        world.manage()
    assert sent == ["Query POSITION"]


def test_held_position_costs_two_requests_more(world: World) -> None:
    world.open_position()
    world.venue.advance(60)
    with counted() as sent:
        world.manage()
    reads = [each for each in sent if each not in ("Query POSITION", "Query SLAB")]
    assert sorted(reads) == ["BatchGetItem BAR", "GetItem MARKET_WATCH"]


def test_bars_are_read_once_for_each_hour(world: World) -> None:
    first_target(world)
    to_next_hour(world)
    hours(world, (103.5, 102.5))
    counts = []
    for _ in range(3):
        with counted() as sent:
            world.manage()
        counts.append(len(sent))
        world.venue.advance(60)
    assert counts[0] > counts[1] == counts[2]
    to_next_hour(world)
    with counted() as sent:
        world.manage()
    assert len(sent) > counts[1], "the next bar is asked for"


READ_BY = [
    ({"abandon_ship"}, "BatchGetItem BAR"),
    ({"market_disorder"}, "GetItem MARKET_WATCH"),
    ({"trailing", "progressive_tightening"}, "BatchGetItem CANDLES"),
]


@pytest.mark.parametrize(("rules", "read"), READ_BY)
@pytest.mark.parametrize("on", [True, False])
def test_rule_that_is_off_reads_nothing(cloud: Cloud, rules: set[str], read: str, on: bool) -> None:
    switches = ", ".join(f'"{name}": {str(on).lower()}' for name in sorted(rules))
    world = new_world(cloud, rules=rules_with(f'{{"exits": {{{switches}}}}}'))
    seen_by_all(world)
    with counted() as sent:
        world.manage()
    assert (read in sent) is on
