"""The second step: one token for one thing that was shown, once, for two minutes; anything else changes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from functions.control_trading.flatten import confirm, preview
from functions.control_trading.payloads import AnyRequest, parse_request
from functions.control_trading.resuming import resume
from functions.control_trading.tokens import Step, spend
from tests.unit.control.records import NOW, position, venue_position
from tests.unit.operator.scene import World, desk_of
from trading.errors import CorruptRecord, InvalidInput
from trading.model.control import KillLevel

ANNA = {"operator": "anna", "reason": "maintenance"}
ASKED: dict[str, dict[str, Any]] = {
    "flatten ALL": {"action": "flatten", "scope": "ALL", **ANNA},
    "flatten ETH": {"action": "flatten", "scope": "ETH", **ANNA},
    "lock": {"action": "lock", **ANNA},
    "resume": {"action": "resume", **ANNA},
}
LATER = timedelta(seconds=121)


def ask(world: World, payload: dict[str, Any], after: timedelta = timedelta(0)) -> dict[str, Any]:
    request: Any = parse_request(payload)
    desk = desk_of(world, after)
    if request.action == "resume":
        return resume(desk, request)
    return confirm(desk, request) if request.token else preview(desk, request)


@pytest.fixture
def stopped(world: World) -> World:
    """Two positions at K2: a flatten, a lock and a resume all take two steps."""
    for code in ("BTC", "ETH"):
        world.ledger.adopt_position(position(code))
    world.venue.held = (venue_position("BTC"), venue_position("ETH"))
    world.set_level(KillLevel.CANCEL_ENTRIES)
    return world


def refusal(world: World, payload: dict[str, Any], after: timedelta = timedelta(0)) -> str:
    """The sentence, after making sure that nothing at all was changed, sent or told."""
    before = world.everything()
    with pytest.raises(InvalidInput) as caught:
        ask(world, payload, after)
    assert world.everything() == before
    assert world.venue.sent == []
    assert world.told() == []
    return str(caught.value)


@pytest.mark.parametrize("name", ASKED)
def test_first_answer_changes_only_that_a_token_exists(stopped: World, name: str) -> None:
    before = stopped.everything()
    ask(stopped, ASKED[name])
    assert len(stopped.tables.tokens) == 1
    stopped.tables.tokens.clear()
    assert stopped.everything() == before


@pytest.mark.parametrize("name", ASKED)
def test_token_is_good_for_its_last_second(stopped: World, name: str) -> None:
    token = ask(stopped, ASKED[name])["token"]
    assert ask(stopped, ASKED[name] | {"token": token}, timedelta(seconds=120))["ok"]


@pytest.mark.parametrize("name", ASKED)
def test_stored_token_confirms_nothing(stopped: World, name: str) -> None:
    """Who can read the table holds a digest."""
    token = ask(stopped, ASKED[name])["token"]
    (stored,) = stopped.tables.tokens
    assert token not in str(stopped.everything())
    assert "unknown or was used before" in refusal(stopped, ASKED[name] | {"token": stored})


def test_stored_token_says_what_it_is_for(stopped: World) -> None:
    ask(stopped, ASKED["resume"])
    ((body, expires_at),) = stopped.tables.tokens.values()
    assert json.loads(body) == {"action": "resume", "scope": "ALL", "operator": "anna", "shown": {"version": 1}}
    assert expires_at == NOW + timedelta(minutes=2)


def test_tokens_are_long_and_never_the_same(stopped: World) -> None:
    tokens = {ask(stopped, ASKED["flatten ALL"])["token"] for _ in range(20)}
    assert len(tokens) == 20
    assert {len(each) for each in tokens} == {32}


WRONG: dict[str, tuple[Callable[[str], dict[str, Any]], timedelta, str]] = {
    "invented": (lambda _: {"token": "0" * 32}, timedelta(0), "token is unknown or was used before"),
    "expired": (lambda token: {"token": token}, LATER, "token expired at 2026-11-22T12:02:00.000Z"),
    "of anna": (lambda token: {"token": token, "operator": "bert"}, timedelta(0), "given for operator 'anna'"),
    "malformed": (lambda token: {"token": token.upper() + "-"}, timedelta(0), "token is not valid"),
    "a number": (lambda _: {"token": 12}, timedelta(0), "token is not valid"),
}


@pytest.mark.parametrize("name", ASKED)
@pytest.mark.parametrize("kind", WRONG)
def test_wrong_token_changes_nothing_and_spends_none(stopped: World, name: str, kind: str) -> None:
    change, after, sentence = WRONG[kind]
    token = ask(stopped, ASKED[name])["token"]
    assert sentence in refusal(stopped, ASKED[name] | change(token), after)
    assert ask(stopped, ASKED[name] | {"token": token})["ok"], "the right token was spent by a wrong one"


@pytest.mark.parametrize("given", ASKED)
@pytest.mark.parametrize("used", ASKED)
def test_token_is_good_for_its_own_request_only(stopped: World, given: str, used: str) -> None:
    if given == used:
        return
    token = ask(stopped, ASKED[given])["token"]
    was, now = ASKED[given], ASKED[used]
    said = ("action", was["action"], now["action"])
    if was["action"] == now["action"]:
        said = ("scope", was["scope"], now["scope"])
    sentence = "token was given for {} {!r}, not {!r}; ask again without token".format(*said)
    assert refusal(stopped, now | {"token": token}) == sentence


@pytest.mark.parametrize("name", ASKED)
def test_used_token_is_refused(stopped: World, name: str) -> None:
    confirmed = ASKED[name] | {"token": ask(stopped, ASKED[name])["token"]}
    assert ask(stopped, confirmed)["ok"]
    stopped.venue.sent.clear()
    before = stopped.everything()
    with pytest.raises(InvalidInput):
        ask(stopped, confirmed)
    assert stopped.everything() == before
    assert stopped.venue.sent == []


@pytest.mark.parametrize("name", ["flatten ALL", "flatten ETH", "lock"])
def test_token_is_void_when_positions_changed(stopped: World, name: str) -> None:
    token = ask(stopped, ASKED[name])["token"]
    stopped.venue.held = (venue_position("BTC"), venue_position("ETH", "0.75"))
    assert refusal(stopped, ASKED[name] | {"token": token}) == (
        "positions have changed since they were shown; ask again without token"
    )


def test_resume_token_is_void_when_the_switch_moved(stopped: World) -> None:
    token = ask(stopped, ASKED["resume"])["token"]
    stopped.set_level(KillLevel.CANCEL_ENTRIES)
    assert "the switch was changed since it was shown (K2 by test: test)" in refusal(
        stopped, ASKED["resume"] | {"token": token}
    )


def test_of_two_that_confirm_at_once_one_wins(stopped: World) -> None:
    """The other has read the token before it was spent."""
    token = ask(stopped, ASKED["lock"])["token"]
    step = Step(action="lock", scope="ALL", operator="anna")

    def other_first(_shown: dict[str, Any]) -> str:
        spend(desk_of(stopped), step, token, lambda _: "")
        return ""

    with pytest.raises(InvalidInput, match="was used before"):
        spend(desk_of(stopped), step, token, other_first)


FOR_NOTHING = "stored token does not say what it is for: ask again without token"


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("{}", FOR_NOTHING),
        ('{"action":"lock","scope":"ALL","operator":"anna","shown":7}', FOR_NOTHING),
        ("[1]", "stored token is a list; expected a JSON object"),
        ("{", "stored token is no JSON (JSONDecodeError("),
    ],
)
def test_damaged_token_is_refused(stopped: World, body: str, sentence: str) -> None:
    token = ask(stopped, ASKED["lock"])["token"]
    ((digest, (_, expires)),) = stopped.tables.tokens.items()
    stopped.tables.tokens[digest] = body, expires
    request: AnyRequest = parse_request(ASKED["lock"] | {"token": token})
    with pytest.raises(CorruptRecord) as caught:
        confirm(desk_of(stopped), request)  # type: ignore[arg-type]
    assert str(caught.value).startswith(sentence)
    assert stopped.control.control(NOW).level is KillLevel.CANCEL_ENTRIES
