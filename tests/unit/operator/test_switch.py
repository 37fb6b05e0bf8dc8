from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

import functions.control_trading.handler as control_trading
from tests.unit.control.records import NOW, position
from tests.unit.operator.scene import CONTEXT, World, handled
from trading.model.alerts import Severity
from trading.model.control import KillLevel, RiskDay
from trading.model.units import Money

PAUSE = {"action": "pause", "operator": "anna", "reason": "deployment"}
RESUME = {"action": "resume", "operator": "anna", "reason": "deployment finished"}


@pytest.fixture(autouse=True)
def environment(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    handled(world, monkeypatch)


def ask(payload: Any) -> dict[str, Any]:
    return dict(control_trading.handler(payload, CONTEXT))  # type: ignore[arg-type]


def test_pause_stops_entries_and_is_audited(world: World) -> None:
    world.set_level(KillLevel.NORMAL)
    assert ask(PAUSE)["ok"]
    assert world.control.control(NOW).level is KillLevel.NO_ENTRIES
    audit = world.audit()[-1]
    assert (audit.changed_by, audit.reason, audit.changed_at) == ("anna (request request-7)", "deployment", NOW)
    (alert,) = world.told()
    assert (alert.title, alert.severity, alert.text) == ("Kill level K0 -> K1", Severity.WARNING, "deployment")
    assert alert.fields == (("by", "anna (request request-7)"),)


@pytest.mark.parametrize("level", [KillLevel.CANCEL_ENTRIES, KillLevel.FLATTEN, KillLevel.LOCK])
def test_pause_never_lowers_a_higher_level(world: World, level: KillLevel) -> None:
    world.set_level(level)
    assert ask(PAUSE)["kill_level"] == level
    assert world.control.control(NOW).level is level


def test_resume_returns_to_normal_with_reason(world: World) -> None:
    ask(PAUSE)
    answer = ask(RESUME)
    assert (answer["ok"], answer["kill_level"], answer["daily_loss_halt"]) == (True, 0, False)
    assert world.control.control(NOW).reason == "deployment finished"


def test_resume_during_a_flatten_is_refused(world: World) -> None:
    world.ledger.adopt_position(position())
    world.set_level(KillLevel.FLATTEN)
    answer = ask(RESUME)
    assert answer == {"ok": False, "error": "level is K3 and BTC is not closed yet; expected no open position"}
    assert world.control.control(NOW).level is KillLevel.FLATTEN


def test_resume_after_flatten_needs_the_venues_word(world: World) -> None:
    world.set_level(KillLevel.FLATTEN)
    world.venue.silent = True
    answer = ask(RESUME)
    assert not answer["ok"]
    assert "the venue does not say what is open" in answer["error"]
    assert world.control.control(NOW).level is KillLevel.FLATTEN


@pytest.mark.parametrize(
    ("day", "lost", "halt_left"), [(0, "10.1", True), (0, "1", True), (-1, "10.1", False)]
)  # fmt: skip
def test_resume_ends_only_an_earlier_days_halt(world: World, day: int, lost: str, halt_left: bool) -> None:
    at = (NOW + timedelta(days=day)).date()
    peak = Money(100)
    risk_day = RiskDay(
        day=at, start_equity=peak, peak_equity=peak, last_equity=Money(peak - Decimal(lost)), halted_on=at
    )
    world.control.save_risk_day(risk_day)
    assert ask(RESUME)["daily_loss_halt"] is halt_left
    stored = world.control.risk_day()
    assert stored is not None
    assert stored.halted is halt_left


def week_of(peak: str, last: str, **changes: Any) -> RiskDay:
    values: dict[str, Any] = {
        "day": NOW.date(),
        "start_equity": Money(last),
        "peak_equity": Money(last),
        "last_equity": Money(last),
        "halted_on": None,
        "week": (NOW - timedelta(days=NOW.weekday())).date(),
        "week_peak_equity": Money(peak),
        "highest_equity": Money(peak),
    }
    return RiskDay(**(values | changes))


def test_resume_says_what_it_measures_anew(world: World) -> None:
    world.control.save_risk_day(week_of("100", "75", rejections=6))
    answer = ask(RESUME)
    assert answer["measured_anew"] == [
        "WEEKLY_LOSS is measured from 75 USD",
        "DRAWDOWN is measured from 75 USD",
        "REJECTIONS are counted from 0, not 6",
    ]
    stored = world.control.risk_day()
    assert stored is not None
    assert (stored.week_peak_equity, stored.highest_equity) == (Money(75), Money(75))
    assert (stored.rejections, stored.version) == (0, 2)


def test_resume_of_a_calm_day_changes_no_measure(world: World) -> None:
    calm = world.control.save_risk_day(week_of("100", "95"))
    ask(PAUSE)
    assert ask(RESUME)["measured_anew"] == []
    assert world.control.risk_day() == calm


def test_refused_resume_measures_nothing_anew(world: World) -> None:
    world.ledger.adopt_position(position())
    world.set_level(KillLevel.FLATTEN)
    before = world.control.save_risk_day(week_of("100", "75", implausible=Money(1)))
    assert not ask(RESUME)["ok"]
    assert world.control.risk_day() == before


def test_pause_leaves_the_risk_day_alone(world: World) -> None:
    before = world.control.save_risk_day(week_of("100", "75", implausible=Money(1), rejections=5))
    ask(PAUSE)
    assert world.control.risk_day() == before


def test_status_shows_week_drawdown_and_rejections(world: World) -> None:
    day = week_of("100", "95", highest_equity=Money(120), rejections=3, implausible=Money("250.5"))
    world.control.save_risk_day(day)
    answer = ask({"action": "status"})
    assert (answer["week_loss_pct"], answer["drawdown_pct"]) == ("5.00", "20.83")
    assert (answer["rejections"], answer["equity_not_believed"]) == (3, "250.5")


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"action": "explode"},
        PAUSE | {"level": 0},
        PAUSE | {"level": 3},
        {"action": "lock"},
        {"action": "resume"},
        PAUSE | {"reason": 4},
        None,
        "pause",
    ],
)
def test_wrong_payload_changes_nothing_at_all(world: World, payload: Any) -> None:
    world.set_level(KillLevel.CANCEL_ENTRIES)
    before = world.everything()
    answer = ask(payload)
    assert answer["ok"] is False
    assert "expected" in answer["error"]
    assert world.everything() == before
    assert world.told() == []


