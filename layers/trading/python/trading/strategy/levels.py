"""Prices of an idea: stop beyond the invalidation, targets in multiples of the stop distance as it will be sent."""

from __future__ import annotations

from decimal import Decimal

from trading.errors import InvalidInput
from trading.model.instruments import Instrument, Side
from trading.model.signals import Levels, Regime
from trading.model.units import BasisPoints
from trading.rules import LevelRules
from trading.strategy.setups import Candidate


def stop_buffer(atr: float, atr_ratio: float, regime: Regime, rules: LevelRules) -> float:
    """How far beyond the invalidation the stop lies, in USD: wider the livelier the market is."""
    tight = regime is Regime.TIGHT_SMC
    low = rules.stop_tight_minimum_atr if tight else rules.stop_wide_minimum_atr
    high = rules.stop_tight_maximum_atr if tight else rules.stop_wide_maximum_atr
    position = (atr_ratio - rules.atr_ratio_low) / (rules.atr_ratio_high - rules.atr_ratio_low)
    return atr * (low + (high - low) * min(1.0, max(0.0, position)))


def build_levels(candidate: Candidate, buffer: float, instrument: Instrument, rules: LevelRules) -> Levels | None:
    """Tick-rounded prices, the stop away from the entry, targets to the nearest tick.

    None when the ticks are too coarse or the stop too far for a ladder of positive prices in order.
    """
    sign = candidate.side.sign
    try:
        entry = instrument.price_nearest(_exact(candidate.entry))
        invalidation = instrument.price_nearest(_exact(candidate.invalidation))
        beyond = _exact(candidate.invalidation - sign * buffer)
        stop = instrument.price_down(beyond) if candidate.side is Side.LONG else instrument.price_up(beyond)
        distance = (entry - stop) * sign
        return Levels(
            side=candidate.side,
            entry=entry,
            stop=stop,
            invalidation=invalidation,
            target_1=instrument.price_nearest(entry + sign * rules.target_1_r * distance),
            target_2=instrument.price_nearest(entry + sign * rules.target_2_r * distance),
        )
    except InvalidInput:
        return None


def net_reward(levels: Levels, cost: BasisPoints) -> Decimal:
    """(Distance to the second target - cost) / (stop distance + cost), as sent; cost in bps of the entry."""
    paid = levels.entry * cost / 10_000
    reward = abs(levels.target_2 - levels.entry)
    return (reward - paid) / (levels.stop_distance + paid)


def target_cost_multiple(levels: Levels, cost: BasisPoints) -> Decimal | None:
    """How many times the round trip's cost lies between entry and first target; None when it costs nothing."""
    reward = abs(levels.target_1 - levels.entry)
    paid = levels.entry * cost / 10_000
    return reward / paid if paid > 0 else None


def _exact(value: float) -> Decimal:
    """The shortest decimal that reads back as this float: a price of the feed keeps its own digits."""
    return Decimal(repr(value))
