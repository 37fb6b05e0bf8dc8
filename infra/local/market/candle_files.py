"""Files of recorded candles: which they are, and reading them with one clear sentence when a line is wrong.

Two formats: `<BASE>_<QUOTE>-15m-<from>-<to>.csv.gz` (header `timestamp,open,high,low,close,volume`, milliseconds) and
Kraken's OHLCVT export `<PAIR>_15.csv` (no header, `timestamp,open,high,low,close,volume,trades`, seconds).
"""

import gzip
import io
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TextIO

from infra.local.market.bars import BAR_SECONDS, Bar, from_epoch
from infra.local.market.listings import COMMON_CODES
from trading.errors import InvalidInput

HEADER = "timestamp,open,high,low,close,volume"
SEGMENT = re.compile(r"^([A-Z0-9]+)_(USD|USDT|USDC)-15m-(\d{8})-(\d{8})\.csv(\.gz)?$")
EXPORT = re.compile(r"^([A-Z0-9]+?)(USD|USDT|USDC)_15\.csv(\.gz)?$")
QUOTES = ("USD", "USDT", "USDC")
FIELDS = ("open", "high", "low", "close")


@dataclass(frozen=True, slots=True, kw_only=True)
class CandleFile:
    """One file of 15 minute bars. `first` and `last` are the days it claims to cover, `end` exclusive."""

    path: Path
    base: str
    quote: str
    export: bool
    first: datetime
    end: datetime

    @property
    def scale(self) -> int:
        """Timestamp units per second."""
        return 1 if self.export else 1000

    @property
    def columns(self) -> int:
        """Columns a line must have."""
        return 7 if self.export else 6

    @property
    def preference(self) -> tuple[int, str]:
        """Sort key among files of one coin: USD before USDT before USDC, then by path."""
        return QUOTES.index(self.quote), str(self.path)


def find_files(folder: Path) -> list[CandleFile]:
    """All 15 minute candle files below `folder`, by path. InvalidInput when the folder holds none."""
    if not folder.is_dir():
        raise InvalidInput(f"candle folder {folder} does not exist, expected a folder with candle files")
    found = [file for path in sorted(folder.rglob("*_*15*.csv*")) if (file := describe(path)) is not None]
    if not found:
        raise InvalidInput(
            f"candle folder {folder} has no 15 minute files, expected names like "
            "BTC_USDT-15m-20240101-20240907.csv.gz or XBTUSD_15.csv"
        )
    return found


def describe(path: Path) -> CandleFile | None:
    """What a file is by its name, None when it is no 15 minute candle file."""
    match = SEGMENT.match(path.name)
    if match:
        base, quote = match[1], match[2]
        first, end = _day(path, match[3]), _day(path, match[4]) + timedelta(days=1)
        if first >= end:
            raise InvalidInput(f"{path} names the period {match[3]} to {match[4]}, expected the first day first")
        return CandleFile(path=path, base=base, quote=quote, export=False, first=first, end=end)
    match = EXPORT.match(path.name)
    if match is None:
        return None
    code = match[1]
    probe = CandleFile(
        path=path,
        base=COMMON_CODES.get(code, code),
        quote=match[2],
        export=True,
        first=datetime.min.replace(tzinfo=UTC),
        end=datetime.max.replace(tzinfo=UTC),
    )
    first, end = _span(probe)
    return CandleFile(path=path, base=probe.base, quote=probe.quote, export=True, first=first, end=end)


