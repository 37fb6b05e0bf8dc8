"""One run of execution: look at the market, carry entries on, then take new signals through the risk gate."""

from __future__ import annotations

from functions.execute_signals.entries import READ_ERRORS, carry_entries_on
from functions.execute_signals.report import ExecutionReport
from functions.execute_signals.take import take_signals
from functions.execute_signals.watch import MarketLook, watch_market
from shared.trading_desk import TradingDesk

PAUSES_NAMED = 5


def execute_signals(desk: TradingDesk) -> ExecutionReport:
    """Entries under way first, because they may hold what new signals would need. A market that cannot be looked at
    takes no new entry; those under way obey the switch and their own rules all the same."""
    report = ExecutionReport()
    look = _look(desk, report)
    carry_entries_on(desk, look.watch if look else None, report, look.quotes if look else {})
    if look is not None:
        take_signals(desk, look, report)
    _note_flat_stop(desk, report)
    return report


def _note_flat_stop(desk: TradingDesk, report: ExecutionReport) -> None:
    try:
        known = desk.ledger.flat_stop()
    except READ_ERRORS as error:
        report.failures.append(f"flat stop: {error}")
        return
    if known is not None:
        report.flat_stop = known.sentence()


def _look(desk: TradingDesk, report: ExecutionReport) -> MarketLook | None:
    try:
        look = watch_market(desk, desk.now)
    except READ_ERRORS as error:
        report.failures.append(f"market watch: {error}")
        return None
    holding = [each for each in look.watch.pauses if each.until > desk.now]
    report.pauses = len(holding)
    report.paused = tuple(f"{each.contract}: {each.why}" for each in holding[:PAUSES_NAMED])
    return look
