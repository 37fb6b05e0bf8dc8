"""Swings and structure breaks of one scale.

Highs and lows share one code: the low side works on negated prices, which is exact in floats, so that mirrored input
gives mirrored output by construction. `sign` is +1 for highs (their break is bullish) and -1 for lows.
"""

from __future__ import annotations

from typing import Final

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

NO_BAR: Final = -1
NO_KEY: Final[EventKey] = ("", 0, 0, NO_BAR, NO_BAR)
Block = tuple[int, float, float]
NO_BLOCK: Final[Block] = (NO_BAR, 0.0, 0.0)


class SwingTrack:
    """The last accepted swing of one side and what has happened since: is its level open, which bar is its block.

    `level` and `extreme` are signed; `block` is the (bar, high, low) of the extreme bar after the swing. `settled`
    means full history would have accepted the same swing.
    """

    __slots__ = (
        "accepted",
        "bar",
        "block",
        "extreme",
        "key",
        "last_break",
        "leg_start",
        "level",
        "open",
        "settled",
        "sign",
        "size",
        "values",
    )

    def __init__(self, size: int, sign: int, values: list[float]) -> None:
        self.size = size
        self.sign = sign
        self.values = values
        self.accepted = False
        self.level = 0.0
        self.bar = NO_BAR
        self.key: EventKey = NO_KEY
        self.open = False
        self.settled = False
        self.leg_start: tuple[int, float] | None = None
        self.last_break: RawEvent | None = None
        self.extreme = 0.0
        self.block: Block = NO_BLOCK

    def price(self) -> float:
        """The level as a price."""
        return self.level * self.sign


class StructureScale:
    """Alternating accepted swings of one scale and the trend that closes beyond them make."""

    __slots__ = (
        "alternations",
        "broken",
        "doubted",
        "down",
        "fail_bars",
        "last",
        "size",
        "trend",
        "up",
        "warm_bar",
    )

    def __init__(self, size: int, fail_bars: int, highs: list[float], negated_lows: list[float]) -> None:
        self.size = size
        self.fail_bars = fail_bars
        self.up = SwingTrack(size, 1, highs)
        self.down = SwingTrack(size, -1, negated_lows)
        self.last: SwingTrack | None = None
        self.trend = 0
        self.alternations = 0
        self.broken = 0
        self.warm_bar = NO_BAR
        self.doubted: RawEvent | None = None

    def offer(self, track: SwingTrack, bar: int, level: float, events: list[RawEvent]) -> bool:
        """Accept, let supersede, or drop (False) the pivot that bar `bar` confirmed for this track."""
        replaced = self.last is track
        if replaced and not level > track.level:
            return False
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
        price = track.price()
        events.append((SWING, side, size, bar, track.bar, price, price, (), PLAIN))
        if replaced:
            causes = (old_key, track.key)
            events.append((SWING_SUPERSEDED, side, size, bar, old_key[4], old_price, old_price, causes, PLAIN))
        return True

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

    def doubt(self, bar: int, close: float, events: list[RawEvent]) -> None:
        """See whether the last CHoCH failed: a close back beyond its level within `fail_bars` bars after it."""
        doubted = self.doubted
        if doubted is None:
            return
        _, side, size, known_at, ref_bar, level, _, _, _ = doubted
        if bar - known_at > self.fail_bars:
            self.doubted = None
        elif (close - level) * side < 0:
            self.doubted = None
            events.append((CHOCH_FAILED, side, size, bar, ref_bar, level, level, (doubted[:5],), PLAIN))
