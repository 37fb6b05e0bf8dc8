"""Inverse fair value gaps: a gap whose filling bar closed beyond it works from the other side."""

from __future__ import annotations

from trading.smc.events import INVERSE_GAP, RawEvent
from trading.smc.flipped import FlippedBook


class Inversions:
    """Flips gaps into a book."""

    __slots__ = ("book",)

    def __init__(self, book: FlippedBook) -> None:
        self.book = book

    def flip(self, filled: RawEvent, events: list[RawEvent]) -> None:
        """Start the second life of the gap whose filling bar, of which was just told, closed beyond its far edge."""
        _, side, scale, bar, ref_bar, top, bottom, causes, _ = filled
        event: RawEvent = (INVERSE_GAP, -side, scale, bar, ref_bar, top, bottom, causes, 0)
        events.append(event)
        self.book.add(event)
