"""What the concepts are told: every number and switch comes from the caller, none lives here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

DAY_MINUTES: Final = 1_440
_POSITIVE: Final = ("equal_levels_atr_bars", "equal_levels_lookback_bars", "sweep_depth_atr_bars")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConceptParameters:
    """A switch for each concept, then the numbers.

    `equal_levels_atr` is a share of the plain mean of the last `equal_levels_atr_bars` true ranges; two highs are
    compared when they are at most `equal_levels_lookback_bars` apart. `ote_near`, `ote_sweet` and `ote_far` are shares
    of the way back along a leg, the equilibrium a band of the dealing range, both ends included. Windows are minutes
    of the New York day, start included, end not.
    """

    pools: bool
    equal_levels: bool
    previous_day: bool
    previous_week: bool
    previous_sessions: bool
    breakers: bool
    inversions: bool
    inducements: bool
    dealing_ranges: bool
    ote: bool
    kill_zones: bool
    equal_levels_atr: float
    equal_levels_atr_bars: int
    equal_levels_lookback_bars: int
    sweep_depth_atr_bars: int
    equilibrium_low: float
    equilibrium_high: float
    ote_near: float
    ote_sweet: float
    ote_far: float
    asian_minutes: tuple[int, int]
    london_open_minutes: tuple[int, int]
    new_york_open_minutes: tuple[int, int]
    london_close_minutes: tuple[int, int]

    def __post_init__(self) -> None:
        for name in _POSITIVE:
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} is {getattr(self, name)}, expected a number above 0")
        if not self.equal_levels_atr >= 0:
            raise ValueError(f"equal_levels_atr is {self.equal_levels_atr}, expected 0 or more")
        if not 0 <= self.ote_near < self.ote_sweet < self.ote_far <= 1:
            shares = (self.ote_near, self.ote_sweet, self.ote_far)
            raise ValueError(f"ote near, sweet and far are {shares}, expected them rising from 0 to 1")
        if not 0 <= self.equilibrium_low <= self.equilibrium_high <= 1:
            band = (self.equilibrium_low, self.equilibrium_high)
            raise ValueError(f"equilibrium is {band}, expected a low and a high end from 0 to 1")
        for name in ("asian_minutes", "london_open_minutes", "new_york_open_minutes", "london_close_minutes"):
            start, end = getattr(self, name)
            if not 0 <= start < end <= DAY_MINUTES:
                raise ValueError(f"{name} is {(start, end)}, expected start before end within 0 to {DAY_MINUTES}")
