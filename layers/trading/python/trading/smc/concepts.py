"""The concepts that live on top of the detector's events: one more call per bar, the same rules.

`Concepts.advance` reads the events the detector told at this bar and appends its own. Nothing else of the detector is
looked at. Within a bar events keep the order of the specification, see `stage_of`.
"""

from __future__ import annotations

from typing import Final

from trading.smc.concept_parameters import ConceptParameters
from trading.smc.concept_parts import ConceptParts
from trading.smc.concept_state import ConceptState
from trading.smc.events import RawEvent
from trading.smc.hearing import Hearing
from trading.smc.merge import Merge
from trading.smc.stages import stage_of
from trading.smc.watch import FAR_AWAY, NEVER, NO_EXPIRY, Rest, Watch

__all__ = ["ConceptParameters", "Concepts", "stage_of"]

NO_BAR: Final = -1


class Concepts:
    """Reads each closed bar after the detector did. A concept that is switched off costs nothing and tells nothing.

    `scales` are the detector's, smallest first; the smallest is the internal one. `zone_maximum_age_bars` ends every
    zone, pool, range and inducement as it ends the detector's zones.
    """

    __slots__ = (
        "_changes_at",
        "_downs",
        "_flips",
        "_hearing",
        "_high_guard",
        "_kill_zones",
        "_last_close",
        "_liquidity",
        "_low_guard",
        "_parts",
        "_periods",
        "_periods_change_at",
        "_pullbacks",
        "_ranges",
        "_retracements",
        "_ups",
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
        self._flips: Watch = parts.flipped
        self._retracements: Watch = parts.ote or Rest()
        self._liquidity: Watch = parts.pools or Rest()
        self._pullbacks: Watch = parts.inducements or Rest()
        self._low_guard, self._high_guard = NEVER, FAR_AWAY
        self._wakes_at, self._wakes_time = NO_EXPIRY, -NO_EXPIRY
        self._periods = parts.periods
        self._periods_change_at = NO_EXPIRY if parts.periods is None else -NO_EXPIRY
        self._kill_zones = parts.kill_zones
        self._changes_at = NO_EXPIRY if parts.kill_zones is None else -NO_EXPIRY
        self._hearing = Hearing(parts)

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
        heard = self._hearing.choose(told, first, closes)
        merge = Merge(told)
        pivots, lives, features = merge.pivots, merge.lives, merge.features
        low_guard, high_guard = self._low_guard, self._high_guard
        wakes_at, wakes_time = self._wakes_at, self._wakes_time
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
        hearing, lives = self._hearing, merge.lives
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
        if hearing.heard[-1][3] == bar:
            hearing.listen(bar, close, merge.pivots, lives)
        watch = self._liquidity
        if low <= watch.low_guard or high >= watch.high_guard or bar >= watch.expires_at:
            watch.advance(bar, high, low, close, lives)
        watch = self._pullbacks
        if low <= watch.low_guard or high >= watch.high_guard:
            watch.advance(bar, high, low, close, lives)
        if hearing.waits or bar >= hearing.tidies_at:
            hearing.structure(bar, merge.features)
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
        tidies_at = self._hearing.tidies_at
        self._low_guard = low if low > pullbacks.low_guard else pullbacks.low_guard
        self._high_guard = high if high < pullbacks.high_guard else pullbacks.high_guard
        self._wakes_at = wakes_at if wakes_at < tidies_at else tidies_at
        changes, periods_change = self._changes_at, self._periods_change_at
        self._wakes_time = changes if changes < periods_change else periods_change

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
