"""The events of the detector: plain tuples inside, validated `Event` values at the edge.

A raw event is `(kind, side, scale, known_at, ref_bar, top, bottom, rests_on, detail)`; a level event has top == bottom.
Its first five fields are its key: they name it for ever, and `rests_on` lists the keys it stands on. Bars are numbered
from 0 in the order the detector saw them. Scale is 0 where a concept has none.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

BULLISH: Final = 1
BEARISH: Final = -1

SWING: Final = "swing"
SWING_SUPERSEDED: Final = "swing_superseded"
BOS: Final = "bos"
CHOCH: Final = "choch"
CHOCH_FAILED: Final = "choch_failed"
DISPLACEMENT: Final = "displacement"
ORDER_BLOCK: Final = "order_block"
GAP: Final = "fvg"

TOUCHED: Final = "_touched"
RETOUCHED: Final = "_retouched"
VIOLATED: Final = "_violated"
FILLED: Final = "_filled"
EXPIRED: Final = "_expired"
REINFORCED: Final = "_reinforced"

# `detail` of a break: the first of its scale has no trend behind it; a CHoCH with displacement is a market structure
# shift. Of a touch: the number of the visit. Of a zone: 0.
PLAIN: Final = 0
WITH_DISPLACEMENT: Final = 1
INITIAL: Final = 2

EventKey = tuple[str, int, int, int, int]
RawEvent = tuple[str, int, int, int, int, float, float, tuple[EventKey, ...], int]

KINDS: Final = frozenset(
    {SWING, SWING_SUPERSEDED, BOS, CHOCH, CHOCH_FAILED, DISPLACEMENT, ORDER_BLOCK, GAP}
    | {ORDER_BLOCK + ending for ending in (TOUCHED, RETOUCHED, VIOLATED, EXPIRED, REINFORCED)}
    | {GAP + ending for ending in (TOUCHED, RETOUCHED, FILLED, EXPIRED)}
)
SIDE_NAMES: Final = {BULLISH: "bullish", BEARISH: "bearish"}


def key_name(key: EventKey) -> str:
    """The key as text, such as `order_block.bullish.5.120.117`; stable as long as bars keep their numbers."""
    kind, side, scale, known_at, ref_bar = key
    return f"{kind}.{SIDE_NAMES[side]}.{scale}.{known_at}.{ref_bar}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One checked event. A swing high is bearish, a swing low bullish; `id` and `rests_on` are text."""

    kind: str
    side: str
    scale: int
    known_at: int
    ref_bar: int
    top: float
    bottom: float
    id: str
    rests_on: tuple[str, ...]
    detail: int

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"event kind is {self.kind!r}, expected one of {', '.join(sorted(KINDS))}")
        if not 0 <= self.ref_bar <= self.known_at:
            raise ValueError(f"{self.id} refers to bar {self.ref_bar}, expected 0 to {self.known_at}")
        if not (math.isfinite(self.top) and math.isfinite(self.bottom) and self.bottom <= self.top):
            raise ValueError(f"{self.id} reaches from {self.bottom} to {self.top}, expected finite, bottom first")

    @classmethod
    def from_raw(cls, raw: RawEvent) -> Event:
        """The checked event of a raw tuple."""
        kind, side, scale, known_at, ref_bar, top, bottom, rests_on, detail = raw
        return cls(
            kind=kind,
            side=SIDE_NAMES[side],
            scale=scale,
            known_at=known_at,
            ref_bar=ref_bar,
            top=top,
            bottom=bottom,
            id=key_name(raw[:5]),
            rests_on=tuple(key_name(key) for key in rests_on),
            detail=detail,
        )
