"""Inducement: the first pullback after a break, in front of the newest order block of its side.

After a BOS the first accepted internal swing of its side that formed later counts, if it lies between the price and the
newest living order block; if it does not, this BOS has none. Once a bar goes beyond the swing it is taken, whether by
a sweep or a run, and the block is cleared. An untaken inducement ends with its block.
"""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass
from typing import final

from trading.smc.events import (
    BLOCK_CLEARED,
    EXPIRED,
    INDUCEMENT,
    INDUCEMENT_TAKEN,
    NO_KEY,
    ORDER_BLOCK,
    EventKey,
    RawEvent,
)
from trading.smc.watch import NEVER, Watch


@dataclass(frozen=True, slots=True, kw_only=True)
class InducementView:
    """An untaken inducement: its level, the block it guards. `side` is that of the block."""

    key: EventKey
    side: int
    level: float
    block: EventKey


class Block:
    """A living order block; `near` is signed. Told cleared once at most."""

    __slots__ = ("alive", "bottom", "cleared", "key", "near", "top")

    def __init__(self, event: RawEvent) -> None:
        self.key: EventKey = event[:5]
        self.top = event[5]
        self.bottom = event[6]
        self.near = self.top if event[1] > 0 else -self.bottom
        self.alive = True
        self.cleared = False


class Inducement:
    """One untaken inducement; `level` is signed."""

    __slots__ = ("block", "key", "level")

    def __init__(self, key: EventKey, level: float, block: Block) -> None:
        self.key = key
        self.level = level
        self.block = block

    def price(self) -> float:
        """The level as a price."""
        return self.level * self.key[1]


class InducementSide:
    """One side: +1 for swing lows over bullish blocks. `blocks` are its living order blocks, oldest first."""

    __slots__ = ("awaited", "blocks", "serial", "sign", "untaken", "wakes_at")

    def __init__(self, sign: int) -> None:
        self.sign = sign
        self.blocks: dict[EventKey, Block] = {}
        self.awaited: EventKey = NO_KEY
        # The nearest to the price is last.
        self.untaken: list[tuple[float, int, Inducement]] = []
        self.wakes_at = NEVER
        self.serial = 0

    def offer(self, swing: RawEvent, close: float, events: list[RawEvent]) -> None:
        """An internal swing of this side was accepted."""
        _, side, scale, bar, ref_bar, price, _, _, _ = swing
        cause = self.awaited
        if cause[3] < 0 or ref_bar <= cause[3]:
            return
        self.awaited = NO_KEY
        if not self.blocks:
            return
        block = self.blocks[next(reversed(self.blocks))]
        level = price * self.sign
        if not block.near < level < close * self.sign:
            return
        key: EventKey = (INDUCEMENT, side, scale, bar, ref_bar)
        events.append((*key, price, price, (cause, swing[:5], block.key), 0))
        self.serial += 1
        insort(self.untaken, (level, -self.serial, Inducement(key, level, block)))
        self.wakes_at = self.untaken[-1][0]

    def take(self, bar: int, probe: float, events: list[RawEvent]) -> None:
        """Take what the signed low `probe` is beyond, nearest first."""
        untaken = self.untaken
        while untaken and untaken[-1][0] > probe:
            inducement = untaken.pop()[2]
            block = inducement.block
            _, side, scale, _, ref_bar = inducement.key
            key: EventKey = (INDUCEMENT_TAKEN, side, scale, bar, ref_bar)
            price = inducement.price()
            events.append((*key, price, price, (inducement.key,), 0))
            if block.alive and not block.cleared:
                block.cleared = True
                cleared: EventKey = (BLOCK_CLEARED, side, block.key[2], bar, block.key[4])
                events.append((*cleared, block.top, block.bottom, (block.key, key), 0))
        self.wakes_at = untaken[-1][0] if untaken else NEVER

    def end(self, key: EventKey, bar: int, events: list[RawEvent]) -> None:
        """The order block `key` is too old; what waits in front of it expires with it."""
        block = self.blocks.pop(key)
        block.alive = False
        for _, _, inducement in reversed(self.untaken):
            if inducement.block is block:
                _, side, scale, _, ref_bar = inducement.key
                price = inducement.price()
                causes = (inducement.key, key)
                events.append((INDUCEMENT + EXPIRED, side, scale, bar, ref_bar, price, price, causes, 0))
        self.untaken = [entry for entry in self.untaken if entry[2].block is not block]
        self.wakes_at = self.untaken[-1][0] if self.untaken else NEVER


@final
class Inducements(Watch):
    """Both sides. Internal swings are those of scale `internal`."""

    __slots__ = ("bearish", "bullish", "internal")

    def __init__(self, internal: int) -> None:
        super().__init__()
        self.internal = internal
        self.bullish = InducementSide(1)
        self.bearish = InducementSide(-1)

    def side(self, side: int) -> InducementSide:
        """The side +1 or -1."""
        return self.bullish if side > 0 else self.bearish

    def swing(self, swing: RawEvent, close: float, events: list[RawEvent]) -> None:
        """A swing of any scale was accepted at a bar that closed at `close`."""
        if swing[2] == self.internal:
            self.side(swing[1]).offer(swing, close, events)
            self._guard()

    def broke(self, bos: RawEvent) -> None:
        """A BOS of any scale; the next internal swing that forms after it is looked at."""
        self.side(bos[1]).awaited = bos[:5]

    def block(self, event: RawEvent) -> None:
        """A new order block."""
        self.side(event[1]).blocks[event[:5]] = Block(event)

    def block_over(self, event: RawEvent, events: list[RawEvent]) -> None:
        """An order block was violated or expired. A violation goes through what lies in front: that is taken."""
        side, block = self.side(event[1]), event[7][0]
        if event[0] == ORDER_BLOCK + EXPIRED:
            side.end(block, event[3], events)
            self._guard()
        else:
            side.blocks.pop(block).alive = False

    def advance(
        self,
        bar: int,
        high: float,
        low: float,
        close: float,  # noqa: ARG002 - how a bar closes matters to others only
        events: list[RawEvent],
    ) -> None:
        """Take what the bar goes beyond, swing highs first."""
        if high >= self.high_guard:
            self.bearish.take(bar, -high, events)
        if low <= self.low_guard:
            self.bullish.take(bar, low, events)
        self._guard()

    def views(self) -> tuple[InducementView, ...]:
        """Every untaken inducement: bullish side first, nearest first."""
        return tuple(
            InducementView(key=each.key, side=each.key[1], level=each.price(), block=each.block.key)
            for side in (self.bullish, self.bearish)
            for _, _, each in reversed(side.untaken)
        )

    def _guard(self) -> None:
        self.low_guard = self.bullish.wakes_at
        self.high_guard = -self.bearish.wakes_at
