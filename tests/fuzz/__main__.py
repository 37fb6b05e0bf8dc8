"""Mutated venue bodies, events and stored items through the real code: `python -m tests.fuzz`."""

from __future__ import annotations

import argparse
import logging
import sys

from tests.fuzz.kinds import kinds, numbers_of
from tests.fuzz.running import Tally, keep, line_of, run


def main() -> int:
    options = _options()
    # What the adapters have to say about nonsense is not for a person to read 200,000 times.
    logging.disable(logging.CRITICAL)
    only, _, number = options.only.partition(":")
    if only and only not in kinds():
        print(f"kind is {only!r}; expected one of {', '.join(kinds())}", file=sys.stderr)
        return 2
    tallies = []
    for name, kind in kinds().items():
        if only and name != only:
            continue
        numbers = range(int(number), int(number) + 1) if number else numbers_of(name, options.count)
        tally = run(kind, options.seed, numbers)
        tallies.append(tally)
        _tell_failures(tally, options.seed, keeping=options.keep)
    _tell_table(tallies)
    return 1 if any(each.failed for each in tallies) else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--count", type=int, default=200_000, help="cases over all kinds")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="one kind, or one case as KIND:NUMBER")
    parser.add_argument("--keep", action="store_true", help="write the first case of each failure into tests/fuzz/kept")
    return parser.parse_args()


def _tell_failures(tally: Tally, seed: int, *, keeping: bool) -> None:
    for count, case, why in tally.failures.values():
        print(f"{line_of(case, seed, why)} | {count} like it", flush=True)
        if keeping:
            print(f"kept in {keep(case, seed, why)}")


def _tell_table(tallies: list[Tally]) -> None:
    print(f"{'kind':<14}{'cases':>9}{'failures':>10}{'CPU s':>9}{'ms each':>9}  outcomes")
    for each in tallies:
        shown = ", ".join(f"{name} {count}" for name, count in each.outcomes.most_common())
        cost = 1000 * each.cpu_s / each.cases
        print(f"{each.kind:<14}{each.cases:>9}{each.failed:>10}{each.cpu_s:>9.1f}{cost:>9.2f}  {shown}")
    cases, failed = sum(each.cases for each in tallies), sum(each.failed for each in tallies)
    print(f"{'all':<14}{cases:>9}{failed:>10}{sum(each.cpu_s for each in tallies):>9.1f}")


if __name__ == "__main__":
    sys.exit(main())
