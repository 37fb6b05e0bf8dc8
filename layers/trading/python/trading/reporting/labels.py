"""Where texts may stand on a drawing without covering each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

LETTER_WIDTH = 0.58
"""Mean width of a letter by its height, for the fonts a browser takes for `system-ui`."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle of points, y downwards."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: Box) -> bool:
        across = self.left < other.right and other.left < self.right
        return across and self.top < other.bottom and other.top < self.bottom

    def within(self, other: Box) -> bool:
        across = other.left <= self.left and self.right <= other.right
        return across and other.top <= self.top and self.bottom <= other.bottom


@dataclass(slots=True)
class LabelMap:
    """What is written so far on the area of a drawing that may be written on. `busy`: what is drawn there, which a
    text covers only when it must be there and finds no other place."""

    area: Box
    busy: Sequence[Box] = ()
    taken: list[Box] = field(default_factory=list)

    def place(
        self, text: str, size: float, spots: Sequence[tuple[float, float]], *, must: bool = True
    ) -> tuple[float, float] | None:
        """The first of the spots (left end of the base line) where the text covers no other, or None.

        Unless the text `must` be there, it is left out rather than cover what is drawn.
        """
        width = len(text) * size * LETTER_WIDTH
        boxes = [(spot, Box(spot[0] - 1, spot[1] - size, spot[0] + width + 1, spot[1] + 2)) for spot in spots]
        free = [each for each in boxes if each[1].within(self.area) and not _meets(each[1], self.taken)]
        best = next((each for each in free if not _meets(each[1], self.busy)), free[0] if free and must else None)
        if best is None:
            return None
        self.taken.append(best[1])
        return best[0]


def _meets(box: Box, others: Sequence[Box]) -> bool:
    return any(box.meets(other) for other in others)


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Moves values apart to at least `gap`, in their order and as little as needed, staying in [low, high] if there
    is room."""
    order = sorted(range(len(wanted)), key=lambda place: wanted[place])
    found = list(wanted)
    floor = low
    for place in order:
        found[place] = floor = max(found[place], floor)
        floor += gap
    ceiling = high
    for place in reversed(order):
        found[place] = ceiling = min(found[place], ceiling)
        ceiling -= gap
    return found
