"""Putting bars together: higher timeframes out of 15m bars, and one series out of two. Columns in, columns out."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from datetime import datetime
from math import fsum
from typing import Any

from trading.errors import InvalidInput
from trading.model.candles import CandleSeries
from trading.model.times import Timeframe


def newest_closed(moment: datetime, timeframe: Timeframe) -> int:
    """Open time (seconds since 1970) of the newest bar that is closed at `moment`."""
    return int(timeframe.floor(moment).timestamp()) - timeframe.seconds


def fold(bars: CandleSeries, timeframe: Timeframe) -> CandleSeries:
    """Bars of the higher `timeframe`, one for each complete set of its parts; an incomplete set gives no bar."""
    parts, left_over = divmod(timeframe.seconds, bars.timeframe.seconds)
    if left_over or parts < 1:
        raise InvalidInput(f"{bars.timeframe} bars cannot be folded into {timeframe}; expected a whole multiple")
    span = (parts - 1) * bars.timeframe.seconds
    times = bars.times
    # Open times rise strictly on the grid, so a set is complete when its last part stands where it belongs.
    starts = [
        index
        for index, time in enumerate(times[: max(len(times) - parts + 1, 0)])
        if time % timeframe.seconds == 0 and times[index + parts - 1] - time == span
    ]
    return CandleSeries.from_columns(
        timeframe,
        (
            array("q", (times[start] for start in starts)),
            array("d", (bars.opens[start] for start in starts)),
            array("d", (max(bars.highs[start : start + parts]) for start in starts)),
            array("d", (min(bars.lows[start : start + parts]) for start in starts)),
            array("d", (bars.closes[start + parts - 1] for start in starts)),
            array("d", (fsum(bars.volumes[start : start + parts]) for start in starts)),
        ),
    )


def merged(first: CandleSeries, second: CandleSeries) -> CandleSeries:
    """All bars of both, oldest first. Where both have a bar, the one of `first` stays: a stored bar never changes."""
    if first.timeframe is not second.timeframe:
        raise InvalidInput(f"{second.timeframe} bars cannot join {first.timeframe} bars; expected one timeframe")
    if not second.times:
        return first
    if not first.times:
        return second
    if second.times[0] > first.times[-1]:
        return CandleSeries.from_columns(first.timeframe, _joined(first.columns, second.columns))
    rows = {row[0]: row for row in zip(*second.columns, strict=True)}
    rows.update((row[0], row) for row in zip(*first.columns, strict=True))
    ordered = zip(*(rows[time] for time in sorted(rows)), strict=True)
    columns = tuple(array(kind, column) for kind, column in zip("qddddd", ordered, strict=True))
    return CandleSeries.from_columns(first.timeframe, columns)


def _joined(first: Sequence[array[Any]], second: Sequence[array[Any]]) -> tuple[array[Any], ...]:
    return tuple(old + new for old, new in zip(first, second, strict=True))


def since(bars: CandleSeries, open_time: int) -> CandleSeries:
    """Only the bars that open at or after `open_time` (seconds since 1970)."""
    count = len(bars) - len(bars.until(open_time + bars.timeframe.seconds - 1))
    return bars.last(count) if count else CandleSeries(bars.timeframe)
