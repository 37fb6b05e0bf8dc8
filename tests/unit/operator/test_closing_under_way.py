"""A flatten that meets an outage, an entry on its way, or nobody else at work: it ends flat all the same."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from tests.fakes.cloud import Cloud
from tests.integration.trading.world import World, new_world
from tests.simulation.memory.tables import MemoryTables
from tests.unit.operator.scene import cloud_of
from tests.unit.operator.trade_scene import (
    closed_by_a_person,
    held,
    outage,
    outage_ends,
    resumed_after_a_flatten,
    working,
)
from trading import matching
from trading.errors import StoreConflict, VenueUnavailable
from trading.model.control import KillLevel
from trading.model.orders import IntentState, Purpose
from trading.model.positions import PositionState

SCOPES = ("ALL", "COIN")


@pytest.fixture
def tables() -> MemoryTables:
    return MemoryTables()


@pytest.fixture
def cloud(tables: MemoryTables) -> Cloud:
    return cloud_of(tables)


@pytest.fixture
def world(cloud: Cloud) -> World:
    return new_world(cloud, ("COIN", "ETH"))


def level(world: World) -> KillLevel:
    return world.cloud.control.control(world.venue.now()).level


@pytest.mark.parametrize("scope", SCOPES)
def test_flatten_is_flat_and_cleared_in_two_minutes(world: World, scope: str) -> None:
    world.open_position()
    assert closed_by_a_person(world, scope)["closing"] == ["COIN: market exit of " + str(world.position().quantity)]
    world.minutes(2)
    assert (held(world), working(world), world.cloud.ledger.open_positions()) == (set(), 0, ())
    assert [each.exit_reason for each in world.trades()] == ["flatten"]
    assert level(world) is (KillLevel.FLATTEN if scope == "ALL" else KillLevel.NORMAL)


@pytest.mark.parametrize("scope", SCOPES)
def test_flatten_during_an_outage_completes_after_it(world: World, scope: str) -> None:
    world.open_position()
    outage(world)
    answer = closed_by_a_person(world, scope)
    assert answer["ok"]
    assert "does not answer" in answer["failures"][0]
    for _ in range(3):
        _failing_minute(world)
    assert held(world) == {"PF_COINUSD"}
    outage_ends(world)
    world.minutes(3)
    assert (held(world), working(world)) == (set(), 0)


def _failing_minute(world: World) -> None:
    """Reconcile raises when the venue shows nothing; the schedule goes on."""
    world.venue.advance(60)
    for run in (world.reconcile, world.execute, world.manage):
        with suppress(VenueUnavailable):
            run()


Planted = Callable[[World], None]


def _unknown(world: World) -> None:
    """The reply to the entry was lost: it rests at the venue and nobody knows."""
    world.venue.faults.sends = ["", "lost reply"]
    world.add_signal()
    world.execute()
    assert world.intent(Purpose.ENTRY).state is IntentState.UNKNOWN


def _never_arrived(world: World) -> None:
    world.venue.faults.sends = ["", "lost request"]
    world.add_signal()
    world.execute()


def _killed_while_sending(world: World) -> None:
    world.venue.faults.sends = ["", "killed after"]
    world.add_signal()
    with pytest.raises(SystemExit):
        world.execute()
    assert world.intent(Purpose.ENTRY).state is IntentState.SENDING


def _resting(world: World) -> None:
    world.add_signal()
    world.execute()
    assert world.intent(Purpose.ENTRY).state is IntentState.LIVE


def _filled_and_nobody_looked(world: World) -> None:
    _resting(world)
    world.venue.advance(30, COIN="99.5")
    assert held(world) == {"PF_COINUSD"}
    assert not world.position().quantity


UNDER_WAY: tuple[Planted, ...] = (_unknown, _never_arrived, _killed_while_sending, _resting, _filled_and_nobody_looked)


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("planted", UNDER_WAY)
@pytest.mark.parametrize("fills", [True, False])
def test_entry_under_way_is_closed_too(world: World, planted: Planted, scope: str, fills: bool) -> None:
    """`fills`: the price reaches the entry right after the flatten, before anybody could take it off."""
    planted(world)
    assert closed_by_a_person(world, scope)["ok"]
    if fills:
        world.venue.advance(20, COIN="99.5")
        world.venue.advance(5, COIN="100.2")
    for _ in range(4):
        world.minute()
        assert world.entries_placed() <= 1
    assert (held(world), working(world)) == (set(), 0)


def test_partly_filled_entry_is_taken_off_and_closed(world: World) -> None:
    world.open_position()
    position = world.position()
    entry = world.intent(Purpose.ENTRY)
    world.cloud.ledger.save_position(position.with_intent(_partial(entry)))
    answer = closed_by_a_person(world, "COIN")
    assert (answer["failures"], world.position().state) == ([], PositionState.CLOSING)
    assert world.intent(Purpose.ENTRY).state is IntentState.CANCEL_PENDING
    world.minutes(3)
    assert held(world) == set()


def _partial(entry: Any) -> Any:
    return replace(entry, state=IntentState.PARTIAL, filled=entry.quantity / 2)


def test_other_coins_go_on_while_one_is_closed(world: World) -> None:
    """Neither the position nor the entry of the other one is touched, and new ideas of it are taken."""
    world.open_position("COIN")
    world.add_signal("ETH")
    world.execute()
    before = world.intent(Purpose.ENTRY, "ETH")
    closed_by_a_person(world, "COIN")
    world.minute()
    assert world.intent(Purpose.ENTRY, "ETH").state is before.state is IntentState.LIVE
    world.minute(ETH="99.5")
    world.minute(ETH="100.2")
    assert (held(world), world.position("ETH").state) == ({"PF_ETHUSD"}, PositionState.PROTECTED)


def test_no_new_entry_of_a_coin_while_it_closes(world: World) -> None:
    """Its record keeps its place until the venue is flat and the trade is booked."""
    world.open_position()
    outage(world)
    closed_by_a_person(world, "COIN")
    outage_ends(world)
    world.add_signal("COIN", structure_id="another")
    sent = world.entries_placed()
    world.execute()
    assert world.entries_placed() == sent
    world.minutes(2)
    assert held(world) == set()


@pytest.mark.parametrize("scope", SCOPES)
def test_flatten_works_while_nothing_else_runs(world: World, scope: str) -> None:
    """No reconcile, no execution, no exits: what was filled since nobody has looked is closed as well."""
    _filled_and_nobody_looked(world)
    answer = closed_by_a_person(world, scope)
    assert (answer["failures"], held(world)) == ([], set())


@pytest.mark.parametrize("scope", ["ALL", "ETH", "PF_ETHUSD"])
def test_position_without_a_record_is_closed(world: World, scope: str) -> None:
    by_hand(world)
    answer = closed_by_a_person(world, scope)
    assert (answer["without_record"], held(world)) == (["PF_ETHUSD"], set())
    world.minutes(3)
    assert (working(world), world.cloud.ledger.open_positions()) == (0, ())


def by_hand(world: World, contract: str = "PF_ETHUSD") -> None:
    world.venue.engine.send(
        matching.OrderRequest(
            symbol=contract, side=matching.Side.BUY, order_type=matching.OrderType.MARKET, size=matching_size(world)
        )
    )


def matching_size(world: World) -> Any:
    return world.venue.instruments["PF_ETHUSD"].minimum


def test_other_coins_stray_stays_when_one_is_closed(world: World) -> None:
    world.open_position("COIN")
    by_hand(world)
    assert closed_by_a_person(world, "COIN")["without_record"] == []
    assert held(world) == {"PF_ETHUSD"}


@pytest.mark.parametrize("price", [True, False])
def test_position_of_an_unreadable_record_is_closed(world: World, tables: MemoryTables, price: bool) -> None:
    world.open_position()
    tables.corrupt_position(world.position().instrument, "{")
    if not price:
        world.venue.faults.reads.add("quotes")
    answer = closed_by_a_person(world)
    assert "the record cannot be read: COIN" in answer["failures"][-1]
    assert held(world) == (set() if price else {"PF_COINUSD"})
    assert price or "quotes does not answer" in answer["failures"][0]


def test_stray_of_an_unknown_contract_is_closed(world: World) -> None:
    """The universe cannot be read; the venue's own list says what a stop needs."""
    by_hand(world)
    world.cloud.market.universe = _unreadable  # type: ignore[method-assign]
    assert closed_by_a_person(world)["without_record"] == ["PF_ETHUSD"]
    assert held(world) == set()


def _unreadable() -> Any:
    raise StoreConflict("the universe cannot be read")


def test_record_that_somebody_works_on_is_looked_at_again(world: World) -> None:
    """Another run saves the record between the look and the order to close."""
    world.open_position()
    saved = world.cloud.ledger.save_position
    lost: list[Any] = []

    def overtaken(position: Any) -> Any:
        if len(lost) < 2:
            lost.append(position.id)
            saved(world.position())
        return saved(position)

    world.cloud.ledger.save_position = overtaken  # type: ignore[method-assign]
    assert closed_by_a_person(world, "COIN")["failures"] == []
    assert held(world) == set()


def test_trading_goes_on_after_flatten_and_resume(world: World) -> None:
    world.open_position()
    closed_by_a_person(world)
    world.minutes(2)
    assert resumed_after_a_flatten(world)["kill_level"] == 0
    world.add_signal("ETH")
    world.execute()
    assert world.intent(Purpose.ENTRY, "ETH").state is IntentState.LIVE
