"""Run by a Python that has smartmoneyconcepts: `FILE RUNS`, FILE a JSON list of open, high, low, close.

Prints one JSON line as its last. Nothing of the project is installed there.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import pandas
from memory import peak_mib  # a file beside this one, which is how a program that stands alone finds it
from smartmoneyconcepts import smc

SWING_LENGTH, WARMING_BARS = 5, 500


def find(frame: Any) -> None:
    """The four families that our detector is compared on."""
    smc.fvg(frame)
    swings = smc.swing_highs_lows(frame, swing_length=SWING_LENGTH)
    smc.bos_choch(frame, swings)
    smc.ob(frame, swings)


def main(file: str, runs: str) -> None:
    frame = pandas.DataFrame(json.loads(Path(file).read_text()), columns=["open", "high", "low", "close"])
    frame["volume"] = 1.0
    find(frame.head(WARMING_BARS))
    seconds = []
    for _ in range(int(runs)):
        started = time.process_time()
        find(frame)
        seconds.append(time.process_time() - started)
    print(json.dumps({"cpu_seconds": seconds, "peak_mib": peak_mib()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
