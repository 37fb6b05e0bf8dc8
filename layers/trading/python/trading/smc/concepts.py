"""The concepts that live on top of the detector's events: one more call per bar, the same rules.

`Concepts.advance` reads the events the detector told at this bar and appends its own. Nothing else of the detector is
looked at. Within a bar events keep the order of the specification, see `stage_of`.
"""

from __future__ import annotations

from typing import Final

from trading.smc.concept_parameters import ConceptParameters
from trading.smc.concept_parts import ConceptParts
from trading.smc.concept_state import ConceptState
from trading.smc.events import BOS, CHOCH, ORDER_BLOCK, SWING, RawEvent
from trading.smc.merge import Merge
from trading.smc.stages import stage_of
from trading.smc.watch import FAR_AWAY, NEVER, NO_EXPIRY, Rest
from trading.smc.zones import BLOCK_EXPIRED, BLOCK_VIOLATED, GAP_FILLED

__all__ = ["ConceptParameters", "Concepts", "stage_of"]

BREAKS: Final = (BOS, CHOCH)
HEARD: Final = frozenset({SWING, BOS, CHOCH, ORDER_BLOCK, BLOCK_VIOLATED, BLOCK_EXPIRED})
# Stands behind the last event that is heard.
END: Final[RawEvent] = ("", 0, 0, NO_EXPIRY, NO_EXPIRY, 0.0, 0.0, (), 0)
# Bars nothing can ask about any more are forgotten every so many bars.
SLACK_BARS: Final = 512
NO_BAR: Final = -1


