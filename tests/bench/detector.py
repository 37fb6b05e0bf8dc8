"""The detector's time per bar, plain and compiled, the four families and all of it; beside the peers, where installed.

Each row is a process of its own that reads the bars from a file, ours and the peers' alike. The four families are
swings, BOS/CHoCH, order blocks and gaps, ours with the whole life of zones; the whole detector has both scales and
displacement besides, and in one row all concepts of the rules. Beside speed stands the share of readings that are
rewritten later.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.local.market.generated import COIN_PRICES, generate_bars
from infra.local.market.listings import list_coin
from tests.bench import peers
from tests.bench.results import Result, Row

Bar = tuple[float, float, float, float]
Rows = Mapping[tuple[str, int], Row]
COIN, SEED = "ETH", 4
CHILD_SECONDS = 300
MOST_DISTINCT = 100_000
REPLAYED_BARS = 1_000
BUILDS = {"plain": {"PLAIN_DETECTOR": "1"}, "compiled": {}}
OURS = {
    "four": "four families, scale 5",
    "four_kept": "the same, events kept",
    "whole": "whole detector",
    "all_concepts": "whole detector with all concepts",
    "bar_by_bar": "whole, bar by bar",
}
EXCHANGE = {
    "recompute": "whole, 1,200 series x 600 bars, full recompute",
    "one_bar": "whole, 1,200 series, one more bar each",
}
TARGETS = {
    "plain_four_vs_smartmoneyconcepts_500": 25.0,
    "plain_four_vs_smartmoneyconcepts_100k": 40.0,
    "compiled_four_vs_smartmoneyconcepts_500": 120.0,
    "compiled_four_vs_smartmoneyconcepts_100k": 120.0,
    "plain_all_concepts_vs_smartmoneyconcepts_500": 8.0,
    "compiled_all_concepts_vs_smartmoneyconcepts_500": 40.0,
    "plain_flatness_500_to_500k": 1 / 1.3,
}
WITHOUT_PEERS = "No ratios against peers: no Python that has one was given (--peers, make bench PEERS=...)."
NOT_COMPILED = "No compiled rows: run `make compile` first."


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorBench:
    """`sizes`: numbers of bars and how often each is run, smallest first. `exchange_runs`: of the 1,200 series.

    `builds` are left out when there is no such build.
    """

    sizes: Sequence[tuple[int, int]] = ((500, 101), (15_000, 7), (100_000, 3), (500_000, 1))
    exchange_runs: int = 3
    builds: Sequence[str] = ("plain", "compiled")
    peers: Path | None = None


def run(bench: DetectorBench) -> Result:
    notes: list[str] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        exchange = {MOST_DISTINCT} if bench.exchange_runs else set()
        for size in {*dict(bench.sizes), *exchange, REPLAYED_BARS}:
            _file(folder, size).write_text(json.dumps(generated_bars(size)), encoding="utf-8")
        ours = {build: _our_rows(build, bench, folder, notes) for build in _present(bench.builds, folder, notes)}
        others = _peer_rows(bench, folder, notes) if bench.peers is not None else {}
    if not others:
        notes.append(WITHOUT_PEERS)
    ratios = {name: ratio for build, rows in ours.items() for name, ratio in _ratios(build, rows, others)}
    return Result(
        subject="detector",
        rows=[*(row for rows in ours.values() for row in rows.values()), *others.values()],
        ratios=ratios,
        targets={name: least for name, least in TARGETS.items() if name in ratios},
        notes=notes,
    )


def generated_bars(count: int) -> list[Bar]:
    """Bars of one coin; beyond MOST_DISTINCT the same ones over again."""
    price = COIN_PRICES[COIN]
    bars = generate_bars(list_coin(COIN, price), price, SEED, (0, min(count, MOST_DISTINCT))).bars
    repeated = [(bar.open, bar.high, bar.low, bar.close) for bar in bars] * -(-count // len(bars))
    return repeated[:count]


def _file(folder: Path, size: int) -> Path:
    return folder / f"bars-{size}.json"


def _present(builds: Sequence[str], folder: Path, notes: list[str]) -> list[str]:
    """The builds that can be run: compiled only if there is one of today's sources."""
    if "compiled" in builds and not _child("compiled", "replay", _file(folder, REPLAYED_BARS), 0)["compiled"]:
        notes.append(NOT_COMPILED)
        return [build for build in builds if build != "compiled"]
    return list(builds)


