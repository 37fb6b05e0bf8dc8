"""Where the higher timeframes point."""

from __future__ import annotations

import itertools
import json

import pytest

from tests.unit.strategy.markets import DOWN, UP, four_hours, series
from trading.model.decisions import Alignment, Bias
from trading.model.instruments import Side
from trading.model.times import Timeframe
from trading.rules import load_rules
from trading.strategy.bias import alignment, daily_average, daily_bias, structure_trend

RULES = load_rules()


@pytest.mark.parametrize(
    ("close", "expected"),
    [(100.11, Bias.UP), (100.1, Bias.NEUTRAL), (99.9, Bias.NEUTRAL), (99.89, Bias.DOWN)],
)
def test_daily_bias_is_neutral_within_ten_basis_points(close: float, expected: Bias) -> None:
    assert daily_bias(close, 100.0, RULES.bias) is expected


def test_too_few_daily_bars_give_a_neutral_bias() -> None:
    assert daily_average([100.0] * 199, RULES.bias, RULES.data) is None
    assert daily_average([100.0] * 200, RULES.bias, RULES.data) == 100.0
    assert daily_bias(500.0, None, RULES.bias) is Bias.NEUTRAL


def test_alignment_follows_its_table_for_both_sides() -> None:
    against_daily = {(Bias.DOWN, other) for other in Bias}
    opposed = {*against_daily, (Bias.NEUTRAL, Bias.DOWN)}
    mirror = {Bias.UP: Bias.DOWN, Bias.DOWN: Bias.UP, Bias.NEUTRAL: Bias.NEUTRAL}
    for daily, structure in itertools.product(Bias, Bias):
        expected = Alignment.NEUTRAL
        if (daily, structure) == (Bias.UP, Bias.UP):
            expected = Alignment.ALIGNED
        elif (daily, structure) in opposed:
            expected = Alignment.OPPOSED
        assert alignment(Side.LONG, daily, structure, RULES.bias) is expected
        assert alignment(Side.SHORT, mirror[daily], mirror[structure], RULES.bias) is expected


def test_bias_switched_off_stands_neutral_to_everything() -> None:
    rules = load_rules(json.dumps({"bias": {"enabled": False}}))
    assert alignment(Side.LONG, Bias.DOWN, Bias.DOWN, rules.bias) is Alignment.NEUTRAL


@pytest.mark.parametrize(("direction", "expected"), [(UP, Bias.UP), (DOWN, Bias.DOWN)])
def test_structure_trend_is_the_side_of_the_last_break(direction: int, expected: Bias) -> None:
    climbing = series(Timeframe.H4, four_hours(direction))
    assert structure_trend(climbing, RULES.detector) is expected


def test_structure_without_a_break_is_neutral() -> None:
    assert structure_trend(series(Timeframe.H4, []), RULES.detector) is Bias.NEUTRAL
    assert structure_trend(series(Timeframe.H4, four_hours(UP, 30)), RULES.detector) is Bias.NEUTRAL
