"""Breaker and mitigation blocks: an order block that was closed through works from the other side.

It is a breaker if the leg that left the block had taken liquidity first: the furthest bar between the block and its
violation swept an opposite pool (for a bullish block, a pool of highs). If it had not, it is a mitigation block.
"""

from __future__ import annotations

from trading.smc.events import BREAKER, MITIGATION_BLOCK, RawEvent
from trading.smc.flipped import FlippedBook
from trading.smc.peaks import Peaks


class Breakers:
    """Flips order blocks into a book; `up` and `down` are the peaks of the bars."""

    __slots__ = ("book", "down", "up")

    def __init__(self, book: FlippedBook, up: Peaks, down: Peaks) -> None:
        self.book = book
        self.up = up
        self.down = down

    def flip(self, violated: RawEvent, events: list[RawEvent]) -> None:
        """Start the second life of the block whose violation was just told."""
        _, side, scale, bar, ref_bar, top, bottom, causes, _ = violated
        sweep = (self.up if side > 0 else self.down).swept_after(ref_bar, bar)
        swept = sweep[3] >= 0
        kind = BREAKER if swept else MITIGATION_BLOCK
        rests_on = (causes[0], sweep) if swept else (causes[0],)
        event: RawEvent = (kind, -side, scale, bar, ref_bar, top, bottom, rests_on, 0)
        events.append(event)
        self.book.add(event)
