"""The measured process of the scoring subject's series: `python -m tests.bench.series_timing WAY COINS COPIES RUNS`.

WAY `recompute`: a new detector reads the last 600 bars of each series. `update`: one that has read them reads one more.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence

from tests.bench.memory import peak_mib
from tests.bench.sample_bars import MIDDLE, four_timeframes
from trading.model.candles import CandleSeries
from trading.rules import load_rules
from trading.smc import Detector, detector
from trading.strategy.bias import detector_parameters

BARS = 600


def main(way: str, coins: int, copies: int, runs: int) -> None:
    rules = load_rules().detector
    parameters = detector_parameters(rules, scales=(rules.minor_swing_bars, rules.major_swing_bars))
    series = list(four_timeframes(coins, MIDDLE, BARS + 1).values())
    seconds = []
    for _ in range(runs):
        waiting = [Detector(parameters) for _ in range(copies) for _ in series]
        if way == "update":
            _feed(waiting, series, slice(0, BARS))
            seconds.append(_feed(waiting, series, slice(BARS, BARS + 1)))
        else:
            seconds.append(_feed(waiting, series, slice(0, BARS)))
    compiled = not (detector.__file__ or "").endswith(".py")
    print(json.dumps({"cpu_seconds": seconds, "peak_mib": peak_mib(), "compiled": compiled}))


def _feed(detectors: Sequence[Detector], series: Sequence[CandleSeries], bars: slice) -> float:
    """CPU seconds that all detectors took to read these bars; series are used in turn."""
    parts = [(each.opens[bars], each.highs[bars], each.lows[bars], each.closes[bars]) for each in series]
    started = time.process_time()
    for index, each in enumerate(detectors):
        opens, highs, lows, closes = parts[index % len(parts)]
        each.read(opens, highs, lows, closes)
    return time.process_time() - started


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
