"""Pause, resume and status: what is written is one record, and who wrote it when and why."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from functions.control_trading.desk import ControlDesk, Operated
from functions.control_trading.payloads import PauseRequest
from shared.storage.codec import object_from_json
from trading.errors import StoreConflict
from trading.model.alerts import Alert, AlertKind, Severity
from trading.model.control import Control, KillLevel, RiskDay
from trading.model.times import to_text
from trading.risk.day import lost_share
from trading.risk.guards import drawdown, week_loss

ATTEMPTS = 3
HEALTH_AGE = timedelta(minutes=5)
SEVERITIES = {
    KillLevel.NORMAL: Severity.INFO,
    KillLevel.NO_ENTRIES: Severity.WARNING,
    KillLevel.CANCEL_ENTRIES: Severity.WARNING,
}


def pause(desk: ControlDesk, request: PauseRequest) -> dict[str, Any]:
    """K1 or K2 as asked, or the higher level that is in force. Also makes a missing record explicit.

    At K2 the entries that rest are taken off at once; what does not succeed now is done by the next runs of execution.
    """
    wanted = KillLevel(request.level)
    stored = change_level(desk, request, lambda now: max(now.level, wanted), request.reason)
    answer = {"ok": True, **shown_switch(stored)}
    return answer | desk.cancel_entries() if wanted is KillLevel.CANCEL_ENTRIES else answer


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
            changed_by=desk.signature(request),
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


def shown_switch(control: Control) -> dict[str, Any]:
    return {
        "kill_level": int(control.level),
        "reason": control.reason,
        "changed_by": control.changed_by,
        "changed_at": to_text(control.changed_at),
    }
