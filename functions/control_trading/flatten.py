"""Closing in two steps: first what would be closed and a token, then with the token the closing itself."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from functions.control_trading.closing import order_closing
from functions.control_trading.control import change_level
from functions.control_trading.desk import ControlDesk
from functions.control_trading.payloads import ALL, ClosingRequest, LockRequest
from functions.control_trading.scopes import Scope, scope_of
from functions.control_trading.tokens import Step, offer, spend
from shared.failures import FAILURES
from trading.errors import InvalidInput, VenueUnavailable
from trading.model.alerts import Alert, AlertKind, Severity
from trading.model.control import Control, KillLevel
from trading.model.positions import Position
from trading.model.venue import VenuePosition

Lines = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What an operator is shown: lines of (name, contract, side, quantity). `venue` is None when it does not answer."""

    venue: Lines | None
    ledger: Lines
    venue_problem: str = ""
    unreadable: tuple[str, ...] = ()

    def same_as(self, other: Shown) -> bool:
        """The venue is the truth; the ledger counts only where the venue did not answer both times."""
        if self.venue is not None and other.venue is not None:
            return self.venue == other.venue
        return self.ledger == other.ledger

    def to_answer(self) -> dict[str, Any]:
        return {
            "venue_positions": None if self.venue is None else list(map(_line, self.venue)),
            "ledger_positions": list(map(_line, self.ledger)),
            **({"venue_problem": self.venue_problem} if self.venue_problem else {}),
            **({"unreadable_records": list(self.unreadable)} if self.unreadable else {}),
        }


def preview(desk: ControlDesk, request: ClosingRequest) -> dict[str, Any]:
    """What would be closed, and a token that is good for exactly that, once, for a short time."""
    shown = _look(desk, request.scope)
    level = _level_of(request)
    return {
        "ok": True,
        "would_close": shown.to_answer(),
        "scope": request.scope,
        **({"to_level": int(level)} if level else {}),
        **offer(desk, _step(request), {"venue": shown.venue, "ledger": shown.ledger}),
        "next": "send the same request again with this token to close these positions at the market",
    }


def confirm(desk: ControlDesk, request: ClosingRequest) -> dict[str, Any]:
    """Record the order to close, then close. When the venue does not answer, the order stands and is carried out
    later: by the level for everything, by its records for one instrument. Where it stands nowhere, it is refused."""
    spend(desk, _step(request), request.token or "", lambda shown: _different(desk, request.scope, shown))
    stored = _recorded(desk, request)
    unwritten = order_closing(desk.ledger, request.scope, desk.universe())
    answer = {"ok": True, "scope": request.scope, "kill_level": int(stored.level)}
    try:
        done = desk.close(request.scope)
    except FAILURES as error:
        # What could not be sent now is sent by reconcile, or when this is asked for and confirmed again.
        done = {"closing": [], "failures": [*unwritten, str(error)], "orders_sent": 0, "without_record": []}
    if done["failures"]:
        _require_order(desk, request.scope, done["failures"])
    return answer | done


def _require_order(desk: ControlDesk, scope: str, failures: list[str]) -> None:
    """Everything is ordered by the level, one coin only by a record of it: without one nobody carries it out later."""
    if scope == ALL:
        return
    shown = _look(desk, scope)
    if shown.venue and not shown.ledger:
        raise VenueUnavailable(f"{'; '.join(failures)}: {_NOTHING_RECORDED.format(scope)}")


_NOTHING_RECORDED = "nothing is recorded for {} that could be closed later; ask again"


def _step(request: ClosingRequest) -> Step:
    return Step(action=request.action, scope=request.scope, operator=request.operator)


def _level_of(request: ClosingRequest) -> KillLevel | None:
    """The level that the closing raises to; one instrument leaves it as it is."""
    if isinstance(request, LockRequest):
        return KillLevel.LOCK
    return KillLevel.FLATTEN if request.scope == ALL else None


def _recorded(desk: ControlDesk, request: ClosingRequest) -> Control:
    """The order with who, when and why. The switch is not touched for one instrument: entries of the others, which
    are planned under its version, go on."""
    level, reason = _level_of(request), f"{request.action} {request.scope}: {request.reason}"
    if level is not None:
        return change_level(desk, request, lambda current: max(current.level, level), reason)
    current = desk.control.control(desk.now)
    done = replace(current, reason=reason, changed_by=desk.signature(request), changed_at=desk.now)
    desk.control.add_audit(done, desk.request_id)
    desk.alerts.tell(
        Alert(
            kind=AlertKind.KILL_LEVEL,
            severity=Severity.WARNING,
            subject=f"flatten {request.scope} {desk.request_id}",
            title=f"{request.scope} is being closed by a person",
            text=f"{request.reason}. The kill level stays K{current.level}; the other coins go on.",
            at=desk.now,
            fields=(("by", done.changed_by),),
        )
    )
    return current


def _different(desk: ControlDesk, scope: str, bound: dict[str, Any]) -> str:
    before = Shown(venue=_lines(bound.get("venue")), ledger=_lines(bound.get("ledger")) or ())
    return "" if before.same_as(_look(desk, scope)) else "positions have changed since they were shown"


def _look(desk: ControlDesk, scope: str) -> Shown:
    positions, unreadable = desk.ledger.readable_positions()
    meant = scope_of(scope, desk.universe(), positions)
    ledger = _sorted(_ledger_line(each) for each in positions if meant.covers(each.contract))
    held, problem = _held(desk)
    _require_scope(meant, held or (), unreadable)
    if held is None and not ledger and scope != ALL:
        raise VenueUnavailable(f"{problem}: {_NOTHING_RECORDED.format(scope)}")
    venue = _sorted(_venue_line(meant, each) for each in held or () if meant.covers(each.contract))
    return Shown(venue=None if held is None else venue, ledger=ledger, venue_problem=problem, unreadable=unreadable)


def _held(desk: ControlDesk) -> tuple[tuple[VenuePosition, ...] | None, str]:
    try:
        return desk.venue_positions(), ""
    except FAILURES as error:
        return None, str(error)


def _require_scope(meant: Scope, held: tuple[VenuePosition, ...], unreadable: tuple[str, ...]) -> None:
    if meant.asked != ALL and not meant.means_something((each.contract for each in held), unreadable):
        coins = ", ".join(meant.coins(unreadable)) or "no coin at all"
        raise InvalidInput(f"scope is {meant.asked!r}; expected ALL or one of {coins}")


def _ledger_line(position: Position) -> tuple[str, ...]:
    return (position.instrument, position.contract, position.side.value, str(position.quantity.normalize()))


def _venue_line(meant: Scope, position: VenuePosition) -> tuple[str, ...]:
    name = meant.names.get(position.contract, position.contract)
    return (name, position.contract, position.side.value, str(position.quantity.normalize()))


def _sorted(lines: Any) -> Lines:
    return tuple(sorted(lines))


def _lines(stored: list[list[str]] | None) -> Lines | None:
    return None if stored is None else tuple(tuple(line) for line in stored)


def _line(line: tuple[str, ...]) -> dict[str, str]:
    return dict(zip(("instrument", "contract", "side", "quantity"), line, strict=True))
