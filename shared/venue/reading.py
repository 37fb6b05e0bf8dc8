"""A read is an answer that validates, or an error with one clear sentence. Nothing in between, nothing guessed."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, TypeVar

from pydantic import BaseModel, ValidationError

from shared.venue.received import Lost, Outcome, Received
from shared.venue.wire_types import Body, Moment
from trading.errors import VenueAnswerInvalid, VenueAuthenticationFailed, VenueThrottled, VenueUnavailable


class Answer(Body):
    """A whole body. `required_key` is what a success must carry; it also tells an answer from a web page."""

    required_key: ClassVar[str]
    server_time: Moment | None = None


AnswerType = TypeVar("AnswerType", bound=Answer)
RowType = TypeVar("RowType", bound=BaseModel)

THROTTLED = "apiLimitExceeded"


def read_answer(outcome: Outcome, path: str, model: type[AnswerType], *, plain: bool = False) -> AnswerType:
    """The validated body of a read of `path`.

    `plain` bodies (history, charts) carry no `result`. Raises VenueAuthenticationFailed, VenueAnswerInvalid for a body
    that is not the documented one, VenueThrottled, and VenueUnavailable for everything else that went wrong.
    """
    received = require_received(outcome, path)
    document = received.document()
    _require_authentication(received, document, path)
    if document is not None and (word := venue_error(document)):
        refused = VenueThrottled if word == THROTTLED else VenueUnavailable
        raise refused(f"venue refused {path} with HTTP {received.status}: {word}")
    if received.status != 200:
        raise VenueUnavailable(f"venue answered {path} with HTTP {received.status}: {received.shown()}")
    if document is None or model.required_key not in document:
        raise _invalid(path, f"a JSON object with {model.required_key!r}", received)
    if not plain and document.get("result") != "success":
        raise _invalid(path, "result 'success'", received)
    try:
        return model.model_validate(document)
    except ValidationError as error:
        raise _invalid(path, first_problem(error), received) from None


def require_received(outcome: Outcome, path: str) -> Received:
    """The whole answer. Raises VenueUnavailable when there is none, VenueThrottled when we are asked to slow down."""
    if isinstance(outcome, Lost):
        raise VenueUnavailable(f"venue gave no answer to {path}: {outcome.detail}")
    if outcome.status == 429:
        raise VenueThrottled(f"venue limits the rate of {path} with HTTP 429: {outcome.shown()}")
    return outcome


def valid_rows(rows: list[dict[str, object]], model: type[RowType]) -> list[RowType]:
    """The rows that are of this kind; the others are left out."""
    valid = []
    for row in rows:
        try:
            valid.append(model.model_validate(row))
        except ValidationError:
            continue
    return valid


def unique_rows(rows: list[RowType], identity: Callable[[RowType], str], path: str) -> list[RowType]:
    """Each row once: one that came twice is one. Raises VenueAnswerInvalid for two rows that contradict each other."""
    found: dict[str, RowType] = {}
    for row in rows:
        name = identity(row)
        if found.setdefault(name, row) != row:
            raise VenueAnswerInvalid(f"venue answered {path} with two different rows of {name}; expected one")
    return list(found.values())


def venue_error(document: dict[str, object]) -> str:
    """The venue's own words of refusal in either of its shapes, empty when it did not refuse."""
    if isinstance(error := document.get("error"), str):
        return error
    errors = document.get("errors")
    if document.get("result") != "error" and not errors:
        return ""
    if isinstance(errors, list) and errors and isinstance(errors[0], dict):
        return str(errors[0].get("message") or errors[0])
    return "an error without a name"


def first_problem(error: ValidationError) -> str:
    """What the first invalid field should have been."""
    problem = error.errors(include_url=False, include_input=False, include_context=False)[0]
    where = ".".join(str(part) for part in problem["loc"])
    return f"valid {where} ({problem['msg']})"


def _require_authentication(received: Received, document: dict[str, object] | None, path: str) -> None:
    refused = document is not None and document.get("error") == "authenticationError"
    if refused or received.status == 401:
        raise VenueAuthenticationFailed(f"venue refused the key on {path}: {received.shown()}")


def _invalid(path: str, expected: str, received: Received) -> VenueAnswerInvalid:
    return VenueAnswerInvalid(f"venue answered {path} with {received.shown()}; expected {expected}")
