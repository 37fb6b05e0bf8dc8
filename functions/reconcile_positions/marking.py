"""The account's equity into the risk day, and the kill level that the guards then ask for."""

from __future__ import annotations

from datetime import timedelta

from functions.reconcile_positions.report import ReconcileReport
from functions.reconcile_positions.telling import tell_day, tell_raised
from shared.trading_desk import TradingDesk
from trading.errors import StoreConflict
from trading.model.control import Control, KillLevel, RiskDay
from trading.model.units import Money
from trading.risk.day import implausible, mark_equity
from trading.risk.guards import automatic_level, latched

ATTEMPTS = 3
RAISED_BY = "guards"
REASON_CHARACTERS = 300
TOLD_AGAIN_FOR = timedelta(minutes=2)
"""Longer than the lease of an alert that is being told: one that was lost with its run is told by a later one. Shorter
than the window, so that it is told once when nothing is lost."""


def mark_account(desk: TradingDesk) -> RiskDay:
    """Read the equity, once more when it is not plausible, and save the risk day it makes. A day that cannot be read
    is returned as it is: overwritten, it would be a day without its halt."""
    equity, before = desk.venue.account().equity, desk.control.risk_day()
    if before is not None and implausible(before, equity, desk.rules.risk):
        equity = desk.venue.account().equity
    day = _marked(desk, before, equity)
    if not day.unreadable:
        tell_day(desk, day)
    return day


def _marked(desk: TradingDesk, before: RiskDay | None, equity: Money) -> RiskDay:
    """Of two runs that change the day at once the later one looks again: neither a peak nor a count is lost."""
    for _ in range(ATTEMPTS):
        day = latched(mark_equity(before, equity, desk.now, desk.rules.risk), desk.rules.risk)
        if day == before:
            return day
        try:
            return desk.control.save_risk_day(day)
        except StoreConflict:
            before = desk.control.risk_day()
    raise StoreConflict(f"the risk day changed {ATTEMPTS} times meanwhile; the equity {equity} is not marked")


def raise_level(desk: TradingDesk, day: RiskDay | None) -> None:
    """Raise the switch to what the guards ask for; a level that is higher stays.

    The switch is read before the day, because a resume writes the day before the switch: a guard that a person has
    just ended is either seen as ended or loses the write (StoreConflict), and the next run looks again.
    """
    if day is None or automatic_level(day, desk.rules.risk) is None:
        return
    control, day = desk.control.control(desk.now), desk.control.risk_day()
    asked = automatic_level(day, desk.rules.risk) if day is not None else None
    if asked is None:
        return
    level, reason = asked
    if control.level < level:
        control = _raised(desk, control, level, reason)
    if control.changed_by == RAISED_BY and desk.now - control.changed_at <= TOLD_AGAIN_FOR:
        tell_raised(desk, control)


def raise_for_contradictions(desk: TradingDesk, report: ReconcileReport) -> None:
    """Something that must not be possible was found: no entries until a person has looked. Protection goes on."""
    if not report.contradictions:
        return
    control = desk.control.control(desk.now)
    if control.level < KillLevel.NO_ENTRIES:
        reason = f"contradiction found by reconcile: {report.contradictions[0]}"[:REASON_CHARACTERS]
        tell_raised(desk, _raised(desk, control, KillLevel.NO_ENTRIES, reason))


def _raised(desk: TradingDesk, control: Control, level: KillLevel, reason: str) -> Control:
    raised = Control(level=level, reason=reason, changed_by=RAISED_BY, changed_at=desk.now, version=control.version)
    return desk.control.set_control(raised)
