"""Archives: what their names say, every bar as written, and one sentence for every kind of damage."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.research import archives
from tests.fakes.candle_archives import BAD_ARCHIVES, GOOD, NAME, START, segment_lines, write_export, write_segment
from trading.errors import InvalidInput
from trading.model.times import Timeframe, from_epoch


@pytest.mark.parametrize("kind", BAD_ARCHIVES)
def test_bad_archive_is_one_sentence_with_place(tmp_path: Path, kind: str) -> None:
    bad = BAD_ARCHIVES[kind]
    path = bad.write(tmp_path)
    with pytest.raises(InvalidInput, match=r" line \d+: ") as refused:
        archives.read(archives.named(path))
    text = str(refused.value)
    assert text.startswith(f"{path} line {bad.line or ''}")
    assert bad.said in text
    assert "\n" not in text
    assert len(text) - len(str(path)) < 200


@given(junk=st.binary(max_size=300), packed=st.booleans(), export=st.booleans())
def test_junk_of_any_bytes_is_refused(
    junk: bytes, packed: bool, export: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("junk") / ("XBTUSD_15.csv" if export else NAME.removesuffix(".gz"))
    if packed:
        path, junk = path.with_name(path.name.removesuffix(".gz") + ".gz"), gzip.compress(junk)
    path.write_bytes(junk)
    with pytest.raises(InvalidInput, match=r"line \d+: "):
        archives.read(archives.named(path))


@pytest.mark.parametrize(("name", "seconds"), [("1h", 3600), ("4h", 14_400), ("1d", 86_400)])
def test_longer_bars_must_open_on_their_grid(tmp_path: Path, name: str, seconds: int) -> None:
    lines = [*segment_lines(2, seconds=seconds), segment_lines(1, start=START + 2 * seconds + 900)[1]]
    path = write_segment(tmp_path, lines, f"BTC_USDT-{name}-20240101-20240109.csv.gz")
    with pytest.raises(InvalidInput, match=f"line 4: .*expected milliseconds at a multiple of {seconds // 60} minutes"):
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
