"""The one place that reads the time. The local stack installs its virtual clock here; nothing else does."""

from __future__ import annotations

from datetime import UTC, datetime

from trading.ports import Clock


class SystemClock:
    """The machine's clock, in UTC."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class _Installed:
    clock: Clock = SystemClock()


def current_clock() -> Clock:
    return _Installed.clock


def install_clock(clock: Clock) -> None:
    """Make every handler in this process read this clock."""
    _Installed.clock = clock
