"""What an operator may ask for. Anything else is answered with one sentence and changes nothing."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, StringConstraints, ValidationError

from trading.errors import InvalidInput

ALL = "ALL"
SHOWN_CHARACTERS = 60
WIDGET = "widgetContext"
"""The field that CloudWatch adds to every event of a custom widget; the fields of its form are inside."""

OF_THE_FORM = ("operator", "reason")
"""What a person types there. Everything else is in the button's own payload."""

# Printable, so that a name or reason in an audit record, a log or an alert is one readable line.
Line = Annotated[
    str, StringConstraints(strict=True, strip_whitespace=True, pattern=r"^[^\x00-\x1f\x7f]+$", max_length=300)
]
Name = Annotated[str, StringConstraints(strict=True, strip_whitespace=True, pattern=r"^[\w .@+-]+$", max_length=64)]
Code = Annotated[str, StringConstraints(strict=True, pattern=r"^[A-Za-z0-9_]{1,20}$")]
Token = Annotated[str, StringConstraints(strict=True, pattern=r"^[0-9a-f]{1,64}$")]

EXPECTED = {
    "operator": "the name of the person who asks, at most 64 letters, digits, spaces or . @ + -",
    "reason": "one line of 1 to 300 characters",
    "scope": "ALL or the code of one coin",
    "token": "the token of the first answer, as text",
    "level": "1 (no new entries) or 2 (entries that rest are cancelled too)",
}


def _whole(value: object) -> object:
    """True and 1.0 equal 1, and are not what was meant."""
    if type(value) is not int:
        raise ValueError("not a whole number")
    return value


class Request(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class StatusRequest(Request):
    action: Literal["status"]


class SignedRequest(Request):
    """Everything that changes something says who asks and why."""

    operator: Name
    reason: Line


class PauseRequest(SignedRequest):
    action: Literal["pause"]
    level: Annotated[Literal[1, 2], BeforeValidator(_whole)] = 1


class ResumeRequest(SignedRequest):
    """Above K1 it first tells what would be resumed; `token` is that answer's."""

    action: Literal["resume"]
    token: Token | None = None


class FlattenRequest(SignedRequest):
    """Without `token` it asks what would be closed; with the token of that answer it closes it."""

    action: Literal["flatten"]
    scope: Code
    token: Token | None = None


class LockRequest(SignedRequest):
    """A flatten of everything after which no single step leads back to trading."""

    action: Literal["lock"]
    token: Token | None = None

    @property
    def scope(self) -> str:
        return ALL


ClosingRequest = FlattenRequest | LockRequest
AnyRequest = StatusRequest | PauseRequest | ResumeRequest | ClosingRequest

REQUESTS: dict[str, type[AnyRequest]] = {
    "status": StatusRequest,
    "pause": PauseRequest,
    "resume": ResumeRequest,
    "flatten": FlattenRequest,
    "lock": LockRequest,
}


def parse_request(payload: Any) -> AnyRequest:
    """Raises InvalidInput with one sentence that names the field, its value and what was expected."""
    if not isinstance(payload, dict):
        raise InvalidInput(f"payload is {_shown(payload)}; expected a JSON object")
    given = without_widget(payload)
    action = given.get("action")
    if not isinstance(action, str) or action not in REQUESTS:
        raise InvalidInput(f"action is {_shown(action)}; expected one of {', '.join(REQUESTS)}")
    kind = REQUESTS[action]
    try:
        return kind.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
    field = str(first["loc"][0])
    if first["type"] == "extra_forbidden":
        raise InvalidInput(f"field {_shown(field)} is not known for {action}; expected {', '.join(kind.model_fields)}")
    if first["type"] == "missing":
        raise InvalidInput(f"{field} is missing; expected {EXPECTED[field]}")
    # A token is a credential for two minutes: it is not repeated.
    value = "not valid" if field == "token" else _shown(given[field])
    raise InvalidInput(f"{field} is {value}; expected {EXPECTED[field]}")


def asked_by_widget(event: object) -> bool:
    return isinstance(event, dict) and WIDGET in event


def without_widget(payload: dict[str, Any]) -> dict[str, Any]:
    """The button's payload, with who asks and why from the widget's form where the button does not say it."""
    given = {name: value for name, value in payload.items() if name != WIDGET}
    form: Any = payload.get(WIDGET)
    for name in ("forms", "all"):
        form = form.get(name) if isinstance(form, dict) else None
    if isinstance(form, dict) and given.get("action") != "status":
        given = {name: form[name] for name in OF_THE_FORM if name in form} | given
    return given


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "…"
