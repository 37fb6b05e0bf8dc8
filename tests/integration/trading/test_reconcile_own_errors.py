"""What goes wrong with one record, with the alerts or with the store keeps no other position from its stop."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import boto3
import pytest
from pynamodb.exceptions import GetError, PutError

from functions.manage_exits.exit import manage_exits
from functions.reconcile_positions.reconcile import reconcile_positions
from shared.alerts import Alerts
from shared.storage.control import ControlStore
from shared.storage.ledger import Ledger
from tests.fakes.cloud import LEDGER, MARKET, Cloud, write_raw
from tests.integration.trading.risk_scene import propose, published, risk_day_of, switch
from tests.integration.trading.test_repairs import cancel_stop
from tests.integration.trading.world import World, new_world
from trading.errors import VenueAuthenticationFailed
from trading.model.alerts import Alert
from trading.model.control import Control, KillLevel, RiskDay
from trading.model.instruments import Side
from trading.model.orders import IntentState, Purpose
from trading.model.positions import Position, PositionState
from trading.model.venue import OrderReport

S = IntentState


@pytest.fixture
def pair(cloud: Cloud) -> World:
    """Two open positions, A and B, both without a stop for 10 s."""
    world = new_world(cloud, ["A", "B"])
    for name in ("A", "B"):
        world.open_position(name)
    for name in ("A", "B"):
        world.venue.engine.cancel(client_order_id=world.intent(Purpose.STOP, name).client_order_id)
    world.venue.advance(10)
    return world


class Failing(Ledger):
    """Every save of A's record raises."""

    error: Exception = PutError("throttled")

    def save_position(self, position: Position) -> Position:
        if position.instrument == "A":
            raise self.error
        return super().save_position(position)


ERRORS = [
    PutError("throttled"),
    AssertionError("must not be"),
    ZeroDivisionError("a share of nothing"),
    KeyError("no such field"),
    TypeError("text is no number"),
]


def failing(error: Exception) -> Ledger:
    ledger = Failing(LEDGER)
    ledger.error = error
    return ledger


def desk_with(world: World, **changes: Any) -> Any:
    """The desk of a run with some of its stores exchanged, for the order desk too."""
    desk = replace(world.desk(), **changes)
    if "ledger" in changes:
        desk.orders._ledger = changes["ledger"]
    return desk


@pytest.mark.parametrize("error", ERRORS)
def test_failing_record_keeps_no_other_without_its_stop(pair: World, error: Exception) -> None:
    report = reconcile_positions(desk_with(pair, ledger=failing(error)))
    assert [each.split(":")[0] for each in report.failures] == ["A"]
    assert pair.intent(Purpose.STOP, "B").state is S.LIVE
    pair.minute()
    assert pair.intent(Purpose.STOP, "A").state is S.LIVE


@pytest.mark.parametrize(("error", "level"), [(PutError("throttled"), 0), (AssertionError("must not be"), 1)])
def test_only_a_contradiction_stops_entries(pair: World, error: Exception, level: int) -> None:
    reconcile_positions(desk_with(pair, ledger=failing(error)))
    assert switch(pair).level == level
    assert len(published("kill_level")) == level
    if level:
        assert switch(pair).reason == "contradiction found by reconcile: A: AssertionError must not be"


def test_record_in_an_impossible_state_stops_entries(pair: World) -> None:
    pair.cloud.ledger.save_position(replace(pair.position("A"), state=PositionState.CLOSED))
    report = pair.reconcile()
    assert pair.intent(Purpose.STOP, "B").state is S.LIVE
    assert report.contradictions[0].startswith("A: IllegalTransition")
    assert switch(pair).level is KillLevel.NO_ENTRIES


@pytest.mark.parametrize("error", ERRORS)
def test_failing_record_keeps_no_other_from_its_exit(pair: World, error: Exception) -> None:
    pair.minute()
    for name in ("A", "B"):
        position = pair.position(name).moved(PositionState.CLOSING, close_reason="test")
        pair.cloud.ledger.save_position(position)
    report = manage_exits(desk_with(pair, ledger=failing(error)))
    assert [each.split(":")[0] for each in report.failures] == ["A"]
    assert [each.contract for each in pair.venue.positions()] == ["PF_AUSD"]


def test_exits_are_managed_without_any_closes(pair: World) -> None:
    pair.minute()
    boto3.client("dynamodb").delete_table(TableName=MARKET)
    report = pair.manage()
    assert report.failures[0].startswith("last closes: ")
    assert report.evaluated["maximum_hold"] == 2


class Watching(Alerts):
    """Notes how many orders work at the venue whenever something is told."""

    world: World

    def tell(self, alert: Alert) -> bool:
        self.seen = [*getattr(self, "seen", []), (str(alert.kind), len(self.world.venue.open_orders()))]
        return super().tell(alert)


def test_stop_is_sent_before_anybody_is_told(world: World) -> None:
    world.open_position()
    cancel_stop(world)
    world.venue.advance(10)
    before = len(world.venue.open_orders())
    alerts = Watching("arn:aws:sns:us-east-1:123456789012:gone", world.cloud.control)
    alerts.world = world
    reconcile_positions(desk_with(world, alerts=alerts))
    assert ("naked_position", before + 1) in alerts.seen
    assert alerts.failed > 0
    assert world.intent(Purpose.STOP).state is S.LIVE


class Blind(ControlStore):
    """Neither the switch nor the risk day can be read."""

    def control(self, now: Any) -> Control:
        raise GetError("throttled")

    def risk_day(self) -> RiskDay | None:
        raise GetError("throttled")


def test_unanswered_switch_and_day_keep_no_stop_waiting(pair: World) -> None:
    report = reconcile_positions(desk_with(pair, control=Blind(LEDGER)))
    assert {each.split(":")[0] for each in report.failures} == {"kill level", "account"}
    for name in ("A", "B"):
        assert pair.intent(Purpose.STOP, name).state is S.LIVE


def test_unreadable_switch_reads_as_no_entries(world: World) -> None:
    world.minute()
    write_raw("CONTROL", "CURRENT", body="{nonsense")
    propose(world, "COIN")
    assert world.execute().outcomes == {"RISK_REFUSED:kill_level": 1}
    assert switch(world).level is KillLevel.NO_ENTRIES
    assert world.venue.placed == []


def test_unreadable_risk_day_keeps_no_stop_waiting(pair: World) -> None:
    write_raw("RISK_DAY", "CURRENT", body="{nonsense")
    pair.reconcile()
    assert risk_day_of(pair).unreadable
    for name in ("A", "B"):
        assert pair.intent(Purpose.STOP, name).state is S.LIVE


class Locked:
    """A key that may not look orders up."""

    def __init__(self, world: World) -> None:
        self._world = world

    def __getattr__(self, name: str) -> Any:
        return getattr(self._world.venue, name)

    def order_reports(self, client_order_ids: Any) -> tuple[OrderReport, ...]:
        raise VenueAuthenticationFailed("no permission")


def test_key_without_look_ups_still_protects(pair: World) -> None:
    for _ in range(3):
        report = reconcile_positions(pair.desk(venue=Locked(pair)))
        pair.venue.advance(20)
    assert {each.split(" ")[0] for each in report.failures} <= {"A", "B"}
    for name in ("A", "B"):
        assert pair.position(name).side is Side.LONG
        assert pair.intent(Purpose.STOP, name).state is S.LIVE
