"""Small hand-made markets: pools, equal levels, levels of periods, sweeps and runs. Swings are told by hand."""

from __future__ import annotations

import pytest

from tests.unit.smc.concept_bars import HOUR, TimedBar, of_kinds, only, timed
from trading.smc.concept_parameters import ConceptParameters
from trading.smc.concepts import Concepts
from trading.smc.events import OUTSIDE, RawEvent

POOLS = only("pools", "equal_levels", equal_levels_atr_bars=3, sweep_depth_atr_bars=2)
SCALES = (2, 4)


def swing(side: int, known_at: int, price: float, scale: int = 2) -> RawEvent:
    """A swing high (-1) or low (+1) that the detector told."""
    return ("swing", side, scale, known_at, known_at - scale, price, price, (), 0)


def play(
    bars: list[TimedBar], core: list[RawEvent], given: ConceptParameters, age: int = 50
) -> tuple[list[RawEvent], Concepts]:
    """What the concepts add to events told by hand."""
    concepts, told = Concepts(given, SCALES, age), []
    for number, (time, *prices) in enumerate(bars):
        open_, high, low, close = prices
        events = [event for event in core if event[3] == number]
        concepts.advance(number, time, open_, high, low, close, events)
        told += [event for event in events if event not in core]
    return told, concepts


def calm(count: int) -> list[tuple[float, float, float, float]]:
    """Bars with a range of 2 around 100."""
    return [(100.0, 101.0, 99.0, 100.0)] * count


@pytest.mark.parametrize(
    ("high", "close", "kind"), [(105.0, 104.0, None), (105.25, 105.0, "sweep"), (105.5, 105.25, "run")]
)
def test_pool_is_swept_or_run_strictly_beyond_its_level(high: float, close: float, kind: str | None) -> None:
    bars = timed([*calm(4), (100.0, high, 99.0, close)])
    told, _ = play(bars, [swing(-1, 3, 105.0)], POOLS)
    expected = [(kind, -1, 2, 4, 1, high, 105.0, (("pool", -1, 2, 3, 1),), 1)] if kind else []
    assert of_kinds(told, "sweep", "run") == expected


def test_pool_is_taken_once_only() -> None:
    bars = timed([*calm(4), (100.0, 106.0, 99.0, 104.0), (104.0, 107.0, 99.0, 100.0)])
    told, concepts = play(bars, [swing(-1, 3, 105.0)], POOLS)
    assert [(event[0], event[3]) for event in of_kinds(told, "sweep", "run")] == [("sweep", 4)]
    assert concepts.state().pools == ()


def test_nearest_of_several_pools_is_taken_first() -> None:
    bars = timed([*calm(6), (100.0, 109.0, 99.0, 100.0)])
    core = [swing(-1, 3, 108.0), swing(-1, 4, 103.0), swing(-1, 5, 106.0)]
    told, _ = play(bars, core, POOLS)
    assert [event[6] for event in of_kinds(told, "sweep")] == [103.0, 106.0, 108.0]


def test_bar_that_takes_both_sides_is_flagged_outside() -> None:
    bars = timed([*calm(4), (100.0, 106.0, 94.0, 100.0)])
    told, concepts = play(bars, [swing(-1, 3, 105.0), swing(1, 3, 95.0)], POOLS)
    assert [(event[0], event[1], event[8]) for event in of_kinds(told, "sweep")] == [
        ("sweep", -1, 1 + OUTSIDE),
        ("sweep", 1, 1 + OUTSIDE),
    ]
    state = concepts.state()
    assert state.sweep_of_highs is not None
    assert (state.sweep_of_highs.outside, state.sweep_of_highs.depth_atr) == (True, 0.5)


def test_equal_highs_are_one_pool_at_their_extreme() -> None:
    """Ranges of 2 and a share of 0.25: a difference of 0.5 is equal."""
    bars = timed([*calm(9), (100.0, 105.25, 99.0, 100.0), (100.0, 105.75, 99.0, 100.0)])
    told, _ = play(bars, [swing(-1, 5, 105.0), swing(-1, 7, 105.5)], POOLS)
    equal = of_kinds(told, "equal_levels")
    names = (("pool", -1, 2, 5, 3), ("pool", -1, 2, 7, 5))
    assert equal == [("equal_levels", -1, 2, 7, 5, 105.5, 105.0, names, 2)]
    assert of_kinds(told, "sweep") == [("sweep", -1, 2, 10, 5, 105.75, 105.5, (equal[0][:5],), 2)]


@pytest.mark.parametrize(("price", "later", "equal"), [(105.5, 0, True), (105.625, 0, False), (105.5, 60, False)])
def test_levels_are_equal_within_tolerance_and_look_back(price: float, later: int, equal: bool) -> None:
    bars = timed(calm(20 + later))
    told, _ = play(bars, [swing(-1, 5, 105.0), swing(-1, 6 + later, price)], POOLS, age=100)
    assert (of_kinds(told, "equal_levels") != []) is equal


