"""Bars out of any file a person may have: a candle archive by its name, else a plain CSV of open, high, low and close.

A plain file has a header that names its columns (time or date, open, high, low, close, in any case and order) or none
and its columns in that order; more columns are left alone. A time is seconds or milliseconds since 1970, or text
such as `2022-10-10 00:15`, `2022.10.10 00:15:00` or ISO 8601; without a time zone it is taken as UTC.
"""

from __future__ import annotations

import gzip
import io
import math
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple, TextIO

from infra.local.market.candle_files import describe, read_bars
from trading.errors import InvalidInput
from trading.model.times import Timeframe

TIME_NAMES = ("timestamp", "time", "date", "datetime", "open_time", "open time", "date time")
PRICES = ("open", "high", "low", "close")
SEPARATORS = ",;\t"
SECONDS_FROM = 315_532_800
"""1980. A smaller number is no count of seconds but perhaps a day such as 20221010."""
MILLISECONDS_FROM = 10**11
"""A whole number from here on counts milliseconds: as seconds it would lie beyond the year 5000."""
SHOWN = 60
_UNREADABLE = (OSError, EOFError, UnicodeDecodeError, zlib.error)


class OhlcBar(NamedTuple):
    """One closed bar. `time` is its open time in seconds since 1970."""

    time: int
    open: float
    high: float
    low: float
    close: float


def timeframe_named(text: str) -> Timeframe:
    """Raises InvalidInput unless it is one of the four."""
    try:
        return Timeframe(text)
    except ValueError:
        raise InvalidInput(f"--timeframe is {text!r}; expected {', '.join(Timeframe)}") from None


def read_ohlc(path: Path, timeframe: Timeframe) -> Iterator[OhlcBar]:
    """The bars one by one, every line checked. Raises InvalidInput with file, line, value and what was expected."""
    if not path.is_file():
        raise InvalidInput(f"{path} is no file; expected candles as CSV, also packed with gzip")
    archive = describe(path)
    if archive is None:
        return _plain_bars(path, timeframe)
    if archive.timeframe is not timeframe:
        raise InvalidInput(
            f"--timeframe is {timeframe}; {path.name} says by its name that its bars are of {archive.timeframe}"
        )
    return (OhlcBar(*bar[:5]) for bar in read_bars(archive))


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where the columns of a plain file are. `times`: one place, or the two of a date and a time of day."""

    separator: str
    times: tuple[int, ...]
    prices: tuple[int, ...]

    @property
    def columns(self) -> int:
        return max(*self.times, *self.prices) + 1


def _plain_bars(path: Path, timeframe: Timeframe) -> Iterator[OhlcBar]:
    layout: _Layout | None = None
    previous: OhlcBar | None = None
    for number, line in _lines(path):
        where = f"{path} line {number}"
        if layout is None:
            layout, is_header = _layout(line, where)
            if is_header:
                continue
        bar = _bar(line, layout, where)
        if previous is not None and bar.time - previous.time < timeframe.seconds:
            raise InvalidInput(f"{where}: the bar opens {bar.time - previous.time} s after the one before; expected at "
                               f"least {timeframe.seconds} s between bars of {timeframe}")  # fmt: skip
        previous = bar
        yield bar
    if previous is None:
        raise InvalidInput(f"{path} has no candles; expected at least one line of them")


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Numbered lines that are not empty."""
    number = 0
    try:
        with _open(path) as stream:
            for number, line in enumerate(stream, start=1):
                if text := line.strip():
                    yield number, text
    except _UNREADABLE as error:
        raise InvalidInput(f"{path} line {number + 1}: unreadable ({error}), expected UTF-8 CSV lines") from error


def _open(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return io.TextIOWrapper(gzip.open(path, "rb"), encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _layout(line: str, where: str) -> tuple[_Layout, bool]:
    """How the lines are laid out, by the first of them, and whether that is a header."""
    separator = max(SEPARATORS, key=line.count)
    names = [cell.strip(' "<>').lower() for cell in line.split(separator)]
    if not set(names) & {*PRICES, *TIME_NAMES}:
        return _Layout(separator, (0,), (1, 2, 3, 4)), False
    if missing := [name for name in PRICES if name not in names]:
        raise InvalidInput(f"{where}: the header {line[:SHOWN]!r} has no column {missing[0]!r}")
    times = (
        ("date", "time") if {"date", "time"} <= set(names) else tuple(each for each in TIME_NAMES if each in names)[:1]
    )
    if not times:
        raise InvalidInput(f"{where}: the header {line[:SHOWN]!r} has no column 'time' or 'date'")
    return _Layout(separator, tuple(map(names.index, times)), tuple(map(names.index, PRICES))), True


def _bar(line: str, layout: _Layout, where: str) -> OhlcBar:
    cells = line.split(layout.separator)
    if len(cells) < layout.columns:
        raise InvalidInput(f"{where}: {line[:SHOWN]!r} has {len(cells)} columns, expected at least {layout.columns}")
    time = _time(" ".join(cells[place].strip(' "') for place in layout.times), where)
    prices = [_price(cells[place], name, where) for place, name in zip(layout.prices, PRICES, strict=True)]
    opened, high, low, close = prices
    if high < max(opened, close):
        raise InvalidInput(f"{where}: high is {high:g}, expected at least open {opened:g} and close {close:g}")
    if low > min(opened, close):
        raise InvalidInput(f"{where}: low is {low:g}, expected at most open {opened:g} and close {close:g}")
    return OhlcBar(time, opened, high, low, close)


def _price(cell: str, name: str, where: str) -> float:
    try:
        value = float(cell.strip(' "'))
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value > 0) or "_" in cell:
        raise InvalidInput(f"{where}: {name} is {cell[:SHOWN]!r}, expected a number above 0")
    return value


def _time(text: str, where: str) -> int:
    for reading in _READINGS:
        if (seconds := reading(text)) is not None:
            return seconds
    raise InvalidInput(
        f"{where}: time is {text[:SHOWN]!r}, expected seconds or milliseconds since 1970 or a date and time"
    )


def _counted(text: str) -> int | None:
    """Seconds since 1970 out of digits, also with a fraction of zeros."""
    whole, _, fraction = text.partition(".")
    if not (whole.isascii() and whole.isdigit() and len(whole) <= 16) or fraction.strip("0"):
        return None
    value = int(whole)
    if value < MILLISECONDS_FROM:
        return value if value >= SECONDS_FROM else None
    seconds, rest = divmod(value, 1000)
    return None if rest else seconds


def _written(text: str) -> int | None:
    """Seconds since 1970 out of a date and time."""
    day, gap, rest = text.replace("T", " ").partition(" ")
    try:
        moment = datetime.fromisoformat(day.replace(".", "-").replace("/", "-") + gap + rest)
    except ValueError:
        return None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


_READINGS: tuple[Callable[[str], int | None], ...] = (_counted, _written)
