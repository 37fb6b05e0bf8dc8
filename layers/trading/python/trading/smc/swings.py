"""The accepted swings of one scale, and the breaks of their levels.

Highs and lows share their bookkeeping: a track's level is negated for lows, which is exact in floats, so that mirrored
input gives mirrored output. `sign` is +1 for highs (their break is bullish) and -1 for lows.
"""

from __future__ import annotations

from typing import Final, final

from trading.smc.events import (
    BOS,
    CHOCH,
    CHOCH_FAILED,
    INITIAL,
    PLAIN,
    SWING,
    SWING_SUPERSEDED,
    WITH_DISPLACEMENT,
    EventKey,
    RawEvent,
)
from trading.smc.zones import ALWAYS

NO_BAR: Final = -1
NO_KEY: Final[EventKey] = ("", 0, 0, NO_BAR, NO_BAR)


@final
class SwingTrack:
    """The last accepted swing of one side and what has happened since: is its level open, which bar is its block.

    `level` and `extreme` are signed. The block of an open level is its extreme bar (`block_bar`, `block_high`,
    `block_low`) among the bars from the swing up to `seen`; it is looked for when it is needed, not on every bar.
    `settled` means full history would have accepted the same swing.
    """

    __slots__ = (
        "accepted",
        "bar",
        "block_bar",
        "block_high",
        "block_low",
        "extreme",
        "key",
        "last_break",
        "leg_start",
        "level",
        "open",
        "seen",
        "settled",
        "sign",
        "size",
    )

    def __init__(self, size: int, sign: int) -> None:
        self.size = size
        self.sign = sign
        self.accepted = False
        self.level = 0.0
        self.bar = NO_BAR
        self.key: EventKey = NO_KEY
        self.open = False
        self.settled = False
        self.leg_start: tuple[int, float] | None = None
        self.last_break: RawEvent | None = None
        self.seen = NO_BAR
        self.extreme = ALWAYS
        self.block_bar = NO_BAR
        self.block_high = 0.0
        self.block_low = 0.0

    def price(self) -> float:
        """The level as a price."""
        return self.level * self.sign


@final
class StructureScale:
    """Alternating accepted swings of one scale and the trend that closes beyond them make.

    `highs_due` and `lows_due` are bars that the next smaller scale found extreme and that this one has yet to judge.
    """

    __slots__ = (
        "alternations",
        "broken",
        "doubted",
        "down",
        "fail_bars",
        "highs_due",
        "last",
        "lows_due",
        "size",
        "trend",
        "up",
        "warm_bar",
    )

    def __init__(self, size: int, fail_bars: int) -> None:
        self.size = size
        self.fail_bars = fail_bars
        self.up = SwingTrack(size, 1)
        self.down = SwingTrack(size, -1)
        self.highs_due: list[int] = []
        self.lows_due: list[int] = []
        self.last: SwingTrack | None = None
        self.trend = 0
        self.alternations = 0
        self.broken = 0
        self.warm_bar = NO_BAR
        self.doubted: RawEvent | None = None

    def offer(self, track: SwingTrack, bar: int, level: float, events: list[RawEvent]) -> None:
        """Accept, let supersede, or drop the pivot that bar `bar` confirmed for this track."""
        replaced = self.last is track
        if replaced and not level > track.level:
            return
        old_key, old_price = track.key, track.price()
        if not replaced:
            self.alternations += 1
            other = self.down if track is self.up else self.up
            track.leg_start = (other.bar, other.price()) if other.accepted else None
            self.last = track
        side, size = -track.sign, self.size
        track.accepted = True
        track.level = level
        track.bar = bar - size
        track.key = (SWING, side, size, bar, track.bar)
        track.open = True
        # The first kind a cold start accepts may differ from full history; from the second on it cannot.
        track.settled = self.alternations > 1
        track.seen = track.bar
        track.extreme = ALWAYS
        price = track.price()
        events.append((SWING, side, size, bar, track.bar, price, price, (), PLAIN))
        if replaced:
            causes = (old_key, track.key)
            events.append((SWING_SUPERSEDED, side, size, bar, old_key[4], old_price, old_price, causes, PLAIN))

    def take(self, track: SwingTrack, bar: int, displaced: bool) -> RawEvent:
        """Consume the level of `track`, which the close of `bar` went beyond, and return the break."""
        track.open = False
        side = track.sign
        kind = CHOCH if self.trend == -side else BOS
        detail = PLAIN
        if self.trend == 0:
            detail = INITIAL
        elif kind == CHOCH and displaced:
            detail = WITH_DISPLACEMENT
        self.trend = side
        if track.settled and self.warm_bar < 0:
            self.broken |= 1 if side > 0 else 2
            if self.broken == 3:
                self.warm_bar = bar
        price = track.price()
        event: RawEvent = (kind, side, self.size, bar, track.bar, price, price, (track.key,), detail)
        track.last_break = event
        if kind == CHOCH:
            self.doubted = event
        return event

    def doubt(self, doubted: RawEvent, bar: int, close: float, events: list[RawEvent]) -> None:
        """See whether the last CHoCH failed: a close back beyond its level within `fail_bars` bars after it."""
        _, side, size, known_at, ref_bar, level, _, _, _ = doubted
        if bar - known_at > self.fail_bars:
            self.doubted = None
        elif (close - level) * side < 0:
            self.doubted = None
            events.append((CHOCH_FAILED, side, size, bar, ref_bar, level, level, (doubted[:5],), PLAIN))
