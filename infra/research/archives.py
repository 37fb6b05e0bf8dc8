"""Candle archives of the four timeframes: which files they are, and their bars, every line checked.

Names and lines are read by the parser that the local venue uses: see `infra.local.market.candle_files`.
"""

from __future__ import annotations

from array import array
from datetime import datetime
from pathlib import Path

from infra.local.market.candle_files import CandleFile, describe, read_bars
from trading.errors import InvalidInput
from trading.model.candles import CandleSeries

EXAMPLES = "BTC_USDT-15m-20240101-20240907.csv.gz or XBTUSD_60.csv"


def named(path: Path) -> CandleFile:
    """Like `describe`, for a file that somebody named. Raises InvalidInput when it is missing or no archive."""
    if not path.is_file():
        raise InvalidInput(f"{path} is no file; expected a candle archive such as {EXAMPLES}")
    if (archive := describe(path)) is None:
        raise InvalidInput(f"{path} does not say what it is; expected a name like {EXAMPLES}")
    return archive


def find(folder: Path) -> tuple[CandleFile, ...]:
    """All archives below a folder, by coin, timeframe and path. Raises InvalidInput when there is none."""
    if not folder.is_dir():
        raise InvalidInput(f"candle folder {folder} does not exist; expected a folder with candle archives")
    found = [archive for path in folder.rglob("*.csv*") if path.is_file() and (archive := describe(path)) is not None]
    if not found:
        raise InvalidInput(f"candle folder {folder} has no candle archive; expected names like {EXAMPLES}")
    return tuple(sorted(found, key=lambda each: (each.coin, each.timeframe.seconds, str(each.path))))


def left_out(folder: Path) -> tuple[str, ...]:
    """Names of the other CSV files below a folder: other timeframes, funding, mark prices, or something else."""
    others = (path for path in folder.rglob("*.csv*") if path.is_file() and describe(path) is None)
    return tuple(sorted(str(path.relative_to(folder)) for path in others))


def read(archive: CandleFile, now: datetime | None = None) -> CandleSeries:
    """All bars of a file. Raises InvalidInput with file, line, value and expectation at the first bad line.

    With `now`, a bar that is not closed by then is refused as well.
    """
    bars = list(read_bars(archive, closed_by=now))
    columns = tuple(array(kind, column) for kind, column in zip("qddddd", zip(*bars, strict=True), strict=False))
    return CandleSeries.from_columns(archive.timeframe, columns)
