"""Any CSV of open, high, low and close is read, or refused in one sentence that names its line."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from infra.cli.ohlc_files import OhlcBar, read_ohlc
from tests.fakes.candle_archives import segment_lines, write_export, write_segment
from trading.errors import InvalidInput
from trading.model.times import Timeframe

FIRST = 1_704_067_200
EXPECTED = [OhlcBar(FIRST, 10.0, 12.0, 9.0, 11.0), OhlcBar(FIRST + 900, 11.0, 13.0, 10.5, 12.5)]
PLAIN = [f"{FIRST},10,12,9,11", f"{FIRST + 900},11,13,10.5,12.5"]


def read(folder: Path, *lines: str, name: str = "bars.csv") -> list[OhlcBar]:
    path = folder / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return list(read_ohlc(path, Timeframe.M15))


LAYOUTS = {
    "bare": ("", "{0},10,12,9,11", "{1},11,13,10.5,12.5"),
    "header": ("time,open,high,low,close", "{0},10,12,9,11", "{1},11,13,10.5,12.5"),
    "dots": (
        "Date,Open,High,Low,Close,Volume",
        "2024.01.01 00:00:00,10,12,9,11,5",
        "2024.01.01 00:15:00,11,13,10.5,12.5,6",
    ),
    "reordered": ("CLOSE;low;High;oPen;Timestamp", "11;9;12;10;{0}000", "12.5;10.5;13;11;{1}000"),
    "metatrader": (
        "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>",
        "2024.01.01\t00:00\t10\t12\t9\t11",
        "2024.01.01\t00:15\t11\t13\t10.5\t12.5",
    ),
    "zones": ("2024-01-01T00:00:00Z,10,12,9,11", "", "2024-01-01T02:15:00+02:00,11,13,10.5,12.5"),
    "quoted": (
        '"Date","Open","High","Low","Close"',
        '"20240101 00:00","10","12","9","11"',
        '"20240101 00:15","11","13","10.5","12.5"',
    ),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_same_bars_are_read_from_every_layout(tmp_path: Path, layout: str) -> None:
    assert read(tmp_path, *(line.format(FIRST, FIRST + 900) for line in LAYOUTS[layout])) == EXPECTED


def test_packed_plain_file_is_read_as_well(tmp_path: Path) -> None:
    path = tmp_path / "bars.csv.gz"
    path.write_bytes(gzip.compress("\n".join(PLAIN).encode()))
    assert list(read_ohlc(path, Timeframe.M15)) == EXPECTED


def test_archives_are_read_by_their_own_parser(tmp_path: Path) -> None:
    segment, export = write_segment(tmp_path, segment_lines(4)), write_export(tmp_path, 3, "ETHUSD_60.csv", 3600)
    assert len(list(read_ohlc(segment, Timeframe.M15))) == 4
    assert [bar.time % 3600 for bar in read_ohlc(export, Timeframe.H1)] == [0, 0, 0]
    with pytest.raises(InvalidInput, match=r"--timeframe is 15m; ETHUSD_60.csv says by its name .* of 1h"):
        read_ohlc(export, Timeframe.M15)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("x,1,1,1,1", "line 3: time is 'x', expected seconds or milliseconds"),
        (f"{FIRST + 1800},1,1,1", f"line 3: '{FIRST + 1800},1,1,1' has 4 columns, expected at least 5"),
        (f"{FIRST + 1800},1,nan,1,1", "line 3: high is 'nan', expected a number above 0"),
        (f"{FIRST + 1800},1,2,0,1", "line 3: low is '0', expected a number above 0"),
        (f"{FIRST + 1800},3,2,1,1", "line 3: high is 2, expected at least open 3 and close 1"),
        (f"{FIRST + 1800},3,4,2,1", "line 3: low is 2, expected at most open 3 and close 1"),
        (f"{FIRST + 900},1,1,1,1", "line 3: the bar opens 0 s after the one before; expected at least 900 s"),
        (f"{FIRST + 1000},1,1,1,1", "line 3: the bar opens 100 s after the one before"),
    ],
)
def test_bad_row_is_named_by_its_line(tmp_path: Path, line: str, told: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read(tmp_path, *PLAIN, line)
    assert told in str(refused.value)
    assert "bars.csv" in str(refused.value)


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ((), "has no candles"),
        (("time,open,high,close",), "line 1: the header 'time,open,high,close' has no column 'low'"),
        (("open,high,low,close",), "line 1: the header 'open,high,low,close' has no column 'time' or 'date'"),
        (("19700101,1,1,1,1", "12,1,1,1,1"), "line 2: time is '12'"),
    ],
)
def test_file_without_usable_columns_is_refused(tmp_path: Path, lines: tuple[str, ...], told: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read(tmp_path, *lines)
    assert told in str(refused.value)


def test_damaged_and_absent_files_are_refused(tmp_path: Path) -> None:
    packed = tmp_path / "bars.csv.gz"
    packed.write_bytes(gzip.compress("\n".join(PLAIN * 400).encode())[:40])
    with pytest.raises(InvalidInput, match="unreadable"):
        list(read_ohlc(packed, Timeframe.M15))
    with pytest.raises(InvalidInput, match="is no file"):
        read_ohlc(tmp_path / "absent.csv", Timeframe.M15)