def test_no_levels_are_equal_before_the_mean_is_whole() -> None:
    given = only("pools", "equal_levels", equal_levels_atr_bars=8)
    early, _ = play(timed(calm(10)), [swing(-1, 3, 105.0), swing(-1, 7, 105.0)], given)
    in_time, _ = play(timed(calm(10)), [swing(-1, 3, 105.0), swing(-1, 8, 105.0)], given)
    assert (len(of_kinds(early, "equal_levels")), len(of_kinds(in_time, "equal_levels"))) == (0, 1)


def test_equal_levels_without_end_do_not_pile_up() -> None:
    """A coin without trades: every period has the same high, which nothing ever goes beyond."""
    bars = timed([(1.0, 1.0, 1.0, 1.0)] * 3_000)
    given = only("equal_levels", "previous_day", "previous_sessions", equal_levels_atr_bars=3)
    told, concepts = play(bars, [], given, age=100)
    assert max(len(event[7]) for event in told) < 40
    assert [pool.members < 40 for pool in concepts.state().pools] == [True, True]


def test_one_high_of_two_scales_is_one_pool() -> None:
    bars = timed([*calm(8), (100.0, 106.0, 99.0, 100.0)])
    told, concepts = play(bars[:-1], [swing(-1, 5, 105.0), swing(-1, 7, 105.0, scale=4)], POOLS)
    assert [(pool.members, pool.scale, len(pool.names)) for pool in concepts.state().pools] == [(1, 4, 2)]
    told, _ = play(bars, [swing(-1, 5, 105.0), swing(-1, 7, 105.0, scale=4)], POOLS)
    assert of_kinds(told, "equal_levels") == []
    assert [event[2:5] for event in of_kinds(told, "sweep")] == [(4, 8, 3)]


def test_pool_expires_after_its_maximum_age() -> None:
    told, concepts = play(timed(calm(20)), [swing(-1, 3, 105.0)], POOLS, age=10)
    assert [(event[0], event[3]) for event in of_kinds(told, "pool_")] == [("pool_expired", 13)]
    assert concepts.state().nearest_pool(-1) is None


MIDNIGHT = 1_710_115_200
"""Monday, 11 March 2024, 00:00 UTC."""


def test_day_and_week_are_known_at_the_next_bar() -> None:
    bars = timed([*calm(30), (100.0, 104.0, 97.0, 100.0), *calm(18)], MIDNIGHT - 49 * HOUR)
    bars.append((MIDNIGHT + 5 * HOUR, 100.0, 101.0, 99.0, 100.0))
    told, _ = play(bars, [], only("previous_day", "previous_week"))
    # The week began before the first bar: its extremes are not known. Sunday's are those of bar 30.
    assert [event[1:7] for event in told if event[3] == 49] == [
        (-1, -1, 49, 30, 104.0, 104.0),
        (1, -1, 49, 30, 97.0, 97.0),
    ]
    assert [event[2:4] for event in told if event[0] == "period_level"] == [(-1, 25), (-1, 25), (-1, 49), (-1, 49)]


def test_first_bar_of_a_day_may_sweep_the_last() -> None:
    bars = timed([*calm(25), (100.0, 103.0, 99.0, 100.0)], MIDNIGHT - 25 * HOUR)
    told, _ = play(bars, [], only("previous_day"))
    assert [(event[0], event[3], event[6]) for event in of_kinds(told, "sweep")] == [("sweep", 25, 101.0)]


def test_session_levels_are_known_when_their_window_closes() -> None:
    """Asian session of New York: 00:00 to 04:00 UTC in summer time, from 10 March on."""
    bars = timed(calm(8), MIDNIGHT - 2 * HOUR)
    bars[4] = (bars[4][0], 100.0, 103.0, 96.0, 100.0)
    told, _ = play(bars, [], only("previous_sessions"))
    assert [event[1:6] for event in of_kinds(told, "period_level")] == [(-1, -3, 6, 4, 103.0), (1, -3, 6, 4, 96.0)]


def test_kill_zone_opens_an_hour_earlier_in_summer() -> None:
    """London opens at 02:00 in New York: 07:00 UTC on Friday, 8 March, 06:00 UTC on Monday, 11 March 2024."""
    friday, monday = MIDNIGHT - 72 * HOUR, MIDNIGHT
    bars = [*timed(calm(12), friday), *timed(calm(12), monday)]
    told, concepts = play(bars, [], only("kill_zones"))
    london = [event[3] for event in of_kinds(told, "kill_zone") if event[2] == -4]
    assert london == [7, 12 + 6]
    assert concepts.state().kill_zones == ("new_york_open",)
