"""The detector's time per bar, one scale and both, and how it grows; beside smartmoneyconcepts where it is installed.

Each row is a process of its own that reads the bars from a file, ours and the peer's alike. Of the peer `fvg`,
`swing_highs_lows`, `bos_choch` and `ob` at swing length 5 are timed, after a run that lets it compile. Ours cannot
leave out what it does besides (displacement, the life of zones) and is timed with it.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from infra.local.market.generated import COIN_PRICES, generate_bars
from infra.local.market.listings import list_coin
from tests.bench.results import Result, Row
from trading.rules import load_rules

Bar = tuple[float, float, float, float]
COIN, SEED = "ETH", 4
PEER = Path(__file__).with_name("smartmoneyconcepts_peer.py")
CHILD_SECONDS = 300
MOST_DISTINCT = 100_000
PEER_BARS = 100_000
"""The peer's time grows faster than its bars; more than this is not asked of it."""
PEER_RUNS = 7
TARGETS = {
    "vs_smartmoneyconcepts_500": 25.0,
    "vs_smartmoneyconcepts_100k": 40.0,
    "whole_vs_smartmoneyconcepts_500": 8.0,
}
WITHOUT_PEERS = "No ratios against smartmoneyconcepts: no Python that has it was given (--peers, make bench PEERS=...)."


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorBench:
    """`sizes`: numbers of bars and how often each is run, smallest first."""

    sizes: Sequence[tuple[int, int]] = ((500, 101), (15_000, 9), (100_000, 3), (500_000, 1))
    peers: Path | None = None


def run(bench: DetectorBench) -> Result:
    rules = load_rules().detector
    minor, major = rules.minor_swing_bars, rules.major_swing_bars
    bars = generated_bars(bench.sizes[-1][0])
    one = {size: _row(f"ours, scale {minor}", bars[:size], (minor,), runs) for size, runs in bench.sizes}
    whole = {
        size: _row(f"ours, scales {minor} and {major}", bars[:size], (minor, major), runs)
        for size, runs in bench.sizes
        if size <= MOST_DISTINCT
    }
    peer = {}
    if bench.peers is not None:
        sizes = [(size, min(runs, PEER_RUNS)) for size, runs in bench.sizes if size <= PEER_BARS]
        peer = {size: _peer_row(bench.peers, bars[:size], runs) for size, runs in sizes}
    ratios = {**_growth(one), **_against(peer, one, "vs"), **_against(peer, whole, "whole_vs")}
    return Result(
        subject="detector",
        rows=[*one.values(), *whole.values(), *peer.values()],
        ratios=ratios,
        targets={name: least for name, least in TARGETS.items() if name in ratios},
        notes=[] if peer else [WITHOUT_PEERS],
    )


def generated_bars(count: int) -> list[Bar]:
    """Bars of one coin; beyond MOST_DISTINCT the same ones over again."""
    price = COIN_PRICES[COIN]
    bars = generate_bars(list_coin(COIN, price), price, SEED, (0, min(count, MOST_DISTINCT))).bars
    repeated = [(bar.open, bar.high, bar.low, bar.close) for bar in bars] * -(-count // len(bars))
    return repeated[:count]


def _growth(rows: Mapping[int, Row]) -> dict[str, float]:
    """Time per bar, most bars over fewest: 1 is flat."""
    first, last = min(rows), max(rows)
    return {f"growth_{_short(first)}_to_{_short(last)}": (rows[last].median / last) / (rows[first].median / first)}


def _against(peer: Mapping[int, Row], ours: Mapping[int, Row], prefix: str) -> dict[str, float]:
    return {f"{prefix}_smartmoneyconcepts_{_short(size)}": peer[size].median / ours[size].median for size in peer}


def _short(size: int) -> str:
    return f"{size // 1000}k" if size >= 1000 else str(size)


def _row(name: str, bars: Sequence[Bar], scales: tuple[int, ...], runs: int) -> Row:
    program = [sys.executable, "-m", "tests.bench.detector_timing", ",".join(map(str, scales))]
    return _timed(name, program, bars, runs)


def _peer_row(python: Path, bars: Sequence[Bar], runs: int) -> Row:
    return _timed("smartmoneyconcepts, length 5", [str(python), str(PEER)], bars, runs)


def _timed(name: str, program: Sequence[str], bars: Sequence[Bar], runs: int) -> Row:
    """Run `program ... FILE RUNS`; the last line it prints says what was measured."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "bars.json"
        file.write_text(json.dumps(bars), encoding="utf-8")
        answer = subprocess.run(
            [*program, str(file), str(runs)], capture_output=True, text=True, timeout=CHILD_SECONDS, check=False
        )
    if answer.returncode:
        raise ValueError(f"timing of {name} failed: {answer.stderr.strip()}")
    found = json.loads(answer.stdout.splitlines()[-1])
    return _per_bar(name, len(bars), found["cpu_seconds"], found["peak_mib"])


def _per_bar(name: str, count: int, seconds: Sequence[float], peak: float) -> Row:
    micros = statistics.median(seconds) / count * 1e6
    return Row(
        name=name, count=count, cpu_seconds=seconds, peak_mib=peak, extra={"microseconds_per_bar": round(micros, 3)}
    )
