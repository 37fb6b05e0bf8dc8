"""The detector: closed bars in, the events they make known out. Specification: section 3b of the SMC reference.

Order within a bar: swings, the life of zones known before, structure breaks, new order blocks, new gaps,
displacement. Smaller scale first, up before down. Nothing that was reported is ever edited or taken back.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, final

from trading.smc.displacement import DisplacementMeter
from trading.smc.events import BEARISH, BULLISH, DISPLACEMENT, PLAIN, RawEvent
from trading.smc.parameters import PEER, Parameters
from trading.smc.state import StructureState, view_of
from trading.smc.structure import NO_BAR_YET, Structure
from trading.smc.swings import NO_BAR
from trading.smc.zones import ALWAYS, NEVER, ZoneBook

if TYPE_CHECKING:
    from trading.smc.concepts import Concepts

# A long series is read in parts, so that no more of it than this is copied at a time.
PART_BARS: Final = 8192


@final
class Detector:
    """Reads closed bars at constant cost each; the same bars always give the same events, however they are divided.

    Prices are finite floats with low <= open, close <= high; a candle series has checked that before.
    """

    __slots__ = (
        "_candidates",
        "_last",
        "_lookback",
        "_meter",
        "_peer",
        "_reach",
        "_structure",
        "_zones",
        "bar",
        "concepts",
        "parameters",
    )

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters
        self.bar = NO_BAR
        self.concepts = _concepts(parameters)
        self._peer = parameters.definitions == PEER
        self._structure = Structure(parameters.swing_scales, parameters.change_of_character_fail_bars, self._peer)
        self._zones = ZoneBook(parameters.zone_maximum_age_bars, fills_at_edge=not self._peer)
        self._meter = _meter(parameters) if parameters.displacement else None
        self._lookback = parameters.displacement_lookback_bars
        self._reach = parameters.swing_scales[0] - 1
        # High and low of the bar before the last, then the last bar. Nothing is beyond what was before the first bar.
        self._last = (ALWAYS, NEVER, 0.0, ALWAYS, NEVER, 0.0)
        # A bar that may become a swing high: its high and the bar that decides; then the same for a low.
        self._candidates = (NEVER, NO_BAR_YET, ALWAYS, NO_BAR_YET)

    def update(self, open_: float, high: float, low: float, close: float, time: int = 0) -> list[RawEvent]:
        """Read the next closed bar; the events it makes known, in order, all with `known_at` of this bar."""
        return self._read([open_], [high], [low], [close], [time])

    def read(
        self,
        opens: Sequence[float],
        highs: Sequence[float],
        lows: Sequence[float],
        closes: Sequence[float],
        times: Sequence[int] | None = None,
    ) -> list[RawEvent]:
        """Read the next closed bars, given as columns: the events of `update` for each of them, one after the other.

        `times` are the opening times in seconds; only the concepts that depend on the clock need them. Raises
        ValueError for columns of different lengths.
        """
        lengths = {len(opens), len(highs), len(lows), len(closes), len(closes if times is None else times)}
        if len(lengths) > 1:
            raise ValueError(f"columns have lengths {sorted(lengths)}, expected all the same")
        events: list[RawEvent] = []
        for start in range(0, len(closes), PART_BARS):
            end = min(start + PART_BARS, len(closes))
            seconds = [0] * (end - start) if times is None else list(times[start:end])
            columns = [_cut(column, start, end) for column in (opens, highs, lows, closes)]
            events += self._read(columns[0], columns[1], columns[2], columns[3], seconds)
        return events

    @property
    def warm(self) -> bool:
        """True once a recompute from any earlier bar would stand exactly here.

        Both sides have broken a settled level on every scale, and since then the oldest zone has had time to end.
        """
        warm_bars = [scale.warm_bar for scale in self._structure.scales]
        return min(warm_bars) >= 0 and self.bar >= max(warm_bars) + self.parameters.zone_maximum_age_bars

    def state(self) -> StructureState:
        """A frozen picture of everything alive at the close of the last bar."""
        return view_of(self.bar, self.warm, self._structure.scales, self._zones)

    def _read(  # noqa: C901, PLR0915 - decision record 0011
        self, opens: list[float], highs: list[float], lows: list[float], closes: list[float], times: list[int]
    ) -> list[RawEvent]:
        """The state machine. One loop, long on purpose (decision record 0011): on most bars most comparisons say no,
        and they cost least on local names; whatever says yes is handled by a method.
        """
        structure, zones, meter, concepts, peer = self._structure, self._zones, self._meter, self.concepts, self._peer
        bullish, bearish = zones.bullish, zones.bearish
        lookback, reach = self._lookback, self._reach
        high2, low2, open1, high1, low1, close1 = self._last
        peak, peak_bar, trough, trough_bar = self._candidates
        due = min(peak_bar, trough_bar, structure.due)
        above, below = structure.above, structure.below
        touch_low, leave_low = bullish.wake, bullish.leave
        touch_high, leave_high = -bearish.wake, -bearish.leave
        expires_at = zones.expires_at
        displaced = 0
        bar = self.bar
        first = bar + 1
        if bar == NO_BAR:
            close1 = opens[0]
        structure.highs += highs
        structure.lows += lows
        events: list[RawEvent] = []
        for open_, high, low, close in zip(opens, highs, lows, closes):  # noqa: B905 - read() has compared the lengths
            bar += 1
            # Swings. A candidate stands until a later bar that turned goes beyond it, or until its scale has passed.
            if high2 < high1 >= high and high1 > peak:
                peak, peak_bar = high1, bar + reach
                if peak_bar < due:
                    due = peak_bar
            if low2 > low1 <= low and low1 < trough:
                trough, trough_bar = low1, bar + reach
                if trough_bar < due:
                    due = trough_bar
            if bar >= due:
                is_peak = bar == peak_bar and high <= peak
                is_trough = bar == trough_bar and low >= trough
                if is_peak or is_trough or bar >= structure.due:
                    structure.confirm(bar, is_peak, is_trough, events)
                    above, below = structure.above, structure.below
                if bar == peak_bar:
                    peak, peak_bar = NEVER, NO_BAR_YET
                if bar == trough_bar:
                    trough, trough_bar = ALWAYS, NO_BAR_YET
                due = peak_bar if peak_bar < trough_bar else trough_bar
                if structure.due < due:
                    due = structure.due
            # The life of zones.
            if low <= touch_low or low > leave_low:
                bullish.advance(bar, low, close, events)
                touch_low, leave_low = bullish.wake, bullish.leave
            if high >= touch_high or high < leave_high:
                bearish.advance(bar, -high, -close, events)
                touch_high, leave_high = -bearish.wake, -bearish.leave
            if bar >= expires_at:
                zones.expire(bar, events)
                expires_at = zones.expires_at
                touch_low, leave_low = bullish.wake, bullish.leave
                touch_high, leave_high = -bearish.wake, -bearish.leave
            # Breaks, and the order blocks that they leave.
            if meter is not None:
                true_range = (high if high > close1 else close1) - (low if low < close1 else close1)
                displaced = meter.measure(bar, close - open_, high - low, true_range)
            if close > above or close < below:
                sides = 0 if meter is None else meter.sides(bar - lookback)
                structure.break_levels(bar, close, sides, zones, events)
                above, below = structure.above, structure.below
                touch_low, touch_high = bullish.wake, -bearish.wake
                expires_at = zones.expires_at
            # Gaps.
            if low > high2:
                if close1 > (open1 if peer else high2):
                    zones.add_gap(BULLISH, bar, low, high2, events)
                    touch_low, expires_at = bullish.wake, zones.expires_at
            elif high < low2 and close1 < (open1 if peer else low2):
                zones.add_gap(BEARISH, bar, low2, high, events)
                touch_high, expires_at = -bearish.wake, zones.expires_at
            if displaced:
                events.append((DISPLACEMENT, displaced, 0, bar, bar, high, low, (), PLAIN))
            high2, low2 = high1, low1
            high1, low1 = high, low
            open1, close1 = open_, close
        self.bar = bar
        self._last = (high2, low2, open1, high1, low1, close1)
        self._candidates = (peak, peak_bar, trough, trough_bar)
        structure.remember(bar)
        return events if concepts is None else concepts.read(first, times, opens, highs, lows, closes, events)


def _cut(column: Sequence[float], start: int, end: int) -> list[float]:
    part = column[start:end]
    return part if isinstance(part, list) else list(part)


def _meter(parameters: Parameters) -> DisplacementMeter:
    return DisplacementMeter(
        atr_bars=parameters.atr_bars,
        body_atr=parameters.displacement_body_atr,
        body_share=parameters.displacement_body_share,
        run_bars=parameters.displacement_run_bars,
    )


def _concepts(parameters: Parameters) -> Concepts | None:
    """The concepts that live on the events, if any: imported only then, because a cold start pays for every module."""
    if parameters.concepts is None:
        return None
    from trading.smc.concepts import Concepts

    return Concepts(parameters.concepts, parameters.swing_scales, parameters.zone_maximum_age_bars)
