"""`python -m tests.bench [subject ...]`: measures, prints tables and writes out/bench/<subject>.json."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from rich.console import Console

from tests.bench import detector, imports, scoring, store
from tests.bench.results import Result, machine, show, write

OUT = Path("out/bench")
WIDTH = 160
"""Of tables that go to a file; a terminal has its own."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    subjects_help = "store, imports, detector, scoring; all without any"
    parser.add_argument("subjects", nargs="*", metavar="subject", help=subjects_help)
    parser.add_argument(
        "--peers",
        type=Path,
        help="a Python that has smartmoneyconcepts (and pyvsmc, pyindicators), for the detector's ratios",
    )
    given = parser.parse_args()
    subjects = _subjects(given.peers)
    unknown = [name for name in given.subjects if name not in subjects]
    if unknown:
        parser.error(f"subject {unknown[0]!r} is not known; expected {', '.join(subjects)}")
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    console.print(f"{machine()}\n", highlight=False)
    for name in given.subjects or subjects:
        result = subjects[name]()
        show(result, console)
        console.print(f"Written to {write(result, OUT)}\n", highlight=False)


def _subjects(peers: Path | None) -> Mapping[str, Callable[[], Result]]:
    return {
        "store": lambda: store.run(store.StoreBench()),
        "imports": lambda: imports.run(imports.ImportsBench()),
        "detector": lambda: detector.run(detector.DetectorBench(peers=peers)),
        "scoring": lambda: scoring.run(scoring.ScoringBench()),
    }


if __name__ == "__main__":
    main()
