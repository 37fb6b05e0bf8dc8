"""Tables about candles: what is there, what is missing, what looks odd. The one place where pandas is used."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import numpy
import pandas  # type: ignore[import-untyped]

from trading.model.candles import CandleSeries
from trading.model.instruments import InstrumentId
from trading.model.times import Timeframe

JUMP = 0.2
"""Size of a close-to-close log return that is counted as a jump: about 22 % up or 18 % down."""
STALE_BARS = 2
"""A series that should follow the exchange is stale when more than so many bars have closed since its newest one."""
COLUMNS = (
    "coin",
    "timeframe",
    "quote",
    "source",
    "rows",
    "expected_rows",
    "first",
    "last",
    "missing_bars",
    "gaps",
    "longest_gap_hours",
    "zero_volume_bars",
    "largest_move",
    "jumps",
    "stale_hours",
    "quality",
    "trust",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One series and where it comes from: a file's name, `store` (what decisions read) or `history` (backfilled).

    `live`: it should follow the exchange. `defect`: why its record could not be read; the series is empty then.
    `trust`: what ingest thinks of the coin, empty where it has no say.
    """

    coin: InstrumentId
    quote: str
    source: str
    series: CandleSeries
    live: bool = False
    defect: str = ""
    trust: str = ""


def to_frame(series: CandleSeries) -> pandas.DataFrame:
    """Columns open, high, low, close, volume (float64) by open time (UTC), for research."""
    names = ("open", "high", "low", "close", "volume")
    data = {name: numpy.asarray(column) for name, column in zip(names, series.columns[1:], strict=True)}
    return pandas.DataFrame(data, index=pandas.to_datetime(numpy.asarray(series.times), unit="s", utc=True))


def coverage(held: Iterable[Held], now: datetime) -> pandas.DataFrame:
    """One row a series, see COLUMNS. Nothing is filled or corrected.

    `expected_rows`: bars between the first and the last if none were missing. `longest_gap_hours`: between the opens
    of two bars that follow one another, so one bar length when none is missing. `largest_move`: absolute log return
    from close to close. `stale_hours`: from the newest bar's close to `now`.
    """
    rows = [_row(each, now) for each in held]
    table = pandas.DataFrame(rows, columns=list(COLUMNS))
    order = {each.value: each.seconds for each in Timeframe}
    return table.sort_values(
        ["coin", "timeframe", "source"], key=lambda column: column.map(order) if column.name == "timeframe" else column
    ).reset_index(drop=True)


def _row(held: Held, now: datetime) -> dict[str, object]:
    frame, timeframe = to_frame(held.series), held.series.timeframe
    row: dict[str, object] = {
        "coin": str(held.coin),
        "timeframe": timeframe.value,
        "quote": held.quote,
        "source": held.source,
        "rows": len(frame),
        "expected_rows": len(frame) + held.series.gaps,
        "missing_bars": held.series.gaps,
        "zero_volume_bars": int((frame["volume"] == 0).sum()),
    }
    row |= _steps(frame, timeframe) | _moves(frame) | _age(frame, timeframe, now)
    quality = held.defect or _quality(row, timeframe if held.live else None)
    return {**row, "quality": quality, "trust": held.trust}


def _steps(frame: pandas.DataFrame, timeframe: Timeframe) -> dict[str, object]:
    steps = frame.index.to_series().diff().dropna().dt.total_seconds()
    longest = float(steps.max()) if len(steps) else 0.0
    return {"gaps": int((steps > timeframe.seconds).sum()), "longest_gap_hours": longest / 3600}


def _moves(frame: pandas.DataFrame) -> dict[str, object]:
    moves = numpy.log(frame["close"]).diff().abs().dropna()
    return {"largest_move": float(moves.max()) if len(moves) else 0.0, "jumps": int((moves >= JUMP).sum())}


def _age(frame: pandas.DataFrame, timeframe: Timeframe, now: datetime) -> dict[str, object]:
    if frame.empty:
        return {"first": None, "last": None, "stale_hours": None}
    first, last = frame.index[0], frame.index[-1]
    closed = last + pandas.Timedelta(seconds=timeframe.seconds)
    hours = max((pandas.Timestamp(now) - closed).total_seconds(), 0.0) / 3600
    return {"first": first, "last": last, "stale_hours": hours}


def _quality(row: dict[str, object], live: Timeframe | None) -> str:
    """In words: `complete`, or everything about the series that needs a look. An archive is not stale, it ends."""
    if not row["rows"]:
        return "empty"
    stale = live is not None and float(str(row["stale_hours"])) * 3600 > STALE_BARS * live.seconds
    found = {"gaps": row["gaps"], "jumps": row["jumps"], "bars without volume": row["zero_volume_bars"], "stale": stale}
    return ", ".join(name for name, present in found.items() if present) or "complete"
