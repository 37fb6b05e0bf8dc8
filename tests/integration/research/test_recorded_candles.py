"""The developers' recorded candles: what we count in them is what their makers counted."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from infra.research.backfill import backfill
from infra.research.coverage import Held, coverage
from infra.research.history import HistoryStore
from infra.research.report import coverage_rows, newest_close, of_archives
from tests.integration.research.conftest import RECORDED

SEVEN_MONTHS = "-15m-20220101-20220806.csv.gz"
COINS = 24
FIGURES = {
    "rows": "rows",
    "expected_rows": "expected_rows",
    "missing_bars": "missing_rows",
    "gaps": "gaps",
    "zero_volume_bars": "zero_volume_rows",
}


def agrees(row: dict[str, Any], entry: dict[str, Any]) -> bool:
    exact = all(row[ours] == entry[theirs] for ours, theirs in FIGURES.items())
    times = (row["first"], row["last"]) == (entry["first"][:16] + "Z", entry["last"][:16] + "Z")
    gap = row["longest_gap_hours"] == pytest.approx(entry["largest_gap_hours"], abs=1e-4)
    return exact and times and gap and row["largest_move"] == pytest.approx(entry["max_abs_close_log_return"], abs=1e-5)


@pytest.mark.slow
def test_archive_report_equals_the_manifest_by_file(manifest: dict[str, dict[str, Any]]) -> None:
    held = of_archives(RECORDED)
    rows = {row["source"]: row for row in coverage_rows(held, newest_close(held))}
    assert rows.keys() == manifest.keys()
    assert [name for name, row in rows.items() if not agrees(row, manifest[name])] == []
    assert sum(row["missing_bars"] for row in rows.values()) > 14_000


@pytest.mark.slow
def test_seven_months_of_all_coins_are_imported(history: HistoryStore, manifest: dict[str, dict[str, Any]]) -> None:
    entries = {entry["symbol"].split("_")[0]: entry for name, entry in manifest.items() if name.endswith(SEVEN_MONTHS)}
    assert len(entries) == COINS
    now = datetime(2024, 1, 1, tzinfo=UTC)
    done = backfill([RECORDED / entry["file"] for entry in entries.values()], history, now, lambda _: None)
    assert {each.archive.coin: each.added for each in done} == {coin: each["rows"] for coin, each in entries.items()}
    held = [
        Held(coin=line.coin, quote=line.quote, source="history", series=history.load(line)) for line in history.lines()
    ]
    rows = coverage_rows(held, now)
    assert [row["coin"] for row in rows if not agrees(row, entries[row["coin"]])] == []
    assert len(coverage(held, now)) == COINS


def test_gaps_of_kraken_survive_the_store(history: HistoryStore, manifest: dict[str, dict[str, Any]]) -> None:
    names = [name for name, entry in manifest.items() if entry["exchange"] == "kraken" and "EUR" not in name]
    now = datetime(2025, 1, 1, tzinfo=UTC)
    backfill([RECORDED / name for name in names], history, now, lambda _: None)
    held = [
        Held(coin=line.coin, quote=line.quote, source="history", series=history.load(line)) for line in history.lines()
    ]
    by_line = {
        (entry["symbol"].split("_")[0], entry["timeframe"]): entry for entry in map(manifest.get, names) if entry
    }
    rows = coverage_rows(held, now)
    assert len(rows) == len(names)
    assert [row for row in rows if not agrees(row, by_line[row["coin"], row["timeframe"]])] == []
