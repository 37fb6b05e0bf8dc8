"""Stop, entry and targets on the ticks of the contract."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.strategy.markets import INSTRUMENT
from tests.unit.strategy.readings import after_leg, candidate, leg, reading, scale
from trading.model.instruments import Side
from trading.model.signals import Regime
from trading.model.units import BasisPoints
from trading.rules import load_rules
from trading.strategy.fibonacci import fibonacci_place
from trading.strategy.levels import build_levels, net_reward, stop_buffer, target_cost_multiple

RULES = load_rules()


@pytest.mark.parametrize(
    ("ratio", "regime", "buffer"),
    [
        (0.2, Regime.TIGHT_SMC, 0.6),
        (1.0, Regime.TIGHT_SMC, 0.9),
        (3.0, Regime.TIGHT_SMC, 1.2),
        (0.5, Regime.WIDE_STRUCTURE, 2.0),
        (1.5, Regime.WIDE_STRUCTURE, 2.4),
    ],
)
def test_stop_buffer_grows_with_volatility_inside_its_range(ratio: float, regime: Regime, buffer: float) -> None:
    assert stop_buffer(2.0, ratio, regime, RULES.levels) == pytest.approx(buffer)


def test_targets_are_multiples_of_the_rounded_stop_distance() -> None:
    coarse = replace(INSTRUMENT, tick=Decimal("0.5"))
    levels = build_levels(candidate(), 0.6, coarse, RULES.levels)
    assert levels is not None
    assert (levels.stop, levels.entry) == (Decimal(96), Decimal(100))
    assert (levels.target_1, levels.target_2) == (Decimal(104), Decimal(110))


@given(
    st.sampled_from(Side), st.floats(50, 150), st.floats(0.5, 5), st.floats(0.01, 3), st.sampled_from(["0.01", "0.5"])
)
def test_levels_stand_in_order_with_the_stop_beyond(
    side: Side, entry: float, height: float, buffer: float, tick: str
) -> None:
    idea = replace(candidate(side=side), entry=entry, invalidation=entry - height * side.sign)
    levels = build_levels(idea, buffer, replace(INSTRUMENT, tick=Decimal(tick)), RULES.levels)
    assert levels is not None
    assert all(price % Decimal(tick) == 0 for price in (levels.entry, levels.stop, levels.target_1, levels.target_2))
    assert (Decimal(repr(idea.invalidation)) - levels.stop) * side.sign >= Decimal(repr(buffer)) - Decimal("1e-9")


def test_ladder_below_zero_or_within_one_tick_is_none() -> None:
    assert build_levels(replace(candidate(), invalidation=1.0), 2.0, INSTRUMENT, RULES.levels) is None
    wide_short = replace(candidate(side=Side.SHORT), invalidation=150.0)
    assert build_levels(wide_short, 2.0, INSTRUMENT, RULES.levels) is None


@pytest.mark.parametrize(("cost", "reward", "multiple"), [("0", "2.5", None), ("60", "2", "6"), ("100", "1.75", None)])
def test_net_reward_counts_the_cost_twice(cost: str, reward: str, multiple: str | None) -> None:
    levels = build_levels(candidate(), 0.6, INSTRUMENT, RULES.levels)
    assert levels is not None
    assert levels.stop_distance == Decimal("3.6")
    assert net_reward(levels, BasisPoints(cost)).quantize(Decimal("0.01")) == pytest.approx(
        Decimal(reward), abs=Decimal("0.02")
    )
    if multiple:
        assert target_cost_multiple(levels, BasisPoints(cost)) == Decimal(multiple)


@pytest.mark.parametrize(
    ("entry", "in_ote", "near"), [(93.0, True, False), (95.0, False, True), (95.15, False, True), (97.0, False, False)]
)
def test_entry_place_is_measured_from_the_right_end(entry: float, in_ote: bool, near: bool) -> None:
    structure = reading(minor=scale(5, leg_up=leg(90.0, 100.0)), close=95.0)
    place = fibonacci_place(structure, replace(candidate(), entry=entry), RULES.gates)
    assert place is not None
    assert place.in_ote is in_ote
    assert (place.level_bps <= RULES.gates.fibonacci_near_bps) is near


def test_short_is_measured_on_the_falling_leg() -> None:
    structure = reading(minor=scale(5, leg_down=leg(100.0, 90.0)), close=95.0)
    place = fibonacci_place(structure, replace(candidate(side=Side.SHORT), entry=97.0), RULES.gates)
    assert place is not None
    assert place.position == pytest.approx(0.7)
    assert place.in_ote


@pytest.mark.parametrize(("low", "high", "stands"), [(90.0, 100.0, True), (89.9, 95.0, False), (95.0, 100.1, False)])
def test_leg_is_over_once_price_leaves_it(low: float, high: float, stands: bool) -> None:
    structure = after_leg(reading(minor=scale(5, leg_up=leg(90.0, 100.0)), close=95.0), low=low, high=high)
    assert (fibonacci_place(structure, candidate(), RULES.gates) is not None) is stands
