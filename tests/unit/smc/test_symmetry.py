"""The detector knows no preferred direction and no unit of price."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.unit.smc.bars import Bar, bar_lists, events_of, parameters, walk
from trading.smc.events import RawEvent

SMALL = parameters(scales=(2, 4), age=30)


def _mirrored_bars(bars: list[Bar]) -> list[Bar]:
    return [(-open_, -low, -high, -close) for open_, high, low, close in bars]


def _mirrored(event: RawEvent) -> RawEvent:
    kind, side, scale, known_at, ref_bar, top, bottom, causes, detail = event
    keys = tuple((key[0], -key[1], *key[2:]) for key in causes)
    return (kind, -side, scale, known_at, ref_bar, -bottom, -top, keys, detail)


def _has_a_tie_of_sides(bars: list[Bar], scales: tuple[int, ...]) -> bool:
    """Where both sides act on one bar the high goes first, which a mirror cannot keep."""
    for scale in scales:
        for at in range(scale, len(bars) - scale):
            window = bars[at - scale : at] + bars[at + 1 : at + scale + 1]
            if bars[at][1] >= max(bar[1] for bar in window) and bars[at][2] <= min(bar[2] for bar in window):
                return True
    events = events_of(bars, SMALL)
    breaks = [(event[2], event[3]) for event in events if event[0] in ("bos", "choch")]
    return len(breaks) != len(set(breaks))


@settings(max_examples=150, deadline=None)
@given(bar_lists())
def test_mirrored_prices_swap_the_sides(bars: list[Bar]) -> None:
    assume(not _has_a_tie_of_sides(bars, SMALL.swing_scales))
    expected = sorted(_mirrored(event) for event in events_of(bars, SMALL))
    assert sorted(events_of(_mirrored_bars(bars), SMALL)) == expected


@settings(max_examples=60, deadline=None)
@given(bar_lists(), st.integers(-30, 30))
def test_prices_times_a_power_of_two_change_levels_only(bars: list[Bar], power: int) -> None:
    factor = 2.0**power
    scaled = [tuple(price * factor for price in bar) for bar in bars]
    expected = [(*event[:5], event[5] * factor, event[6] * factor, *event[7:]) for event in events_of(bars, SMALL)]
    assert events_of(scaled, SMALL) == expected


@pytest.mark.parametrize("count", [1, 2, 500])
def test_flat_bars_give_no_event(count: int) -> None:
    assert events_of([(100.0, 100.0, 100.0, 100.0)] * count, parameters()) == []


def test_two_scales_see_what_each_sees_alone() -> None:
    bars = walk(23, 2_000)
    structural = ("swing", "swing_superseded", "bos", "choch", "choch_failed")
    both = [event for event in events_of(bars, parameters(scales=(3, 10))) if event[0] in structural]
    for scale in (3, 10):
        alone = [event for event in events_of(bars, parameters(scales=(scale,))) if event[0] in structural]
        assert [event for event in both if event[2] == scale] == alone
