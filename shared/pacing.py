"""When the next call may go out. Kraken's words allow two readings of its public limit, so there are two pacers.

Both take a clock in seconds that never goes back, and a way to wait; one pacer is shared by all threads of a run. A
turn is booked under the lock and waited for outside of it, so that threads wait beside each other.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from threading import Lock, local
from typing import Protocol

from shared.clock import Wait
from trading.errors import InvalidInput

MARGIN = 0.03
"""Added to the spacing, so that jitter brings no two calls of one pace into the same second. Measured over loopback,
8 threads and 400 calls: a gap between two arrivals fell short of its spacing by at most 0.5 ms in 99 of 100 cases (3.2
ms at worst), and by 4.3 ms (7.7 ms at worst) with four busy processes on the two cores. That leaves 20 of the 30 ms a
second to the network's own jitter, which could not be measured here; a refusal all the same costs one slower call."""
LATE_S = 0.01
"""How late a reserved time is still used: what a thread needs to get going. The margin covers it."""
SLOWEST_S = 8.0
SLOWEST_SLOTS = 8

Seconds = Callable[[], float]


class Pacer(Protocol):
    """Shared by the threads of a run; `slow_down` is called by the thread whose call was refused."""

    def take_turn(self, pair: str) -> bool:
        """Wait for the next turn; False when none comes before the deadline."""
        ...

    def slow_down(self) -> None:
        """The venue said it is too fast: everybody takes longer turns from now on."""
        ...


def spacing_s(calls_per_second: float) -> float:
    """Seconds from one call to the next, margin included. Raises InvalidInput unless the rate is above 0."""
    if not calls_per_second > 0:
        raise InvalidInput(f"calls per second is {calls_per_second}; expected more than 0")
    return (1 + MARGIN) / calls_per_second


def starts(slots: Sequence[datetime], at: datetime, now: Seconds) -> list[float]:
    """Reserved UTC times on the clock `now`, which reads its present value at the UTC time `at`."""
    present = now()
    return [present + (slot - at).total_seconds() for slot in slots]


class _Complaints:
    """Counts how often the venue complained. Calls that were under way together are refused together: that is one.

    Guarded by its pacer's lock.
    """

    def __init__(self) -> None:
        self.number = 0
        self._turn = local()

    def note_turn(self) -> int:
        self._turn.number = self.number
        return self.number

    def is_new(self) -> bool:
        """False when this thread's call began before the latest complaint: it says nothing about the pace since."""
        new = bool(getattr(self._turn, "number", self.number) == self.number)
        self.number += new
        self._turn.number = self.number
        return new


class _Paced(ABC):
    """Books turns one thread at a time and lets the threads wait for theirs."""

    def __init__(self, now: Seconds, wait: Wait) -> None:
        self._now = now
        self._wait = wait
        self._lock = Lock()
        self._complaints = _Complaints()

    def take_turn(self, pair: str) -> bool:
        """Wait for the next turn; False when none comes before the deadline."""
        while True:
            with self._lock:
                start = self._book(pair)
                if start is None:
                    return False
                complaints = self._complaints.note_turn()
                left = start - self._now()
            if left <= 0:
                return True
            # One wait, never a loop until the clock shows `start`: a virtual clock stands still.
            self._wait(left)
            with self._lock:
                if complaints == self._complaints.number:
                    return True
            # The venue complained meanwhile: this turn was booked at the old pace, and others with it.

    def slow_down(self) -> None:
        """The venue said it is too fast. Refusals of calls that were under way at the same time count once."""
        with self._lock:
            if self._complaints.is_new():
                self._slower()

    @abstractmethod
    def _book(self, pair: str, /) -> float | None:
        """Start of the turn that now belongs to the caller."""

    @abstractmethod
    def _slower(self) -> None: ...


class PairPacer(_Paced):
    """One budget per pair: each pair at most one call per spacing, and no pair waits for another.

    After the first complaint this object keeps to the stricter reading, one pace for all pairs together, for the rest
    of its life; every further complaint doubles the pace's spacing, up to 8 s. No turn begins after `deadline`.
    """

    def __init__(self, spacing_s: float, now: Seconds, wait: Wait, *, deadline: float = math.inf) -> None:
        super().__init__(now, wait)
        self._spacing = spacing_s
        self._deadline = deadline
        self._pace = 0.0
        self._free = -math.inf
        self._free_by_pair: dict[str, float] = {}

    def _book(self, pair: str, /) -> float | None:
        start = max(self._now(), self._free, self._free_by_pair.get(pair, -math.inf))
        if start > self._deadline:
            return None
        if self._pace:
            self._free = start + self._pace
        self._free_by_pair[pair] = start + self._spacing
        return start

    def _slower(self) -> None:
        self._pace = min(self._pace * 2, max(SLOWEST_S, self._spacing)) if self._pace else self._spacing
        self._free = self._now() + self._pace


class SharedPacer(_Paced):
    """One budget for all pairs: turns are handed out at the reserved times `slots` (ascending), in the order asked.

    A time that has passed is never made up for: calls that were held up must not go out in a burst. After a complaint
    only every second slot is used, then every fourth, then every eighth.
    """

    def __init__(self, slots: Iterable[float], now: Seconds, wait: Wait) -> None:
        super().__init__(now, wait)
        self._slots: Iterator[tuple[int, float]] = enumerate(slots)
        self._every = 1
        self._earliest = 0
        self._used = 0

    @property
    def used(self) -> int:
        """Slots up to the last one handed out: the slot at this index is the first that can be given back."""
        return self._used

    def close(self) -> int:
        """Hand out no more turns, and say which slot is the first unused. A thread that the run no longer waits for
        would else take one that was given back meanwhile."""
        with self._lock:
            self._slots = iter(())
            return self._used

    def _book(self, _: str, /) -> float | None:
        oldest = self._now() - LATE_S
        for index, slot in self._slots:
            if index >= self._earliest and slot >= oldest:
                self._used, self._earliest = index + 1, index + self._every
                return slot
        return None

    def _slower(self) -> None:
        self._every = min(self._every * 2, SLOWEST_SLOTS)
        self._earliest = self._used - 1 + self._every
