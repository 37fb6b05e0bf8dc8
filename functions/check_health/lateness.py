"""Which scheduled function has not proven a run when it should have."""

from __future__ import annotations

from datetime import datetime, timedelta

from functions.check_health.facts import Stored
from shared.storage.control import HEALTH_FUNCTION

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
PERIODS = {
    "discover_markets": 4 * HOUR,
    "ingest_candles": MINUTE,
    "score_setups": MINUTE,
    "execute_signals": MINUTE,
    "manage_exits": MINUTE,
    "reconcile_positions": MINUTE,
    "maintain_records": HOUR,
}
"""Every schedule but our own, whose silence is the heartbeat's alarm. The other functions run on demand."""

PERIODS_ALLOWED = 2
ACCOUNTING = "reconcile_positions"


def late(function: str, stored: Stored, now: datetime) -> str | None:
    """Why this function counts as late, None when it does not.

    Older than two periods is not enough. The local stack compresses quiet time: every function then runs once per
    step of 15 minutes, and this one may run before the others of the same step. So a function must also have missed
    its turn since our own last run, which is a stored fact too. On AWS, where we run every minute, that adds nothing.
    """
    own, run, period = stored.runs.get(HEALTH_FUNCTION), stored.runs.get(function), PERIODS[function]
    if own is None:
        return None
    if run is None:
        return f"{function} has never run"
    if now - run.at <= PERIODS_ALLOWED * period or own.at - run.at < period:
        return None
    return f"{function} last ran {said(now - run.at)} ago; expected every {said(period)}"


def equity(stored: Stored, now: datetime) -> str | None:
    """As the newest reconcile run read it; None when it did not come to know it, or is late."""
    return None if late(ACCOUNTING, stored, now) else _reported(stored, "equity")


def day_loss(stored: Stored, now: datetime) -> str | None:
    """As `equity`; a figure of yesterday says nothing of today's loss, whose limit is a day's."""
    run = stored.runs.get(ACCOUNTING)
    if run is None or run.at.date() != now.date() or late(ACCOUNTING, stored, now):
        return None
    return _reported(stored, "day_loss_pct")


def _reported(stored: Stored, name: str) -> str | None:
    run = stored.runs.get(ACCOUNTING)
    value = run.proof.get(name) if run else None
    return None if value in (None, "") else str(value)


def said(span: timedelta) -> str:
    minutes = span.total_seconds() / 60
    return f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.1f} h"