def _day(path: Path, text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y%m%d").replace(tzinfo=UTC)
    except ValueError as error:
        raise InvalidInput(f"{path} names the day {text}, expected a date as YYYYMMDD") from error


def _span(file: CandleFile) -> tuple[datetime, datetime]:
    """First bar's open and last bar's end of an export file, whose name does not say."""
    times = [int(line.partition(",")[0]) for line in _edge_lines(file)]
    return from_epoch(times[0]), from_epoch(times[-1] + BAR_SECONDS)


def _edge_lines(file: CandleFile) -> list[str]:
    first = last = ""
    number = 0
    with _open(file.path) as stream:
        for number, line in enumerate(stream, start=1):  # noqa: B007 - the last value is used below
            first = first or line
            last = line
    for line_number, line in ((1, first), (number, last)):
        if not line.partition(",")[0].isdigit():
            raise InvalidInput(
                f"{file.path} line {line_number}: {line.strip()[:60]!r}, expected a time in seconds first"
            )
    return [first, last]


def _open(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return io.TextIOWrapper(gzip.open(path, "rb"), encoding="utf-8", newline="")
    return path.open(encoding="utf-8", newline="")


def read_bars(file: CandleFile, since: datetime | None = None, limit: int | None = None) -> Iterator[Bar]:
    """Bars of a file from `since` on, at most `limit`, every line checked: InvalidInput at the first bad one."""
    previous, count = -1, 0
    for number, line in _lines(file):
        bar = _bar(file, number, line.rstrip("\r\n").split(","))
        if bar.time <= previous:
            raise _bad(file, number, "timestamp", str(bar.time * file.scale), f"a time after {previous * file.scale}")
        previous = bar.time
        if since is not None and from_epoch(bar.time) < since:
            continue
        yield bar
        count += 1
        if limit is not None and count >= limit:
            return


def _lines(file: CandleFile) -> Iterator[tuple[int, str]]:
    """Numbered data lines; the header of a segment file is checked and left out."""
    number = 0
    try:
        with _open(file.path) as stream:
            for number, line in enumerate(stream, start=1):
                if number == 1 and not file.export:
                    if line.strip().lower() != HEADER:
                        raise InvalidInput(f"{file.path} line 1: {line.strip()[:60]!r}, expected the header {HEADER!r}")
                    continue
                yield number, line
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{file.path} line {number + 1}: unreadable ({error}), expected UTF-8 CSV lines") from error
    if number <= (0 if file.export else 1):
        raise InvalidInput(f"{file.path} line {number + 1}: no candles, expected at least one line of them")


def _bar(file: CandleFile, number: int, cells: list[str]) -> Bar:
    """One checked bar; the quick test comes first because files have tens of thousands of good lines."""
    try:
        seconds, rest = divmod(int(cells[0]), file.scale)
        opened, high, low, close, volume = (float(cell) for cell in cells[1:6])
        good = (
            len(cells) == file.columns
            and not rest
            and not seconds % BAR_SECONDS
            and 0.0 < low <= min(opened, close) <= max(opened, close) <= high < math.inf
            and 0.0 <= volume < math.inf
        )
        if good:
            trades = int(cells[6]) if file.export else int(volume > 0) * (1 + int(volume * close / 2000))
            return Bar(seconds, opened, high, low, close, volume, trades)
    except (ValueError, IndexError) as error:
        raise _explain(file, number, cells) from error
    raise _explain(file, number, cells)


def _explain(file: CandleFile, number: int, cells: list[str]) -> InvalidInput:
    """The sentence for a bad line: file, line, value and what was expected."""
    if len(cells) != file.columns:
        return InvalidInput(
            f"{file.path} line {number}: {','.join(cells)[:60]!r} has {len(cells)} columns, expected {file.columns}"
        )
    if not cells[0].isdigit() or int(cells[0]) % (BAR_SECONDS * file.scale):
        unit = "seconds" if file.export else "milliseconds"
        return _bad(file, number, "timestamp", cells[0], f"{unit} at a multiple of 15 minutes")
    values: dict[str, float] = {}
    for name, cell in zip((*FIELDS, "volume"), cells[1:6], strict=True):
        values[name] = _number(cell)
        if not (math.isfinite(values[name]) and (values[name] > 0 or (name == "volume" and values[name] == 0))):
            return _bad(file, number, name, cell, "a number above 0" if name != "volume" else "a number of at least 0")
    if values["high"] < max(values["open"], values["close"]):
        return _bad(file, number, "high", cells[2], f"at least open {cells[1]} and close {cells[4]}")
    if values["low"] > min(values["open"], values["close"]):
        return _bad(file, number, "low", cells[3], f"at most open {cells[1]} and close {cells[4]}")
    return _bad(file, number, "trades", cells[-1], "a whole number")


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return math.nan


def _bad(file: CandleFile, number: int, name: str, value: str, expected: str) -> InvalidInput:
    return InvalidInput(f"{file.path} line {number}: {name} is {value!r}, expected {expected}")
