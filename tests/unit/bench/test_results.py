"""The files that a bench writes have the shape that programs read."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest
from rich.console import Console

from tests.bench import detector, imports
from tests.bench.results import Result, Row, show, write

ROW_KEYS = {"name", "cpu_seconds_median", "cpu_seconds_min", "runs", "peak_mib"}
RESULT = Result(
    subject="example",
    rows=[Row(name="ours", count=600, cpu_seconds=[0.3, 0.1, 0.2], peak_mib=12.34, extra={"requests": 6})],
    ratios={"fast": 4.0, "small": 1.5},
    targets={"fast": 3.0, "small": 2.0},
)


def test_written_file_has_rows_and_ratios(tmp_path: Path) -> None:
    document = json.loads(write(RESULT, tmp_path / "bench").read_text())
    (row,) = document["rows"]
    expected = {"name": "ours", "bars": 600, "cpu_seconds_median": 0.2, "cpu_seconds_min": 0.1, "runs": 3}
    assert row == expected | {"peak_mib": 12.3, "requests": 6}
    assert document["subject"] == "example"
    assert document["ratios"] == {"fast": 4.0, "small": 1.5}
    assert "Python" in document["machine"]


def test_table_says_which_target_is_missed() -> None:
    text = io.StringIO()
    show(RESULT, Console(file=text, width=120))
    assert "fast = 4.00  (target 3: met)" in text.getvalue()
    assert "small = 1.50  (target 2: NOT met)" in text.getvalue()


def test_tiny_detector_bench_without_peers_says_so() -> None:
    given = detector.DetectorBench(sizes=((300, 2), (1000, 1)), exchange_runs=0, builds=("plain",))
    document = detector.run(given).document()
    assert [row["bars"] for row in document["rows"]] == [300, 1000] * len(detector.OURS)
    assert all(row.keys() >= ROW_KEYS for row in document["rows"])
    assert list(document["ratios"]) == ["plain_flatness_300_to_1k"]
    assert document["notes"][1:] == [detector.WITHOUT_PEERS]
    assert document["notes"][0].startswith("plain: 0 of ")


def test_python_without_any_peer_is_named(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S "$@"\n')
    python.chmod(0o755)
    with pytest.raises(ValueError, match="python has none of smartmoneyconcepts, pyvsmc, pyindicators"):
        detector.run(detector.DetectorBench(sizes=((300, 1),), exchange_runs=0, builds=(), peers=python))


def test_handler_with_whole_ccxt_is_refused() -> None:
    two = {"ccxt.base", "ccxt.base.exchange", "ccxt.kraken", "ccxt.krakenfutures", "ccxt.abstract.kraken"}
    imports.require_few_modules("handler", two)
    with pytest.raises(ValueError, match=r"ccxt\.binance"):
        imports.require_few_modules("handler", two | {"ccxt.binance"})
    with pytest.raises(ValueError, match="imports numpy"):
        imports.require_few_modules("handler", two | {"numpy", "numpy.core"})
