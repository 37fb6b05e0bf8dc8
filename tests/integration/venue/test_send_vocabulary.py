"""Every word of the venue's documented vocabularies, sorted into what it proves of a send. The lists are not ours."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from infra.local.sandbox.limits import derivatives_cost, history_cost
from shared.venue.call_cost import COSTS, cost_of
from shared.venue.classification import classify_send
from shared.venue.received import Received
from tests.integration.venue.external_cases import CASES, load, needs_cases
from trading.model.venue import SendOutcome

VOCABULARY: Mapping[str, Any] = load("vocab.json") if CASES.is_dir() else {}
ACCEPTED = {"placed", "partiallyFilled", "filled"}
PROVES_NOTHING = {
    *("cancelled", "edited", "clientOrderIdAlreadyExist", "notFound", "orderForEditNotAStop", "orderForEditNotFound"),
    *("cannotEditTriggerPriceOfTrailingStop", "cannotEditLimitPriceOfTrailingStop"),
}
"""Answers to other requests than a send, and the one that says that the order exists."""

ERRORS_OF_THE_VENUE_ITSELF = {"Server Error", "Unavailable", "unknownError"}
REASONS_OF_AN_ORDER_THAT_IS_THERE = {"REJECTED_AFTER_EXECUTION", "CLIENT_ORDER_ID_IN_USE"}


def words(*names: str) -> list[str]:
    return [word for name in names for word in VOCABULARY.get(name, [])]


def outcome_of(document: Mapping[str, Any], status: int = 200) -> SendOutcome:
    return classify_send(Received(status=status, text=json.dumps(document))).outcome


def sent(status: str, *events: Mapping[str, Any]) -> dict[str, Any]:
    return {"result": "success", "sendStatus": {"status": status, "orderEvents": list(events)}}


@needs_cases
@pytest.mark.parametrize("word", words("sendStatus_enum", "sendStatus_described_only", "batch_status_extra"))
def test_documented_status_proves_what_it_says(word: str) -> None:
    expected = SendOutcome.REJECTED
    if word in ACCEPTED | PROVES_NOTHING:
        expected = SendOutcome.ACCEPTED if word in ACCEPTED else SendOutcome.UNKNOWN
    assert outcome_of(sent(word)) is expected


@needs_cases
@pytest.mark.parametrize("word", words("api_error_enum"))
def test_documented_error_proves_what_it_says(word: str) -> None:
    body = {"result": "error", "error": word}
    expected = SendOutcome.UNKNOWN if word in ERRORS_OF_THE_VENUE_ITSELF else SendOutcome.REJECTED
    assert outcome_of(body) is outcome_of({**body, "error": f"{word}: detail"}) is expected
    assert outcome_of(body, status=502) is SendOutcome.UNKNOWN


@needs_cases
@pytest.mark.parametrize("reason", words("orderError_reasons"))
def test_documented_reason_may_contradict_a_refusal(reason: str) -> None:
    event = {"type": "REJECT", "uid": "order-1", "reason": reason}
    expected = SendOutcome.UNKNOWN if reason in REASONS_OF_AN_ORDER_THAT_IS_THERE else SendOutcome.REJECTED
    assert outcome_of(sent("invalidPrice", event)) is expected


@pytest.mark.parametrize(
    "word", ["unknown", "PLACED", "placed ", "rejected", "invalidprice", "", "wouldCauseliquidation"]
)
def test_unlisted_status_is_never_a_rejection(word: str) -> None:
    assert outcome_of(sent(word)) is SendOutcome.UNKNOWN
    assert outcome_of({"result": "error", "error": word}) is SendOutcome.UNKNOWN


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422])
def test_client_error_needs_words_to_be_a_rejection(status: int) -> None:
    errors = [{"code": 11, "message": "Argument invalid: symbol"}]
    assert outcome_of({"result": "error", "errors": errors}, status) is SendOutcome.REJECTED
    assert outcome_of({"result": "error", "error": "invalidArgument"}, status) is SendOutcome.REJECTED
    assert outcome_of({"result": "error"}, status) is SendOutcome.UNKNOWN
    assert outcome_of({"result": "error", "errors": []}, status) is SendOutcome.UNKNOWN
    assert outcome_of({"message": "blocked"}, status) is SendOutcome.UNKNOWN


def costs() -> dict[str, int]:
    given = VOCABULARY.get("rate_limit", {}).get("/derivatives", {}).get("cost", {})
    return {name: cost for name, cost in given.items() if isinstance(cost, int)}


@needs_cases
def test_calls_cost_what_the_venue_says() -> None:
    documented = costs()
    for name, cost in COSTS.items():
        assert cost == documented[name.replace("_", "/")], name
    assert cost_of("private_get_fills", {"lastFillTime": "x"}) == documented["fills?lastFillTime"]
    for name in ("sendorder", "editorder", "cancelorder", "cancelallorders", "accounts", "openorders", "orders/status"):
        assert derivatives_cost("POST", name, paged=False) == documented[name], name
    assert derivatives_cost("GET", "fills", paged=True) == documented["fills?lastFillTime"]
    for method in ("GET", "PUT"):
        assert (
            derivatives_cost(method, "leveragepreferences", paged=False) == documented[f"leveragepreferences {method}"]
        )
    assert [history_cost("account-log", count) for count in (25, 26, 1000, 1001, 5001)] == [1, 2, 3, 6, 10]
