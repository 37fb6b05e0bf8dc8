"""Records that do not decode: they stop entries, are told, and neither hide the others nor last for ever."""

from __future__ import annotations

from dataclasses import replace

import boto3
import pytest
from pynamodb.exceptions import GetError

from functions.execute_signals.entries import carry_entries_on
from functions.execute_signals.report import ExecutionReport
from shared.storage.control import ControlStore
from shared.storage.tables import LedgerItem
from tests.fakes.cloud import LEDGER, MARKET, Cloud, write_raw
from tests.integration.trading.risk_scene import (
    enter,
    propose,
    published,
    resumed_by_a_person,
    risk_day_of,
    status_of,
    switch,
    told,
)
from tests.integration.trading.world import World, new_world
from trading.model.control import KillLevel, RiskDay
from trading.model.disorder import MarketWatch
from trading.model.orders import IntentState, Purpose

S = IntentState
HOUR = 3600


def waiting_entry(cloud: Cloud) -> World:
    """One entry rests, for a second coin nothing does."""
    world = new_world(cloud, ["COIN", "OTHER"])
    world.minute()
    propose(world, "COIN")
    world.execute()
    assert world.intent(Purpose.ENTRY).state is S.LIVE
    return world


def damage(pk: str, sk: str = "CURRENT") -> None:
    item = LedgerItem.get(pk, sk)
    item.body = "{nonsense"
    item.save()


def carried_on(world: World, watch: MarketWatch | None = None, control: ControlStore | None = None) -> list[str]:
    """Failures of one run over the entries under way."""
    report, desk = ExecutionReport(), world.desk()
    carry_entries_on(replace(desk, control=control or desk.control), watch, report)
    return report.failures


@pytest.mark.parametrize("why", ["switch", "expiry"])
def test_unreadable_position_keeps_no_other_entry_resting(cloud: Cloud, why: str) -> None:
    world = waiting_entry(cloud)
    write_raw("POSITION", "OTHER", body="{nonsense")
    if why == "switch":
        world.set_level(KillLevel.CANCEL_ENTRIES)
    else:
        world.venue.advance(3 * HOUR)
    (failure,) = carried_on(world, MarketWatch())
    assert failure.startswith("position record OTHER: stored Position does not decode")
    assert world.intent(Purpose.ENTRY).state is S.CANCEL_PENDING
    assert [each for each in world.venue.open_orders() if not each.reduce_only] == []


def test_missing_closes_keep_no_expired_entry_resting(cloud: Cloud) -> None:
    world = waiting_entry(cloud)
    boto3.client("dynamodb").delete_table(TableName=MARKET)
    world.venue.advance(3 * HOUR)
    (failure,) = carried_on(world)
    assert failure.startswith("last closes: ")
    assert world.intent(Purpose.ENTRY).state is S.CANCEL_PENDING


class Unanswered(ControlStore):
    """The risk day cannot be fetched."""

    def risk_day(self) -> RiskDay | None:
        raise GetError("throttled")


def test_risk_day_that_is_not_fetched_cancels_entries(cloud: Cloud) -> None:
    world = waiting_entry(cloud)
    (failure,) = carried_on(world, MarketWatch(), Unanswered(LEDGER))
    assert failure.startswith("kill level: ")
    assert world.intent(Purpose.ENTRY).state is S.CANCEL_PENDING


def test_unreadable_day_cancels_entries_under_way(cloud: Cloud) -> None:
    world = waiting_entry(cloud)
    damage("RISK_DAY")
    assert carried_on(world, MarketWatch()) == []
    assert world.intent(Purpose.ENTRY).state is S.CANCEL_PENDING


def test_unreadable_day_refuses_entries_before_any_reconcile(cloud: Cloud) -> None:
    world = new_world(cloud)
    world.minute()
    damage("RISK_DAY")
    propose(world, "COIN")
    assert world.execute().outcomes == {"RISK_REFUSED:kill_level": 1}
    assert world.venue.placed == []