def test_status_without_health_record_says_down(world: World) -> None:
    answer = ask({"action": "status"})
    assert (answer["ok"], answer["status"], answer["kill_level"]) == (True, "down", 1)
    assert "there is no health record yet" in answer["reasons"][0]


def test_status_shows_the_switch_as_it_is_now(world: World) -> None:
    world.control.save_health(json.dumps({"status": "ok", "reasons": [], "kill_level": 0, "positions": []}), NOW)
    world.set_level(KillLevel.CANCEL_ENTRIES)
    world.control.save_risk_day(
        RiskDay(day=NOW.date(), start_equity=Money(100), peak_equity=Money(100), last_equity=Money(98), halted_on=None)
    )
    answer = ask({"action": "status"})
    assert (answer["status"], answer["kill_level"]) == ("ok", 2)
    assert (answer["equity"], answer["day_loss_pct"]) == ("98", "2.00")


def test_old_health_record_is_not_passed_off_as_new(world: World) -> None:
    world.control.save_health(json.dumps({"status": "ok", "reasons": []}), NOW - timedelta(minutes=6))
    answer = ask({"action": "status"})
    assert answer["status"] == "down"
    assert "check_health does not run" in answer["reasons"][0]


def test_unreadable_control_record_can_be_replaced(world: World) -> None:
    world.set_level(KillLevel.NORMAL)
    world.tables.corrupt_control("{broken")
    assert world.control.control(NOW).level is KillLevel.NO_ENTRIES
    assert ask(RESUME)["kill_level"] == 0
    assert replace(world.control.control(NOW), version=0).level is KillLevel.NORMAL


def damaged_day(world: World) -> None:
    world.control.save_risk_day(week_of("100", "95", halted_on=NOW.date()))
    world.tables.corrupt_risk_day("{broken")


def test_status_says_that_the_risk_day_is_unreadable(world: World) -> None:
    damaged_day(world)
    answer = ask({"action": "status"})
    assert "does not decode" in answer["risk_day_unreadable"]
    assert (answer["ok"], answer["halted"], "day_loss_pct" in answer) == (True, True, False)


def test_resume_begins_an_unreadable_risk_day_anew(world: World) -> None:
    damaged_day(world)
    answer = ask(RESUME)
    assert (answer["ok"], answer["kill_level"], answer["daily_loss_halt"]) == (True, 0, False)
    assert answer["measured_anew"] == [
        "the risk day could not be read and begins anew: its peaks, halt, losses in a row and reached limits are "
        "forgotten"
    ]
    assert world.control.risk_day() is None
