"""`smc-trader events` and `chart` on files, as a person runs them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from infra.cli.main import app
from infra.local.template import ROOT
from tests.fakes.candle_archives import write_segment
from tests.fakes.shared_folder import SHARED
from tests.integration.local.commands import refused, smc_trader
from tests.unit.strategy.markets import hours
from trading.errors import InvalidInput

FIRST, COUNT = 1_704_067_200, 400
EURUSD = SHARED / "smc-cases/EURUSD_15M.csv"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    lines = ["timestamp,open,high,low,close,volume"]
    lines += [
        f"{FIRST + 900 * place}000,{','.join(map(str, bar))},1" for place, bar in enumerate(hours(7, count=COUNT))
    ]
    return write_segment(tmp_path_factory.mktemp("candles"), lines)


def test_events_are_lines_without_a_later_bar(archive: Path) -> None:
    whole = smc_trader("events", str(archive), "--timeframe", "15m").stdout.splitlines()
    part = smc_trader("events", str(archive), "--timeframe", "15m", "--to-bar", "250").stdout.splitlines()
    assert part == [line for line in whole if json.loads(line)["known_at"] <= 250] != []
    assert len(whole) > len(part)


def test_closed_pipe_ends_the_command_quietly(archive: Path, tmp_path: Path) -> None:
    long = tmp_path / "long.csv"
    rows = (f"{FIRST + 900 * place},{','.join(map(str, bar))}" for place, bar in enumerate(hours(7, count=20_000)))
    long.write_text("\n".join(rows), encoding="utf-8")
    command = [sys.executable, "-m", "infra.cli.main", "events", str(long)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert b'"known_at": ' in process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=60) == 0


def test_malformed_row_is_one_sentence_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(f"date,open,high,low,close\n{FIRST},1,2,1,1\n{FIRST + 900},1,2,one,1\n", encoding="utf-8")
    expected = f"smc-trader: {path} line 3: low is 'one', expected a number above 0"
    assert refused(smc_trader("events", str(path), "--timeframe", "15m")) == expected
    assert refused(smc_trader("chart", str(path), "--timeframe", "15m")) == expected


@pytest.mark.skipif(not EURUSD.exists(), reason=f"the developers' {EURUSD} is absent")
def test_plain_file_of_a_peer_is_read() -> None:
    answer = smc_trader("events", str(EURUSD), "--timeframe", "15m", "--to-bar", "2000")
    found = [json.loads(line) for line in answer.stdout.splitlines()]
    assert answer.returncode == 0, answer.stderr
    assert {each["kind"] for each in found} >= {"swing", "bos", "choch", "order_block", "fvg", "displacement"}
    assert found[0]["known_time"].startswith("2022-10-1")


def test_chart_of_a_file_is_written(archive: Path, tmp_path: Path) -> None:
    out = tmp_path / "picture.svg"
    answer = smc_trader("chart", str(archive), "--from-bar", "100", "--to-bar", "300", "--out", str(out), "--json")
    assert json.loads(answer.stdout) == {"written": str(out)}
    text = out.read_text(encoding="utf-8")
    assert "Bars 100 to 300: 2024-01-02 01:00 to 2024-01-04 03:15 UTC" in text
    assert text.count("<circle") > 5


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("events", "absent.csv"), "absent.csv is no file; expected candles as CSV"),
        (("chart", "absent.csv"), "absent.csv is no file; expected candles as CSV"),
        (("events", "ARCHIVE", "--timeframe", "1h"), "says by its name that its bars are of 15m"),
        (("events", "ARCHIVE", "--scales", "20,5"), "--scales is '20,5'; expected whole numbers"),
        (("chart", "ARCHIVE", "--at", "2024-01-01"), "a file has no decisions, expected --from-bar and --to-bar"),
        (("chart", "ARCHIVE", "--from-bar", "400"), "--from-bar is 400; expected less than 400"),
        (
            ("chart", "ARCHIVE", "--out", "picture.png"),
            "--out is picture.png; expected a name that ends in .html or .svg",
        ),
        (("chart", "ARCHIVE", "--out", "/no/such/folder/a.svg"), "/no/such/folder/a.svg cannot be written"),
        (("chart", "BTC", "--to-bar", "4"), "--from-bar and --to-bar are for files; BTC is no file"),
        (("traces",), "expected the code of a coin, such as BTC, or --funnel"),
        (("explain", "BTC", "--state-dir", "/no/such/stack"), "no local stack is alive in /no/such/stack"),
    ],
)
def test_wrong_words_are_refused_in_words(archive: Path, arguments: tuple[str, ...], sentence: str) -> None:
    words = [str(archive) if each == "ARCHIVE" else each for each in arguments]
    with pytest.raises(InvalidInput) as refusal:
        get_command(app).main(words, standalone_mode=False)
    assert sentence in str(refusal.value)
