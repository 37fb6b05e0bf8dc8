"""The measured process of the detector's subject: `python -m tests.bench.detector_timing SCALES FILE RUNS`."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from tests.bench.memory import peak_mib
from trading.rules import load_rules
from trading.smc import Detector
from trading.strategy.bias import detector_parameters


def main(scales: str, file: str, runs: str) -> None:
    """FILE is a JSON list of open, high, low, close. Prints one JSON line."""
    bars = json.loads(Path(file).read_text(encoding="utf-8"))
    parameters = detector_parameters(load_rules().detector, scales=tuple(map(int, scales.split(","))))
    seconds = []
    for _ in range(int(runs)):
        started = time.process_time()
        detector = Detector(parameters)
        for bar in bars:
            detector.update(*bar)
        seconds.append(time.process_time() - started)
    print(json.dumps({"cpu_seconds": seconds, "peak_mib": peak_mib()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
