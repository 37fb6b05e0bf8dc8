"""Files of recorded candles: what their names say, and reading them with one clear sentence when a line is wrong.

Two formats: `<BASE>_<QUOTE>-<15m|1h|4h|1d>-<from>-<to>.csv.gz` (header, open times in milliseconds) and Kraken's OHLCVT
export `<PAIR>_<15|60|240|1440>.csv` (no header, seconds, a seventh column of trades). The one parser of both: the local
venue plays them, research reads and imports them.
"""

from __future__ import annotations

import gzip
import io
import math
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from infra.local.market.bars import Bar, from_epoch
from infra.local.market.listings import COMMON_CODES
from trading.errors import InvalidInput
from trading.model.instruments import InstrumentId
from trading.model.times import Timeframe

HEADER = "timestamp,open,high,low,close,volume"
PRICES = ("open", "high", "low", "close")
SHOWN = 60
"""Characters of a bad line or cell that are shown: binary junk has no line ends."""
EARLIEST = int(datetime(2009, 1, 1, tzinfo=UTC).timestamp())
LATEST = int(datetime(2100, 1, 1, tzinfo=UTC).timestamp())
"""No coin is older. Outside lies what was written in another unit: milliseconds as seconds or the other way round."""

_QUOTES = "USD|USDT|USDC|EUR"
_SEGMENT = re.compile(rf"([A-Z0-9]+)_({_QUOTES})-(15m|1h|4h|1d)-[0-9]{{8}}-[0-9]{{8}}\.csv(\.gz)?")
_EXPORT = re.compile(rf"([A-Z0-9]+?)({_QUOTES})_(15|60|240|1440)\.csv(\.gz)?")
_MINUTES = {timeframe.seconds // 60: timeframe for timeframe in Timeframe}
# Stricter than int() and float(), which take underscores, spaces, `nan` and the digits of every script.
_WHOLE = re.compile(r"[0-9]{1,16}")
_DECIMAL = re.compile(r"[0-9]{1,30}(\.[0-9]{0,30})?([eE][+-]?[0-9]{1,3})?")
_UNREADABLE = (OSError, EOFError, UnicodeDecodeError, zlib.error)


@dataclass(frozen=True, slots=True, kw_only=True)
class CandleFile:
    """One file of candles: what its name says. Prices are in `quote`, volume in coins.

    `export`: Kraken's OHLCVT export rather than a segment.
    """

    path: Path
    coin: InstrumentId
    quote: str
    timeframe: Timeframe
    export: bool

    @property
    def scale(self) -> int:
        """Timestamp units per second."""
        return 1 if self.export else 1000

    @property
    def columns(self) -> int:
        """Columns a line must have."""
        return 7 if self.export else 6


def describe(path: Path) -> CandleFile | None:
    """What a file is by its name; None when it is no candle file of the four timeframes."""
    if match := _SEGMENT.fullmatch(path.name):
        coin, timeframe, export = match[1], Timeframe(match[3]), False
    elif match := _EXPORT.fullmatch(path.name):
        coin, timeframe, export = COMMON_CODES.get(match[1], match[1]), _MINUTES[int(match[3])], True
    else:
        return None
    return CandleFile(path=path, coin=InstrumentId(coin), quote=match[2], timeframe=timeframe, export=export)


def read_bars(file: CandleFile, closed_by: datetime | None = None) -> Iterator[Bar]:
    """Bars of a file, every line checked. Raises InvalidInput with file, line, value and expectation at the first bad.

    With `closed_by`, a bar that is not closed by then is refused as well.
    """
    previous = -1
    latest = None if closed_by is None else closed_by.timestamp() - file.timeframe.seconds
    for number, line in _lines(file):
        bar = _bar(file, number, line)
        if bar.time <= previous:
            raise _bad(file, number, "timestamp", str(bar.time * file.scale), f"a time after {previous * file.scale}")
        if latest is not None and bar.time > latest:
            shown = f"{bar.time * file.scale} ({from_epoch(bar.time):%Y-%m-%d %H:%M} UTC)"
            raise _bad(file, number, "timestamp", shown, f"a bar closed by {closed_by:%Y-%m-%d %H:%M} UTC")
        previous = bar.time
        yield bar


def read_edges(file: CandleFile) -> tuple[Bar, Bar]:
    """First and last bar of a file; the lines between are not looked at. Raises InvalidInput."""
    lines = _lines(file)
    first = last = next(lines)
    for last in lines:  # noqa: B007 - the last line is used below
        pass
    return _bar(file, *first), _bar(file, *last)


def _lines(file: CandleFile) -> Iterator[tuple[int, str]]:
    """Numbered data lines, at least one; the header of a segment file is checked and left out."""
    number = 0
    try:
        with _open(file.path) as stream:
            for number, line in enumerate(stream, start=1):
                if number == 1 and not file.export:
                    if line.strip().lower() != HEADER:
                        raise InvalidInput(f"{file.path} line 1: {_cut(line)!r}, expected the header {HEADER!r}")
                    continue
                yield number, line.rstrip("\r\n")
    except _UNREADABLE as error:
        raise InvalidInput(f"{file.path} line {number + 1}: unreadable ({error}), expected UTF-8 CSV lines") from error
    if number <= (0 if file.export else 1):
        raise InvalidInput(f"{file.path} line {number + 1}: no candles, expected at least one line of them")


def _open(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return io.TextIOWrapper(gzip.open(path, "rb"), encoding="utf-8", newline="")
    return path.open(encoding="utf-8", newline="")


def _bar(file: CandleFile, number: int, line: str) -> Bar:
    """One checked bar; the quick test comes first because files have tens of thousands of good lines."""
    cells = line.split(",")
    if len(cells) == file.columns and _WHOLE.fullmatch(cells[0]) and all(map(_DECIMAL.fullmatch, cells[1:6])):
        seconds, rest = divmod(int(cells[0]), file.scale)
        opened, high, low, close, volume = map(float, cells[1:6])
        if (
            not rest
            and not seconds % file.timeframe.seconds
            and EARLIEST <= seconds < LATEST
            and 0.0 < low <= min(opened, close) <= max(opened, close) <= high < math.inf
            and 0.0 <= volume < math.inf
            and (not file.export or _WHOLE.fullmatch(cells[6]))
        ):
            trades = int(cells[6]) if file.export else _likely_trades(volume * close)
            return Bar(seconds, opened, high, low, close, volume, trades)
    raise _explain(file, number, line, cells)


def _likely_trades(value: float) -> int:
    """How many trades a bar in which so many USD changed hands may have had, for files that do not say."""
    return 1 + int(min(value, 1e15) / 2000) if value > 0 else 0


def _explain(file: CandleFile, number: int, line: str, cells: list[str]) -> InvalidInput:
    """The sentence for a bad line: file, line, value and what was expected."""
    if len(cells) != file.columns:
        found = f"{_cut(line)!r} has {len(cells)} columns"
        return InvalidInput(f"{file.path} line {number}: {found}, expected {file.columns} separated by commas")
    if (expected := _wrong_time(file, cells[0])) is not None:
        return _bad(file, number, "timestamp", cells[0], expected)
    values = {name: _number(cell) for name, cell in zip((*PRICES, "volume"), cells[1:6], strict=True)}
    for (name, value), cell in zip(values.items(), cells[1:6], strict=True):
        if not (math.isfinite(value) and (value > 0 or (name == "volume" and value == 0))):
            return _bad(file, number, name, cell, "a number above 0" if name != "volume" else "a number of at least 0")
    if values["high"] < max(values["open"], values["close"]):
        return _bad(file, number, "high", cells[2], f"at least open {cells[1]} and close {cells[4]}")
    if values["low"] > min(values["open"], values["close"]):
        return _bad(file, number, "low", cells[3], f"at most open {cells[1]} and close {cells[4]}")
    return _bad(file, number, "trades", cells[-1], "a whole number")


def _wrong_time(file: CandleFile, cell: str) -> str | None:
    """What was expected instead of this timestamp, None when it is right."""
    unit = "seconds" if file.export else "milliseconds"
    if not _WHOLE.fullmatch(cell) or int(cell) % (file.timeframe.seconds * file.scale):
        return f"{unit} at a multiple of {file.timeframe.seconds // 60} minutes"
    if not EARLIEST <= int(cell) // file.scale < LATEST:
        return f"{unit} since 1970 of a time from 2009 to 2099"
    return None


def _number(cell: str) -> float:
    return float(cell) if _DECIMAL.fullmatch(cell) else math.nan


def _cut(text: str) -> str:
    return text.strip()[:SHOWN]


def _bad(file: CandleFile, number: int, name: str, value: str, expected: str) -> InvalidInput:
    return InvalidInput(f"{file.path} line {number}: {name} is {value[:SHOWN]!r}, expected {expected}")
