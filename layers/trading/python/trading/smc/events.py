"""The events of the detector: plain tuples inside, validated `Event` values at the edge.

A raw event is `(kind, side, scale, known_at, ref_bar, top, bottom, rests_on, detail)`; a level event has top == bottom.
Its first five fields are its key: they name it for ever, and `rests_on` lists the keys it stands on. Bars are numbered
from 0 in the order the detector saw them. Scale is 0 where a concept has none; the levels of a period and the kill
zones have the number of their period there, below 0, and a time of day has no side.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

BULLISH: Final = 1
BEARISH: Final = -1
NEUTRAL: Final = 0

SWING: Final = "swing"
SWING_SUPERSEDED: Final = "swing_superseded"
BOS: Final = "bos"
CHOCH: Final = "choch"
CHOCH_FAILED: Final = "choch_failed"
DISPLACEMENT: Final = "displacement"
ORDER_BLOCK: Final = "order_block"
GAP: Final = "fvg"

BREAKER: Final = "breaker"
MITIGATION_BLOCK: Final = "mitigation_block"
INVERSE_GAP: Final = "ifvg"
POOL: Final = "pool"
EQUAL_LEVELS: Final = "equal_levels"
PERIOD_LEVEL: Final = "period_level"
SWEEP: Final = "sweep"
RUN: Final = "run"
INDUCEMENT: Final = "inducement"
INDUCEMENT_TAKEN: Final = "inducement_taken"
BLOCK_CLEARED: Final = "order_block_idm_cleared"
DEALING_RANGE: Final = "dealing_range"
OTE: Final = "ote"
KILL_ZONE: Final = "kill_zone"

HALF: Final = "_half"
ENTERED: Final = "_entered"
INVALID: Final = "_invalid"
REANCHORED: Final = "_reanchored"
TOUCHED: Final = "_touched"
RETOUCHED: Final = "_retouched"
VIOLATED: Final = "_violated"
FILLED: Final = "_filled"
EXPIRED: Final = "_expired"
REINFORCED: Final = "_reinforced"

# The periods whose highs and lows are liquidity, and the windows of New York time.
DAY: Final = -1
WEEK: Final = -2
ASIAN: Final = -3
LONDON_OPEN: Final = -4
NEW_YORK_OPEN: Final = -5
LONDON_CLOSE: Final = -6
PERIOD_NAMES: Final = {
    DAY: "day",
    WEEK: "week",
    ASIAN: "asian",
    LONDON_OPEN: "london_open",
    NEW_YORK_OPEN: "new_york_open",
    LONDON_CLOSE: "london_close",
}

# `detail` of a break: the first of its scale has no trend behind it; a CHoCH with displacement is a market structure
# shift. Of a touch: the number of the visit. Of equal levels, a sweep or a run: how many highs or lows the pool has,
# plus OUTSIDE where one bar took pools of both sides. Of a zone: 0.
PLAIN: Final = 0
WITH_DISPLACEMENT: Final = 1
INITIAL: Final = 2
OUTSIDE: Final = 1 << 20

EventKey = tuple[str, int, int, int, int]
RawEvent = tuple[str, int, int, int, int, float, float, tuple[EventKey, ...], int]

NO_KEY: Final[EventKey] = ("", 0, 0, -1, -1)

_CORE_KINDS: Final = (
    {SWING, SWING_SUPERSEDED, BOS, CHOCH, CHOCH_FAILED, DISPLACEMENT, ORDER_BLOCK, GAP}
    | {ORDER_BLOCK + ending for ending in (TOUCHED, RETOUCHED, HALF, VIOLATED, EXPIRED, REINFORCED)}
    | {GAP + ending for ending in (TOUCHED, RETOUCHED, HALF, FILLED, EXPIRED)}
)
_FLIPPED: Final = (BREAKER, MITIGATION_BLOCK, INVERSE_GAP)
_CONCEPT_KINDS: Final = (
    {POOL, POOL + EXPIRED, EQUAL_LEVELS, PERIOD_LEVEL, SWEEP, RUN, KILL_ZONE}
    | {INDUCEMENT, INDUCEMENT_TAKEN, INDUCEMENT + EXPIRED, BLOCK_CLEARED}
    | {DEALING_RANGE, DEALING_RANGE + REANCHORED, DEALING_RANGE + EXPIRED}
    | {OTE + ending for ending in ("", ENTERED, INVALID, REANCHORED, EXPIRED)}
    | {zone + ending for zone in _FLIPPED for ending in ("", TOUCHED, VIOLATED, EXPIRED)}
)
KINDS: Final = frozenset(_CORE_KINDS | _CONCEPT_KINDS)
SIDE_NAMES: Final = {BULLISH: "bullish", BEARISH: "bearish", NEUTRAL: "neutral"}


def key_name(key: EventKey) -> str:
    """The key as text, such as `order_block.bullish.5.120.117`; stable as long as bars keep their numbers."""
    kind, side, scale, known_at, ref_bar = key
    return f"{kind}.{SIDE_NAMES[side]}.{scale}.{known_at}.{ref_bar}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One checked event; `id` and `rests_on` are text.

    A swing high is bearish, a swing low bullish; pools, sweeps and runs have the side of their swings.
    """

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
