from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.venue.classification import ACCEPTING_STATUSES, REJECTING_ERRORS, REJECTING_STATUSES, classify_send
from shared.venue.received import Lost, Received
from tests.fakes.shared_folder import SHARED
from trading.model.venue import SendOutcome

VOCABULARY = SHARED / "venue-cases/vocab.json"


def send_status(status: str) -> Received:
    return Received(status=200, text=json.dumps({"result": "success", "sendStatus": {"status": status}}))


@pytest.mark.parametrize("status", sorted(REJECTING_STATUSES))
def test_known_refusals_are_rejected_by_name(status: str) -> None:
    answer = classify_send(send_status(status))
    assert (answer.outcome, answer.detail) == (SendOutcome.REJECTED, status)


def test_existing_client_id_is_never_a_refusal() -> None:
    assert classify_send(send_status("clientOrderIdAlreadyExist")).outcome is SendOutcome.UNKNOWN


@given(st.text(max_size=30).filter(lambda word: word not in ACCEPTING_STATUSES | REJECTING_STATUSES))
def test_any_other_status_is_unknown(status: str) -> None:
    assert classify_send(send_status(status)).outcome is SendOutcome.UNKNOWN


@given(st.integers(500, 599), st.text(max_size=60))
def test_no_server_error_is_ever_a_refusal(status: int, text: str) -> None:
    assert classify_send(Received(status=status, text=text)).outcome is SendOutcome.UNKNOWN


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(["result", "sendStatus", "status", "error", "errors", "orderEvents"]), inner
            )
        ),
        max_leaves=12,
    )
)
def test_any_json_gives_some_answer(document: object) -> None:
    assert classify_send(Received(status=200, text=json.dumps(document))).outcome in SendOutcome


def test_lost_answer_is_unknown_and_says_why() -> None:
    answer = classify_send(Lost(detail="RequestTimeout (read)"))
    assert (answer.outcome, answer.detail) == (SendOutcome.UNKNOWN, "no answer: RequestTimeout (read)")


def test_refusal_after_part_was_executed_is_unknown() -> None:
    events = [{"type": "REJECT", "reason": "REJECTED_AFTER_EXECUTION"}]
    body = {"result": "success", "sendStatus": {"status": "selfFill", "orderEvents": events}}
    assert classify_send(Received(status=200, text=json.dumps(body))).outcome is SendOutcome.UNKNOWN


@pytest.mark.skipif(not VOCABULARY.is_file(), reason=f"the venue's vocabulary is not on this machine ({VOCABULARY})")
def test_every_listed_word_was_decided_on() -> None:
    words = json.loads(VOCABULARY.read_text(encoding="utf-8"))
    listed = {*words["sendStatus_enum"], *words["sendStatus_described_only"], *words["batch_status_extra"]}
    about_edits_and_cancels = {word for word in listed if "Edit" in word or "cannot" in word}
    unknown = about_edits_and_cancels | {"clientOrderIdAlreadyExist", "cancelled", "edited", "notFound"}
    assert listed - unknown == ACCEPTING_STATUSES | REJECTING_STATUSES
    unproven = {"Server Error", "Unavailable", "unknownError"}
    assert set(words["api_error_enum"]) - unproven == REJECTING_ERRORS - {"contractNotFound"}
