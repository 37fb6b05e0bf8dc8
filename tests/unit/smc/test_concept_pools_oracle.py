"""Pools, equal levels, period levels, sweeps, runs and kill zones against a scan of everything on every bar."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.smc.bars import parameters
from tests.unit.smc.concept_bars import (
    START,
    TimedBar,
    of_kinds,
    only,
    timed,
    timed_bar_lists,
    timed_walk,
    told,
)
from tests.unit.smc.concept_oracle import openings_at, slow_pools
from trading.smc import Detector
from trading.smc.concepts import ConceptParameters
from trading.smc.events import OUTSIDE, RawEvent

POOL_KINDS = ("pool", "period_level", "equal_levels", "sweep", "run")
POOLS = only("pools", "equal_levels", "previous_day", "previous_week", "previous_sessions")
AGE = 40


def _core(bars: list[TimedBar], scales: tuple[int, ...], age: int) -> list[RawEvent]:
    detector = Detector(parameters(scales=scales, age=age))
    return [event for _, *prices in bars for event in detector.update(*prices)]


def _check(bars: list[TimedBar], scales: tuple[int, ...], values: ConceptParameters, age: int = AGE) -> list[RawEvent]:
    found = of_kinds(told(bars, values, scales, age), *POOL_KINDS)
    assert sorted(found) == sorted(slow_pools(bars, _core(bars, scales, age), values, age))
    return found


@pytest.mark.parametrize("seed", range(3))
def test_pools_match_a_scan_of_every_bar(seed: int) -> None:
    found = _check(timed_walk(seed, 1_500), (3, 9), POOLS)
    assert len(of_kinds(found, "sweep")) > 80
    assert len(of_kinds(found, "equal_levels")) > 40
    assert any(event[8] >= OUTSIDE for event in found)


def test_pools_match_with_the_starting_values() -> None:
    values = only(*POOL_SWITCHES, equal_levels_atr=0.1, equal_levels_atr_bars=200, equal_levels_lookback_bars=200)
    found = _check(timed_walk(12, 2_500), (5, 20), values, 300)
    assert len(of_kinds(found, "equal_levels")) > 10


POOL_SWITCHES = ("pools", "equal_levels", "previous_day", "previous_week", "previous_sessions")


@settings(max_examples=150, deadline=None)
@given(timed_bar_lists(), st.sampled_from((0.0, 0.1, 0.5, 2.0)), st.sampled_from((5, 25)))
def test_pools_match_on_any_bars(bars: list[TimedBar], tolerance: float, age: int) -> None:
    values = only(*POOL_SWITCHES, equal_levels_atr=tolerance, equal_levels_atr_bars=8, equal_levels_lookback_bars=20)
    _check(bars, (2, 4), values, age)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**9), st.integers(1, 200), st.sampled_from((900, 3_600, 14_400, 86_400)))
def test_kill_zones_match_the_time_zone_database(offset: int, count: int, step: int) -> None:
    bars = timed([(1.0, 1.0, 1.0, 1.0)] * count, START + offset // 900 * 900, step)
    values = only("kill_zones")
    found = [(event[3], event[2]) for event in told(bars, values)]
    expected, before = [], []
    for number, (time, *_) in enumerate(bars):
        openings = openings_at(time, values)
        expected += [(number, code) for code, day in openings if (code, day) not in before]
        before = openings
    assert found == expected


@pytest.mark.parametrize("adjacent", [False, True])
def test_four_years_of_kill_zones_follow_summer_time(adjacent: bool) -> None:
    """With windows that meet at 5 o'clock, none begins or ends at 2, where summer time does."""
    changes = {"london_open_minutes": (60, 300), "new_york_open_minutes": (300, 600)} if adjacent else {}
    bars = timed([(1.0, 1.0, 1.0, 1.0)] * (4 * 366 * 24), START)
    values = only("kill_zones", **changes)
    found = [(event[3], event[2]) for event in of_kinds(told(bars, values), "kill_zone")]
    expected = []
    for number, (time, *_) in enumerate(bars):
        before = openings_at(time - 3_600, values) if number else []
        expected += [(number, code) for code, day in openings_at(time, values) if (code, day) not in before]
    assert found == expected
    assert len(found) == pytest.approx(4 * 4 * 366, abs=5)
