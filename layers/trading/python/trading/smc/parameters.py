"""What the detector is told: every number comes from the caller, none lives here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from trading.smc.concept_parameters import ConceptParameters

SPECIFIED: Final = "specified"
PEER: Final = "peer"
DEFINITIONS: Final = (SPECIFIED, PEER)

_POSITIVE: Final = (
    "atr_bars",
    "displacement_body_atr",
    "displacement_run_bars",
    "displacement_lookback_bars",
    "change_of_character_fail_bars",
    "zone_maximum_age_bars",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """Numbers and choices of one detector.

    `definitions`: "specified" follows the specification. "peer" reproduces smartmoneyconcepts: its swing window (one
    bar less on the left, equals allowed, a bar is never both), its gap rule (the middle bar has the colour of the
    gap) and its fill (beyond the far edge, not at it). `swing_scales`: bars left and right of a pivot, smallest
    first, such as (5, 20). Ages, look-backs and runs are in bars, `displacement_body_atr` in ATR,
    `displacement_body_share` a share of the range. Without `displacement` none is looked for, and no CHoCH is told to
    have one; without `concepts` there is nothing beyond swings, breaks, order blocks, gaps and displacement.
    """

    definitions: str
    swing_scales: tuple[int, ...]
    atr_bars: int
    displacement_body_atr: float
    displacement_body_share: float
    displacement_run_bars: int
    displacement_lookback_bars: int
    change_of_character_fail_bars: int
    zone_maximum_age_bars: int
    displacement: bool = True
    concepts: ConceptParameters | None = None

    def __post_init__(self) -> None:
        if self.definitions not in DEFINITIONS:
            raise ValueError(f"definitions is {self.definitions!r}, expected one of {', '.join(DEFINITIONS)}")
        if not self.swing_scales or list(self.swing_scales) != sorted(set(self.swing_scales)):
            raise ValueError(f"swing_scales is {self.swing_scales}, expected distinct scales, smallest first")
        if self.swing_scales[0] < 2:
            raise ValueError(f"swing_scales starts at {self.swing_scales[0]}, expected at least 2 bars")
        for name in _POSITIVE:
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} is {getattr(self, name)}, expected a number above 0")
        if not 0 <= self.displacement_body_share <= 1:
            raise ValueError(f"displacement_body_share is {self.displacement_body_share}, expected 0 to 1")
