"""The guards in the world: prices really fall, the switch really rises, a person resumes, and that is the end of it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from functions.reconcile_positions.reconcile import reconcile_positions
from shared.storage.tables import LedgerItem
from tests.fakes.cloud import Cloud
from tests.fakes.records import rules_with
from tests.integration.trading.interleaving import Meanwhile
from tests.integration.trading.risk_scene import (
    SMALL_LIMITS,
    lose,
    next_day,
    pay_in,
    propose,
    published,
    resumed_by_a_person,
    risk_day_of,
    status_of,
    switch,
    told,
)
from tests.integration.trading.world import World, new_world
from trading.model.control import Guard, KillLevel
from trading.model.orders import IntentState, Purpose

NAMES = ["COIN", "OTHER", "THIRD", "FOURTH"]
WEEK = (SMALL_LIMITS % ("0.9", "10", "weekly_loss_limit"), 1, Guard.WEEKLY_LOSS)
EVER = (SMALL_LIMITS % ("0.7", "0.9", "drawdown_limit"), 7, Guard.DRAWDOWN)
"""Two losers of about 0.5 % each: in one week on two days, or in two weeks."""


def two_losers(cloud: Cloud, rules: str, days: int) -> World:
    world = new_world(cloud, NAMES, rules=rules_with(rules))
    lose(world, "COIN")
    assert switch(world).level is KillLevel.NORMAL
    next_day(world, days)
    lose(world, "OTHER")
    return world


def refused(world: World, name: str, reason: str) -> bool:
    """A new signal is refused for exactly this, and nothing reaches the venue."""
    before = len(world.venue.placed)
    propose(world, name)
    return world.execute().outcomes == {f"RISK_REFUSED:{reason}": 1} and len(world.venue.placed) == before


@pytest.mark.parametrize(("rules", "days", "guard"), [WEEK, EVER])
def test_losses_raise_the_switch_and_stop_entries(cloud: Cloud, rules: str, days: int, guard: Guard) -> None:
    world = two_losers(cloud, rules, days)
    raised = switch(world)
    assert (raised.level, raised.changed_by) == (KillLevel.NO_ENTRIES, "guards")
    assert raised.reason.startswith(f"{guard}: equity is ")
    assert told("kill_level") == [f"critical/control {raised.version}"]
    assert published("kill_level") == ["A guard raised the kill level to K1"]
    next_day(world)
    assert refused(world, "THIRD", "kill_level")
    assert switch(world) == raised
    audit = [item.body for item in LedgerItem.query("CONTROL_AUDIT")]
    assert sum('"guards"' in (body or "") for body in audit) == 1


@pytest.mark.parametrize(("rules", "days", "guard"), [WEEK, EVER])
def test_switched_off_guard_lets_the_next_entry_out(cloud: Cloud, rules: str, days: int, guard: Guard) -> None:
    world = two_losers(cloud, rules.replace("true", "false"), days)
    assert switch(world).level is KillLevel.NORMAL
    next_day(world)
    propose(world, "THIRD")
    assert world.execute().outcomes == {"SENT": 1}


@pytest.mark.parametrize(("rules", "days", "guard"), [WEEK, EVER])
def test_resume_ends_the_guard_for_good(cloud: Cloud, rules: str, days: int, guard: Guard) -> None:
    world = two_losers(cloud, rules, days)
    answer = resumed_by_a_person(world)
    assert (answer["ok"], answer["kill_level"]) == (True, 0)
    assert answer["measured_anew"] == [f"{guard} is measured from {risk_day_of(world).last_equity} USD"]
    world.minutes(5)
    assert switch(world).level is KillLevel.NORMAL
    next_day(world)
    propose(world, "THIRD")
    assert world.execute().outcomes == {"SENT": 1}


def test_second_fall_after_a_resume_raises_again(cloud: Cloud) -> None:
    rules, days, guard = WEEK
    world = two_losers(cloud, rules, days)
    resumed_by_a_person(world)
    next_day(world)
    lose(world, "THIRD")
    assert switch(world).level is KillLevel.NORMAL
    next_day(world)
    lose(world, "FOURTH")
    assert switch(world).level is KillLevel.NO_ENTRIES
    assert switch(world).reason.startswith(guard)


@pytest.mark.parametrize("level", [KillLevel.CANCEL_ENTRIES, KillLevel.LOCK])
def test_guard_never_lowers_a_higher_level(cloud: Cloud, level: KillLevel) -> None:
    world = new_world(cloud)
    world.minute()
    cloud.control.save_risk_day(replace(risk_day_of(world), rejections=5))
    world.set_level(level)
    before = switch(world)
    world.minutes(2)
    assert switch(world) == before
    assert told("kill_level") == []


def test_status_shows_what_the_guards_measure(cloud: Cloud) -> None:
    world = two_losers(cloud, *WEEK[:2])
    cloud.control.note_entry_answer(False, limit=5)
    shown = status_of(world)
    day = risk_day_of(world)
    assert day.highest_equity is not None
    lost = (day.highest_equity - world.venue.account().equity) / day.highest_equity * 100
    assert (shown["week_loss_pct"], shown["drawdown_pct"]) == (str(round(lost, 2)),) * 2
    assert Decimal("0.9") < lost < Decimal("1.2")
    assert (shown["rejections"], shown["equity_not_believed"], shown["kill_level"]) == (1, None, 1)


def reject_entries(world: World, names: list[str], word: str = "insufficientAvailableFunds") -> None:
    for name in names:
        world.venue.faults.sends = ["", word]
        propose(world, name)
        world.execute()
        world.minutes(2)


def test_five_rejected_entries_raise_the_switch(cloud: Cloud) -> None:
    names = [f"COIN{number}" for number in range(6)]
    world = new_world(cloud, names)
    world.minute()
    reject_entries(world, names[:4])
    assert (risk_day_of(world).rejections, switch(world).level) == (4, KillLevel.NORMAL)
    reject_entries(world, names[4:5])
    assert switch(world).level is KillLevel.NO_ENTRIES
    assert switch(world).reason == "REJECTIONS: 5 entries rejected in a row, limit 5"
    assert refused(world, names[5], "kill_level")
    assert resumed_by_a_person(world)["measured_anew"] == ["REJECTIONS are counted from 0, not 5"]
    world.minutes(2)
    assert (risk_day_of(world).rejections, switch(world).level) == (0, KillLevel.NORMAL)


def test_accepted_entry_breaks_the_row_of_rejections(cloud: Cloud) -> None:
    names = [f"COIN{number}" for number in range(6)]
    world = new_world(cloud, names)
    world.minute()
    reject_entries(world, names[:4])
    propose(world, names[4])
    assert world.execute().outcomes == {"SENT": 1}
    reject_entries(world, names[5:])
    assert (risk_day_of(world).rejections, switch(world).level) == (1, KillLevel.NORMAL)


@pytest.mark.parametrize("word", ["apiLimitExceeded", "HTTP 429", "marketIsPostOnly"])
def test_limiter_is_no_rejection_of_the_entry(cloud: Cloud, word: str) -> None:
    world = new_world(cloud)
    world.minute()
    reject_entries(world, ["COIN"], word)
    assert risk_day_of(world).rejections == 0


@pytest.mark.parametrize("moved", ["10000", "-5000"])
def test_deposit_or_withdrawal_blocks_entries_until_resume(cloud: Cloud, moved: str) -> None:
    world = new_world(cloud, NAMES)
    world.minute()
    pay_in(world, Decimal(moved))
    world.minutes(2)
    day = risk_day_of(world)
    assert (day.last_equity, day.implausible, day.halted) == (10_000, 10_000 + Decimal(moved), False)
    assert told("discrepancy") == ["critical/equity"]
    assert status_of(world)["equity_not_believed"] == str(10_000 + Decimal(moved))
    assert refused(world, "COIN", "equity_jump")
    answer = resumed_by_a_person(world)
    assert answer["measured_anew"] == [f"the equity of {10_000 + Decimal(moved)} USD is accepted"]
    world.minutes(2)
    day = risk_day_of(world)
    assert {day.last_equity, day.peak_equity, day.week_peak_equity, day.highest_equity} == {10_000 + Decimal(moved)}
    assert (day.halted, day.implausible, switch(world).level) == (False, None, KillLevel.NORMAL)
    propose(world, "OTHER")
    assert world.execute().outcomes == {"SENT": 1}


@pytest.mark.parametrize(("moved", "believed"), [("9999.99", True), ("-4999.99", True), ("10000", False)])
def test_smaller_move_of_money_is_marked(cloud: Cloud, moved: str, believed: bool) -> None:
    world = new_world(cloud)
    world.minute()
    pay_in(world, Decimal(moved))
    world.minute()
    assert (risk_day_of(world).implausible is None) is believed


def test_switched_off_jump_guard_lets_entries_out(cloud: Cloud) -> None:
    world = new_world(cloud, rules=rules_with('{"risk": {"equity_jump": false}}'))
    world.minute()
    pay_in(world, Decimal(10_000))
    world.minute()
    assert risk_day_of(world).last_equity == 20_000
    propose(world, "COIN")
    assert world.execute().outcomes == {"SENT": 1}


def test_wrong_reading_that_is_gone_at_once_is_forgotten(world: World) -> None:
    world.minute()
    pay_in(world, Decimal(-9_000))
    healed = Meanwhile(world.venue, "account", lambda: pay_in(world, Decimal(9_000)), after=True)
    report = reconcile_positions(world.desk(healed))
    assert (report.failures, report.equity) == ([], "10000")
    day = risk_day_of(world)
    assert (day.last_equity, day.implausible, day.halted) == (10_000, None, False)
    assert told("discrepancy") == told("daily_loss") == []


def test_wrong_equity_never_keeps_a_stop_away(world: World) -> None:
    world.open_position()
    pay_in(world, Decimal(90_000))
    world.venue.engine.cancel(client_order_id=world.intent(Purpose.STOP).client_order_id)
    world.minute()
    assert risk_day_of(world).implausible is not None
    assert world.intent(Purpose.STOP).state is IntentState.LIVE
    world.minute(COIN="97")
    world.minutes(2)
    assert world.trades()[0].exit_reason == "stop"
    assert world.venue.naked_seconds_max() <= 60


def test_equity_that_came_back_ends_the_block(world: World) -> None:
    world.minute()
    pay_in(world, Decimal(-9_000))
    world.minute()
    assert risk_day_of(world).implausible == 1_000
    pay_in(world, Decimal(9_000))
    world.minute()
    assert (risk_day_of(world).implausible, risk_day_of(world).peak_equity) == (None, 10_000)
    propose(world, "COIN")
    assert world.execute().outcomes == {"SENT": 1}


def test_row_of_refusals_stays_reached_after_an_acceptance(cloud: Cloud) -> None:
    world = new_world(cloud, rules=rules_with('{"risk": {"rejections_in_a_row": 1}}'))
    world.minute()
    world.venue.faults.sends = ["", "insufficientAvailableFunds"]
    propose(world, "COIN")
    world.execute()
    assert (risk_day_of(world).rejections, risk_day_of(world).reached) == (1, (Guard.REJECTIONS,))
    cloud.control.note_entry_answer(accepted=True, limit=1)
    assert risk_day_of(world).rejections == 0
    world.minute()
    assert switch(world).level is KillLevel.NO_ENTRIES
    assert switch(world).reason.startswith("REJECTIONS: 0 entries rejected in a row")
