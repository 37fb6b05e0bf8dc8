from __future__ import annotations

from typing import Any

import pytest

from functions.control_trading.payloads import FlattenRequest, PauseRequest, StatusRequest, parse_request
from trading.errors import InvalidInput

PAUSE = {"action": "pause", "operator": "anna", "reason": "deployment"}
FLATTEN = {"action": "flatten", "operator": "anna", "reason": "venue maintenance", "scope": "ALL"}


def test_documented_payloads_are_understood() -> None:
    assert parse_request({"action": "status"}) == StatusRequest(action="status")
    assert parse_request(PAUSE) == PauseRequest(action="pause", operator="anna", reason="deployment")
    assert isinstance(parse_request(FLATTEN | {"token": "a1"}), FlattenRequest)


@pytest.mark.parametrize(
    ("payload", "sentence"),
    [
        (None, "payload is None; expected a JSON object"),
        ([PAUSE], "expected a JSON object"),
        ({}, "action is None; expected one of status, pause, resume, flatten, lock"),
        ({"action": "PAUSE"}, "action is 'PAUSE'; expected one of status, pause, resume, flatten, lock"),
        ({"action": ["pause"]}, "expected one of status"),
        ({"action": "status", "operator": "anna"}, "field 'operator' is not known for status; expected action"),
        (PAUSE | {"level": 3}, "level is 3; expected 1 (no new entries) or 2 (entries that rest are cancelled too)"),
        (PAUSE | {"level": True}, "level is True; expected 1"),
        (PAUSE | {"level": 1.0}, "level is 1.0; expected 1"),
        (PAUSE | {"level": "2"}, "level is '2'; expected 1"),
        (PAUSE | {"scope": "ALL"}, "field 'scope' is not known for pause; expected operator, reason, action, level"),
        ({"action": "pause", "reason": "x"}, "operator is missing; expected the name of the person"),
        ({"action": "resume", "operator": "anna"}, "reason is missing; expected one line"),
        (PAUSE | {"operator": ""}, "operator is ''; expected the name"),
        (PAUSE | {"operator": 7}, "operator is 7; expected the name"),
        (PAUSE | {"operator": "a" * 65}, "expected the name"),
        (PAUSE | {"reason": "  "}, "reason is '  '; expected one line"),
        (PAUSE | {"reason": "two\nlines"}, "expected one line"),
        (PAUSE | {"reason": "r" * 301}, "expected one line"),
        (FLATTEN | {"scope": "BTC/USD"}, "scope is 'BTC/USD'; expected ALL or the code of one coin"),
        (FLATTEN | {"scope": None}, "scope is None; expected ALL"),
        ({"action": "flatten", "operator": "anna", "reason": "x"}, "scope is missing; expected ALL"),
        (FLATTEN | {"token": ""}, "token is not valid; expected the token of the first answer"),
        (FLATTEN | {"token": 12.5}, "token is not valid"),
    ],
)
def test_wrong_payload_is_one_clear_sentence(payload: Any, sentence: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_request(payload)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 250


def test_wrong_token_is_never_repeated_back() -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_request(FLATTEN | {"token": "canary" * 40})
    assert "canary" not in str(caught.value)
