"""`python -m tests.simulation --seeds 1000`: simulate, print, and end with 1 when anything was violated.

`python -m tests.simulation crash-points|shrink|twice|slice` has options of its own.
"""

from __future__ import annotations

import argparse
import sys

from tests.simulation import ci_slice, crash_points, shrinking, twice
from tests.simulation.campaign import run_campaign, seeds_of, simulate
from tests.simulation.options import PROFILES
from tests.simulation.report import Progress, tell_day, tell_summary
from tests.simulation.tiers import TIERS

OTHERS = {
    "crash-points": crash_points.main,
    "shrink": shrinking.main,
    "twice": twice.main,
    "slice": ci_slice.main,
}


def main(arguments: list[str]) -> int:
    if arguments and arguments[0] in OTHERS:
        return OTHERS[arguments[0]](arguments[1:])
    parser = argparse.ArgumentParser(prog="make simulate", description=__doc__)
    parser.add_argument("--seeds", type=int, default=100, help="how many days, from --first on")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, help="only this day, told in full, run twice")
    parser.add_argument("--profile", choices=PROFILES)
    parser.add_argument("--tier", choices=TIERS, default="A", help="B: real adapters and stores over transports")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--keep", action="store_true", help="shrink the first failure of each invariant and keep it")
    given = parser.parse_args(arguments)
    if given.seeds < 1:
        parser.error(f"--seeds is {given.seeds}; expected 1 or more")
    if given.keep and given.tier != "A":
        parser.error(f"--keep with --tier {given.tier}; expected tier A, on which kept days are replayed")
    if given.seed is not None:
        first, again = (simulate(given.seed, given.profile, tier=given.tier) for _ in range(2))
        return tell_day(first, again)
    progress = Progress(given.seeds)
    for result in run_campaign(seeds_of(given.first, given.seeds), given.profile, given.workers, given.tier):
        progress.show(result)
    if given.keep:
        shrinking.keep_failures(progress.summary.failures)
    return tell_summary(progress.summary, given.profile)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