@pytest.mark.parametrize("account", ["answers", "is silent"])
def test_unreadable_day_is_told_and_raises_the_switch(cloud: Cloud, account: str) -> None:
    world = new_world(cloud)
    world.minute()
    damage("RISK_DAY")
    if account == "is silent":
        world.venue.faults.reads.add("account")
    world.minutes(4)
    raised = switch(world)
    assert (raised.level, raised.changed_by) == (KillLevel.NO_ENTRIES, "guards")
    assert raised.reason.startswith("the risk day cannot be read: stored RiskDay does not decode")
    assert published("discrepancy") == ["The risk day cannot be read: no entries"]
    assert (told("daily_loss"), world.runs[-1][0].equity) == ([], "")
    assert LedgerItem.get("RISK_DAY", "CURRENT").body == "{nonsense"
    assert "does not decode" in status_of(world)["risk_day_unreadable"]


def test_readable_day_is_not_told_as_unreadable(world: World) -> None:
    world.minutes(2)
    assert published("discrepancy") == []
    assert world.runs[-1][0].equity == "10000"


def test_resume_begins_the_day_anew_from_the_equity(cloud: Cloud) -> None:
    world = new_world(cloud)
    world.minute()
    damage("RISK_DAY")
    world.minutes(2)
    (said,) = resumed_by_a_person(world)["measured_anew"]
    assert said.startswith("the risk day could not be read and begins anew")
    world.minutes(2)
    day, equity = risk_day_of(world), world.venue.account().equity
    assert (day.day, day.start_equity, day.highest_equity) == (world.venue.now().date(), equity, equity)
    assert (day.halted, switch(world).level) == (False, KillLevel.NORMAL)
    propose(world, "COIN")
    assert world.execute().outcomes == {"SENT": 1}


def test_trade_that_ends_on_an_unreadable_day_is_booked(cloud: Cloud) -> None:
    world = new_world(cloud)
    enter(world, "COIN")
    damage("RISK_DAY")
    world.minute(COIN="97")
    world.minutes(2)
    assert [each.exit_reason for each in world.trades()] == ["stop"]
    assert cloud.ledger.open_positions() == ()
    assert LedgerItem.get("RISK_DAY", "CURRENT").body == "{nonsense"


def test_flatten_on_an_unreadable_day_can_be_resumed(cloud: Cloud) -> None:
    world = new_world(cloud)
    enter(world, "COIN")
    damage("RISK_DAY")
    world.set_level(KillLevel.FLATTEN)
    world.minutes(4)
    assert resumed_by_a_person(world)["kill_level"] == 0
    world.minute()
    assert not risk_day_of(world).unreadable


def working(world: World) -> list[tuple[str, bool]]:
    """Client order id and whether it only reduces, of all that works at the venue."""
    return [(each.client_order_id, each.reduce_only) for each in world.venue.open_orders()]


def test_entry_of_an_unreadable_record_is_taken_off(cloud: Cloud) -> None:
    world = waiting_entry(cloud)
    assert [reduces for _, reduces in working(world)] == [True, False]
    damage("POSITION", "COIN")
    report = world.reconcile()
    assert report.repaired == ["PF_COINUSD orphan limit"]
    assert [reduces for _, reduces in working(world)] == [True]


def test_stop_of_an_unreadable_record_goes_once_surely_flat(cloud: Cloud) -> None:
    world = waiting_entry(cloud)
    damage("POSITION", "COIN")
    world.minute()
    assert [reduces for _, reduces in working(world)] == [True]
    world.minute()
    assert working(world) == []


def test_flat_by_silent_fills_takes_no_stop_off(cloud: Cloud) -> None:
    world = waiting_entry(cloud)
    damage("POSITION", "COIN")
    world.venue.faults.reads.add("fills")
    world.minutes(3)
    assert [reduces for _, reduces in working(world)] == [True]


def test_stop_of_an_unreadable_record_stays_while_held(cloud: Cloud) -> None:
    world = new_world(cloud)
    enter(world, "COIN")
    stop = world.intent(Purpose.STOP).client_order_id
    damage("POSITION", "COIN")
    world.minutes(3)
    assert (stop, True) in working(world)


def test_plan_of_another_coin_keeps_its_entry(cloud: Cloud) -> None:
    world = waiting_entry(cloud)
    before = working(world)
    write_raw("POSITION", "OTHER", body="{nonsense")
    world.minutes(3)
    assert working(world) == before
