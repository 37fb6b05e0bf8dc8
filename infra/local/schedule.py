"""When a rate schedule is due on the virtual clock, and how far the clock may go in one step."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

LIVE_STEP = timedelta(minutes=1)
FLAT_STEP = timedelta(minutes=15)


def slot(moment: datetime, period: timedelta) -> datetime:
    """The newest multiple of `period` since 1970 that is not after `moment`."""
    seconds = int(moment.timestamp())
    return datetime.fromtimestamp(seconds - seconds % int(period.total_seconds()), UTC)


def due(period: timedelta, last: datetime | None, now: datetime) -> bool:
    """Whether a slot of this period lies after `last` (the slot fired last) up to `now`; always at first."""
    return last is None or slot(now, period) > last


def next_step(now: datetime, live: bool) -> datetime:
    """The end of the next step: the next minute while something is live, else the next 15m close."""
    length = LIVE_STEP if live else FLAT_STEP
    return slot(now, length) + length


def minutes_between(start: datetime, end: datetime) -> int:
    """How many whole-minute slots lie in (start, end]."""
    return int((slot(end, LIVE_STEP) - slot(start, LIVE_STEP)) / LIVE_STEP)
