"""Small candle archives for tests, written as the real ones are."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

START = 1_704_067_200
"""2024-01-01 00:00 UTC, in seconds."""
HEADER = "timestamp,open,high,low,close,volume"
NAME = "BTC_USDT-15m-20240101-20240101.csv.gz"


def segment_lines(count: int, *, seconds: int = 900, start: int = START, price: float = 100.0) -> list[str]:
    """Header and `count` bars without a gap, in milliseconds; each close is 1 above the one before."""
    bars = [
        f"{(start + number * seconds) * 1000},{price + number},{price + number + 2},{price + number - 1},"
        f"{price + number + 1},{number + 1}"
        for number in range(count)
    ]
    return [HEADER, *bars]


def write_segment(folder: Path, lines: Sequence[str], name: str = NAME) -> Path:
    path = folder / name
    path.write_bytes(gzip.compress(("\n".join(lines) + "\n").encode()))
    return path


def write_export(folder: Path, count: int, name: str, seconds: int) -> Path:
    """Kraken's OHLCVT export: no header, seconds, a column of trades."""
    path = folder / name
    path.write_text("".join(f"{START + number * seconds},10,12,9,11,5.5,3\n" for number in range(count)))
    return path


@dataclass(frozen=True, slots=True, kw_only=True)
class BadArchive:
    """A file of 15m bars with one fault. `line`: where a reader must find it, None where damage decides that.

    `said`: part of the one sentence about it.
    """

    content: bytes
    said: str
    line: int | None = 3
    name: str = NAME

    def write(self, folder: Path) -> Path:
        path = folder / self.name
        path.write_bytes(self.content)
        return path


def _zipped(*lines: str) -> bytes:
    return gzip.compress(("\n".join(lines) + "\n").encode())


def _segment(line: int | None, said: str, *lines: str) -> BadArchive:
    return BadArchive(content=_zipped(*lines), line=line, said=said)


def _cell(column: int, value: str, said: str) -> BadArchive:
    """A good segment with one cell of its second bar changed, which is line 3."""
    cells = SECOND.split(",")
    cells[column] = value
    return _segment(3, said, HEADER, FIRST, ",".join(cells), THIRD)


def _export(line: int, said: str, *lines: str) -> BadArchive:
    return BadArchive(content=_zipped(*lines), line=line, said=said, name=EXPORT_NAME)


EXPORT_NAME = "XBTUSD_15.csv.gz"
GOOD = segment_lines(4)
FIRST, SECOND, THIRD = GOOD[1], GOOD[2], GOOD[3]
TRADED = "10,12,9,11,5.5"
_WHOLE = gzip.compress("\n".join(segment_lines(2000)).encode())
_HALF = len(_WHOLE) // 2

BAD_ARCHIVES = {
    "columns missing": _segment(3, "has 5 columns, expected 6", HEADER, FIRST, SECOND.rpartition(",")[0]),
    "columns too many": _segment(3, "has 7 columns, expected 6", HEADER, FIRST, SECOND + ",7"),
    "wrong delimiter": _segment(1, "expected the header", *(line.replace(",", ";") for line in GOOD)),
    "delimiter changes": _segment(3, "has 1 columns, expected 6", HEADER, FIRST, SECOND.replace(",", ";")),
    "quoted cells": _segment(2, "timestamp is '\"17", HEADER, ",".join(f'"{cell}"' for cell in FIRST.split(","))),
    "header missing": _segment(1, "expected the header", *GOOD[1:]),
    "header of other columns": _segment(1, "expected the header", "time,open,high,low,close,volume", FIRST),
    "byte order mark": _segment(1, "expected the header", "\ufeff" + HEADER, FIRST),
    "not a number": _cell(4, "n/a", "close is 'n/a', expected a number above 0"),
    "infinite price": _cell(2, "inf", "high is 'inf', expected a number above 0"),
    "price beyond floats": _cell(2, "1e999", "high is '1e999', expected a number above 0"),
    "no number": _cell(1, "nan", "open is 'nan', expected a number above 0"),
    "not finite volume": _cell(5, "NaN", "volume is 'NaN', expected a number of at least 0"),
    "zero price": _cell(3, "0", "low is '0', expected a number above 0"),
    "negative price": _cell(1, "-100", "open is '-100', expected a number above 0"),
    "negative volume": _cell(5, "-1", "volume is '-1', expected a number of at least 0"),
    "high below low": _cell(2, "1", "high is '1', expected at least open"),
    "low above close": _cell(3, "999", "low is '999', expected at most open"),
    "underscore in a price": _cell(1, "1_01", "open is '1_01', expected a number above 0"),
    "underscore in a time": _cell(0, "1_704_067_200_000", "expected milliseconds at a multiple of 15 minutes"),
    "blank beside a price": _cell(1, " 101", "open is ' 101', expected a number above 0"),
    "superscript digits": _cell(0, "²", "timestamp is '²', expected milliseconds"),
    "digits of another script": _cell(4, "١٠٢", "close is '١٠٢', expected a number above 0"),
    "unsorted rows": _segment(3, "expected a time after", HEADER, SECOND, FIRST),
    "duplicate rows": _segment(3, "expected a time after", HEADER, FIRST, FIRST),
    "off the grid": _cell(0, str((START + 60) * 1000), "expected milliseconds at a multiple of 15 minutes"),
    "seconds for milliseconds": _cell(0, str(START + 900), "expected milliseconds"),
    "time with a zone": _cell(
        0, "2024-01-01 00:15:00+01:00", "timestamp is '2024-01-01 00:15:00+01:00', expected mill"
    ),
    "before any coin": _segment(2, "of a time from 2009 to 2099", HEADER, "0,1,1,1,1,1"),
    "empty line": _segment(3, "has 1 columns, expected 6", HEADER, FIRST, "", SECOND),
    "no bars": _segment(2, "no candles", HEADER),
    "empty file": BadArchive(content=b"", line=1, said="no candles"),
    "empty gzip": BadArchive(content=gzip.compress(b""), line=1, said="no candles"),
    "truncated gzip": BadArchive(content=_WHOLE[:_HALF], line=None, said="unreadable"),
    "no gzip": BadArchive(content=b"timestamp" * 20, line=1, said="unreadable"),
    "broken gzip body": BadArchive(
        content=_WHOLE[:_HALF] + b"\xff" * 64 + _WHOLE[_HALF + 64 :], line=None, said="unreadable"
    ),
    "binary junk": BadArchive(content=gzip.compress(bytes(range(256)) * 9), line=None, said="unreadable"),
    "endless line": _segment(3, "has 1 columns, expected 6", HEADER, FIRST, "x" * 100_000),
    "export with a header": _export(1, "expected", HEADER + ",trades", f"{START},{TRADED},3"),
    "export without trades": _export(2, "has 6 columns, expected 7", f"{START},{TRADED},3", f"{START + 900},{TRADED}"),
    "export with other delimiter": _export(1, "has 1 columns, expected 7", f"{START},{TRADED},3".replace(",", "\t")),
    "milliseconds for seconds": _export(1, "expected seconds since 1970 of a time", f"{START * 1000},{TRADED},3"),
    "half a trade": _export(1, "trades is '3.5', expected a whole number", f"{START},{TRADED},3.5"),
}
"""One archive of every kind of fault, by the fault."""
