from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.errors import InvalidInput
from trading.model.candles import Candle, CandleSeries
from trading.model.times import Timeframe, from_epoch, from_text, to_text

START = 1_714_557_600


def bar(index: int, **changes: Any) -> Candle:
    values: dict[str, Any] = {
        "open_time": START + index * 900,
        "open": 100.0,
        "high": 102.0,
        "low": 99.0,
        "close": 101.0,
        "volume": 1.0,
    }
    return Candle(**(values | changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"high": 100.5},
        {"low": 100.5},
        {"open": 0.0},
        {"close": float("nan")},
        {"high": float("inf")},
        {"volume": -1.0},
        {"volume": float("nan")},
    ],
)
def test_impossible_candle_is_refused_by_name(changes: dict[str, float]) -> None:
    with pytest.raises(InvalidInput, match=str(START)):
        bar(0, **changes)


@pytest.mark.parametrize("times", [[1, 1], [2, 1]])
def test_bars_must_rise_in_time(times: list[int]) -> None:
    with pytest.raises(InvalidInput, match="rising"):
        CandleSeries(Timeframe.M15, [bar(index) for index in times])


def test_bar_off_the_grid_is_refused() -> None:
    with pytest.raises(InvalidInput, match="grid"):
        CandleSeries(Timeframe.M15, [bar(0, open_time=START + 1)])


def test_missing_bars_are_counted_not_invented() -> None:
    series = CandleSeries(Timeframe.M15, [bar(0), bar(1), bar(4)])
    assert len(series) == 3
    assert series.gaps == 2


def test_columns_of_unequal_length_are_refused() -> None:
    columns = CandleSeries(Timeframe.M15, [bar(0), bar(1)]).columns
    with pytest.raises(InvalidInput, match="lengths"):
        CandleSeries.from_columns(Timeframe.M15, (*columns[:-1], columns[-1][:1]))


@given(st.integers(0, 40), st.integers(START - 900, START + 45 * 900))
def test_until_keeps_only_closed_bars(count: int, moment: int) -> None:
    series = CandleSeries(Timeframe.M15, [bar(index) for index in range(count)])
    kept = series.until(moment)
    assert all(time + 900 <= moment for time in kept.times)
    assert len(kept) == sum(time + 900 <= moment for time in series.times)


def test_last_of_more_than_all_is_all() -> None:
    series = CandleSeries(Timeframe.M15, [bar(0), bar(1)])
    assert series.last(9) == series
    assert series.last(1)[0] == bar(1)
    assert series.closed_at == from_epoch(START + 1800)
    assert CandleSeries(Timeframe.M15).closed_at is None


@given(st.datetimes(), st.sampled_from(Timeframe))
def test_floor_is_the_newest_closed_close(moment: Any, timeframe: Timeframe) -> None:
    aware = moment.replace(year=max(moment.year, 1971), tzinfo=from_epoch(0).tzinfo, day=min(moment.day, 28))
    floor = timeframe.floor(aware)
    assert floor <= aware < floor + timeframe.length
    assert int(floor.timestamp()) % timeframe.seconds == 0


@pytest.mark.parametrize("text", ["", "yesterday", "2024-05-01T10:00:00", "2024-05-01T10:00:00+02:00"])
def test_time_text_without_utc_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        from_text(text)


def test_text_order_is_time_order() -> None:
    earlier, later = from_text("2024-05-01T10:00:00Z"), from_text("2024-05-01T10:00:00.5Z")
    assert to_text(earlier) < to_text(later)
    assert from_text(to_text(later)) == later
