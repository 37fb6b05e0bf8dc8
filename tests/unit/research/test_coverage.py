"""The coverage table counts what is there and what is not, and says what needs a look."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pandas  # type: ignore[import-untyped]
import pytest

from infra.research.coverage import Held, coverage, to_frame
from infra.research.report import coverage_rows
from tests.architecture.sources import everything
from trading.model.candles import Candle, CandleSeries
from trading.model.instruments import InstrumentId
from trading.model.times import Timeframe

START = datetime(2024, 1, 1, tzinfo=UTC)
FIRST = int(START.timestamp())


def held(
    numbers: Sequence[int],
    closes: Sequence[float] = (),
    volume: float = 1.0,
    timeframe: Timeframe = Timeframe.M15,
    live: bool = True,
) -> Held:
    """Bars at these places of the grid."""
    prices = closes or [100.0] * len(numbers)
    candles = [
        Candle(
            open_time=FIRST + number * timeframe.seconds, open=price, high=price, low=price, close=price, volume=volume
        )
        for number, price in zip(numbers, prices, strict=True)
    ]
    return Held(
        coin=InstrumentId("BTC"), quote="USD", source="test", series=CandleSeries(timeframe, candles), live=live
    )


def row(series: Held, now: datetime = START) -> dict[str, object]:
    return coverage_rows([series], now)[0]


def test_gaps_are_counted_with_their_length() -> None:
    found = row(held([0, 1, 4, 5, 7]))
    assert (found["rows"], found["expected_rows"], found["missing_bars"], found["gaps"]) == (5, 8, 3, 2)
    assert found["longest_gap_hours"] == 0.75
    assert (found["first"], found["last"]) == ("2024-01-01T00:00Z", "2024-01-01T01:45Z")
    assert found["quality"] == "gaps"


def test_whole_and_fresh_series_is_complete() -> None:
    found = row(held([0, 1, 2]), START + timedelta(minutes=45))
    assert (found["quality"], found["stale_hours"], found["longest_gap_hours"]) == ("complete", 0.0, 0.25)


@pytest.mark.parametrize(("bars_later", "quality"), [(2, "complete"), (3, "stale")])
def test_series_is_stale_after_two_bars(bars_later: int, quality: str) -> None:
    now = START + timedelta(hours=2 + bars_later)
    assert row(held([0, 1], timeframe=Timeframe.H1), now)["quality"] == quality


def test_archive_ends_but_is_never_stale() -> None:
    found = row(held([0, 1], live=False), START + timedelta(days=1))
    assert (found["quality"], found["stale_hours"]) == ("complete", 23.5)


def test_jumps_and_empty_bars_are_counted() -> None:
    found = row(held([0, 1, 2, 3], closes=[100, 125, 124, 90], volume=0.0))
    assert (found["jumps"], found["zero_volume_bars"]) == (2, 4)
    assert found["largest_move"] == pytest.approx(math.log(124 / 90))
    assert found["quality"] == "jumps, bars without volume"


def test_empty_series_is_a_row_too() -> None:
    found = row(held([]))
    assert (found["rows"], found["first"], found["stale_hours"], found["quality"]) == (0, None, None, "empty")


def test_single_bar_has_no_gap_and_move() -> None:
    found = row(held([0]))
    assert (found["rows"], found["gaps"], found["largest_move"], found["longest_gap_hours"]) == (1, 0, 0.0, 0.0)


def test_table_is_sorted_by_coin_and_length() -> None:
    table = coverage([held([0], timeframe=each) for each in reversed(Timeframe)], START)
    assert list(table["timeframe"]) == ["15m", "1h", "4h", "1d"]


def test_frame_has_open_times_in_utc() -> None:
    frame = to_frame(held([0, 2], closes=[100, 101]).series)
    assert list(frame.index) == [pandas.Timestamp(START), pandas.Timestamp(START) + pandas.Timedelta(minutes=30)]
    assert list(frame["close"]) == [100.0, 101.0]


def test_only_research_imports_pandas_and_numpy() -> None:
    users = {
        source.module
        for source in everything("trading", "shared", "functions", "infra")
        for name in source.imports
        if name.split(".")[0] in ("pandas", "numpy")
    }
    assert {user.rpartition(".")[0] for user in users} == {"infra.research"}
