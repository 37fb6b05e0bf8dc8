"""`smc-trader funnel` on small archives: chosen, replayed, stopped, gone on with, and the same with any workers."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from infra.cli.recorded_funnel import funnel
from infra.research import funnel_report as report
from infra.research.funnel_run import Done, FunnelOptions, choose_jobs, run
from tests.fakes.candle_archives import segment_lines, write_segment
from tests.unit.research.funnel_candles import walk
from trading.errors import InvalidInput

APP = typer.Typer()
APP.command()(funnel)
HOURS_2024 = datetime(2024, 1, 26, tzinfo=UTC)


def write_walk(folder: Path, coin: str, seed: int, count: int = 4 * 660) -> Path:
    """An archive of 27.5 days from 2024-01-01 on: the last 60 hours have history enough to be decided."""
    lines = [f"{each.open_time * 1000},{each.open},{each.high},{each.low},{each.close},1" for each in walk(count, seed)]
    path = folder / f"{coin}_USDT-15m-20240101-20240128.csv.gz"
    path.write_bytes(gzip.compress("\n".join(["timestamp,open,high,low,close,volume", *lines, ""]).encode()))
    return path


@pytest.fixture
def options(tmp_path: Path) -> FunnelOptions:
    candles = tmp_path / "candles"
    candles.mkdir()
    for seed, coin in enumerate(("AAA", "BBB", "CCC")):
        write_walk(candles, coin, seed)
    return FunnelOptions(candles=candles, years=(2024,), coins=2, folder=tmp_path / "done", first=HOURS_2024)


def measured(options: FunnelOptions) -> list[Done]:
    done: list[Done] = []
    run(choose_jobs(options), options.workers, done.append)
    return done


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_stopped_run_goes_on_with_what_is_missing(options: FunnelOptions) -> None:
    first = measured(options)
    before = contents(options.folder)
    (options.folder / "BBB-2024.json").unlink()
    second = measured(options)
    assert [(each.coin, each.seconds > 0) for each in first] == [("AAA", True), ("BBB", True)]
    assert [(each.coin, each.seconds > 0) for each in second] == [("AAA", False), ("BBB", True)]
    assert contents(options.folder) == before
    assert [each.decisions for each in first] == [61, 61]


def test_two_workers_write_what_one_writes(options: FunnelOptions, tmp_path: Path) -> None:
    measured(options)
    both = replace(options, workers=2, folder=tmp_path / "both")
    measured(both)
    assert contents(both.folder) == contents(options.folder)


def test_other_conditions_are_replayed_again(options: FunnelOptions) -> None:
    measured(options)
    dearer = replace(options, taker_fee_bps=options.taker_fee_bps + 1)
    assert all(each.seconds > 0 for each in measured(dearer))


def test_changed_candles_are_replayed_again(options: FunnelOptions) -> None:
    measured(options)
    write_walk(options.candles, "AAA", 9)
    assert [each.coin for each in measured(options) if each.seconds] == ["AAA"]


def test_coins_of_every_year_come_first(options: FunnelOptions) -> None:
    write_segment(options.candles, segment_lines(4), "CCC_USDT-15m-20220101-20220102.csv.gz")
    write_segment(options.candles, segment_lines(4), "ZZZ_USDT-15m-20220101-20220102.csv.gz")
    jobs = choose_jobs(replace(options, years=(2022, 2024), first=None))
    assert [(job.coin, job.year) for job in jobs] == [("CCC", 2022), ("ZZZ", 2022), ("CCC", 2024), ("AAA", 2024)]


def test_bootstrap_takes_only_coins_with_daily_candles(options: FunnelOptions) -> None:
    write_segment(options.candles, segment_lines(3, seconds=86_400), "BBB_USDT-1d-20230101-20240103.csv.gz")
    jobs = choose_jobs(replace(options, bootstrap=True))
    assert [(job.coin, len(job.higher)) for job in jobs] == [("BBB", 1)]
    assert len(jobs[0].bars().higher[0]) == 3


def test_year_without_candles_is_refused(options: FunnelOptions) -> None:
    with pytest.raises(InvalidInput, match="no 15m candles of 2022"):
        choose_jobs(replace(options, years=(2022, 2024)))


def test_report_says_what_was_given_and_found(options: FunnelOptions) -> None:
    found = report.sections(run(choose_jobs(options), 1, lambda _: None))
    titles = [each.title for each in found]
    assert titles[:2] == ["Replayed", "Decisions by outcome"]
    assert {"Gates", "Thresholds", "Repeated structures", "Rank correlation of score and net R"} <= set(titles)
    body = json.loads(report.as_json(options, found))
    assert sum(each["all"] for each in body["tables"][1]["rows"]) == 122
    assert "No quotes of that time are recorded" in report.as_text(options, found)
    assert "| outcome | 2024 |" in report.as_markdown(options, found)


def test_command_prints_and_writes_the_report(options: FunnelOptions, tmp_path: Path) -> None:
    out = tmp_path / "report.md"
    answer = command(options, "--from", "2024-01-27", "--to", "2024-01-28", "--json", "--out", str(out))
    assert answer["given"]["spread_bps"] == 4.0
    assert answer["tables"][0]["rows"][0]["decisions"] == 2 * 24
    assert out.read_text().startswith("- candles: ")


def command(options: FunnelOptions, *more: str) -> dict[str, Any]:
    arguments = ("--candles", str(options.candles), "--years", "2024", "--coins", "2", "--folder", str(options.folder))
    result = CliRunner().invoke(APP, [*arguments, *more], catch_exceptions=False)
    assert result.exit_code == 0
    assert "2/2 BBB 2024: 24 decisions" in result.stderr
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--years", "22"), "--years is '22'"),
        (("--from", "2024-13-01"), "--from is '2024-13-01'"),
        (("--spread-bps", "much"), "--spread-bps is 'much'"),
        (("--spread-bps", "-1"), "expected 0 or more"),
        (("--coins", "0"), "expected at least 1"),
    ],
)
def test_wrong_option_is_named_in_one_sentence(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        CliRunner().invoke(APP, ["--candles", str(tmp_path), *arguments], catch_exceptions=False)
