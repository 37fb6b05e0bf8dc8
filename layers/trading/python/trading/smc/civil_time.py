"""New York civil time from seconds since 1970, computed: rules of the United States since 2007, no time zone files."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import date
from typing import Final

DAY_SECONDS: Final = 86_400
HOUR_SECONDS: Final = 3_600
STANDARD_SECONDS: Final = -5 * HOUR_SECONDS
SUMMER_SECONDS: Final = -4 * HOUR_SECONDS
SUNDAY: Final = 7
_FIRST_DAY: Final = date(1970, 1, 1).toordinal()

# What is open now: the number of the window and the civil day it belongs to.
Opening = tuple[int, int]


def new_york_offset(time: int) -> tuple[int, int]:
    """Seconds that New York is ahead of UTC at `time`, and until when that holds.

    Summer time runs from the second Sunday of March to the first of November, 2 o'clock civil time each.
    """
    year = date.fromordinal(_FIRST_DAY + time // DAY_SECONDS).year
    starts = _sunday(year, 3, 8) + 2 * HOUR_SECONDS - STANDARD_SECONDS
    if time < starts:
        return STANDARD_SECONDS, starts
    ends = _sunday(year, 11, 1) + 2 * HOUR_SECONDS - SUMMER_SECONDS
    if time < ends:
        return SUMMER_SECONDS, ends
    return STANDARD_SECONDS, _sunday(year + 1, 3, 8) + 2 * HOUR_SECONDS - STANDARD_SECONDS


def _sunday(year: int, month: int, first: int) -> int:
    """The midnight, as if in UTC, of the first Sunday on or after a day of a month."""
    day = date(year, month, first)
    return (day.toordinal() - _FIRST_DAY + SUNDAY - day.isoweekday()) * DAY_SECONDS


class WindowClock:
    """Which windows of New York time are open at the open of a bar; times rise from call to call.

    The civil day is cut where a window starts or ends; `parts` are the windows open in each piece.
    """

    __slots__ = ("changes_at", "cuts", "offset", "offset_until", "openings", "parts")

    def __init__(self, windows: Sequence[tuple[int, tuple[int, int]]]) -> None:
        """`windows`: numbers, and start and end in minutes of the civil day, the end not included."""
        edges = {minute * 60 for _, window in windows for minute in window}
        self.cuts = sorted(edges | {0, DAY_SECONDS})
        self.parts = [
            [code for code, (start, end) in windows if start * 60 <= second < end * 60] for second in self.cuts
        ]
        self.offset = 0
        self.offset_until = -(2**62)
        self.changes_at = -(2**62)
        self.openings: list[Opening] = []

    def read(self, time: int) -> list[Opening]:
        """The windows open at `time`; the answer holds for every bar before `changes_at`."""
        if time < self.changes_at:
            return self.openings
        if time >= self.offset_until:
            self.offset, self.offset_until = new_york_offset(time)
        day, second = divmod(time + self.offset, DAY_SECONDS)
        piece = bisect_right(self.cuts, second)
        changes = time + self.cuts[piece] - second
        self.changes_at = changes if changes < self.offset_until else self.offset_until
        self.openings = [(code, day) for code in self.parts[piece - 1]]
        return self.openings
