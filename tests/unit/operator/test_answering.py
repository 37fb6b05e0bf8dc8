"""What the function answers to whom: JSON to a person's command, a page to a button, and proof of its run."""

from __future__ import annotations

from typing import Any

import pytest
from pynamodb.exceptions import PutError

import functions.control_trading.handler as control_trading
from functions.control_trading.answering import rules_in_reach
from functions.control_trading.pages import page_of
from functions.control_trading.payloads import parse_request
from shared.runtime import rules_for
from tests.unit.control.records import NOW, position, venue_position
from tests.unit.operator.scene import CONTEXT, CONTROL_ARN, RULES, SETTINGS, World, handled
from trading.errors import CorruptRecord
from trading.model.control import KillLevel
from trading.model.instruments import InstrumentId
from trading.model.positions import PositionState

ANNA = {"operator": "anna", "reason": "looked at it"}


@pytest.fixture(autouse=True)
def held(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    handled(world, monkeypatch)
    world.ledger.adopt_position(position("BTC"))
    world.venue.held = (venue_position("BTC"),)
    world.set_level(KillLevel.NORMAL)
    return world


def ask(**payload: Any) -> Any:
    return control_trading.handler({**ANNA, **payload}, CONTEXT)  # type: ignore[arg-type]


@pytest.mark.parametrize(("action", "raised"), [("flatten", KillLevel.FLATTEN), ("lock", KillLevel.LOCK)])
def test_two_steps_close_through_the_handler(world: World, action: str, raised: KillLevel) -> None:
    scope = {"scope": "ALL"} if action == "flatten" else {}
    shown = ask(action=action, **scope)
    line = {"instrument": "BTC", "contract": "PF_BTCUSD", "side": "long", "quantity": "0.5"}
    assert shown["would_close"] == {"venue_positions": [line], "ledger_positions": [line]}
    assert (shown["ok"], shown["scope"], shown["to_level"]) == (True, "ALL", raised)
    assert shown["next"] == "send the same request again with this token to close these positions at the market"
    answer = ask(action=action, token=shown["token"], **scope)
    assert answer == {
        "ok": True,
        "scope": "ALL",
        "kill_level": raised,
        "closing": ["BTC: market exit of 0.5"],
        "failures": [],
        "orders_sent": 1,
        "without_record": [],
    }
    assert world.control.control(NOW).reason == f"{action} ALL: looked at it"


def test_flatten_of_one_names_no_level(world: World) -> None:
    assert "to_level" not in ask(action="flatten", scope="BTC")


def test_resume_tells_first_what_stopped_trading(world: World) -> None:
    world.set_level(KillLevel.CANCEL_ENTRIES)
    shown = ask(action="resume")
    assert shown["would_resume"] == {
        "kill_level": 2,
        "reason": "test",
        "changed_by": "test",
        "changed_at": "2026-11-22T12:00:00.000Z",
        "to_level": 0,
    }
    assert shown["next"] == "send the same request again with this token to lower the level to K0"
    assert (shown["ok"], shown["expires_at"]) == (True, "2026-11-22T12:02:00.000Z")


def test_run_is_proven_by_its_action(world: World) -> None:
    ask(action="pause")
    run = world.control.last_run("control_trading")
    assert run is not None
    assert (run.at, run.proof) == (NOW, {"action": "pause"})


def test_refusal_is_no_run(world: World) -> None:
    assert ask(action="explode")["ok"] is False
    assert world.control.last_run("control_trading") is None


def test_unrecorded_run_still_answers(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise PutError("no capacity")

    monkeypatch.setattr(world.control, "record_run", fail)
    answer = ask(action="pause")
    assert (answer["kill_level"], answer["run_not_recorded"]) == (1, "PutError: no capacity")


def test_deployed_rules_are_used_where_they_can_be_read() -> None:
    settings = SETTINGS.model_copy(update={"rules_override": '{"control": {"token_life_s": 60}}'})
    same, rules, problem = rules_in_reach(settings, rules_for)
    assert (same, rules.control.token_life_s, problem) == (settings, 60, "")


def test_wrong_override_leaves_the_shipped_rules(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = SETTINGS.model_copy(update={"rules_override": '{"control": {"token_life_s": -1}}'})
    handled(world, monkeypatch, wrong)
    answer = ask(action="pause")
    assert (answer["kill_level"], "token_life_s" in answer["rules_problem"]) == (1, True)
    refused = ask(action="resume")
    assert "so nothing is resumed: " in refused["error"]
    assert "token_life_s" in refused["error"]
    settings, rules, _ = rules_in_reach(wrong, rules_for)
    assert (settings.rules_override, settings.ledger_table, rules) == ("", "ledger", RULES)


def test_unreadable_universe_reads_as_empty(world: World) -> None:
    """What is open is named by the ledger and the venue."""
    world.tables.corrupt_universe(b"{")
    with pytest.raises(CorruptRecord):
        world.cloud.market.universe()
    assert ask(action="flatten", scope="BTC")["ok"]
    assert ask(action="flatten", scope="ETH")["error"] == "scope is 'ETH'; expected ALL or one of BTC"
    world.tables.positions.clear()
    world.venue.held = ()
    assert ask(action="flatten", scope="ETH")["error"] == "scope is 'ETH'; expected ALL or one of no coin at all"


def test_missing_universe_reads_as_empty(world: World) -> None:
    world.tables.universe = None
    assert ask(action="flatten", scope="BTC")["ok"]


def test_unreadable_record_is_shown_and_may_be_named(world: World) -> None:
    world.tables.corrupt_position(InstrumentId("BTC"), "{")
    shown = ask(action="flatten", scope="BTC")["would_close"]
    assert shown["unreadable_records"][0].startswith("BTC: ")
    assert shown["ledger_positions"] == []
    assert [each["contract"] for each in shown["venue_positions"]] == ["PF_BTCUSD"]


def test_unreadable_record_keeps_k3_from_being_resumed(world: World) -> None:
    world.tables.corrupt_position(InstrumentId("BTC"), "{")
    world.set_level(KillLevel.FLATTEN)
    assert ask(action="resume")["error"] == "level is K3 and BTC is not closed yet; expected no open position"


# pages


def test_page_of_a_refusal_says_that_nothing_changed() -> None:
    assert page_of({"action": "pause"}, {"ok": False, "error": "a < b"}, "arn") == (
        "<h2>Refused</h2><p>a &lt; b</p><p>Nothing was changed.</p>"
    )


def test_page_of_what_is_done_lists_it() -> None:
    answer = {"ok": True, "kill_level": 1, "said": ["x", {"y": None}], "none": [], "next": "again & again"}
    assert page_of({"action": "resume"}, answer, "arn") == (
        "<h2>resume: done</h2><ul><li>kill_level: 1</li><li>said: <ul><li>x</li><li><ul><li>y: -</li></ul></li></ul>"
        "</li><li>none: none</li></ul><p>again &amp; again</p>"
    )


def test_page_of_what_is_done_may_end_there() -> None:
    assert page_of({"action": "pause"}, {"ok": True, "kill_level": 1}, "arn") == (
        "<h2>pause: done</h2><ul><li>kill_level: 1</li></ul>"
    )


def test_page_of_a_first_step_carries_the_second() -> None:
    request = {"action": "lock", "operator": "anna", "reason": "<&>"}
    answer = {"ok": True, "scope": "ALL", "token": "abc", "expires_at": "soon", "next": "not for buttons"}
    assert page_of(request, answer, 'arn"') == (
        "<h2>lock: nothing is done yet</h2><ul><li>scope: ALL</li><li>expires_at: soon</li></ul>"
        "<p>The button works once, until soon.</p>"
        '<a class="btn btn-primary">Confirm lock</a><cwdb-action action="call" display="popup" endpoint="arn&quot;" '
        'confirmation="Close everything at the market and lock trading?">{"action": "lock", "operator": "anna", '
        '"reason": "\\u003c\\u0026\\u003e", "token": "abc"}</cwdb-action>'
    )


def test_button_is_answered_by_a_page(world: World) -> None:
    form = {"forms": {"all": dict(ANNA)}}
    page = control_trading.handler({"action": "flatten", "scope": "BTC", "widgetContext": form}, CONTEXT)  # type: ignore[arg-type]
    assert isinstance(page, str)
    assert f'endpoint="{CONTROL_ARN}"' in page
    assert '"operator": "anna", "reason": "looked at it", "scope": "BTC", "token": ' in page
    done = control_trading.handler({"action": "pause", "widgetContext": form}, CONTEXT)  # type: ignore[arg-type]
    assert "<h2>pause: done</h2>" in str(done)


@pytest.mark.parametrize("event", [{"describe": True}, {"describe": True, "widgetContext": {}}])
def test_description_is_answered_as_markdown(event: dict[str, Any], world: World) -> None:
    described: Any = control_trading.handler(event, CONTEXT)  # type: ignore[arg-type]
    assert described["markdown"].startswith("The operator's function of the SMC Trader")
    assert world.control.last_run("control_trading") is None


def test_describe_of_another_kind_is_a_field(world: World) -> None:
    assert "'describe' is not known for pause" in ask(action="pause", describe="yes")["error"]


FORM = {"widgetContext": {"forms": {"all": {"operator": "bert", "reason": "form", "level": "2", "token": "ab"}}}}


def test_form_says_who_and_why_and_nothing_else() -> None:
    request: Any = parse_request({"action": "pause", **FORM})
    assert (request.operator, request.reason, request.level) == ("bert", "form", 1)


def test_payload_of_the_button_beats_the_form() -> None:
    request: Any = parse_request({"action": "pause", "operator": "anna", **FORM})
    assert (request.operator, request.reason) == ("anna", "form")


def test_status_takes_nothing_from_the_form() -> None:
    assert parse_request({"action": "status", **FORM}).action == "status"


@pytest.mark.parametrize("context", [None, 7, [], {"forms": None}, {"forms": {"all": ["operator"]}}])
def test_context_without_a_form_is_no_form(context: Any, world: World) -> None:
    event = {"action": "pause", "widgetContext": context}
    page = control_trading.handler(event, CONTEXT)  # type: ignore[arg-type]
    assert "operator is missing" in str(page)
    assert world.control.control(NOW).level is KillLevel.NORMAL


def test_position_of_the_scope_alone_is_closed(world: World) -> None:
    world.ledger.adopt_position(position("ETH"))
    token = ask(action="flatten", scope="PF_ETHUSD")["token"]
    assert ask(action="flatten", scope="PF_ETHUSD", token=token)["ok"]
    states = {str(each.instrument): each.state for each in world.ledger.open_positions()}
    assert states == {"BTC": PositionState.PROTECTED, "ETH": PositionState.CLOSING}
