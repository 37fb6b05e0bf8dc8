"""`make simulate-defects`: every planted defect must be seen; ends with 1 when one is not."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.simulation.defects import DEFECTS
from tests.simulation.defects.hunt import DAYS, Catch, hunt_all

INTRODUCTION = """# Planted defects

Mistakes that were really made, in the audited system or elsewhere, are planted into the real code from the test tree,
one at a time, and simulated until an invariant sees them. Written by `make simulate-defects`
({days} days at most for each; invariants by the names of the reference, and `EXITS` of our own:
tests/simulation/invariants).

| defect | where it happened | seen by | days | what was said |
|---|---|---|---|---|
"""


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="make simulate-defects", description=__doc__)
    parser.add_argument("--only", help="part of a defect's name")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--document", type=Path, help="write the table there")
    given = parser.parse_args(arguments)
    numbers = [number for number, each in enumerate(DEFECTS) if not given.only or given.only in each.name]
    if not numbers:
        parser.error(f"--only is {given.only!r}; expected a part of one of: {', '.join(e.name for e in DEFECTS)}")
    catches = []
    for catch in hunt_all(numbers, given.workers):
        catches.append(catch)
        seen = f"{catch.invariant} on day {catch.days}" if catch.invariant else f"NOT SEEN in {catch.days} days"
        print(f"{seen:22s} {catch.cpu_s:6.1f} s  {catch.name}: {catch.text[:90]}", flush=True)
    missed = [each for each in catches if not each.invariant]
    print(f"{len(catches)} defects, {len(catches) - len(missed)} seen, {sum(each.cpu_s for each in catches):.0f} CPU-s")
    if given.document:
        given.document.write_text(INTRODUCTION.format(days=DAYS) + "".join(map(_row, catches)), encoding="utf-8")
    return 1 if missed else 0


def _row(catch: Catch) -> str:
    seen = catch.invariant or "**nothing**"
    return f"| {catch.name} | {catch.story} | {seen} | {catch.days} | {catch.text.replace('|', '/')} |\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
