"""The concepts know no preferred direction and no unit of price."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.unit.smc.concept_bars import TimedBar, concept_parameters, timed, timed_bar_lists, timed_walk, told
from trading.smc.events import RawEvent

SCALES = (2, 4)
ON = concept_parameters()
LOOSE = concept_parameters(equal_levels_atr=1.0, equal_levels_atr_bars=5)


def _mirrored_bars(bars: list[TimedBar]) -> list[TimedBar]:
    return [(time, -open_, -low, -high, -close) for time, open_, high, low, close in bars]


def _mirrored(event: RawEvent) -> RawEvent:
    kind, side, scale, known_at, ref_bar, top, bottom, causes, detail = event
    keys = tuple((key[0], -key[1], *key[2:]) for key in causes)
    return (kind, -side, scale, known_at, ref_bar, -bottom, -top, keys, detail)


def _first_tie(bars: list[TimedBar], events: list[RawEvent]) -> int:
    """The first bar at which both sides act: the detector lets the high go first, which a mirror cannot keep."""
    breaks = [(event[2], event[3]) for event in events if event[0] in ("bos", "choch")]
    ties = [each[1] for each in breaks if breaks.count(each) > 1]
    for scale in SCALES:
        for at in range(scale, len(bars) - scale):
            window = bars[at - scale : at] + bars[at + 1 : at + scale + 1]
            if bars[at][2] >= max(bar[2] for bar in window) and bars[at][3] <= min(bar[3] for bar in window):
                ties.append(at + scale)
    return min(ties, default=len(bars))


@settings(max_examples=150, deadline=None)
@given(timed_bar_lists())
def test_mirrored_prices_swap_the_sides(bars: list[TimedBar]) -> None:
    events = told(bars, LOOSE, SCALES)
    assume(_first_tie(bars, events) == len(bars))
    assert sorted(told(_mirrored_bars(bars), LOOSE, SCALES)) == sorted(_mirrored(event) for event in events)


def test_mirrored_walk_swaps_the_sides() -> None:
    compared = 0
    for seed in range(12):
        bars = timed_walk(seed, 400, tick=2.0**-20)
        events = told(bars, ON, SCALES)
        until = _first_tie(bars, events)
        expected = sorted(_mirrored(event) for event in events if event[3] < until)
        assert sorted(event for event in told(_mirrored_bars(bars), ON, SCALES) if event[3] < until) == expected
        compared += len(expected)
    assert compared > 1_000


@settings(max_examples=80, deadline=None)
@given(timed_bar_lists(), st.integers(-30, 30))
def test_prices_times_a_power_of_two_change_levels_only(bars: list[TimedBar], power: int) -> None:
    factor = 2.0**power
    scaled = [(time, *(price * factor for price in prices)) for time, *prices in bars]
    events = told(bars, LOOSE, SCALES)
    expected = [(*event[:5], event[5] * factor, event[6] * factor, *event[7:]) for event in events]
    assert told(scaled, LOOSE, SCALES) == expected


@pytest.mark.parametrize("count", [1, 2, 300])
def test_flat_bars_give_period_levels_and_times_only(count: int) -> None:
    events = told(timed([(100.0, 100.0, 100.0, 100.0)] * count), ON)
    assert {event[0] for event in events} <= {"period_level", "kill_zone", "equal_levels", "pool_expired"}
