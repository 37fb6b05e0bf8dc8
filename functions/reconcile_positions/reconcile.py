"""The guard over every position, then the account: its equity, its limits, and once a day its books."""

from __future__ import annotations

from functions.reconcile_positions.marking import mark_account, raise_for_contradictions, raise_level
from functions.reconcile_positions.proving import prove_yesterday
from functions.reconcile_positions.report import ReconcileReport
from functions.reconcile_positions.telling import tell_unreadable_day
from shared.failures import FAILURES
from shared.guard.positions import guard_positions
from shared.trading_desk import TradingDesk
from trading.model.control import RiskDay
from trading.reconciliation.policy import POLICIES, Policies


def reconcile_positions(desk: TradingDesk, policies: Policies = POLICIES) -> ReconcileReport:
    """One run. A failing position never keeps the others from being protected, and a venue that shows neither positions
    nor orders does not keep the account from being looked at: its peaks and halts are remembered all the same."""
    report = ReconcileReport()
    try:
        guard_positions(desk, report, policies)
    except FAILURES:
        _read_account(desk, report)
        raise
    report.failures += desk.orders.refused_protection
    _read_account(desk, report)
    prove_yesterday(desk, report)
    return report


def _read_account(desk: TradingDesk, report: ReconcileReport) -> None:
    """After the protective work, which must not wait for it. What is known raises the level even if nothing answers."""
    day: RiskDay | None = None
    try:
        day = mark_account(desk)
        if not day.unreadable:
            report.saw_account(day)
    except FAILURES as error:
        report.failures.append(f"account: {error}")
    try:
        raise_for_contradictions(desk, report)
        known = day or desk.control.risk_day()
        tell_unreadable_day(desk, known)
        raise_level(desk, known)
    except FAILURES as error:
        report.failures.append(f"kill level: {error}")
