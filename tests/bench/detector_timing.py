"""The measured process of the detector's subject: `python -m tests.bench.detector_timing WHAT FILE RUNS`."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from tests.bench.memory import peak_mib
from trading.rules import load_rules
from trading.smc import Detector, Parameters, detector
from trading.smc.events import RawEvent
from trading.strategy.bias import detector_parameters
from trading.strategy.concepts import concept_parameters

Columns = tuple[list[float], list[float], list[float], list[float]]
PART_BARS = 500
"""Events are handed on after so many bars, as from a backtest; what keeps millions of them pays for its own memory."""
WINDOW, SERIES = 600, 1_200
REPLAY_FROM, REPLAY_TO = 500, 1_000
START, STEP = 1_704_067_200, 900
"""The open times that concepts are told: quarters of an hour from 1 January 2024, 0 o'clock UTC, a Monday."""


def main(what: str, file: str, runs: str) -> None:
    """FILE is a JSON list of open, high, low, close. Prints one JSON line."""
    columns = _columns(file)
    compiled = not detector.__file__.endswith(".py")
    if what == "replay":
        print(json.dumps({"compiled": compiled, **replay(columns)}))
        return
    seconds = WHAT[what](columns, int(runs))
    print(json.dumps({"cpu_seconds": seconds, "peak_mib": peak_mib(), "compiled": compiled}))


def _columns(file: str) -> Columns:
    """As columns alone: what else lived while the clock runs would be gone through by every garbage collection."""
    bars = json.loads(Path(file).read_text(encoding="utf-8"))
    opens, highs, lows, closes = ([float(bar[number]) for bar in bars] for number in range(4))
    return opens, highs, lows, closes


def parameters(*, whole: bool) -> Parameters:
    """Both scales and displacement, or the four families at the smaller scale."""
    rules = load_rules().detector
    scales = (rules.minor_swing_bars, rules.major_swing_bars) if whole else (rules.minor_swing_bars,)
    return replace(detector_parameters(rules, scales=scales), displacement=whole, concepts=None)


def _reading(given: Parameters, columns: Columns, runs: int, part: int) -> list[float]:
    count = len(columns[0])

    def read() -> None:
        found = Detector(given)
        for start in range(0, count, part):
            found.read(*_cut(columns, start, start + part))

    return _timed(read, runs)


def _reading_concepts(columns: Columns, runs: int) -> list[float]:
    """Both scales, displacement and every concept that the rules switch on."""
    rules, count = load_rules(), len(columns[0])
    given = replace(parameters(whole=True), concepts=concept_parameters(rules))
    times = list(range(START, START + count * STEP, STEP))

    def read() -> None:
        found = Detector(given)
        for start in range(0, count, PART_BARS):
            end = start + PART_BARS
            found.read(*_cut(columns, start, end), times[start:end])

    return _timed(read, runs)


def _updating(given: Parameters, columns: Columns, runs: int) -> list[float]:
    def update() -> None:
        found = Detector(given)
        for open_, high, low, close in zip(*columns, strict=True):
            found.update(open_, high, low, close)

    return _timed(update, runs)


def _recompute(columns: Columns, runs: int) -> list[float]:
    """Every series of the exchange read from nothing, each a window of its own of the bars."""
    given = parameters(whole=True)
    windows = [_cut(columns, start, start + WINDOW) for start in _starts(columns)]

    def read() -> None:
        for window in windows:
            Detector(given).read(*window)

    return _timed(read, runs)


def _one_bar(columns: Columns, runs: int) -> list[float]:
    """One more bar for each of as many detectors that have read their window."""
    given = parameters(whole=True)
    detectors = [(Detector(given), start + WINDOW) for start in _starts(columns)]
    for found, end in detectors:
        found.read(*_cut(columns, end - WINDOW, end))
    bars = list(zip(*columns, strict=True))
    seconds: list[float] = []
    for run in range(runs):
        news = [(found, bars[end + run]) for found, end in detectors]
        started = time.process_time()
        for found, bar in news:
            found.update(*bar)
        seconds.append(time.process_time() - started)
    return seconds


def _starts(columns: Columns) -> range:
    step = (len(columns[0]) - 2 * WINDOW) // SERIES
    return range(0, SERIES * step, step)


def _cut(columns: Columns, start: int, end: int) -> Columns:
    opens, highs, lows, closes = columns
    return opens[start:end], highs[start:end], lows[start:end], closes[start:end]


def _timed(work: Callable[[], object], runs: int) -> list[float]:
    seconds = []
    for _ in range(runs):
        started = time.process_time()
        work()
        seconds.append(time.process_time() - started)
    return seconds


def replay(columns: Columns) -> dict[str, int]:
    """What peers are asked too: of the events told live, how many does a later reading of all bars not have."""
    given = parameters(whole=True)
    live: list[RawEvent] = []
    for count in range(REPLAY_FROM + 1, REPLAY_TO + 1):
        early: Sequence[RawEvent] = Detector(given).read(*_cut(columns, 0, count))
        live += [event for event in early if event[3] == count - 1]
    later = set(Detector(given).read(*_cut(columns, 0, REPLAY_TO)))
    return {"readings": len(live), "rewritten": sum(event not in later for event in live)}


WHAT: dict[str, Callable[[Columns, int], list[float]]] = {
    "four": lambda columns, runs: _reading(parameters(whole=False), columns, runs, PART_BARS),
    "four_kept": lambda columns, runs: _reading(parameters(whole=False), columns, runs, len(columns[0])),
    "whole": lambda columns, runs: _reading(parameters(whole=True), columns, runs, PART_BARS),
    "all_concepts": _reading_concepts,
    "bar_by_bar": lambda columns, runs: _updating(parameters(whole=True), columns, runs),
    "recompute": _recompute,
    "one_bar": _one_bar,
}


if __name__ == "__main__":
    main(*sys.argv[1:])
