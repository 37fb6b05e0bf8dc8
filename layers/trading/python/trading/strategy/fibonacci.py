"""Where an entry stands on the leg it retraces."""

from __future__ import annotations

from dataclasses import dataclass

from trading.indicators import retracement
from trading.rules import GateRules
from trading.smc import LegView
from trading.strategy.reading import Reading
from trading.strategy.setups import Candidate


@dataclass(frozen=True, slots=True, kw_only=True)
class FibonacciPlace:
    """`position`: share of the leg given back at the entry. `in_ote`: inside the optimal trade entry zone.
    `level_bps`: distance of the entry to the nearest level, in basis points of the entry.
    """

    position: float
    in_ote: bool
    level_bps: float


def fibonacci_place(reading: Reading, candidate: Candidate, rules: GateRules) -> FibonacciPlace | None:
    """The entry's place on the last confirmed leg of its scale and side; None while there is no standing leg."""
    leg = reading.state.scale(candidate.scale).leg_of(candidate.side.sign)
    if leg is None or not leg_stands(reading, leg):
        return None
    position = retracement(leg.start, leg.end, candidate.entry)
    prices = [leg.end - level * (leg.end - leg.start) for level in rules.fibonacci_levels]
    nearest = min(abs(price - candidate.entry) for price in prices)
    return FibonacciPlace(
        position=position,
        in_ote=rules.ote_low <= position <= rules.ote_high,
        level_bps=nearest / candidate.entry * 10_000,
    )


def leg_stands(reading: Reading, leg: LegView) -> bool:
    """A leg is over once a bar after its end went beyond its start, or beyond its end (a new end has to confirm)."""
    after = leg.end_bar + 1
    lowest, highest = min(leg.start, leg.end), max(leg.start, leg.end)
    return min(reading.lows[after:]) >= lowest and max(reading.highs[after:]) <= highest
