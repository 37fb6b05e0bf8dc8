"""All scales over one memory of prices: which bars become swings, which closes break them, which bar is the block."""

from __future__ import annotations

from typing import Final, final

from trading.smc.events import ORDER_BLOCK, RawEvent
from trading.smc.swings import StructureScale, SwingTrack
from trading.smc.zones import ALWAYS, NEVER, ZoneBook

NO_BAR_YET: Final = 2**60
# The price memory is cut back to what a pivot window needs once it has grown by this many bars.
SLACK_BARS: Final = 128


@final
class Structure:
    """All scales over one memory of prices.

    `due` is the next bar on which a larger scale has a swing to judge; a close above `above` or below `below` breaks
    a level or makes a CHoCH fail. On all other bars there is nothing to do here.
    """

    __slots__ = ("above", "below", "due", "first", "highs", "lows", "peer", "scales", "window")

    def __init__(self, sizes: tuple[int, ...], fail_bars: int, peer: bool) -> None:
        self.scales = [StructureScale(size, fail_bars) for size in sizes]
        self.peer = peer
        self.highs: list[float] = []
        self.lows: list[float] = []
        self.first = 0
        self.window = 2 * sizes[-1] + 1
        self.due = 0 if peer else NO_BAR_YET
        self.above = ALWAYS
        self.below = NEVER

    def confirm(self, bar: int, peak: bool, trough: bool, events: list[RawEvent]) -> None:
        """Judge what `bar` makes ripe. `peak` and `trough`: nothing up to `bar` went beyond the bar that is as many
        bars back as the smallest scale is long.

        A swing is strictly beyond every bar on its left and at least equal to every bar on its right, so that every
        swing of a scale is one of the scale below it, and is handed up.
        """
        if self.peer:
            self._confirm_peer(bar, events)
            self._watch()
            return
        scales = self.scales
        at = bar - self.first
        for number, scale in enumerate(scales):
            size = scale.size
            if bar < 2 * size:
                break
            centre = at - size
            if number:
                peak, trough = self._ripen(scale, bar)
            if peak:
                high = self.highs[centre]
                peak = not _reaches_up(self.highs, centre - size, centre, high)
                if peak:
                    scale.offer(scale.up, bar, high, events)
            if trough:
                low = self.lows[centre]
                trough = not _reaches_down(self.lows, centre - size, centre, low)
                if trough:
                    scale.offer(scale.down, bar, -low, events)
            if number + 1 < len(scales):
                self._hand_up(scales[number + 1], bar - size, peak, trough)
        self._watch()

    def break_levels(self, bar: int, close: float, displaced: int, zones: ZoneBook, events: list[RawEvent]) -> None:
        """Let the close of `bar` break what it goes beyond. `displaced`: the sides that were, as bits 1 and 2."""
        broken: list[SwingTrack] = []
        for scale in self.scales:
            if scale.doubted is not None:
                scale.doubt(scale.doubted, bar, close, events)
            if scale.up.open and close > scale.up.level:
                events.append(scale.take(scale.up, bar, displaced & 1 > 0))
                broken.append(scale.up)
            if scale.down.open and -close > scale.down.level:
                events.append(scale.take(scale.down, bar, displaced & 2 > 0))
                broken.append(scale.down)
        for track in broken:
            assert track.last_break is not None
            self._look(track, bar)
            key = (ORDER_BLOCK, track.sign, track.size, bar, track.block_bar)
            zones.add_block(key, track.block_high, track.block_low, track.last_break[:5], events)
        self._watch()

    def remember(self, bar: int) -> None:
        """Keep of the prices what is still needed after `bar`, once they have grown long."""
        surplus = len(self.highs) - self.window
        if surplus > SLACK_BARS:
            for scale in self.scales:
                self._look(scale.up, bar + 1)
                self._look(scale.down, bar + 1)
            del self.highs[:surplus]
            del self.lows[:surplus]
            self.first += surplus

    def _ripen(self, scale: StructureScale, bar: int) -> tuple[bool, bool]:
        """Whether the bars that this scale judges at `bar` have nothing beyond them on the right."""
        peak = trough = False
        at = bar - self.first
        centre = at - scale.size
        if scale.highs_due and scale.highs_due[0] == bar - scale.size:
            scale.highs_due.pop(0)
            peak = max(self.highs[centre + 1 : at + 1]) <= self.highs[centre]
        if scale.lows_due and scale.lows_due[0] == bar - scale.size:
            scale.lows_due.pop(0)
            trough = min(self.lows[centre + 1 : at + 1]) >= self.lows[centre]
        return peak, trough

    def _hand_up(self, scale: StructureScale, centre: int, peak: bool, trough: bool) -> None:
        if centre < scale.size:
            return
        if peak:
            scale.highs_due.append(centre)
        if trough:
            scale.lows_due.append(centre)

    def _look(self, track: SwingTrack, until: int) -> None:
        """Look for the block of an open level, or of one that was just broken, in the bars before `until`."""
        start = track.seen + 1
        if start >= until or not track.accepted:
            return
        track.seen = until - 1
        first = self.first
        values = self.lows if track.sign > 0 else self.highs
        leg = values[start - first : until - first]
        price = min(leg) if track.sign > 0 else max(leg)
        extreme = price * track.sign
        if extreme <= track.extreme:
            track.extreme = extreme
            leg.reverse()
            at = until - 1 - leg.index(price)
            track.block_bar = at
            track.block_high = self.highs[at - first]
            track.block_low = self.lows[at - first]

    def _watch(self) -> None:
        """Set what the next bars are compared with."""
        above, below, due = ALWAYS, NEVER, NO_BAR_YET
        for scale in self.scales:
            if scale.up.open and scale.up.level < above:
                above = scale.up.level
            if scale.down.open and -scale.down.level > below:
                below = -scale.down.level
            if scale.doubted is not None:
                level = scale.doubted[5]
                if scale.doubted[1] > 0:
                    below = max(below, level)
                else:
                    above = min(above, level)
            if scale.highs_due and scale.highs_due[0] + scale.size < due:
                due = scale.highs_due[0] + scale.size
            if scale.lows_due and scale.lows_due[0] + scale.size < due:
                due = scale.lows_due[0] + scale.size
        self.above = above
        self.below = below
        self.due = 0 if self.peer else due

    def _confirm_peer(self, bar: int, events: list[RawEvent]) -> None:
        """The peer's window: equals allowed, one bar less on the left, not in the first 2 L rows, never both."""
        at = bar - self.first
        for scale in self.scales:
            size = scale.size
            if bar < 3 * size - 1:
                return
            high, low = self.highs[at - size], self.lows[at - size]
            if high >= max(self.highs[at - 2 * size + 1 : at + 1]):
                scale.offer(scale.up, bar, high, events)
            elif low <= min(self.lows[at - 2 * size + 1 : at + 1]):
                scale.offer(scale.down, bar, -low, events)


def _reaches_up(values: list[float], start: int, end: int, level: float) -> bool:
    """Whether a value from `start` up to `end` is at `level` or above."""
    # Most are met within a few bars: a loop that stops there costs less than the maximum of a copy.
    while start < end and values[end - 1] < level:
        end -= 1
    return start < end


def _reaches_down(values: list[float], start: int, end: int, level: float) -> bool:
    """Whether a value from `start` up to `end` is at `level` or below."""
    while start < end and values[end - 1] > level:
        end -= 1
    return start < end
