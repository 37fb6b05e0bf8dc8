"""What CI runs: every kept case, then as many days as fit into two CPU minutes, always from the same first seed."""

from __future__ import annotations

import argparse
import sys

from tests.simulation.campaign import SEEDS_PER_PROCESS, run_campaign, seeds_of
from tests.simulation.kept_cases import KEPT, from_json, replay
from tests.simulation.report import Progress, tell_summary

FIRST = 100_000
CPU_S = 120.0
LEAST_DAYS = 100


def kept_cases_hold() -> bool:
    """Replay all of them; what is violated is printed."""
    paths = sorted(KEPT.glob("*.json"))
    failing = 0
    for path in paths:
        violations = replay(from_json(path.read_text())).violations
        failing += bool(violations)
        for each in violations:
            print(f"VIOLATION {each.name} in the kept case {path.name}: {each.text}", flush=True)
    print(f"kept cases {len(paths)}, of which {failing} violate something", flush=True)
    return not failing


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="make simulate-slice", description=__doc__)
    parser.add_argument("--cpu-seconds", type=float, default=CPU_S)
    parser.add_argument("--least", type=int, default=LEAST_DAYS, help="days that are run even if they take longer")
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args(arguments)
    hold = kept_cases_hold()
    progress = Progress(given.least)
    block, first = given.workers * SEEDS_PER_PROCESS, FIRST
    while len(progress.summary.results) < given.least or progress.summary.total("cpu_s") < given.cpu_seconds:
        for result in run_campaign(seeds_of(first, block), None, given.workers):
            progress.show(result)
        first += block
    failed = tell_summary(progress.summary, None)
    return 1 if failed or not hold else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
