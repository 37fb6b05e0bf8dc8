"""Archives: what their names say, every bar as written, and one sentence for every kind of damage."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from infra.research import archives
from tests.fakes.candle_archives import HEADER, NAME, START, segment_lines, write_export, write_segment
from trading.errors import InvalidInput
from trading.model.times import Timeframe, from_epoch

GOOD = segment_lines(4)
FIRST, SECOND, THIRD = GOOD[1], GOOD[2], GOOD[3]


def changed(line: str, column: int, value: str) -> list[str]:
    """The good file with one cell of its second bar changed (line 3)."""
    cells = line.split(",")
    cells[column] = value
    return [HEADER, FIRST, ",".join(cells), THIRD]


BAD = {
    "columns missing": ([HEADER, FIRST, SECOND.rpartition(",")[0]], 3, "has 5 columns, expected 6"),
    "columns too many": ([HEADER, FIRST, SECOND + ",7"], 3, "has 7 columns, expected 6"),
    "header missing": (GOOD[1:], 1, "expected the header"),
    "header of other columns": (["time,open,high,low,close,volume", FIRST], 1, "expected the header"),
    "not a number": (changed(SECOND, 4, "n/a"), 3, "close is 'n/a', expected a number above 0"),
    "not finite": (changed(SECOND, 2, "inf"), 3, "high is 'inf', expected a number above 0"),
    "zero price": (changed(SECOND, 3, "0"), 3, "low is '0', expected a number above 0"),
    "negative price": (changed(SECOND, 1, "-100"), 3, "open is '-100', expected a number above 0"),
    "negative volume": (changed(SECOND, 5, "-1"), 3, "volume is '-1', expected a number of at least 0"),
    "high below low": (changed(SECOND, 2, "1"), 3, "high is '1', expected at least open"),
    "low above close": (changed(SECOND, 3, "999"), 3, "low is '999', expected at most open"),
    "unsorted": ([HEADER, SECOND, FIRST], 3, "expected a time after"),
    "duplicate": ([HEADER, FIRST, FIRST], 3, "expected a time after"),
    "off the grid": (changed(SECOND, 0, str((START + 60) * 1000)), 3, "multiple of 15 minutes"),
    "in seconds": (changed(SECOND, 0, str(START + 900)), 3, "expected milliseconds"),
    "time with a zone": (changed(SECOND, 0, "2024-01-01 00:15:00+01:00"), 3, "expected milliseconds"),
    "digits of another script": (changed(SECOND, 0, "²"), 3, "unreadable"),
    "empty line": ([HEADER, FIRST, "", SECOND], 3, "has 1 columns, expected 6"),
    "no bars": ([HEADER], 2, "no candles"),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_line_is_one_sentence_with_place(tmp_path: Path, kind: str) -> None:
    lines, number, sentence = BAD[kind]
    path = write_segment(tmp_path, lines)
    with pytest.raises(InvalidInput) as refused:
        archives.read(archives.named(path))
    text = str(refused.value)
    assert text.startswith(f"{path} line {number}: ")
    assert sentence in text
    assert "\n" not in text


@pytest.mark.parametrize("damage", ["truncated", "no gzip", "broken body"])
def test_damaged_gzip_is_one_sentence_with_place(tmp_path: Path, damage: str) -> None:
    path = write_segment(tmp_path, segment_lines(2000))
    whole = path.read_bytes()
    half = len(whole) // 2
    damaged = {
        "truncated": whole[:half],
        "no gzip": b"timestamp" * 20,
        "broken body": whole[:half] + b"\xff" * 64 + whole[half + 64 :],
    }
    path.write_bytes(damaged[damage])
    with pytest.raises(InvalidInput, match=r"line \d+: ") as refused:
        archives.read(archives.named(path))
    assert str(refused.value).startswith(str(path))


@pytest.mark.parametrize(("name", "seconds"), [("1h", 3600), ("4h", 14_400), ("1d", 86_400)])
def test_longer_bars_must_open_on_their_grid(tmp_path: Path, name: str, seconds: int) -> None:
    lines = [*segment_lines(2, seconds=seconds), segment_lines(1, start=START + 2 * seconds + 900)[1]]
    path = write_segment(tmp_path, lines, f"BTC_USDT-{name}-20240101-20240109.csv.gz")
    with pytest.raises(InvalidInput, match=f"line 4: .*expected {name} bars opening at a multiple of {seconds} s"):
        archives.read(archives.named(path))


def test_segment_bars_are_read_as_written(tmp_path: Path) -> None:
    series = archives.read(archives.named(write_segment(tmp_path, GOOD)))
    assert series.timeframe is Timeframe.M15
    assert list(series.times) == [START + number * 900 for number in range(4)]
    assert [list(column)[1] for column in series.columns[1:]] == [101.0, 103.0, 100.0, 102.0, 2.0]


@pytest.mark.parametrize(
    ("minutes", "timeframe"), [(15, Timeframe.M15), (60, Timeframe.H1), (240, Timeframe.H4), (1440, Timeframe.D1)]
)
def test_kraken_export_has_all_four_timeframes(tmp_path: Path, minutes: int, timeframe: Timeframe) -> None:
    archive = archives.named(write_export(tmp_path, 3, f"XBTUSD_{minutes}.csv", timeframe.seconds))
    assert (archive.coin, archive.quote, archive.timeframe) == ("BTC", "USD", timeframe)
    series = archives.read(archive)
    assert list(series.times) == [START + number * timeframe.seconds for number in range(3)]
    assert list(series.volumes) == [5.5, 5.5, 5.5]


def test_export_without_trades_column_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ETHUSD_60.csv"
    path.write_text(f"{START},10,12,9,11,5.5\n")
    with pytest.raises(InvalidInput, match=r"line 1: .*has 6 columns, expected 7"):
        archives.read(archives.named(path))


def test_bar_still_open_is_refused_with_its_line(tmp_path: Path) -> None:
    archive = archives.named(write_segment(tmp_path, GOOD))
    closed = from_epoch(START) + 4 * timedelta(minutes=15)
    assert len(archives.read(archive, closed)) == 4
    with pytest.raises(InvalidInput, match=r"line 5: .*expected a bar closed by 2024-01-01 00:59 UTC"):
        archives.read(archive, closed - timedelta(minutes=1))


def test_other_timeframes_and_funding_are_no_archives(tmp_path: Path) -> None:
    for name in ("BTC_USDT-5m-20240101-20240102.csv.gz", "BTC_USDT-8h-mark-20240101-20240102.csv.gz", "XBTUSD_5.csv"):
        (tmp_path / name).touch()
        with pytest.raises(InvalidInput, match="does not say what it is"):
            archives.named(tmp_path / name)
    with pytest.raises(InvalidInput, match="has no candle archive"):
        archives.find(tmp_path)
    assert len(archives.left_out(tmp_path)) == 3


def test_missing_file_is_named_in_the_error(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=f"{NAME} is no file"):
        archives.named(tmp_path / NAME)


def test_gap_is_kept_and_never_filled(tmp_path: Path) -> None:
    later = segment_lines(2, start=START + 86_400)[1:]
    series = archives.read(archives.named(write_segment(tmp_path, [*GOOD, *later])))
    assert len(series) == 6
    assert series.gaps == 96 - 4
    assert series.closed_at == datetime(2024, 1, 2, 0, 30, tzinfo=UTC)
