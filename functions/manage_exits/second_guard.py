"""The second guard of every minute: `reconcile_positions` may have died on the way to a stop."""

from __future__ import annotations

from functions.manage_exits.inputs import READING_LASTS
from shared.failures import FAILURES
from shared.guard.positions import guard_positions
from shared.guard.report import GuardReport
from shared.trading_desk import TradingDesk
from trading.reconciliation.compare import uncovered


def look_for_uncovered(desk: TradingDesk, failures: list[str]) -> GuardReport | None:
    """Run the guard if anything stands at the venue without a full stop, whoever opened it; None when all is covered.

    Two requests while all is covered. After the exits, which must not wait for it; not at all where they have taken so
    long that the proof of the run would be lost with it.
    """
    if not desk.rules.reconciliation.repair_missing_stop:
        return None
    report = GuardReport()
    if desk.clock.now() - desk.now > READING_LASTS:
        failures.append("second guard: left out, the exits took too long")
        return None
    try:
        if not uncovered(desk.venue.positions(), desk.venue.open_orders()):
            return None
        guard_positions(desk, report)
    except FAILURES as error:
        report.failures.append(f"second guard: {error}")
    failures += report.failures
    return report
