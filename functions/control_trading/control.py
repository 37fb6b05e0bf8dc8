"""Pause, resume and status: what is written is one record, and who wrote it when and why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol

from functions.control_trading.payloads import PauseRequest, ResumeRequest
from shared.alerts import Alerts
from shared.storage.codec import object_from_json
from shared.storage.control import ControlStore
from shared.storage.ledger import Ledger
from trading.errors import InvalidInput, StoreConflict, TradingError
from trading.model.alerts import Alert, AlertKind, Severity
from trading.model.control import Control, KillLevel, RiskDay
from trading.model.instruments import Universe
from trading.model.times import to_text
from trading.model.venue import VenuePosition
from trading.risk.day import lost_share
from trading.risk.guards import drawdown, resumed, week_loss
from trading.rules import Rules

ATTEMPTS = 3
LOST = "peaks, halt, losses in a row and reached limits"
HEALTH_AGE = timedelta(minutes=5)
SEVERITIES = {
    KillLevel.NORMAL: Severity.INFO,
    KillLevel.NO_ENTRIES: Severity.WARNING,
    KillLevel.CANCEL_ENTRIES: Severity.WARNING,
}


class Operated(Protocol):
    @property
    def operator(self) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlDesk:
    """One manual invocation. The three callables reach further than the Ledger and are called only when needed."""

    control: ControlStore
    ledger: Ledger
    alerts: Alerts
    rules: Rules
    now: datetime
    request_id: str
    universe: Callable[[], Universe]
    venue_positions: Callable[[], tuple[VenuePosition, ...]]
    close: Callable[[str], dict[str, Any]]


def pause(desk: ControlDesk, request: PauseRequest) -> dict[str, Any]:
    """K1, or the higher level that is in force. Also makes a missing record explicit."""
    stored = change_level(desk, request, lambda now: max(now.level, KillLevel.NO_ENTRIES), request.reason)
    return {"ok": True, **_shown(stored)}


def resume(desk: ControlDesk, request: ResumeRequest) -> dict[str, Any]:
    """K0. Refused while a flatten is under way: new entries would be closed again at once.

    The risk day is written before the switch: a guard that this resume ends must not see the lowered switch first.
    """

    def lowered(current: Control) -> KillLevel:
        if current.level >= KillLevel.FLATTEN:
            _require_flat(desk, current)
        return KillLevel.NORMAL

    lowered(desk.control.control(desk.now))
    halted, measured_anew = _resume_day(desk)
    stored = change_level(desk, request, lowered, request.reason)
    return {"ok": True, **_shown(stored), "daily_loss_halt": halted, "measured_anew": measured_anew}


def status(desk: ControlDesk) -> dict[str, Any]:
    """The newest health record with the switch and the risk day as they are now; "down" when there is no fresh one."""
    current, day, found = desk.control.control(desk.now), desk.control.risk_day(), desk.control.health()
    body: dict[str, Any] = object_from_json(found[0], "health record") if found else {}
    if found is None or desk.now - found[1] > HEALTH_AGE:
        why = f"newest health record is of {to_text(found[1])}" if found else "there is no health record yet"
        body |= {"status": "down", "reasons": [f"check_health does not run: {why}", *body.get("reasons", [])]}
    body |= {"kill_level": int(current.level), "kill_reason": current.reason, "changed_by": current.changed_by}
    if day is not None:
        body |= _shown_day(day)
    return {"ok": True, **body}


def _shown_day(day: RiskDay) -> dict[str, Any]:
    if day.unreadable:
        return {"risk_day_unreadable": day.unreadable, "halted": day.halted}
    lost = max(lost_share(day.peak_equity, day.last_equity), Decimal(0))
    return {
        "equity": str(day.last_equity),
        "equity_not_believed": None if day.implausible is None else str(day.implausible),
        "day_loss_pct": str(round(lost, 2)),
        "week_loss_pct": str(round(week_loss(day), 2)),
        "drawdown_pct": str(round(drawdown(day), 2)),
        "rejections": day.rejections,
        "halted": day.halted,
    }


def change_level(
    desk: ControlDesk,
    request: Operated,
    level: Callable[[Control], KillLevel],
    reason: str,
) -> Control:
    """Write the switch with its audit record and tell people; when somebody else was first, look again."""
    for _ in range(ATTEMPTS):
        current = desk.control.control(desk.now)
        wanted = Control(
            level=level(current),
            reason=reason,
            changed_by=f"{request.operator} (request {desk.request_id})",
            changed_at=desk.now,
            version=current.version,
        )
        try:
            stored = desk.control.set_control(wanted)
        except StoreConflict:
            continue
        _tell(desk, current, stored)
        return stored
    raise StoreConflict(f"the control record changed {ATTEMPTS} times meanwhile; nothing was changed, try again")


def _require_flat(desk: ControlDesk, current: Control) -> None:
    held = [each.instrument for each in desk.ledger.open_positions()]
    if held:
        raise InvalidInput(
            f"level is K{current.level} and {', '.join(held)} is not closed yet; expected no open position"
        )
    try:
        foreign = [each.contract for each in desk.venue_positions()]
    except TradingError as error:
        raise InvalidInput(f"level is K{current.level} and the venue does not say what is open: {error}") from None
    if foreign:
        raise InvalidInput(
            f"level is K{current.level} and the venue still holds {', '.join(foreign)}; expected nothing"
        )


def _resume_day(desk: ControlDesk) -> tuple[bool, list[str]]:
    """Whether entries are still halted, and what the guards now measure from.

    A halt of an earlier day ends with a resume; today's stays. A day that cannot be read is begun anew by the next
    marking of the account: what it knew is lost, a halt of today with it, and the person who resumes is told so.
    """
    for _ in range(ATTEMPTS):
        before = desk.control.risk_day()
        if before is None:
            return False, []
        if before.unreadable:
            try:
                desk.control.forget_unreadable_day(before, desk.now)
            except StoreConflict:
                continue
            return False, [f"the risk day could not be read and begins anew: its {LOST} are forgotten"]
        day, said = resumed(before, desk.rules.risk)
        if day.halted_on != desk.now.date():
            day = replace(day, halted_on=None)
        if day != before:
            try:
                desk.control.save_risk_day(day)
            except StoreConflict:
                continue
        return day.halted, list(said)
    raise StoreConflict(f"the risk day changed {ATTEMPTS} times meanwhile; nothing was changed, try again")


def _tell(desk: ControlDesk, before: Control, after: Control) -> None:
    desk.alerts.tell(
        Alert(
            kind=AlertKind.KILL_LEVEL,
            severity=SEVERITIES.get(after.level, Severity.CRITICAL),
            # Every change is news: none may be muted by the window of the one before it.
            subject=f"control {after.version}",
            title=f"Kill level K{before.level} -> K{after.level}",
            text=after.reason,
            at=desk.now,
            fields=(("by", after.changed_by),),
        )
    )


def _shown(control: Control) -> dict[str, Any]:
    return {
        "kill_level": int(control.level),
        "reason": control.reason,
        "changed_by": control.changed_by,
        "changed_at": to_text(control.changed_at),
    }
