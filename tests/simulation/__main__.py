"""`python -m tests.simulation --seeds 1000`: simulate, print, and end with 1 when anything was violated."""

from __future__ import annotations

import argparse
import sys

from tests.simulation.campaign import run_campaign, seeds_of, simulate
from tests.simulation.options import PROFILES
from tests.simulation.report import Progress, tell_day, tell_summary


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="make simulate", description=__doc__)
    parser.add_argument("--seeds", type=int, default=100, help="how many days, from --first on")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, help="only this day, told in full, run twice")
    parser.add_argument("--profile", choices=PROFILES)
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args(arguments)
    if given.seeds < 1:
        parser.error(f"--seeds is {given.seeds}; expected 1 or more")
    if given.seed is not None:
        return tell_day(simulate(given.seed, given.profile), simulate(given.seed, given.profile))
    progress = Progress(given.seeds)
    for result in run_campaign(seeds_of(given.first, given.seeds), given.profile, given.workers):
        progress.show(result)
    return tell_summary(progress.summary, given.profile)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
