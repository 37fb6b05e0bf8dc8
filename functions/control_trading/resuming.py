"""The way back to trading: one step from K1, two steps from above it, and from K4 only as far as K1."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from functions.control_trading.control import ATTEMPTS, change_level, shown_switch
from functions.control_trading.desk import ControlDesk
from functions.control_trading.flatness import records_left
from functions.control_trading.payloads import ALL, ResumeRequest
from functions.control_trading.tokens import Step, offer, spend
from trading.errors import InvalidInput, StoreConflict
from trading.model.control import Control, KillLevel
from trading.risk.guards import resumed

LOST = "peaks, halt, losses in a row and reached limits"


def resume(desk: ControlDesk, request: ResumeRequest) -> dict[str, Any]:
    """K0, or K1 after a lock. Refused while a flatten is under way: new entries would be closed again at once.

    The risk day is written before the switch: a guard that this resume ends must not see the lowered switch first.
    """
    _require_rules(desk)
    current = desk.control.control(desk.now)
    left = records_left(desk, current) if current.level >= KillLevel.FLATTEN else ()
    if request.token is None and current.level > KillLevel.NO_ENTRIES:
        return _preview(desk, request, current, left)
    if request.token is not None:
        spend(desk, _step(request), request.token, lambda shown: _moved(shown, current) or _more_left(shown, left))

    target = _target(current)

    def lowered(now: Control) -> KillLevel:
        if now.level > KillLevel.NO_ENTRIES and now.version != current.version:
            raise InvalidInput(f"level went to K{now.level} meanwhile: {now.reason}; ask again")
        return target

    if target is KillLevel.NO_ENTRIES:
        return {"ok": True, **shown_switch(change_level(desk, request, lowered, request.reason)), "next": _ONCE_MORE}
    lowered(desk.control.control(desk.now))
    halted, measured_anew = _resume_day(desk)
    try:
        stored = change_level(desk, request, lowered, request.reason)
    except (InvalidInput, StoreConflict):
        if not measured_anew:
            raise
        return {"ok": False, "error": _OVERTAKEN, "measured_anew": measured_anew}
    return {"ok": True, **shown_switch(stored), "daily_loss_halt": halted, "measured_anew": measured_anew}


_OVERTAKEN = "somebody else changed the switch meanwhile and it stays as it is, but the guards are measured anew"
_ONCE_MORE = "the lock is off and entries are still stopped: resume once more when the account has been looked at"


def _preview(desk: ControlDesk, request: ResumeRequest, current: Control, left: tuple[str, ...]) -> dict[str, Any]:
    """What stopped trading, and a token that is good for ending exactly that."""
    to, shown = _target(current), {"records_left": list(left)} if left else {}
    return {
        "ok": True,
        "would_resume": {**shown_switch(current), "to_level": int(to)},
        **shown,
        **offer(desk, _step(request), {"version": current.version, **shown}),
        "next": f"send the same request again with this token to lower the level to K{to.value}",
    }


def _target(current: Control) -> KillLevel:
    """Taken from what was read first: a write of ours that is repeated must not lead one level further."""
    return KillLevel.NO_ENTRIES if current.level is KillLevel.LOCK else KillLevel.NORMAL


def _step(request: ResumeRequest) -> Step:
    return Step(action=request.action, scope=ALL, operator=request.operator)


def _moved(shown: dict[str, Any], current: Control) -> str:
    if shown.get("version") == current.version:
        return ""
    return f"the switch was changed since it was shown (K{current.level} by {current.changed_by}: {current.reason})"


def _more_left(shown: dict[str, Any], left: tuple[str, ...]) -> str:
    more = [each for each in left if each not in shown.get("records_left", [])]
    return f"more is left than was shown: {'; '.join(more)}" if more else ""


def _require_rules(desk: ControlDesk) -> None:
    """Entries under other limits than those that were deployed are not what anybody asked for."""
    if desk.rules_problem:
        raise InvalidInput(f"the rules of this deployment cannot be read, so nothing is resumed: {desk.rules_problem}")


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