class Concepts:
    """Reads each closed bar after the detector did. A concept that is switched off costs nothing and tells nothing.

    `scales` are the detector's, smallest first; the smallest is the internal one. `zone_maximum_age_bars` ends every
    zone, pool, range and inducement as it ends the detector's zones.
    """

    __slots__ = (
        "_blocks",
        "_breakers",
        "_breaks",
        "_changes_at",
        "_dealing_ranges",
        "_downs",
        "_flips",
        "_forgets_at",
        "_heard",
        "_hears",
        "_high_guard",
        "_highs",
        "_inducements",
        "_inversions",
        "_kill_zones",
        "_last_close",
        "_legs",
        "_liquidity",
        "_low_guard",
        "_lows",
        "_ote",
        "_parts",
        "_periods",
        "_periods_change_at",
        "_pullbacks",
        "_ranges",
        "_retracements",
        "_swing_pools",
        "_tidies_at",
        "_ups",
        "_waits",
        "_wakes_at",
        "_wakes_time",
        "bar",
        "parameters",
    )

    def __init__(self, parameters: ConceptParameters, scales: tuple[int, ...], zone_maximum_age_bars: int) -> None:
        self.parameters = parameters
        self.bar = NO_BAR
        parts = self._parts = ConceptParts(parameters, scales[0], zone_maximum_age_bars)
        self._ups, self._downs = parts.up.values, parts.down.values
        self._ranges = parts.true_ranges.ranges
        self._last_close = 0.0
        # Everything that waits for prices; what is switched off waits for none.
        self._flips = parts.flipped
        self._retracements = parts.ote or Rest()
        self._liquidity = parts.pools or Rest()
        self._pullbacks = parts.inducements or Rest()
        self._low_guard, self._high_guard = NEVER, FAR_AWAY
        self._wakes_at, self._wakes_time = NO_EXPIRY, -NO_EXPIRY
        self._heard: list[RawEvent] = [END]
        self._hears = HEARD if parts.inversions is None else HEARD | {GAP_FILLED}
        self._swing_pools = parts.pools if parameters.pools else None
        self._periods = parts.periods
        self._periods_change_at = NO_EXPIRY if parts.periods is None else -NO_EXPIRY
        self._kill_zones = parts.kill_zones
        self._changes_at = NO_EXPIRY if parts.kill_zones is None else -NO_EXPIRY
        self._breakers, self._inversions = parts.breakers, parts.inversions
        self._inducements, self._ote, self._dealing_ranges = parts.inducements, parts.ote, parts.ranges
        # The last accepted swings by scale, and the living order blocks by side and bar.
        self._highs: dict[int, RawEvent] = {}
        self._lows: dict[int, RawEvent] = {}
        self._blocks: dict[tuple[int, int], int] = {}
        # The legs that swings of the bar being read end, and its breaks: `_waits` if there are any.
        self._legs: list[tuple[RawEvent, RawEvent]] = []
        self._breaks: list[RawEvent] = []
        self._waits = False
        self._forgets_at = self._tidies_at = SLACK_BARS

    def advance(  # noqa: PLR0913 - the numbers of a bar, which an object per bar would cost too much
        self, bar: int, time: int, open_: float, high: float, low: float, close: float, events: list[RawEvent]
    ) -> None:
        """Read the closed bar number `bar`, opened at `time` (seconds since 1970), and add what it makes known.

        Bars are numbered from 0 without a hole, whatever is missing in time. `events` holds what the
        detector told at this bar and nothing else.
        """
        events[:] = self.read(bar, [time], [open_], [high], [low], [close], events)

    def read(  # noqa: PLR0913 - columns, as the detector has them
        self,
        first: int,
        times: list[int],
        opens: list[float],
        highs: list[float],
        lows: list[float],
        closes: list[float],
        told: list[RawEvent],
    ) -> list[RawEvent]:
        """Read the closed bars from number `first` on: `told`, the events of the detector at them, and ours between.

        It is known before a bar at which price, bar or time something happens next: most bars are before all of
        these and are passed over.
        """
        self._remember(first, opens, highs, lows, closes)
        hears = self._hears
        heard = self._heard = [END, *[event for event in reversed(told) if event[0] in hears]]
        merge = Merge(told)
        pivots, lives, features = merge.pivots, merge.lives, merge.features
        low_guard, high_guard, wakes_at, wakes_time = self._low_guard, self._high_guard, self._wakes_at, self._wakes_time
        heard_bar = heard[-1][3]
        bar = first
        for time, high, low in zip(times, highs, lows):  # noqa: B905 - the detector has compared the lengths
            if low <= low_guard or high >= high_guard or bar >= heard_bar or bar >= wakes_at or time >= wakes_time:
                self._look(bar, time, high, low, closes[bar - first], merge)
                if pivots or lives or features:
                    merge.put(bar)
                heard_bar = heard[-1][3]
                low_guard, high_guard = self._low_guard, self._high_guard
                wakes_at, wakes_time = self._wakes_at, self._wakes_time
            bar += 1
        self.bar = bar - 1
        self._last_close = closes[-1]
        return merge.all()

    def _remember(
        self, first: int, opens: list[float], highs: list[float], lows: list[float], closes: list[float]
    ) -> None:
        """The prices of all bars at once; whoever asks says where they end."""
        self._ups += highs
        self._downs += [-low for low in lows]
        before = [self._last_close if first else opens[0], *closes]
        self._ranges += [
            (high if high > last else last) - (low if low < last else last)
            for high, low, last in zip(highs, lows, before)  # noqa: B905 - the last close is before no bar
        ]

    def _look(  # noqa: PLR0913 - as `advance`
        self, bar: int, time: int, high: float, low: float, close: float, merge: Merge
    ) -> None:
        """Read a bar at which something may happen."""
        lives = merge.lives
        if time >= self._periods_change_at and self._periods is not None:
            self._periods.advance(bar, time, merge.pivots)
            self._periods_change_at = self._periods.changes_at
        # In the order of the specification: zones known before live first, then pools are taken.
        watch = self._flips
        if low <= watch.low_guard or high >= watch.high_guard or bar >= watch.expires_at:
            watch.advance(bar, high, low, close, lives)
        watch = self._retracements
        if low <= watch.low_guard or high >= watch.high_guard or bar >= watch.expires_at:
            watch.advance(bar, high, low, close, lives)
        if self._heard[-1][3] == bar:
            self._listen(bar, close, merge.pivots, lives)
        watch = self._liquidity
        if low <= watch.low_guard or high >= watch.high_guard or bar >= watch.expires_at:
            watch.advance(bar, high, low, close, lives)
        watch = self._pullbacks
        if low <= watch.low_guard or high >= watch.high_guard:
            watch.advance(bar, high, low, close, lives)
        if self._waits or bar >= self._tidies_at:
            self._hear_structure(bar, merge.features)
        if time >= self._changes_at and self._kill_zones is not None:
            self._kill_zones.advance(bar, time, high, low, merge.features)
            self._changes_at = self._kill_zones.changes_at
        self._guard()

    def _guard(self) -> None:
        """Find the prices, the bar and the time at which something happens next."""
        flips, retracements, liquidity, pullbacks = self._flips, self._retracements, self._liquidity, self._pullbacks
        low, high, wakes_at = flips.low_guard, flips.high_guard, flips.expires_at
        if retracements.low_guard > low:
            low = retracements.low_guard
        if liquidity.low_guard > low:
            low = liquidity.low_guard
        if retracements.high_guard < high:
            high = retracements.high_guard
        if liquidity.high_guard < high:
            high = liquidity.high_guard
        if retracements.expires_at < wakes_at:
            wakes_at = retracements.expires_at
        if liquidity.expires_at < wakes_at:
            wakes_at = liquidity.expires_at
        self._low_guard = low if low > pullbacks.low_guard else pullbacks.low_guard
        self._high_guard = high if high < pullbacks.high_guard else pullbacks.high_guard
        self._wakes_at = wakes_at if wakes_at < self._tidies_at else self._tidies_at
        changes, periods_change = self._changes_at, self._periods_change_at
        self._wakes_time = changes if changes < periods_change else periods_change

    def _listen(self, bar: int, close: float, pivots: list[RawEvent], lives: list[RawEvent]) -> None:
        """Hear what the detector told: gaps it filled, swings, breaks, which wait for the whole bar, order blocks."""
        heard = self._heard
        while heard[-1][3] == bar:
            event = heard.pop()
            kind = event[0]
            if kind == GAP_FILLED:
                if (close < event[6] if event[1] > 0 else close > event[5]) and self._inversions is not None:
                    self._inversions.flip(event, lives)
            elif kind == SWING:
                self._hear_swing(event, close, pivots)
            elif kind in BREAKS:
                self._breaks.append(event)
                self._waits = True
            elif kind == ORDER_BLOCK:
                self._blocks[event[1], event[4]] = event[4]
                if self._inducements is not None:
                    self._inducements.block(event)
            else:
                self._hear_block_over(event, lives)

    def _hear_structure(self, bar: int, events: list[RawEvent]) -> None:
        """What looks at the whole bar: the age of the ranges, breaks, and the legs that ended."""
        if bar >= self._tidies_at:
            self._tidy(bar, events)
        self._waits = False
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
            self._waits = True
        if self._swing_pools is not None:
            self._swing_pools.add_swing(swing, events)
        if self._inducements is not None:
            self._inducements.swing(swing, close, events)

    def _hear_breaks(self, events: list[RawEvent]) -> None:
        ranges = self._dealing_ranges
        for event in self._breaks:
            if ranges is not None:
                ranges.broke(event, events)
                self._tidies_at = min(self._tidies_at, ranges.expires_at)
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
        self._tidies_at = self._forgets_at if ranges is None else min(self._forgets_at, ranges.expires_at)

    @property
    def warm(self) -> bool:
        """True once a recompute from any earlier bar would stand here, given that the detector is warm too.

        The mean of the ranges is whole, the periods running at the first bar are over, and since then every pool of
        before has had time to end. Equal levels that go on joining each other without end could still differ.
        """
        return self._parts.warm(self.bar)

    def state(self) -> ConceptState:
        """A frozen picture of everything alive at the close of the last bar."""
        return self._parts.state(self.bar, self._last_close)
