"""What an operator may ask for. Anything else is answered with one sentence and changes nothing."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from trading.errors import InvalidInput

ALL = "ALL"
SHOWN_CHARACTERS = 60

# Printable, so that a name or reason in an audit record, a log or an alert is one readable line.
Line = Annotated[
    str, StringConstraints(strict=True, strip_whitespace=True, pattern=r"^[^\x00-\x1f\x7f]+$", max_length=300)
]
Name = Annotated[str, StringConstraints(strict=True, strip_whitespace=True, pattern=r"^[\w .@+-]+$", max_length=64)]
Code = Annotated[str, StringConstraints(strict=True, pattern=r"^[A-Za-z0-9]{1,20}$")]
Token = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=100)]

EXPECTED = {
    "operator": "the name of the person who asks, at most 64 letters, digits, spaces or . @ + -",
    "reason": "one line of 1 to 300 characters",
    "scope": "ALL or the code of one coin",
    "token": "the token of the first answer, as text",
}


class Request(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class StatusRequest(Request):
    action: Literal["status"]


class PauseRequest(Request):
    action: Literal["pause"]
    operator: Name
    reason: Line


class ResumeRequest(Request):
    action: Literal["resume"]
    operator: Name
    reason: Line


class FlattenRequest(Request):
    """Without `token` it asks what would be closed; with the token of that answer it closes it."""

    action: Literal["flatten"]
    operator: Name
    reason: Line
    scope: Code
    token: Token | None = None


AnyRequest = StatusRequest | PauseRequest | ResumeRequest | FlattenRequest

REQUESTS: dict[str, type[AnyRequest]] = {
    "status": StatusRequest,
    "pause": PauseRequest,
    "resume": ResumeRequest,
    "flatten": FlattenRequest,
}


def parse_request(payload: Any) -> AnyRequest:
    """Raises InvalidInput with one sentence that names the field, its value and what was expected."""
    if not isinstance(payload, dict):
        raise InvalidInput(f"payload is {_shown(payload)}; expected a JSON object")
    action = payload.get("action")
    if not isinstance(action, str) or action not in REQUESTS:
        raise InvalidInput(f"action is {_shown(action)}; expected one of {', '.join(REQUESTS)}")
    kind = REQUESTS[action]
    try:
        return kind.model_validate(payload)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
    field = str(first["loc"][0])
    if first["type"] == "extra_forbidden":
        raise InvalidInput(f"field {_shown(field)} is not known for {action}; expected {', '.join(kind.model_fields)}")
    if first["type"] == "missing":
        raise InvalidInput(f"{field} is missing; expected {EXPECTED[field]}")
    # A token is a credential for two minutes: it is not repeated.
    value = "not valid" if field == "token" else _shown(payload[field])
    raise InvalidInput(f"{field} is {value}; expected {EXPECTED[field]}")


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "…"
