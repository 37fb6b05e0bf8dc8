"""Higher bars out of 15m bars, and one series out of two."""

from __future__ import annotations

from datetime import UTC, datetime
from math import fsum

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.spot_market import wave
from trading.errors import InvalidInput
from trading.model.candles import Candle, CandleSeries
from trading.model.folding import fold, merged, newest_closed, since
from trading.model.times import Timeframe

MIDNIGHT = 1_714_521_600  # 2024-05-01T00:00:00Z
HIGHER = [Timeframe.H1, Timeframe.H4, Timeframe.D1]
WHOLE = wave(MIDNIGHT - 5 * 900, 250)


def picked(indices: set[int]) -> CandleSeries:
    return CandleSeries(Timeframe.M15, (WHOLE[index] for index in sorted(indices)))


subsets = st.sets(st.integers(0, len(WHOLE) - 1))


def brute_force(bars: CandleSeries, timeframe: Timeframe) -> list[Candle]:
    groups: dict[int, list[Candle]] = {}
    for index in range(len(bars)):
        groups.setdefault(bars.times[index] - bars.times[index] % timeframe.seconds, []).append(bars[index])
    return [
        Candle(
            open_time=start,
            open=parts[0].open,
            high=max(each.high for each in parts),
            low=min(each.low for each in parts),
            close=parts[-1].close,
            volume=fsum(each.volume for each in parts),
        )
        for start, parts in sorted(groups.items())
        if len(parts) == timeframe.seconds // 900
    ]


@settings(max_examples=60, deadline=None)
@given(missing=st.sets(st.integers(0, len(WHOLE) - 1), max_size=8), timeframe=st.sampled_from(HIGHER))
def test_derived_bars_equal_a_brute_force_fold(missing: set[int], timeframe: Timeframe) -> None:
    bars = picked(set(range(len(WHOLE))) - missing)
    assert fold(bars, timeframe) == CandleSeries(timeframe, brute_force(bars, timeframe))


def test_day_with_one_missing_part_gives_no_bar() -> None:
    day = wave(MIDNIGHT, 96)
    assert len(fold(day, Timeframe.D1)) == 1
    holed = CandleSeries(Timeframe.M15, (day[index] for index in range(96) if index != 40))
    assert len(fold(holed, Timeframe.D1)) == 0
    assert len(fold(holed, Timeframe.H1)) == 23


@pytest.mark.parametrize("count", [1, 2, 3])
def test_fewer_bars_than_one_set_give_no_bar(count: int) -> None:
    first = WHOLE.times.index(MIDNIGHT)
    assert len(fold(picked(set(range(first, first + count))), Timeframe.H1)) == 0


def test_fold_into_shorter_timeframe_is_refused() -> None:
    with pytest.raises(InvalidInput, match="cannot be folded"):
        fold(CandleSeries(Timeframe.H4), Timeframe.H1)


@settings(max_examples=60, deadline=None)
@given(first=subsets, second=subsets)
def test_merging_is_union_whatever_the_order(first: set[int], second: set[int]) -> None:
    union = picked(first | second)
    assert merged(picked(first), picked(second)) == union
    assert merged(picked(second), picked(first)) == union


def test_stored_bar_wins_over_later_version() -> None:
    stored, other = wave(MIDNIGHT, 3), wave(MIDNIGHT, 4, start_price=900.0)
    together = merged(stored, other)
    assert list(together.closes[:3]) == list(stored.closes)
    assert together.closes[3] == other.closes[3]


@settings(max_examples=40, deadline=None)
@given(indices=subsets, offset=st.integers(-10, 260), jitter=st.integers(0, 899))
def test_since_keeps_bars_opening_from_moment(indices: set[int], offset: int, jitter: int) -> None:
    moment = WHOLE.times[0] + offset * 900 + jitter
    expected = [time for time in picked(indices).times if time >= moment]
    assert list(since(picked(indices), moment).times) == expected


@pytest.mark.parametrize(("minute", "opened"), [(0, -900), (14, -900), (15, 0), (29, 0)])
def test_newest_closed_bar_is_never_the_running_one(minute: int, opened: int) -> None:
    assert newest_closed(datetime(2024, 5, 1, 0, minute, tzinfo=UTC), Timeframe.M15) == MIDNIGHT + opened
