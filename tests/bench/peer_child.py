"""What the measured process of a peer does, run by a Python that has the peer and nothing of the project.

A peer is a file beside this one with `load(columns)`, which makes of open, high, low, close what its functions take,
and `find(data)`, which gives its tables: `{family: {column: array}}`. FAMILIES of it says which columns tell that a row
holds a reading, and which columns make it up.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy
from memory import peak_mib  # files beside this one, which is how a program that stands alone finds them

WARMING_BARS = 500
REPLAY_FROM, REPLAY_TO = 500, 1_000

Tables = Mapping[str, Mapping[str, Any]]
Families = Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]


def main(load: Callable[[Any], Any], find: Callable[[Any], Tables], families: Families) -> None:
    """`FILE RUNS`: FILE is a JSON list of open, high, low, close. Prints one JSON line as its last.

    With 0 runs it replays instead: the tables after 500 bars, after 501 and so on, and what became of their rows.
    """
    file, runs = sys.argv[1], int(sys.argv[2])
    bars = numpy.array(json.loads(Path(file).read_text()), dtype=float)
    find(load(bars[:WARMING_BARS]))
    if runs == 0:
        print(json.dumps(replay(bars[:REPLAY_TO], lambda part: find(load(part)), families)))
        return
    data = load(bars)
    seconds = []
    for _ in range(runs):
        started = time.process_time()
        find(data)
        seconds.append(time.process_time() - started)
    print(json.dumps({"cpu_seconds": seconds, "peak_mib": peak_mib()}))


def replay(bars: Any, find: Callable[[Any], Tables], families: Families) -> dict[str, dict[str, int]]:
    """By family: rows that came to hold a reading; of these the ones that were others later, and those that stand on
    an earlier bar than the one that showed them.
    """
    kept = {family: _Kept(len(bars), len(columns)) for family, (_, columns) in families.items()}
    for count in range(REPLAY_FROM, len(bars) + 1):
        tables = find(bars[:count])
        for family, (marks, columns) in families.items():
            table = tables[family]
            there = numpy.any([_filled(table[name]) for name in marks], axis=0)
            values = numpy.array([numpy.asarray(table[name], dtype=float) for name in columns]).T
            kept[family].see(there, values, count)
    return {family: rows.counts() for family, rows in kept.items()}


class _Kept:
    """The rows of one family as they were first seen."""

    def __init__(self, bars: int, columns: int) -> None:
        self.values = numpy.full((bars, columns), numpy.nan)
        self.seen, self.live, self.rewritten, self.backdated = (numpy.zeros(bars, dtype=bool) for _ in range(4))

    def see(self, there: Any, values: Any, count: int) -> None:
        early = self.values[:count]
        differs = ~((early == values) | (numpy.isnan(early) & numpy.isnan(values))).all(axis=1)
        self.rewritten[:count] |= self.seen[:count] & differs
        fresh = there & ~self.seen[:count]
        early[fresh] = values[fresh]
        self.seen[:count] |= fresh
        if count > REPLAY_FROM:
            self.live[:count] |= fresh
            self.backdated[: count - 1] |= fresh[:-1]

    def counts(self) -> dict[str, int]:
        return {
            "readings": int(self.live.sum()),
            "rewritten": int((self.rewritten & self.live).sum()),
            "backdated": int(self.backdated.sum()),
        }


def _filled(column: Any) -> Any:
    values = numpy.asarray(column, dtype=float)
    return ~numpy.isnan(values) & (values != 0)