def _our_rows(build: str, bench: DetectorBench, folder: Path, notes: list[str]) -> Rows:
    rows = {}
    for what, title in OURS.items():
        for size, runs in bench.sizes:
            answer = _child(build, what, _file(folder, size), runs)
            rows[what, size] = _per_bar(f"{build}: {title}", size, answer)
    for what, title in EXCHANGE.items() if bench.exchange_runs else ():
        answer = _child(build, what, _file(folder, MOST_DISTINCT), bench.exchange_runs)
        seconds, peak = answer["cpu_seconds"], answer["peak_mib"]
        rows[what, 0] = Row(name=f"{build}: {title}", count=1_200, counts="series", cpu_seconds=seconds, peak_mib=peak)
    found = _child(build, "replay", _file(folder, REPLAYED_BARS), 0)
    notes.append(f"{build}: {found['rewritten']} of {found['readings']} events told live were others later.")
    return rows


def _peer_rows(bench: DetectorBench, folder: Path, notes: list[str]) -> Rows:
    assert bench.peers is not None
    versions = peers.installed(bench.peers)
    if not versions:
        raise ValueError(f"{bench.peers} has none of {', '.join(peer.module for peer in peers.PEERS)}")
    rows = {}
    for peer in peers.PEERS:
        if peer.module not in versions:
            notes.append(f"{peer.module} is not installed in {bench.peers}.")
            continue
        title = f"{peer.module} {versions[peer.module]}"
        for size, runs in peer.runs_by_bars.items():
            if size in dict(bench.sizes):
                answer = peers.timing(peer, bench.peers, _file(folder, size), runs)
                rows[peer.module, size] = _per_bar(title, size, answer)
        notes.append(f"{title}: {peer.functions}.")
        notes += _rewritten(title, peers.replay(peer, bench.peers, _file(folder, REPLAYED_BARS)))
    return rows


def _rewritten(title: str, found: Mapping[str, Mapping[str, int]]) -> list[str]:
    parts = [
        f"{family} {counts['rewritten']} of {counts['readings']} ({counts['backdated']} backdated)"
        for family, counts in found.items()
    ]
    return [f"{title}, readings that appeared live and were rewritten later: {', '.join(parts)}."]


def _ratios(build: str, rows: Rows, others: Rows) -> list[tuple[str, float]]:
    sizes = [size for what, size in rows if what == "four"]
    first, last = min(sizes), max(sizes)
    flat = (rows["four", first].median / first) / (rows["four", last].median / last)
    found = [(f"{build}_flatness_{_short(first)}_to_{_short(last)}", flat)]
    for (module, size), row in others.items():
        for what in ("four", "four_kept", "whole", "all_concepts"):
            found.append((f"{build}_{what}_vs_{module}_{_short(size)}", row.median / rows[what, size].median))
    return found


def _short(size: int) -> str:
    return f"{size // 1000}k" if size >= 1000 else str(size)


def _child(build: str, what: str, file: Path, runs: int) -> Mapping[str, Any]:
    """Run the measured process; the last line it prints says what was measured."""
    environment = {name: value for name, value in os.environ.items() if name != "PLAIN_DETECTOR"} | BUILDS[build]
    program = [sys.executable, "-m", "tests.bench.detector_timing", what, str(file), str(runs)]
    answer = subprocess.run(
        program, capture_output=True, text=True, timeout=CHILD_SECONDS, check=False, env=environment
    )
    if answer.returncode:
        raise ValueError(f"timing of {build} {what} failed: {answer.stderr.strip()}")
    found: Mapping[str, Any] = json.loads(answer.stdout.splitlines()[-1])
    return found


def _per_bar(name: str, count: int, answer: Mapping[str, Any]) -> Row:
    seconds = answer["cpu_seconds"]
    micros = statistics.median(seconds) / count * 1e6
    return Row(
        name=name,
        count=count,
        cpu_seconds=seconds,
        peak_mib=answer["peak_mib"],
        extra={"microseconds_per_bar": round(micros, 3)},
    )
