"""When the system could reach what it needs: stretches of time in which nothing was taken away from it."""

from __future__ import annotations

from bisect import bisect_right

from tests.simulation.options import MINUTE_MS
from tests.simulation.world import SimulatedWorld

AFTERMATH_MS = 30_000
"""A call that went wrong may hold its invocation, or the next one, for as long as a timeout lasts."""

LATE_MS = 125_000
"""A request that arrives late does so up to this much after it was sent."""

MISSED_SLOT_MS = 2 * MINUTE_MS
"""A slot that is skipped is made good by the next one, if the workload does not thin that out."""

NO_HINDRANCE = ("owner", "operator", "market", "message", "slot doubled", "venue outage", "store outage", "key revoked")
"""What people and halted markets do hinders no call; outages count by their windows."""


class Calm:
    """Read from the tape and the windows as they grow; times are simulated milliseconds."""

    def __init__(self, world: SimulatedWorld) -> None:
        self._world = world
        self._read = 0
        self._latest = 0
        self._ends: list[int] = []
        self._starts: list[int] = []

    def since(self, now_ms: int) -> int:
        """When the last hindrance ended; now while one lasts."""
        self._catch_up()
        latest = self._latest
        for window in self._world.faults.windows:
            if window.start_ms <= now_ms:
                latest = max(latest, min(window.end_ms, now_ms))
        return min(latest, now_ms)

    def longest(self, start_ms: int, end_ms: int) -> int:
        """The longest stretch without a hindrance between two times."""
        self._catch_up()
        spans = sorted(
            [*zip(self._starts, self._ends, strict=True)]
            + [(each.start_ms, each.end_ms) for each in self._world.faults.windows]
        )
        first = max(bisect_right(spans, (start_ms - LATE_MS - MISSED_SLOT_MS, 0)) - 1, 0)
        longest, free_from = 0, start_ms
        windows = [each for each in spans[:first] if each[1] > start_ms]
        for start, end in (*windows, *spans[first:]):
            if start >= end_ms:
                break
            longest = max(longest, start - free_from)
            free_from = max(free_from, end)
        return max(longest, end_ms - free_from)

    def _catch_up(self) -> None:
        faults = self._world.tape.faults
        for fault in faults[self._read :]:
            if fault.kind.startswith(NO_HINDRANCE):
                continue
            lasts = LATE_MS if fault.kind.endswith(" late") else AFTERMATH_MS
            lasts = MISSED_SLOT_MS if fault.kind.startswith("slot") else lasts
            self._starts.append(fault.at_ms)
            self._ends.append(fault.at_ms + lasts)
            self._latest = max(self._latest, self._ends[-1])
        self._read = len(faults)
