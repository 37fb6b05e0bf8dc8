"""Guards that only matter when something else happens between two reads, or when one record is bad."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from shared.storage.tables import LedgerItem
from tests.fakes.cloud import Cloud
from tests.fakes.records import NOW, RULES, coin, risk_day, rules_with, trade
from tests.integration.trading.world import World, new_world
from trading import matching
from trading.errors import StoreConflict, VenueAnswerInvalid
from trading.model.instruments import Universe
from trading.model.orders import IntentState, Purpose
from trading.model.positions import PositionState
from trading.rules import Rules

S = IntentState


def test_of_two_planning_runs_only_one_gets_through(cloud: Cloud) -> None:
    world = new_world(cloud, ["COIN", "OTHER"])
    seen = cloud.ledger.book(NOW)
    world.add_signal()
    world.add_signal("OTHER")
    world.execute()
    now = cloud.ledger.book(NOW)
    assert now.version == seen.version + 2
    assert {each.instrument for each in now.entries} == {"COIN", "OTHER"}
    third = world.add_signal("THIRD")
    plan = replace(world.position(), id=third.id, market=coin("THIRD"), version=0)
    with pytest.raises(StoreConflict, match="another run planned meanwhile"):
        cloud.ledger.open_position(plan, third, seen)
    assert cloud.ledger.open_position(plan, third, now).version == 1


@pytest.mark.parametrize(
    ("rules", "ended"), [(RULES, True), (rules_with('{"risk": {"daily_loss_limit": false}}'), False)]
)
def test_loss_halt_takes_resting_entries_off(cloud: Cloud, rules: Rules, ended: bool) -> None:
    world = new_world(cloud, rules=rules)
    world.add_signal()
    world.execute()
    assert world.intent(Purpose.ENTRY).state is S.LIVE
    day = cloud.control.risk_day()
    halted = replace(day, halted_on=day.day) if day else risk_day(halted_on=world.venue.now().date())
    cloud.control.save_risk_day(halted)
    world.minutes(4)
    assert (cloud.ledger.open_positions() == ()) is ended


def test_empty_positions_with_margin_used_is_no_answer(world: World) -> None:
    world.open_position()
    world.venue.faults.hidden_positions = True
    with pytest.raises(VenueAnswerInvalid, match="shows no position but"):
        world.reconcile()
    assert world.intent(Purpose.STOP).state is S.LIVE


def test_unreadable_record_leaves_the_others_protected(cloud: Cloud) -> None:
    world = new_world(cloud, ["COIN", "OTHER"])
    world.open_position()
    LedgerItem("POSITION", "OTHER", body="{broken", version=1).save()
    world.venue.engine.cancel(client_order_id=world.intent(Purpose.STOP).client_order_id)
    report = world.reconcile()
    assert report.repaired == ["PF_COINUSD"]
    assert len(report.unreadable) == 1
    assert report.unreadable[0].startswith("OTHER")


def test_stop_of_an_unreadable_record_stays(cloud: Cloud) -> None:
    world = new_world(cloud, ["COIN", "OTHER"])
    world.open_position()
    stop = world.intent(Purpose.STOP)
    LedgerItem("POSITION", world.position().instrument, body="{broken", version=1).save()
    published = cloud.alerts.published
    report = world.reconcile()
    assert len(report.unreadable) == 1
    assert cloud.alerts.published > published
    assert stop.client_order_id in {each.client_order_id for each in world.venue.open_orders()}


def test_stop_moved_at_the_venue_is_replaced(world: World) -> None:
    position = world.open_position()
    stop = world.intent(Purpose.STOP)
    edit = matching.EditRequest(client_order_id=stop.client_order_id, stop_price=Decimal(90))
    assert world.venue.engine.edit(edit).status == "edited"
    world.reconcile()
    newest = world.intent(Purpose.STOP)
    assert (newest.generation, newest.trigger_price) == (stop.generation + 1, position.stop)
    world.minute()
    assert [each.trigger_price for each in world.venue.open_orders() if each.trigger_price] == [position.stop]


@pytest.mark.parametrize(("word", "closing"), [("invalidPrice", True), ("apiLimitExceeded", False)])
def test_limiter_is_no_reason_to_leave(world: World, word: str, closing: bool) -> None:
    world.open_position()
    world.venue.engine.cancel(client_order_id=world.intent(Purpose.STOP).client_order_id)
    world.venue.faults.sends = [word] * 3
    world.minute()
    exits = [each for each in world.position().intents if each.purpose is Purpose.EXIT]
    assert bool(exits) is closing


def test_ghost_outside_the_universe_is_protected(cloud: Cloud) -> None:
    world = new_world(cloud, ["COIN", "OTHER"])
    stored = cloud.market.universe()
    assert stored is not None
    only = Universe(instruments=tuple(each for each in stored.universe.instruments if each.id == "COIN"))
    cloud.market.save_universe(only, world.venue.now(), stored)
    buy = matching.OrderRequest(
        symbol="PF_OTHERUSD",
        side=matching.Side("buy"),
        order_type=matching.OrderType("mkt"),
        size=Decimal(5),
    )
    assert world.venue.engine.send(buy).status == "placed"
    world.minutes(2)
    (stop,) = world.venue.open_orders()
    assert (stop.contract, stop.open_quantity, stop.reduce_only) == ("PF_OTHERUSD", 5, True)


def test_trade_and_its_loss_are_booked_together(world: World) -> None:
    position = world.open_position()
    day = world.cloud.control.risk_day()
    assert day is not None
    stale = replace(day, version=day.version - 1)
    closed = position.moved(PositionState.CLOSED)
    with pytest.raises(StoreConflict, match="moved meanwhile"):
        world.cloud.ledger.close_position(closed, trade(), stale)
    assert world.trades() == ()
    world.cloud.ledger.close_position(closed, trade(), day)
    counted = world.cloud.control.risk_day()
    assert counted is not None
    assert (len(world.trades()), counted.version) == (1, day.version + 1)
