"""What a decision may look at of the concepts: frozen views at the close of the last bar."""

from __future__ import annotations

from dataclasses import dataclass

from trading.smc.dealing_range import DealingRangeView
from trading.smc.flipped import FlippedView
from trading.smc.inducement import InducementView
from trading.smc.ote import OteView
from trading.smc.pools import PoolView, SweepView


@dataclass(frozen=True, slots=True, kw_only=True)
class ConceptState:
    """Everything alive at the close of bar `bar`. What is switched off is empty.

    `sweep_of_highs` and `sweep_of_lows` are the last ones; `kill_zones` the names of the windows the bar opened in.
    """

    bar: int
    warm: bool
    pools: tuple[PoolView, ...]
    sweep_of_highs: SweepView | None
    sweep_of_lows: SweepView | None
    breakers: tuple[FlippedView, ...]
    inversions: tuple[FlippedView, ...]
    inducements: tuple[InducementView, ...]
    dealing_ranges: tuple[DealingRangeView, ...]
    ote: tuple[OteView, ...]
    kill_zones: tuple[str, ...]

    def dealing_range(self, scale: int) -> DealingRangeView | None:
        """The dealing range of one scale, or None before its first break and once it is too old."""
        for view in self.dealing_ranges:
            if view.scale == scale:
                return view
        return None

    def nearest_pool(self, side: int) -> PoolView | None:
        """The untaken pool the price reaches first: of highs for -1, of lows for +1."""
        for pool in self.pools:
            if pool.side == side:
                return pool
        return None
