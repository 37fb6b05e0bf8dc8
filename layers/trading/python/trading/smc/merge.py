"""The events of the detector and those of the concepts in one order."""

from __future__ import annotations

from bisect import bisect_right
from typing import Final, final

from trading.smc.events import RawEvent
from trading.smc.stages import LIVES, PIVOTS, STAGES

STAGE_COUNT: Final = 8


@final
class Merge:
    """Takes what the concepts tell bar by bar in three lists, and puts each behind the detector's events of its stage.

    `lives` holds pools taken too: the detector tells none. Each list is emptied by `put`.
    """

    __slots__ = ("done", "features", "lives", "merged", "pivots", "places", "told")

    def __init__(self, told: list[RawEvent]) -> None:
        self.told = told
        self.pivots: list[RawEvent] = []
        self.lives: list[RawEvent] = []
        self.features: list[RawEvent] = []
        self.merged: list[RawEvent] = []
        # Bar and stage of each event of the detector, which rise.
        self.places = [event[3] * STAGE_COUNT + STAGES[event[0]] for event in told]
        self.done = 0

    def put(self, bar: int) -> None:
        """Put what was told at `bar` in its place."""
        bar *= STAGE_COUNT
        if self.pivots:
            self._put(bar + PIVOTS, self.pivots)
        if self.lives:
            self._put(bar + LIVES, self.lives)
        if self.features:
            self._put(bar + STAGE_COUNT - 1, self.features)

    def all(self) -> list[RawEvent]:
        """Everything up to the end."""
        self.merged += self.told[self.done :]
        return self.merged

    def _put(self, place: int, events: list[RawEvent]) -> None:
        done = self.done
        end = self.done = bisect_right(self.places, place, done)
        if end > done:
            self.merged += self.told[done:end]
        self.merged += events
        events.clear()
