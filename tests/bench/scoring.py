"""One scoring run of 300 coins in one handler, from stored candles to stored traces, and the detector over all series.

The handler runs in a process of its own against DynamoDB in another; the bars are generated, 15 coins under 300 names,
720 of each timeframe; quotes come over HTTP from a loopback server. Every run is a first run in a fresh process.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from infra.compiled.finder import SWITCH
from infra.local.template import REGION
from shared.progress import DISCOVER, INGEST
from shared.storage.control import ControlStore
from shared.storage.market_data import MarketDataStore
from tests.bench.cloud_emulator import create_table, emulated_tables
from tests.bench.results import Result, Row
from tests.bench.sample_bars import MIDDLE, four_timeframes, under_more_names
from tests.fakes.futures_market import a_contract, a_pair
from tests.integration.venue.loopback_venue import running
from trading.model.instruments import InstrumentId, Universe
from trading.model.times import Timeframe, from_epoch, to_text
from trading.rules import load_rules
from trading.universe.joining import Markets, join

TABLES = {"MARKET_DATA": "bench-market-data", "DECISIONS": "bench-decisions", "LEDGER": "bench-ledger"}
TARGETS = {"five_seconds_vs_scoring": 1.0, "512_mib_vs_scoring": 1.0}
CHILD_SECONDS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoringBench:
    """`copies` of `coins` generated coins make the universe; every row is run `runs` times."""

    coins: int = 15
    copies: int = 20
    runs: int = 3


def run(bench: ScoringBench) -> Result:
    rows = [_series_row(bench, way, plain) for way in ("recompute", "update") for plain in (True, False)]
    scoring, outcomes = _scoring_row(bench)
    rows.append(scoring)
    notes = [
        "The run's CPU holds imports and first clients too: it is what a cold Lambda would use.",
        f"Outcomes of the scored bar: {json.dumps(outcomes)}",
    ]
    ratios = {
        "five_seconds_vs_scoring": 5.0 / scoring.median,
        "512_mib_vs_scoring": 512.0 / scoring.peak_mib,
    }
    return Result(subject="scoring", rows=rows, ratios=ratios, targets=TARGETS, notes=notes)


def _series_row(bench: ScoringBench, way: str, plain: bool) -> Row:
    """Without a build (`make compile`) both rows are plain Python and say so."""
    environment = {**os.environ, **({SWITCH: "1"} if plain else {})}
    found = _child(
        "tests.bench.series_timing", [way, str(bench.coins), str(bench.copies), str(bench.runs)], environment
    )
    kind = "compiled" if found["compiled"] else "plain Python"
    count = bench.coins * bench.copies * len(Timeframe)
    name = {"recompute": f"600 bars of each series, {kind}", "update": f"one more bar of each series, {kind}"}[way]
    return Row(name=name, count=count, counts="series", cpu_seconds=found["cpu_seconds"], peak_mib=found["peak_mib"])


def _scoring_row(bench: ScoringBench) -> tuple[Row, dict[str, int]]:
    series = under_more_names(four_timeframes(bench.coins, MIDDLE, load_rules().data.bars_kept), bench.copies)
    names = sorted({coin for coin, _ in series})
    with emulated_tables() as tables, running() as venue:
        venue.answer("/derivatives/api/v3/tickers", _tickers(names))
        for table in TABLES.values():
            create_table(tables, table)
        store, control = MarketDataStore(TABLES["MARKET_DATA"], bars_kept=720), ControlStore(TABLES["LEDGER"])
        stored = store.save_universe(_universe(names), from_epoch(MIDDLE), None)
        control.record_run(DISCOVER, from_epoch(MIDDLE), {"universe_version": stored.version})
        control.record_run(
            INGEST, from_epoch(MIDDLE), {"watermark": to_text(from_epoch(MIDDLE)), "universe_version": stored.version}
        )
        store.add_history(series, from_epoch(MIDDLE))
        found = [_scored(tables, venue.url) for _ in range(bench.runs)]
    row = Row(
        name="score_setups, cold, from store to traces",
        count=len(names),
        counts="coins",
        cpu_seconds=[each["cpu_seconds"] for each in found],
        peak_mib=max(each["peak_mib"] for each in found),
        extra={"traces": found[-1]["traces"]},
    )
    return row, found[-1]["outcomes"]


def _scored(tables: Any, url: str) -> dict[str, Any]:
    """One run in a fresh process, after which nothing of it is left."""
    environment = {
        **os.environ,
        **{f"SMC_{name}_TABLE": table for name, table in TABLES.items()},
        "SMC_FUTURES_URL": url,
        "SMC_SPOT_URL": url,
        "SMC_SIGNALS_QUEUE_URL": "http://127.0.0.1:9/queue",
        "SMC_ALERTS_TOPIC_ARN": f"arn:aws:sns:{REGION}:000000000000:bench",
        "POWERTOOLS_SERVICE_NAME": "score_setups",
        "POWERTOOLS_METRICS_NAMESPACE": "SmcTrader",
        "POWERTOOLS_LOG_LEVEL": "ERROR",
    }
    found = _child("tests.bench.scoring_run", [str(MIDDLE)], environment)
    for item in tables.scan(TableName=TABLES["DECISIONS"], ProjectionExpression="pk, sk")["Items"]:
        tables.delete_item(TableName=TABLES["DECISIONS"], Key=item)
    tables.delete_item(TableName=TABLES["LEDGER"], Key={"pk": {"S": "RUN"}, "sk": {"S": "score_setups"}})
    return found


def _universe(names: Sequence[InstrumentId]) -> Universe:
    markets = Markets(pairs=tuple(map(a_pair, names)), contracts=tuple(map(a_contract, names)), quotes={})
    return join(markets, replace(load_rules().universe, pinned=tuple(names)))


def _tickers(names: Sequence[InstrumentId]) -> dict[str, Any]:
    row = {"markPrice": 100, "indexPrice": 100, "bid": 99.99, "ask": 100.01, "fundingRate": 0.0001, "suspended": False}
    rows = [{**row, "symbol": f"PF_{name}USD", "vol24h": 1e6, "volumeQuote": 1e8, "postOnly": False} for name in names]
    return {"result": "success", "serverTime": to_text(from_epoch(MIDDLE)), "tickers": rows}


def _child(module: str, arguments: Sequence[str], environment: Mapping[str, str]) -> dict[str, Any]:
    answer = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        env=dict(environment),
        capture_output=True,
        text=True,
        timeout=CHILD_SECONDS,
        check=False,
    )
    if answer.returncode:
        raise ValueError(f"{module} failed: {answer.stderr.strip()[-2000:]}")
    found: dict[str, Any] = json.loads(answer.stdout.splitlines()[-1])
    return found
