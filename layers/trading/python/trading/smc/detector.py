"""The detector: one closed bar in, the events it makes known out. Specification: section 3b of the SMC reference.

Order within a bar: swings, the life of zones known before, structure breaks, new order blocks, new gaps,
displacement. Smaller scale first, up before down. Nothing that was reported is ever edited or taken back.
"""

from __future__ import annotations

from typing import Final

from trading.smc.displacement import DisplacementMeter
from trading.smc.events import BEARISH, BULLISH, DISPLACEMENT, GAP, ORDER_BLOCK, PLAIN, RawEvent
from trading.smc.parameters import PEER, Parameters
from trading.smc.state import StructureState, view_of
from trading.smc.structure import NO_BAR, NO_BLOCK, StructureScale, SwingTrack
from trading.smc.zones import ALWAYS, ZoneBook

# The price memory is cut back to what a pivot window needs once it has grown by this many bars.
SLACK_BARS: Final = 1024


class Detector:
    """Reads closed bars one by one at constant cost; the same bars always give the same events.

    Prices are finite floats with low <= open, close <= high; a candle series has checked that before.
    """

    __slots__ = (
        "_before_high",
        "_before_low",
        "_highs",
        "_last_close",
        "_last_high",
        "_last_low",
        "_last_open",
        "_lookback",
        "_meter",
        "_negated_lows",
        "_peer",
        "_scales",
        "_window",
        "_zones",
        "bar",
        "parameters",
    )

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters
        self.bar = NO_BAR
        self._peer = parameters.definitions == PEER
        self._highs: list[float] = []
        self._negated_lows: list[float] = []
        self._scales = [
            StructureScale(size, parameters.change_of_character_fail_bars, self._highs, self._negated_lows)
            for size in parameters.swing_scales
        ]
        self._window = 2 * parameters.swing_scales[-1] + 1
        self._zones = ZoneBook(parameters.zone_maximum_age_bars, fills_at_edge=not self._peer)
        self._meter = DisplacementMeter(
            atr_bars=parameters.atr_bars,
            body_atr=parameters.displacement_body_atr,
            body_share=parameters.displacement_body_share,
            run_bars=parameters.displacement_run_bars,
        )
        self._lookback = parameters.displacement_lookback_bars
        self._before_high = self._before_low = 0.0
        self._last_open = self._last_high = self._last_low = self._last_close = 0.0

    def update(self, open_: float, high: float, low: float, close: float) -> list[RawEvent]:
        """Read the next closed bar; the events it makes known, in order, all with `known_at` of this bar."""
        bar = self.bar = self.bar + 1
        highs = self._highs
        highs.append(high)
        self._negated_lows.append(-low)
        if len(highs) > self._window + SLACK_BARS:
            self._trim()
        events: list[RawEvent] = []
        if self._peer:
            self._confirm_peer_pivots(bar, events)
        else:
            self._confirm_pivots(bar, events)
        self._zones.advance(bar, high, low, close, events)
        last = self._last_close if bar else open_
        true_range = (high if high > last else last) - (low if low < last else last)
        displaced = self._meter.measure(bar, close - open_, high - low, true_range)
        self._break_structure(bar, high, low, close, events)
        if bar > 1 and (low > self._before_high or high < self._before_low):
            self._find_gap(bar, high, low, events)
        if displaced:
            events.append((DISPLACEMENT, displaced, 0, bar, bar, high, low, (), PLAIN))
        self._before_high = self._last_high
        self._before_low = self._last_low
        self._last_open = open_
        self._last_high = high
        self._last_low = low
        self._last_close = close
        return events

    @property
    def warm(self) -> bool:
        """True once a recompute from any earlier bar would stand exactly here.

        Both sides have broken a settled level on every scale, and since then the oldest zone has had time to end.
        """
        warm_bars = [scale.warm_bar for scale in self._scales]
        return min(warm_bars) >= 0 and self.bar >= max(warm_bars) + self.parameters.zone_maximum_age_bars

    def state(self) -> StructureState:
        """A frozen picture of everything alive at the close of the last bar."""
        return view_of(self.bar, self.warm, self._scales, self._zones)

    def _trim(self) -> None:
        del self._highs[: -self._window]
        del self._negated_lows[: -self._window]

    def _confirm_pivots(self, bar: int, events: list[RawEvent]) -> None:
        """Strictly beyond every bar on the left, at least equal to every bar on the right: the earliest of equals."""
        for scale in self._scales:
            size = scale.size
            if bar < 2 * size:
                return
            centre = -1 - size
            for track in (scale.up, scale.down):
                values = track.values
                value = values[centre]
                # The neighbours decide most bars; the whole window is looked at only when they agree.
                if (
                    value > values[centre - 1]
                    and value >= values[centre + 1]
                    and value >= max(values[-size:])
                    and value > max(values[centre - size : centre])
                    and scale.offer(track, bar, value, events)
                ):
                    self._restart_block(track, bar)

    def _confirm_peer_pivots(self, bar: int, events: list[RawEvent]) -> None:
        """The peer's window: equals allowed, one bar less on the left, not in the first 2 L rows, never both."""
        for scale in self._scales:
            size = scale.size
            if bar < 3 * size - 1:
                return
            for track in (scale.up, scale.down):
                values = track.values
                value = values[-1 - size]
                if value >= max(values[-2 * size :]):
                    if scale.offer(track, bar, value, events):
                        self._restart_block(track, bar)
                    break

    def _restart_block(self, track: SwingTrack, bar: int) -> None:
        """Look for the extreme bar after a new swing in the bars up to the last; this bar may still break it."""
        track.extreme = ALWAYS
        track.block = NO_BLOCK
        for back in range(track.size, 1, -1):
            high, low = self._highs[-back], -self._negated_lows[-back]
            probe = low if track.sign > 0 else -high
            if probe <= track.extreme:
                track.extreme = probe
                track.block = (bar - back + 1, high, low)

    def _break_structure(self, bar: int, high: float, low: float, close: float, events: list[RawEvent]) -> None:
        broken: list[SwingTrack] = []
        for scale in self._scales:
            if scale.doubted is not None:
                scale.doubt(bar, close, events)
            up, down = scale.up, scale.down
            if up.open:
                if close > up.level:
                    events.append(scale.take(up, bar, bar - self._meter.bullish_bar < self._lookback))
                    broken.append(up)
                elif low <= up.extreme:
                    up.extreme = low
                    up.block = (bar, high, low)
            if down.open:
                if -close > down.level:
                    events.append(scale.take(down, bar, bar - self._meter.bearish_bar < self._lookback))
                    broken.append(down)
                elif -high <= down.extreme:
                    down.extreme = -high
                    down.block = (bar, high, low)
        for track in broken:
            self._add_block(track, bar, events)

    def _add_block(self, track: SwingTrack, bar: int, events: list[RawEvent]) -> None:
        assert track.last_break is not None
        block_bar, high, low = track.block
        key = (ORDER_BLOCK, track.sign, track.size, bar, block_bar)
        self._zones.add_block(key, high, low, track.last_break[:5], events)

    def _find_gap(self, bar: int, high: float, low: float, events: list[RawEvent]) -> None:
        first_high, first_low, close = self._before_high, self._before_low, self._last_close
        if low > first_high:
            if close > (self._last_open if self._peer else first_high):
                self._add_gap(BULLISH, bar, low, first_high, events)
        elif close < (self._last_open if self._peer else first_low):
            self._add_gap(BEARISH, bar, first_low, high, events)

    def _add_gap(self, side: int, bar: int, top: float, bottom: float, events: list[RawEvent]) -> None:
        key = (GAP, side, 0, bar, bar - 1)
        self._zones.add_gap(key, top, bottom)
        events.append((GAP, side, 0, bar, bar - 1, top, bottom, (), PLAIN))
