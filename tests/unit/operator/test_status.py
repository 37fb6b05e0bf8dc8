"""Every word of the status and of the answers that only say something."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

import functions.control_trading.handler as control_trading
from functions.control_trading.control import status
from functions.control_trading.payloads import ResumeRequest, parse_request
from functions.control_trading.resuming import resume
from tests.unit.control.records import NOW, position
from tests.unit.operator.scene import CONTEXT, World, desk_of, handled
from trading.errors import CorruptRecord, InvalidInput
from trading.model.alerts import AlertKind
from trading.model.control import KillLevel, RiskDay
from trading.model.units import Money

WHO = {"operator": "anna", "reason": "looked at it"}


def test_status_of_an_empty_system_is_whole(world: World) -> None:
    assert status(desk_of(world)) == {
        "ok": True,
        "status": "down",
        "reasons": ["check_health does not run: there is no health record yet"],
        "kill_level": 1,
        "kill_reason": "no control record yet: an operator must resume",
        "changed_by": "system",
    }


def test_old_health_record_keeps_its_reasons(world: World) -> None:
    world.control.save_health(json.dumps({"status": "ok", "reasons": ["one"], "naked": 3}), NOW - timedelta(minutes=6))
    shown = status(desk_of(world))
    assert shown["reasons"] == [
        "check_health does not run: newest health record is of 2026-11-22T11:54:00.000Z",
        "one",
    ]
    assert (shown["status"], shown["naked"]) == ("down", 3)


@pytest.mark.parametrize(("seconds", "shown"), [(300, "ok"), (301, "down")])
def test_health_record_is_believed_for_five_minutes(world: World, seconds: int, shown: str) -> None:
    world.control.save_health(json.dumps({"status": "ok"}), NOW - timedelta(seconds=seconds))
    assert status(desk_of(world))["status"] == shown


def test_damaged_health_record_is_named(world: World) -> None:
    world.control.save_health("[]", NOW)
    with pytest.raises(CorruptRecord) as caught:
        status(desk_of(world))
    assert str(caught.value) == "stored health record is a list; expected a JSON object"


@pytest.mark.parametrize(("last", "lost"), [("100", "0.00"), ("97.5", "2.50"), ("101", "0")])
def test_risk_day_is_shown_in_words_of_its_own(world: World, last: str, lost: str) -> None:
    peak = Money(100)
    day = RiskDay(day=NOW.date(), start_equity=peak, peak_equity=peak, last_equity=Money(last), halted_on=NOW.date())
    world.control.save_risk_day(day)
    shown = status(desk_of(world))
    assert {name: shown[name] for name in ("equity", "equity_not_believed", "halted", "rejections")} == {
        "equity": last,
        "equity_not_believed": None,
        "halted": True,
        "rejections": 0,
    }
    assert float(shown["day_loss_pct"]) == float(lost)


def test_first_resume_of_a_lock_says_what_is_left(world: World) -> None:
    world.set_level(KillLevel.LOCK)
    asked = ResumeRequest.model_validate({"action": "resume", **WHO})
    token = resume(desk_of(world), asked)["token"]
    assert resume(desk_of(world), asked.model_copy(update={"token": token})) == {
        "ok": True,
        "kill_level": 1,
        "reason": "looked at it",
        "changed_by": "anna (request request-7)",
        "changed_at": "2026-11-22T12:00:00.000Z",
        "next": "the lock is off and entries are still stopped: resume once more when the account has been looked at",
    }


def test_all_that_is_open_is_named_before_a_resume(world: World) -> None:
    for code in ("BTC", "ETH"):
        world.ledger.adopt_position(position(code))
    world.set_level(KillLevel.FLATTEN)
    with pytest.raises(InvalidInput, match="level is K3 and BTC, ETH is not closed yet"):
        resume(desk_of(world), ResumeRequest.model_validate({"action": "resume", **WHO}))


def test_change_of_the_level_is_told_as_such(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    handled(world, monkeypatch)
    control_trading.handler({"action": "pause", "level": 2, **WHO}, CONTEXT)  # type: ignore[arg-type]
    (alert,) = world.told()
    assert (alert.kind, alert.subject, alert.at) == (AlertKind.KILL_LEVEL, "control 1", NOW)


@pytest.mark.parametrize(("payload", "shown"), [([1], "[1]"), ("x" * 58, repr("x" * 58)), (None, "None")])
def test_odd_payload_is_shown_in_its_refusal(payload: Any, shown: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_request(payload)
    assert str(caught.value) == f"payload is {shown}; expected a JSON object"


def test_long_value_is_cut_at_sixty_characters() -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_request("y" * 59)
    assert str(caught.value) == f"payload is {repr('y' * 59)[:60]}…; expected a JSON object"


def test_entries_are_cancelled_through_the_handler(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its desk is the one of these settings and this run."""
    handled(world, monkeypatch)
    opened: list[tuple[Any, ...]] = []

    def open_desk(*given: Any) -> Any:
        opened.append(given)
        return world.trading_desk()

    monkeypatch.setattr(control_trading, "open_desk", open_desk)
    answer: Any = control_trading.handler({"action": "pause", "level": 2, **WHO}, CONTEXT)  # type: ignore[arg-type]
    assert (answer["cancelled"], answer["failures"]) == ([], [])
    ((settings, telemetry),) = opened
    assert settings.trading_secret_id == "none"
    assert telemetry.metrics.namespace == "SmcTrader"
