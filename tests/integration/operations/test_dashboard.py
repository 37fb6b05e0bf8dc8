from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

import functions.control_trading.handler as control_trading
from functions.render_dashboard.handler import handler
from shared import runtime
from shared.storage.tables import LedgerItem
from tests.integration.operations.conftest import CONTEXT, World
from tests.integration.operations.test_flatten import trading_desk_of
from tests.integration.operations.widget_page import Page
from tests.unit.control.records import NOW, decision, position, trade, venue_position
from trading.model.control import KillLevel, RiskDay
from trading.model.decisions import Outcome
from trading.model.instruments import InstrumentId
from trading.model.positions import PositionState
from trading.model.units import Money

ANNA = {"operator": "anna", "reason": "venue maintenance"}


@pytest.fixture
def held(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """BTC and ETH are held; the account is the one of the test."""
    monkeypatch.setenv("SMC_MODE", "live")
    monkeypatch.setenv("SMC_TRADING_SECRET_ID", "no-such-secret")
    monkeypatch.setenv("SMC_FUTURES_URL", "http://127.0.0.1:1")
    monkeypatch.setattr(control_trading, "open_desk", lambda *_: trading_desk_of(world))
    for code in ("BTC", "ETH"):
        world.ledger.adopt_position(position(code))
    world.venue.held = (venue_position("BTC"), venue_position("ETH"))
    world.set_level(KillLevel.NORMAL)
    return world


def drawn() -> Page:
    page = handler({"widgetContext": {}}, CONTEXT)  # type: ignore[arg-type]
    assert isinstance(page, str)
    return Page(page)


def level(world: World) -> KillLevel:
    return world.control.control(NOW).level


def states(world: World) -> dict[str, PositionState]:
    return {str(each.instrument): each.state for each in world.ledger.open_positions()}


def test_cockpit_shows_health_decisions_and_trades(world: World) -> None:
    line = {"instrument": "ETH", "side": "long", "stop": "90", "r": "0.50", "stop_distance_pct": "4.25"}
    health = {"status": "degraded", "reasons": ["newest candle is 31 min old"], "positions": [line], "kill_level": 1}
    world.control.save_health(json.dumps(health), NOW)
    world.decisions.add([decision("BTC", NOW, Outcome.STALE_DATA, "BTC <b>late</b>")])
    closed = world.ledger.adopt_position(position())
    world.ledger.close_position(closed, trade())
    page = drawn()
    for expected in ("degraded", "newest candle is 31 min old", "ETH", "4.25", "0.50", "STALE_DATA", "target_2"):
        assert expected in page.text
    assert "+12.50" in page.text
    assert "BTC <b>late</b>" in page.text
    assert "<b>late</b>" not in page.html


def test_switch_is_shown_as_it_is_now(world: World) -> None:
    """Not as of the health record, and with today's loss beside its limit."""
    world.control.save_health(json.dumps({"status": "ok", "kill_level": 0}), NOW)
    world.set_level(KillLevel.CANCEL_ENTRIES)
    peak, last = Money(10_000), Money("9700")
    day = RiskDay(day=NOW.date(), start_equity=peak, peak_equity=peak, last_equity=last, halted_on=NOW.date())
    world.control.save_risk_day(day)
    text = drawn().text
    for expected in ("K2 entries cancelled", "9700", "3.00 % of 5 %", "test (by test", "Entries are halted"):
        assert expected in text


@pytest.mark.parametrize("damage", ["day", "rules", "health", "record"])
def test_buttons_are_there_whatever_cannot_be_read(held: World, damage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    held.control.save_health("{" if damage == "health" else "{}", NOW)
    if damage == "day":
        LedgerItem("RISK_DAY", "CURRENT", body="{").save()
    if damage == "record":
        LedgerItem("POSITION", "BTC", body="{").save()
    if damage == "rules":
        monkeypatch.setenv("SMC_RULES_OVERRIDE", "{")
    page = drawn()
    runtime.rules_of.cache_clear()
    assert {"Pause (K1)", "Flatten ALL (K3)", "Flatten BTC", "Lock (K4)"} <= page.buttons.keys()
    assert ("The cockpit cannot be drawn" in page.text) == (damage == "health")


def test_undecided_hour_shows_the_one_before(world: World) -> None:
    world.decisions.add([decision("BTC", NOW - timedelta(hours=1), sentence="seen an hour ago")])
    assert "seen an hour ago" in drawn().text


def test_empty_system_is_drawn_and_nothing_written(world: World) -> None:
    page = drawn()
    assert "check_health has never run" in page.text
    assert "K1 no new entries" in page.text
    assert list(LedgerItem.scan()) == []


def test_functions_describe_themselves_when_asked(world: World) -> None:
    for asked in (handler, control_trading.handler):
        described: Any = asked({"describe": True}, CONTEXT)  # type: ignore[arg-type]
        assert list(described) == ["markdown"]
        assert "SMC Trader" in described["markdown"]


# the buttons


def test_form_asks_who_and_why(held: World) -> None:
    page = drawn()
    assert page.fields == ["operator", "reason"]
    assert set(page.buttons) == {
        "Pause (K1)",
        "Cancel entries (K2)",
        "Resume",
        "Flatten BTC",
        "Flatten ETH",
        "Flatten ALL (K3)",
        "Lock (K4)",
    }


def test_record_under_the_third_name_has_a_button(held: World) -> None:
    """One more stranger's position on a contract; the other one's record cannot be read."""
    for name in ("PF_SOLUSD-long", "PF_SOLUSD-short"):
        market = replace(position("SOL").market, id=InstrumentId(name))
        held.ledger.adopt_position(replace(position("SOL"), market=market))
    LedgerItem("POSITION", "PF_SOLUSD-short", body="{").save()
    held.venue.held = (*held.venue.held, venue_position("SOL"))
    assert [each for each in drawn().buttons if "SOL" in each] == ["Flatten PF_SOLUSD"]
    shown = drawn().press("Flatten PF_SOLUSD", **ANNA)
    assert "Confirm flatten" in shown.buttons


@pytest.mark.parametrize(("title", "expected"), [("Pause (K1)", 1), ("Cancel entries (K2)", 2)])
def test_pause_buttons_act_at_once(held: World, title: str, expected: int) -> None:
    page = drawn().press(title, **ANNA)
    assert "pause: done" in page.text
    assert page.buttons == {}
    control = held.control.control(NOW)
    assert (control.level, control.reason) == (expected, "venue maintenance")
    assert control.changed_by == "anna (request request-7)"


@pytest.mark.parametrize(
    ("title", "confirm", "raised", "closing"),
    [
        ("Flatten ALL (K3)", "Confirm flatten", KillLevel.FLATTEN, {"BTC", "ETH"}),
        ("Flatten ETH", "Confirm flatten", KillLevel.NORMAL, {"ETH"}),
        ("Lock (K4)", "Confirm lock", KillLevel.LOCK, {"BTC", "ETH"}),
    ],
)
def test_closing_buttons_take_two_steps(
    held: World, title: str, confirm: str, raised: KillLevel, closing: set[str]
) -> None:
    shown = drawn().press(title, **ANNA)
    assert "nothing is done yet" in shown.text
    assert "PF_ETHUSD" in shown.text
    assert level(held) is KillLevel.NORMAL
    done = shown.press(confirm)
    assert "done" in done.text
    assert level(held) is raised
    assert {name for name, state in states(held).items() if state is PositionState.CLOSING} == closing
    assert {each.contract for each in held.venue.sent} == {f"PF_{name}USD" for name in closing}


def test_confirming_twice_says_that_it_was_done(held: World) -> None:
    shown = drawn().press("Flatten ETH", **ANNA)
    shown.press("Confirm flatten")
    again = shown.press("Confirm flatten")
    assert "Refused" in again.text
    assert "Nothing was changed" in again.text
    assert len(held.venue.sent) == 1


def test_resume_button_asks_once_more_above_k1(held: World) -> None:
    held.set_level(KillLevel.CANCEL_ENTRIES)
    shown = drawn().press("Resume", **ANNA)
    assert level(held) is KillLevel.CANCEL_ENTRIES
    shown.press("Confirm resume")
    assert level(held) is KillLevel.NORMAL


@pytest.mark.parametrize("form", [{}, {"operator": "anna"}, {"operator": "<script>", "reason": "<b>"}])
def test_button_without_who_and_why_is_refused(held: World, form: dict[str, str]) -> None:
    for title in drawn().buttons:
        page = drawn().press(title, **form)
        assert "Refused" in page.text
        assert "<script>" not in page.html
    assert level(held) is KillLevel.NORMAL


def test_hostile_reason_is_text_everywhere(held: World) -> None:
    """In the page of the first step, in the payload of its button, and in the cockpit afterwards."""
    hostile = "</cwdb-action><script>alert('&amp;\"')</script>"
    shown = drawn().press("Flatten ALL (K3)", operator="anna", reason=hostile)
    assert shown.buttons["Confirm flatten"].payload["reason"] == hostile
    shown.press("Confirm flatten")
    assert held.control.control(NOW).reason == f"flatten ALL: {hostile}"
    page = drawn()
    assert hostile in page.text
    assert "<script>" not in page.html


def test_form_fills_in_only_who_and_why(held: World) -> None:
    """A field of that name cannot make another request of a button."""
    event = {"action": "pause", "widgetContext": {"forms": {"all": {**ANNA, "level": "2", "action": "lock"}}}}
    control_trading.handler(event, CONTEXT)  # type: ignore[arg-type]
    assert level(held) is KillLevel.NO_ENTRIES


@pytest.mark.parametrize("context", [None, 7, {"forms": 7}, {"forms": {"all": ["operator"]}}, {"forms": {}}])
def test_odd_context_is_refused_as_a_page(held: World, context: Any) -> None:
    answer = control_trading.handler({"action": "pause", "widgetContext": context}, CONTEXT)  # type: ignore[arg-type]
    assert "operator is missing" in Page(str(answer)).text


def test_status_needs_no_form(held: World) -> None:
    event = {"action": "status", "widgetContext": {"forms": {"all": dict(ANNA)}}}
    answer = control_trading.handler(event, CONTEXT)  # type: ignore[arg-type]
    assert "status: done" in Page(str(answer)).text
