"""The risk day while several functions change it at once: who was first counts, and nothing is lost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from functions.control_trading.payloads import ResumeRequest
from functions.control_trading.resuming import resume
from functions.reconcile_positions.reconcile import reconcile_positions
from shared.storage.control import ControlStore
from shared.storage.tables import LedgerItem
from tests.fakes.cloud import Cloud
from tests.integration.trading.risk_scene import operator, pay_in, resumed_by_a_person, risk_day_of, switch
from tests.integration.trading.world import World, new_world
from trading.errors import StoreConflict
from trading.model.control import Control, KillLevel, RiskDay


class Interrupted(ControlStore):
    """Another function runs right after each of these calls of the store, once each."""

    def __init__(self, table_name: str, then: dict[str, Callable[[], Any]]) -> None:
        super().__init__(table_name)
        self.then = then

    def control(self, now: datetime) -> Control:
        return self._after("control", super().control(now))

    def set_control(self, control: Control) -> Control:
        return self._after("set_control", super().set_control(control))

    def save_risk_day(self, day: RiskDay) -> RiskDay:
        return self._after("save_risk_day", super().save_risk_day(day))

    def _after(self, call: str, answer: Any) -> Any:
        self.then.pop(call, lambda: None)()
        return answer


def raised_by_rejections(cloud: Cloud) -> World:
    world = new_world(cloud)
    world.minute()
    cloud.control.save_risk_day(replace(risk_day_of(world), rejections=5))
    return world


def test_reconcile_within_a_resume_raises_nothing(cloud: Cloud) -> None:
    world = raised_by_rejections(cloud)
    world.minute()
    assert switch(world).level is KillLevel.NO_ENTRIES
    both = {"save_risk_day": world.reconcile, "set_control": world.reconcile}
    store = Interrupted(LedgerItem.Meta.table_name, both)
    resume(replace(operator(world), control=store), ResumeRequest(action="resume", operator="anna", reason="seen"))
    assert both == {}
    assert switch(world).level is KillLevel.NORMAL
    assert switch(world).version == 3


def test_resume_within_a_rise_wins(cloud: Cloud) -> None:
    world = raised_by_rejections(cloud)
    store = Interrupted(LedgerItem.Meta.table_name, {"control": lambda: resumed_by_a_person(world)})
    report = reconcile_positions(replace(world.desk(), control=store))
    assert store.then == {}
    assert switch(world).level is KillLevel.NORMAL
    assert report.failures == []
    world.minute()
    assert switch(world).changed_by.startswith("anna")


def test_rise_overtaken_by_a_person_is_looked_at_again(cloud: Cloud) -> None:
    world = raised_by_rejections(cloud)
    seen = Interrupted(LedgerItem.Meta.table_name, {"control": lambda: world.set_level(KillLevel.NORMAL)})
    report = reconcile_positions(replace(world.desk(), control=seen))
    assert report.failures == ["kill level: control record is no longer at version 1"]
    assert switch(world).level is KillLevel.NORMAL
    world.minute()
    assert switch(world).changed_by == "guards"


def test_guard_speaks_while_the_account_is_silent(cloud: Cloud) -> None:
    world = raised_by_rejections(cloud)
    world.venue.faults.reads = {"account"}
    report = world.reconcile()
    assert len(report.failures) == 1
    assert report.failures[0].startswith("account: ")
    assert switch(world).level is KillLevel.NO_ENTRIES


class CountedMeanwhile(ControlStore):
    """Right after the first read of the day an entry's answer is counted on it."""

    counted = False

    def risk_day(self) -> RiskDay | None:
        day = super().risk_day()
        if not self.counted:
            self.counted = True
            self.note_entry_answer(False, limit=5)
        return day


def test_overtaken_mark_keeps_both_changes(cloud: Cloud) -> None:
    world = new_world(cloud)
    world.minute()
    pay_in(world, Decimal(100))
    report = reconcile_positions(replace(world.desk(), control=CountedMeanwhile(LedgerItem.Meta.table_name)))
    assert report.failures == []
    assert (risk_day_of(world).last_equity, risk_day_of(world).rejections) == (10_100, 1)


class AlwaysOvertaken(ControlStore):
    """Somebody else saves the day right after every read of it."""

    def risk_day(self) -> RiskDay | None:
        day = super().risk_day()
        assert day is not None
        super().save_risk_day(day)
        return day


def test_resume_that_is_always_overtaken_changes_nothing(cloud: Cloud) -> None:
    world = raised_by_rejections(cloud)
    world.minute()
    asked = ResumeRequest(action="resume", operator="anna", reason="seen")
    with pytest.raises(StoreConflict, match="nothing was changed, try again"):
        resume(replace(operator(world), control=AlwaysOvertaken(LedgerItem.Meta.table_name)), asked)
    assert (switch(world).level, risk_day_of(world).rejections) == (KillLevel.NO_ENTRIES, 5)


def test_mark_that_is_always_overtaken_says_so(cloud: Cloud) -> None:
    world = raised_by_rejections(cloud)
    pay_in(world, Decimal(1))
    report = reconcile_positions(replace(world.desk(), control=AlwaysOvertaken(LedgerItem.Meta.table_name)))
    assert report.failures == ["account: the risk day changed 3 times meanwhile; the equity 10001 is not marked"]
    assert switch(world).level is KillLevel.NO_ENTRIES


def test_loss_waits_for_a_day_to_count_it(cloud: Cloud) -> None:
    world = new_world(cloud)
    world.open_position()
    LedgerItem.get("RISK_DAY", "CURRENT").delete()
    world.minute(COIN="97")
    assert world.trades() == ()
    world.minute()
    (trade,) = world.trades()
    assert risk_day_of(world).streak(trade.regime).losses == 1


def test_resume_before_the_first_day_lowers_the_switch(cloud: Cloud) -> None:
    world = new_world(cloud)
    world.set_level(KillLevel.NO_ENTRIES)
    answer = resumed_by_a_person(world)
    assert (answer["kill_level"], answer["daily_loss_halt"], answer["measured_anew"]) == (0, False, [])
    assert cloud.control.risk_day() is None
