"""The dealing range of each scale: where the price is between the origin of the last break and the extreme since.

After a break upwards it reaches from the low of the leg that made the break, the lowest bar after the broken swing,
to the highest price since that bar. A CHoCH (or a first break) starts a new range, a BOS moves its origin.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from trading.smc.events import BOS, DEALING_RANGE, EXPIRED, REANCHORED, EventKey, RawEvent
from trading.smc.peaks import Peaks
from trading.smc.watch import NEVER, NO_EXPIRY

PREMIUM: Final = "premium"
DISCOUNT: Final = "discount"
EQUILIBRIUM: Final = "equilibrium"


@dataclass(frozen=True, slots=True, kw_only=True)
class DealingRangeView:
    """The range of one scale at the close of the last bar; `side` is that of the break it stands on.

    `position` is 0 at the low and 1 at the high, and beyond them when the close is; `place` says which half, or that
    it is in the middle band.
    """

    key: EventKey
    side: int
    scale: int
    origin_bar: int
    low: float
    high: float
    position: float
    place: str


class DealingRange:
    """One range; `origin` is the fixed price, `running` the other end (signed) as of the bars before `seen`."""

    __slots__ = ("due", "key", "origin", "origin_bar", "running", "seen", "side")

    def __init__(self, key: EventKey) -> None:
        self.key = key
        self.side = key[1]
        self.origin_bar = key[4]
        self.origin = 0.0
        self.running = NEVER
        self.seen = 0
        self.due = 0

    def anchor(self, origin_bar: int, origin: float, due: int) -> None:
        """Start from another bar."""
        self.origin_bar = origin_bar
        self.origin = origin
        self.running = NEVER
        self.seen = origin_bar
        self.due = due


class DealingRanges:
    """The ranges of all scales; `up` and `down` are the peaks of the bars."""

    __slots__ = ("down", "expires_at", "maximum_age", "ranges", "up")

    def __init__(self, maximum_age: int, up: Peaks, down: Peaks) -> None:
        self.maximum_age = maximum_age
        self.up = up
        self.down = down
        self.ranges: dict[int, DealingRange] = {}
        self.expires_at = NO_EXPIRY

    def extent(self, given: DealingRange, end: int) -> tuple[float, float]:
        """(low, high) of a range before bar `end`."""
        peaks = self.up if given.side > 0 else self.down
        if given.seen < end:
            # Only the bars since the last question: asking at every bar stays O(1).
            given.running = max(given.running, max(peaks.values[given.seen - peaks.first : end - peaks.first]))
            given.seen = end
        return (given.origin, given.running) if given.side > 0 else (-given.running, given.origin)

    def expire(self, bar: int, events: list[RawEvent]) -> None:
        """End the ranges whose last break is too old."""
        if bar < self.expires_at:
            return
        for scale, given in list(self.ranges.items()):
            if given.due <= bar:
                low, high = self.extent(given, bar + 1)
                key = (DEALING_RANGE + EXPIRED, given.side, scale, bar, given.origin_bar)
                events.append((*key, high, low, (given.key,), 0))
                del self.ranges[scale]
        self._wake()

    def broke(self, event: RawEvent, events: list[RawEvent]) -> None:
        """A BOS or CHoCH at the bar being read."""
        kind, side, scale, bar, swing_bar, _, _, _, _ = event
        origin_bar, value = (self.down if side > 0 else self.up).after(swing_bar, bar + 1)
        due = bar + self.maximum_age
        known = self.ranges.get(scale)
        if kind == BOS and known is not None and known.side == side:
            known.anchor(origin_bar, -value * side, due)
            low, high = self.extent(known, bar + 1)
            causes: tuple[EventKey, ...] = (known.key, event[:5])
            events.append((DEALING_RANGE + REANCHORED, side, scale, bar, origin_bar, high, low, causes, 0))
        else:
            key: EventKey = (DEALING_RANGE, side, scale, bar, origin_bar)
            started = self.ranges[scale] = DealingRange(key)
            started.anchor(origin_bar, -value * side, due)
            low, high = self.extent(started, bar + 1)
            events.append((*key, high, low, (event[:5],), 0))
        self._wake()

    def oldest(self, bar: int) -> int:
        """The first bar a range still asks about, if that is before `bar`."""
        return min(bar, *[given.seen for given in self.ranges.values()]) if self.ranges else bar

    def views(self, bar: int, close: float, band: tuple[float, float]) -> tuple[DealingRangeView, ...]:
        """The range of every scale that has one at the close of `bar`, smallest scale first.

        `band`: the middle, both ends included.
        """
        extents = [(self.ranges[scale], self.extent(self.ranges[scale], bar + 1)) for scale in sorted(self.ranges)]
        return tuple(self._view(given, extent, close, band) for given, extent in extents)

    def _view(
        self, given: DealingRange, extent: tuple[float, float], close: float, band: tuple[float, float]
    ) -> DealingRangeView:
        low, high = extent
        position = (close - low) / (high - low)
        place = PREMIUM if position > 0.5 else DISCOUNT
        if band[0] <= position <= band[1]:
            place = EQUILIBRIUM
        return DealingRangeView(
            key=given.key,
            side=given.side,
            scale=given.key[2],
            origin_bar=given.origin_bar,
            low=low,
            high=high,
            position=position,
            place=place,
        )

    def _wake(self) -> None:
        self.expires_at = min([given.due for given in self.ranges.values()], default=NO_EXPIRY)
