"""The events of the detector and those of the concepts in one order."""

from __future__ import annotations

from typing import Any, Final, cast, final

from trading.smc.events import RawEvent
from trading.smc.stages import LIVES, PIVOTS, STAGES

STAGE_COUNT: Final = 8
NO_PLACE: Final = 2**62


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
        # Named as any tuples: compiled, each would be taken apart as a whole.
        rows = cast("list[tuple[Any, ...]]", told)
        stages = STAGES
        self.places: list[int] = [row[3] * STAGE_COUNT + stages[row[0]] for row in rows]
        self.places.append(NO_PLACE)
        self.done = 0

    def put(self, bar: int) -> None:
        """Put what was told at `bar` in its place."""
        places, told, merged = self.places, self.told, self.merged
        pivots, lives, features = self.pivots, self.lives, self.features
        place = bar * STAGE_COUNT
        done = end = self.done
        # Seldom more than a few: found sooner one by one than by halves.
        if pivots:
            while places[end] <= place + PIVOTS:
                end += 1
            merged += told[done:end]
            merged += pivots
            pivots.clear()
            done = end
        if lives:
            while places[end] <= place + LIVES:
                end += 1
            merged += told[done:end]
            merged += lives
            lives.clear()
            done = end
        if features:
            while places[end] < place + STAGE_COUNT:
                end += 1
            merged += told[done:end]
            merged += features
            features.clear()
        self.done = end

    def all(self) -> list[RawEvent]:
        """Everything up to the end."""
        self.merged += self.told[self.done :]
        return self.merged
