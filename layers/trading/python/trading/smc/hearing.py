"""What the concepts make of the detector's events: swings, breaks, order blocks and their ends, gaps filled."""

from __future__ import annotations

from typing import Any, Final, cast, final

from trading.smc.concept_parts import ConceptParts
from trading.smc.events import BOS, CHOCH, ORDER_BLOCK, SWING, RawEvent
from trading.smc.watch import NO_EXPIRY
from trading.smc.zones import BLOCK_EXPIRED, BLOCK_VIOLATED, GAP_FILLED

BREAKS: Final = (BOS, CHOCH)
HEARD: Final = frozenset({SWING, BOS, CHOCH, ORDER_BLOCK, BLOCK_VIOLATED, BLOCK_EXPIRED})
HEARD_WITH_GAPS: Final = HEARD | {GAP_FILLED}
# Stands behind the last event that is heard.
END: Final[RawEvent] = ("", 0, 0, NO_EXPIRY, NO_EXPIRY, 0.0, 0.0, (), 0)
# Bars nothing can ask about any more are forgotten every so many bars.
SLACK_BARS: Final = 512


@final
class Hearing:
    """Hands each event to the concepts it concerns.

    `heard` are the events still to come, the next one last. `waits`: something heard waits for its whole bar. At bar
    `tidies_at` there is something to end or to forget.
    """

    __slots__ = (
        "_blocks",
        "_breakers",
        "_breaks",
        "_dealing_ranges",
        "_forgets_at",
        "_highs",
        "_inducements",
        "_inversions",
        "_legs",
        "_lows",
        "_ote",
        "_parts",
        "_periods",
        "_swing_pools",
        "heard",
        "tidies_at",
        "waits",
    )

    def __init__(self, parts: ConceptParts) -> None:
        self._parts = parts
        self._swing_pools = parts.pools if parts.given.pools else None
        self._periods = parts.periods
        self._breakers, self._inversions = parts.breakers, parts.inversions
        self._inducements, self._ote, self._dealing_ranges = parts.inducements, parts.ote, parts.ranges
        # The last accepted swings by scale, and the living order blocks by side and bar.
        self._highs: dict[int, RawEvent] = {}
        self._lows: dict[int, RawEvent] = {}
        self._blocks: dict[tuple[int, int], int] = {}
        # The legs that swings of the bar being read end, and its breaks: `waits` if there are any.
        self._legs: list[tuple[RawEvent, RawEvent]] = []
        self._breaks: list[RawEvent] = []
        self.waits = False
        self._forgets_at = self.tidies_at = SLACK_BARS
        self.heard: list[RawEvent] = [END]

    def choose(self, told: list[RawEvent], first: int, closes: list[float]) -> list[RawEvent]:
        """Choose what to hear of the events of the bars from `first` on, which closed at `closes`."""
        hears = HEARD if self._inversions is None else HEARD_WITH_GAPS
        # Named as any tuples: compiled, each would be taken apart as a whole.
        rows = cast("list[tuple[Any, ...]]", told)
        # Of gaps only their inversion matters: a filling bar that closed beyond the far edge.
        heard = [
            row
            for row in rows
            if row[0] in hears
            and (
                row[0] != GAP_FILLED
                or (closes[row[3] - first] < row[6] if row[1] > 0 else closes[row[3] - first] > row[5])
            )
        ]
        heard.append(END)
        heard.reverse()
        self.heard = cast("list[RawEvent]", heard)
        return self.heard

    def listen(self, bar: int, close: float, pivots: list[RawEvent], lives: list[RawEvent]) -> None:
        """Hear what the detector told: gaps it filled, swings, breaks, which wait for the whole bar, order blocks."""
        heard = self.heard
        while heard[-1][3] == bar:
            event = heard.pop()
            kind = event[0]
            if kind == GAP_FILLED:
                if self._inversions is not None:
                    self._inversions.flip(event, lives)
            elif kind == SWING:
                self._hear_swing(event, close, pivots)
            elif kind in BREAKS:
                self._breaks.append(event)
                self.waits = True
            elif kind == ORDER_BLOCK:
                self._blocks[event[1], event[4]] = event[4]
                if self._inducements is not None:
                    self._inducements.block(event)
            else:
                self._hear_block_over(event, lives)

    def structure(self, bar: int, events: list[RawEvent]) -> None:
        """What looks at the whole bar: the age of the ranges, breaks, and the legs that ended."""
        if bar >= self.tidies_at:
            self._tidy(bar, events)
        self.waits = False
        if self._breaks:
            self._hear_breaks(events)
        for start, end in self._legs:
            self._arm(start, end, bar, events)
        self._legs.clear()

    def _hear_block_over(self, event: RawEvent, events: list[RawEvent]) -> None:
        self._blocks.pop((event[1], event[4]), None)
        if event[0] == BLOCK_VIOLATED and self._breakers is not None:
            self._breakers.flip(event, events)
        if self._inducements is not None:
            self._inducements.block_over(event, events)

    def _hear_swing(self, swing: RawEvent, close: float, events: list[RawEvent]) -> None:
        own, other = (self._highs, self._lows) if swing[1] < 0 else (self._lows, self._highs)
        own[swing[2]] = swing
        start = other.get(swing[2])
        if start is not None and self._ote is not None:
            self._legs.append((start, swing))
            self.waits = True
        if self._swing_pools is not None:
            self._swing_pools.add_swing(swing, events)
        if self._inducements is not None:
            self._inducements.swing(swing, close, events)

    def _hear_breaks(self, events: list[RawEvent]) -> None:
        ranges = self._dealing_ranges
        for event in self._breaks:
            if ranges is not None:
                ranges.broke(event, events)
                self.tidies_at = min(self.tidies_at, ranges.expires_at)
            if event[0] == BOS and self._inducements is not None:
                self._inducements.broke(event)
        self._breaks.clear()

    def _arm(self, start: RawEvent, end: RawEvent, bar: int, events: list[RawEvent]) -> None:
        """A zone for the leg that was just confirmed, unless the price is beyond its start by now."""
        sign = -end[1]
        lowest = -(self._parts.down if sign > 0 else self._parts.up).highest_after(end[4], bar + 1)
        first = start[5] * sign
        if self._ote is not None and first < end[5] * sign and lowest >= first:
            self._ote.arm(start, end, events)

    def _tidy(self, bar: int, events: list[RawEvent]) -> None:
        """End dealing ranges that are too old, and forget the bars before every one that can still be asked about."""
        ranges = self._dealing_ranges
        if ranges is not None:
            ranges.expire(bar, events)
        if bar >= self._forgets_at:
            oldest = bar
            for swings in (self._highs, self._lows):
                for swing in swings.values():
                    oldest = min(oldest, swing[4])
            for block_bar in self._blocks.values():
                oldest = min(oldest, block_bar)
            if ranges is not None:
                oldest = ranges.oldest(oldest)
            if self._periods is not None:
                oldest = min(oldest, self._periods.begins)
            self._parts.up.forget_before(oldest)
            self._parts.down.forget_before(oldest)
            self._parts.true_ranges.trim(bar + 1)
            # Twice what is kept, so that copying the rest stays O(1) per bar.
            self._forgets_at = bar + max(bar - oldest, SLACK_BARS)
        self.tidies_at = self._forgets_at if ranges is None else min(self._forgets_at, ranges.expires_at)
