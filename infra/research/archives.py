"""Candle archives of the four timeframes: which files they are, and their bars, every line checked.

Names: `<BASE>_<QUOTE>-<15m|1h|4h|1d>-<from>-<to>.csv.gz` (header, milliseconds) and Kraken's OHLCVT export
`<PAIR>_<15|60|240|1440>.csv` (no header, seconds, a seventh column of trades). Lines are read by the parser that the
local venue uses; what it cannot know, the grid of a longer timeframe, is checked here.
"""

from __future__ import annotations

import re
import zlib
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from infra.local.market.bars import Bar
from infra.local.market.candle_files import CandleFile, read_bars
from infra.local.market.listings import COMMON_CODES
from trading.errors import InvalidInput
from trading.model.candles import CandleSeries
from trading.model.instruments import InstrumentId
from trading.model.times import Timeframe, from_epoch

_QUOTES = "USD|USDT|USDC|EUR"
_SEGMENT = re.compile(rf"^([A-Z0-9]+)_({_QUOTES})-(15m|1h|4h|1d)-\d{{8}}-\d{{8}}\.csv(\.gz)?$")
_EXPORT = re.compile(rf"^([A-Z0-9]+?)({_QUOTES})_(15|60|240|1440)\.csv(\.gz)?$")
_MINUTES = {timeframe.seconds // 60: timeframe for timeframe in Timeframe}
_EARLIEST, _LATEST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
EXAMPLES = "BTC_USDT-15m-20240101-20240907.csv.gz or XBTUSD_60.csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """One file of candles: what its name says. Prices are in `quote`, volume in coins."""

    path: Path
    coin: InstrumentId
    quote: str
    timeframe: Timeframe
    export: bool

    @property
    def header_lines(self) -> int:
        return 0 if self.export else 1


def describe(path: Path) -> Archive | None:
    """What a file is by its name; None when it is no candle archive of the four timeframes."""
    if match := _SEGMENT.match(path.name):
        coin, timeframe, export = match[1], Timeframe(match[3]), False
    elif match := _EXPORT.match(path.name):
        coin, timeframe, export = COMMON_CODES.get(match[1], match[1]), _MINUTES[int(match[3])], True
    else:
        return None
    return Archive(path=path, coin=InstrumentId(coin), quote=match[2], timeframe=timeframe, export=export)


def named(path: Path) -> Archive:
    """Like `describe`, for a file that somebody named. Raises InvalidInput when it is missing or no archive."""
    if not path.is_file():
        raise InvalidInput(f"{path} is no file; expected a candle archive such as {EXAMPLES}")
    if (archive := describe(path)) is None:
        raise InvalidInput(f"{path} does not say what it is; expected a name like {EXAMPLES}")
    return archive


def find(folder: Path) -> tuple[Archive, ...]:
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


def read(archive: Archive, now: datetime | None = None) -> CandleSeries:
    """All bars of a file. Raises InvalidInput with file, line, value and expectation at the first bad line.

    With `now`, a bar that is not closed by then is refused as well.
    """
    rows = list(_checked(archive, now))
    columns = tuple(array(kind, column) for kind, column in zip("qddddd", zip(*rows, strict=True), strict=False))
    return CandleSeries.from_columns(archive.timeframe, columns)


def _checked(archive: Archive, now: datetime | None) -> Iterator[Bar]:
    seconds = archive.timeframe.seconds
    latest = None if now is None else now.timestamp() - seconds
    line = archive.header_lines
    try:
        for bar in read_bars(_lines_of(archive)):
            line += 1
            if bar.time % seconds:
                raise _bad(archive, line, bar, f"{archive.timeframe} bars opening at a multiple of {seconds} s")
            if latest is not None and bar.time > latest:
                raise _bad(archive, line, bar, f"a bar closed by {now:%Y-%m-%d %H:%M} UTC")
            yield bar
    except (zlib.error, ValueError) as error:
        # A damaged gzip body is no OSError, and some digits of other scripts pass `isdigit` but not `int`.
        raise InvalidInput(f"{archive.path} line {line + 1}: unreadable ({error}), expected UTF-8 CSV lines") from error


def _lines_of(archive: Archive) -> CandleFile:
    return CandleFile(
        path=archive.path,
        base=archive.coin,
        quote=archive.quote,
        export=archive.export,
        first=_EARLIEST,
        end=_LATEST,
    )


def _bad(archive: Archive, line: int, bar: Bar, expected: str) -> InvalidInput:
    opened = f"{from_epoch(bar.time):%Y-%m-%d %H:%M}"
    return InvalidInput(f"{archive.path} line {line}: timestamp is {bar.time} ({opened} UTC), expected {expected}")
