"""Kill zones: the first bar that opens inside a window of New York time."""

from __future__ import annotations

from trading.smc.civil_time import Opening, WindowClock
from trading.smc.events import KILL_ZONE, NEUTRAL, RawEvent


class KillZones:
    """Tells each opening of a window once, at the first bar inside it; the time of day has no side.

    Nothing happens at a bar that opens before `changes_at`.
    """

    __slots__ = ("changes_at", "clock", "openings")

    def __init__(self, clock: WindowClock) -> None:
        self.clock = clock
        self.openings: list[Opening] = []
        self.changes_at = clock.changes_at

    def advance(self, bar: int, time: int, high: float, low: float, events: list[RawEvent]) -> None:
        """Read a bar that opens at or after the change, `time` in seconds since 1970."""
        openings = self.clock.read(time)
        self.changes_at = self.clock.changes_at
        for opening in openings:
            if opening not in self.openings:
                events.append((KILL_ZONE, NEUTRAL, opening[0], bar, bar, high, low, (), 0))
        self.openings = openings
