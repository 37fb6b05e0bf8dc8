"""One draw of hypothesis, read as the faces of many dice.

A draw of hypothesis costs more than a judgement of the gate, so each thing is made from one draw of some bytes, read
as the faces of many dice. Zero bytes, which is what a failing example shrinks to, make the plainest thing.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TypeVar

from hypothesis import strategies as st

Face = TypeVar("Face")


class Dice:
    """One number whose digits, each in a base of its own, are the rolls. Used up, every roll is 0."""

    def __init__(self, rolled: bytes) -> None:
        self._left = int.from_bytes(rolled, "big")

    def roll(self, faces: int) -> int:
        self._left, face = divmod(self._left, faces)
        return face

    def pick(self, faces: Sequence[Face]) -> Face:
        return faces[self.roll(len(faces))]

    def number(self, *faces: str | int) -> Decimal:
        return Decimal(self.pick(faces))

    def seldom(self, one_in: int) -> bool:
        return self.roll(one_in) == one_in - 1

    def between(self, low: str, high: str) -> Decimal:
        return Decimal(low) + (Decimal(high) - Decimal(low)) * self.roll(1001) / 1000


dice = st.binary(min_size=24, max_size=24).map(Dice)
