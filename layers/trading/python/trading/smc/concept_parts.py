"""The concepts that are switched on, put together from their parameters, and what is alive in them."""

from __future__ import annotations

from typing import Final

from trading.smc.breakers import Breakers
from trading.smc.civil_time import WindowClock
from trading.smc.concept_parameters import ConceptParameters
from trading.smc.concept_state import ConceptState
from trading.smc.dealing_range import DealingRanges
from trading.smc.events import (
    ASIAN,
    DAY,
    INVERSE_GAP,
    LONDON_CLOSE,
    LONDON_OPEN,
    NEW_YORK_OPEN,
    PERIOD_NAMES,
    WEEK,
)
from trading.smc.flipped import FlippedBook
from trading.smc.inducement import Inducements
from trading.smc.inversions import Inversions
from trading.smc.kill_zones import KillZones
from trading.smc.ote import OteZones
from trading.smc.peaks import Peaks
from trading.smc.periods import PeriodLevels
from trading.smc.pools import LiquidityPools, sweep_view
from trading.smc.true_ranges import TrueRanges

SESSIONS: Final = (ASIAN, LONDON_OPEN, NEW_YORK_OPEN, LONDON_CLOSE)


class ConceptParts:
    """One object for each concept, None where it is switched off, and the memory of prices they share."""

    __slots__ = (
        "breakers",
        "down",
        "flipped",
        "given",
        "inducements",
        "inversions",
        "kill_zones",
        "maximum_age",
        "ote",
        "periods",
        "pools",
        "ranges",
        "true_ranges",
        "up",
    )

    def __init__(self, given: ConceptParameters, internal: int, age: int) -> None:
        """`internal`: the smallest scale of the detector. `age`: after how many bars everything ends."""
        self.given = given
        self.maximum_age = age
        self.up, self.down = Peaks(), Peaks()
        # One clock for the sessions and the kill zones: they change together.
        clock = self._windows()
        self.true_ranges = TrueRanges(max(given.equal_levels_atr_bars, given.sweep_depth_atr_bars))
        self.pools = self._pools()
        self.periods = self._periods(clock)
        self.flipped = FlippedBook(age)
        self.breakers = Breakers(self.flipped, self.up, self.down) if given.breakers else None
        self.inversions = Inversions(self.flipped) if given.inversions else None
        self.inducements = Inducements(internal) if given.inducements else None
        self.ranges = DealingRanges(age, self.up, self.down) if given.dealing_ranges else None
        self.ote = OteZones(age, given.ote_near, given.ote_sweet, given.ote_far) if given.ote else None
        self.kill_zones = KillZones(clock) if given.kill_zones else None

    def warm(self, bar: int) -> bool:
        """Whether nothing that full history would know is missing any more at `bar`."""
        given = self.given
        settled = max(given.equal_levels_atr_bars, given.sweep_depth_atr_bars) + given.equal_levels_lookback_bars
        if self.periods is not None:
            if self.periods.settled_at < 0:
                return False
            settled = max(settled, self.periods.settled_at)
        return bar >= settled + self.maximum_age

    def state(self, bar: int, close: float) -> ConceptState:
        """A frozen picture of everything alive at the close of `bar`."""
        pools, flipped = self.pools, self.flipped.views()
        band = (self.given.equilibrium_low, self.given.equilibrium_high)
        openings = self.kill_zones.openings if self.kill_zones is not None else []
        return ConceptState(
            bar=bar,
            warm=self.warm(bar),
            pools=pools.views() if pools is not None else (),
            sweep_of_highs=sweep_view(pools.last_up) if pools is not None else None,
            sweep_of_lows=sweep_view(pools.last_down) if pools is not None else None,
            breakers=tuple(view for view in flipped if view.kind != INVERSE_GAP),
            inversions=tuple(view for view in flipped if view.kind == INVERSE_GAP),
            inducements=self.inducements.views() if self.inducements is not None else (),
            dealing_ranges=self.ranges.views(bar, close, band) if self.ranges is not None else (),
            ote=self.ote.views() if self.ote is not None else (),
            kill_zones=tuple(PERIOD_NAMES[code] for code, _ in openings),
        )

    def _windows(self) -> WindowClock:
        given = self.given
        minutes = (
            given.asian_minutes,
            given.london_open_minutes,
            given.new_york_open_minutes,
            given.london_close_minutes,
        )
        return WindowClock(tuple(zip(SESSIONS, minutes, strict=True)))

    def _pools(self) -> LiquidityPools | None:
        given = self.given
        if not (given.pools or given.previous_day or given.previous_week or given.previous_sessions):
            return None
        pools = LiquidityPools(self.maximum_age, self.true_ranges, self.up, self.down)
        pools.measure_depth(given.sweep_depth_atr_bars)
        if given.equal_levels:
            pools.find_equals(given.equal_levels_atr, given.equal_levels_atr_bars, given.equal_levels_lookback_bars)
        return pools

    def _periods(self, clock: WindowClock) -> PeriodLevels | None:
        given = self.given
        codes = (DAY,) * given.previous_day + (WEEK,) * given.previous_week
        if self.pools is None or not (codes or given.previous_sessions):
            return None
        periods = PeriodLevels(self.pools, self.up, self.down)
        if given.previous_sessions:
            periods.watch(codes + SESSIONS, clock)
        else:
            periods.watch(codes, None)
        return periods
