"""The one place that reads the time and waits for it. Only the local stack installs another clock, its virtual one."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

from trading.ports import Clock

Wait = Callable[[float], None]
"""Returns once so many seconds of the installed clock's time may be taken as passed."""


class SystemClock:
    """The machine's clock, in UTC."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class _Installed:
    clock: Clock = SystemClock()
    wait: Wait = time.sleep


def current_clock() -> Clock:
    return _Installed.clock


def current_wait() -> Wait:
    """How to let the installed clock's time pass: with the machine's clock by sleeping."""
    return _Installed.wait


def install_clock(clock: Clock, wait: Wait = time.sleep) -> None:
    """Make every handler in this process read this clock, and wait in its time."""
    _Installed.clock, _Installed.wait = clock, wait
