"""The second step of two: a token that is good for exactly what was shown, once, for a short time.

Only its digest is stored: who can read the table cannot confirm anything. A token that does not fit is refused and
stays as it was, so that a wrong guess spends nobody's.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from functions.control_trading.desk import ControlDesk
from shared.storage.codec import object_from_json
from trading.errors import CorruptRecord, InvalidInput
from trading.model.times import to_text

ANEW = "ask again without token"
TOKEN_BYTES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What a token is bound to besides what was shown."""

    action: str
    scope: str
    operator: str


def offer(desk: ControlDesk, step: Step, shown: dict[str, Any]) -> dict[str, Any]:
    """The fields of a first answer that lead to the second step. `shown` is JSON."""
    token = secrets.token_hex(TOKEN_BYTES)
    expires_at = desk.now + timedelta(seconds=desk.rules.control.token_life_s)
    bound = {"action": step.action, "scope": step.scope, "operator": step.operator, "shown": shown}
    desk.control.add_token(_stored(token), json.dumps(bound), expires_at)
    return {"token": token, "expires_at": to_text(expires_at)}


def spend(desk: ControlDesk, step: Step, token: str, still_so: Callable[[dict[str, Any]], str]) -> None:
    """Take the token, or raise InvalidInput with the reason; nothing was changed then.

    `still_so` is given what was shown and answers what is different now, or nothing.
    """
    found = desk.control.read_token(_stored(token))
    if found is None:
        raise InvalidInput(f"token is unknown or was used before; expected a fresh one: {ANEW}")
    bound, expires_at = object_from_json(found[0], "token"), found[1]
    if not {"action", "scope", "operator", "shown"} <= bound.keys() or not isinstance(bound["shown"], dict):
        raise CorruptRecord(f"stored token does not say what it is for: {ANEW}")
    if desk.now > expires_at:
        raise InvalidInput(f"token expired at {to_text(expires_at)}; expected a fresh one: {ANEW}")
    for name, given in (("action", step.action), ("scope", step.scope), ("operator", step.operator)):
        if bound[name] != given:
            raise InvalidInput(f"token was given for {name} {bound[name]!r}, not {given!r}; {ANEW}")
    if different := still_so(bound["shown"]):
        raise InvalidInput(f"{different}; {ANEW}")
    if desk.control.spend_token(_stored(token)) is None:
        raise InvalidInput(f"token is unknown or was used before; expected a fresh one: {ANEW}")


def _stored(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
