"""Closing everything in two steps: first what would be closed and a token, then with the token the closing itself."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from functions.control_trading.control import ControlDesk, change_level
from functions.control_trading.payloads import ALL, FlattenRequest
from shared.storage.codec import object_from_json
from trading.errors import CorruptRecord, InvalidInput, TradingError
from trading.model.control import Control, KillLevel
from trading.model.positions import Position
from trading.model.times import to_text
from trading.model.venue import VenuePosition

Lines = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What an operator is shown: lines of (name, contract, side, quantity). `venue` is None when it does not answer."""

    venue: Lines | None
    ledger: Lines
    problem: str

    def same_as(self, other: Shown) -> bool:
        """The venue is the truth; the ledger counts only where the venue did not answer both times."""
        if self.venue is not None and other.venue is not None:
            return self.venue == other.venue
        return self.ledger == other.ledger

    def to_answer(self) -> dict[str, Any]:
        return {
            "venue_positions": None if self.venue is None else list(map(_line, self.venue)),
            "ledger_positions": list(map(_line, self.ledger)),
            **({"venue_problem": self.problem} if self.problem else {}),
        }


def preview(desk: ControlDesk, request: FlattenRequest) -> dict[str, Any]:
    """What would be closed, and a token that is good for exactly that, once, for a short time."""
    shown = _look(desk, request.scope)
    token = secrets.token_hex(8)
    expires_at = desk.now + timedelta(seconds=desk.rules.control.token_life_s)
    bound = {"scope": request.scope, "operator": request.operator, "venue": shown.venue, "ledger": shown.ledger}
    desk.control.add_token(token, json.dumps(bound), expires_at)
    return {
        "ok": True,
        "would_close": shown.to_answer(),
        "scope": request.scope,
        "token": token,
        "expires_at": to_text(expires_at),
        "next": "send the same request again with this token to close these positions at the market",
    }


def confirm(desk: ControlDesk, request: FlattenRequest) -> dict[str, Any]:
    """Raise the level, then close. When the venue does not answer, the level stands and the closing goes on later."""
    _require_token(desk, request)
    everything = request.scope == ALL

    def raised(current: Control) -> KillLevel:
        return max(current.level, KillLevel.FLATTEN) if everything else current.level

    stored = change_level(desk, request, raised, f"flatten {request.scope}: {request.reason}")
    answer = {"ok": True, "scope": request.scope, "kill_level": int(stored.level)}
    try:
        return answer | desk.close(request.scope)
    except TradingError as error:
        # The level is recorded: what could not be sent now is sent when this is confirmed again.
        return answer | {"closing": [], "failures": [str(error)], "orders_sent": 0, "without_record": []}


def _require_token(desk: ControlDesk, request: FlattenRequest) -> None:
    spent = desk.control.spend_token(request.token or "")
    if spent is None:
        raise InvalidInput("token is unknown or was used before; expected a fresh one: ask again without token")
    bound, expires_at = object_from_json(spent[0], "token"), spent[1]
    if not {"scope", "operator", "venue", "ledger"} <= bound.keys():
        raise CorruptRecord("stored token does not say what it is for: ask again without token")
    if desk.now > expires_at:
        raise InvalidInput(f"token expired at {to_text(expires_at)}; expected a fresh one: ask again without token")
    for name, given in (("scope", request.scope), ("operator", request.operator)):
        if bound[name] != given:
            raise InvalidInput(f"token was given for {name} {bound[name]!r}, not {given!r}; ask again without token")
    before = Shown(venue=_lines(bound["venue"]), ledger=_lines(bound["ledger"]) or (), problem="")
    if not before.same_as(_look(desk, request.scope)):
        raise InvalidInput("positions have changed since they were shown; ask again without token")


def _look(desk: ControlDesk, scope: str) -> Shown:
    universe = desk.universe()
    positions = desk.ledger.open_positions()
    names = {each.contract: str(each.id) for each in universe.instruments}
    names |= {each.contract: str(each.instrument) for each in positions}
    _require_scope(scope, set(names.values()))
    ledger = _sorted(_ledger_line(each) for each in positions if scope in (ALL, each.instrument))
    try:
        held = desk.venue_positions()
    except TradingError as error:
        return Shown(venue=None, ledger=ledger, problem=str(error))
    named = [(names.get(each.contract, each.contract), each) for each in held]
    venue = _sorted(_venue_line(name, each) for name, each in named if scope in (ALL, name))
    return Shown(venue=venue, ledger=ledger, problem="")


def _require_scope(scope: str, known: set[str]) -> None:
    if scope != ALL and scope not in known:
        raise InvalidInput(f"scope is {scope!r}; expected ALL or one of {', '.join(sorted(known)) or 'no coin at all'}")


def _ledger_line(position: Position) -> tuple[str, ...]:
    return (position.instrument, position.contract, position.side.value, str(position.quantity.normalize()))


def _venue_line(name: str, position: VenuePosition) -> tuple[str, ...]:
    return (name, position.contract, position.side.value, str(position.quantity.normalize()))


def _sorted(lines: Any) -> Lines:
    return tuple(sorted(lines))


def _lines(stored: list[list[str]] | None) -> Lines | None:
    return None if stored is None else tuple(tuple(line) for line in stored)


def _line(line: tuple[str, ...]) -> dict[str, str]:
    return dict(zip(("instrument", "contract", "side", "quantity"), line, strict=True))
