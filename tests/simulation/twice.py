"""Every day is run in two processes whose hashes differ: the same seed has to be the same day, to the last fill."""

from __future__ import annotations

import argparse
import gc
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.simulation.campaign import SEEDS_PER_PROCESS, profile_of, seeds_of
from tests.simulation.faults import Tape
from tests.simulation.options import PROFILES, draw_options
from tests.simulation.run import Day, run_day

HASH_SEEDS = ("1", "4242")
ROOT = Path(__file__).parents[2]


def fingerprint(day: Day) -> str:
    """The trace of calls, and all that became of them: orders, fills, records, alerts, violations."""
    books, tables = day.world.venue.engine.books, day.world.tables
    found = hashlib.blake2b(day.digest.encode(), digest_size=16)
    for fill in books.fills:
        found.update(f"{fill.time} {fill.symbol} {fill.side} {fill.size} {fill.price} {fill.client_order_id}".encode())
    for order in (*books.live.values(), *books.closed.values()):
        found.update(f"{order.order_id} {order.client_order_id} {order.state} {order.filled}".encode())
    for name, stored in sorted(tables.positions.items()):
        found.update(f"{name} {stored.version}".encode())
    for violation in day.violations:
        found.update(f"{violation.name} {violation.at_ms} {violation.text}".encode())
    found.update(str(day.world.venue.engine.equity()).encode())
    return found.hexdigest()


def fingerprints(seeds: Sequence[int], profile: str | None, hash_seed: str) -> Iterator[tuple[int, str]]:
    """Of each seed, from fresh interpreters with this hash seed."""
    for at in range(0, len(seeds), SEEDS_PER_PROCESS):
        some = seeds[at : at + SEEDS_PER_PROCESS]
        with subprocess.Popen(
            [sys.executable, "-m", "tests.simulation.twice", "--one", *map(str, some)]
            + (["--profile", profile] if profile else []),
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            for line in process.stdout:
                seed, _, digest = line.strip().partition(" ")
                yield int(seed), digest
        if process.returncode:
            raise RuntimeError(f"the process that ran seeds {some[0]} to {some[-1]} ended with {process.returncode}")


def compare(seeds: Sequence[int], profile: str | None) -> Iterator[tuple[int, bool]]:
    """Whether each seed was the same both times. Both interpreters work at the same time."""
    first, second = (fingerprints(seeds, profile, each) for each in HASH_SEEDS)
    for one, other in zip(first, second, strict=True):
        yield one[0], one == other


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation twice", description=__doc__)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--profile", choices=PROFILES)
    parser.add_argument("--one", type=int, nargs="+", help="print what these days were, and nothing else")
    given = parser.parse_args(arguments)
    if given.one:
        for seed in given.one:
            print(seed, fingerprint(run_day(draw_options(seed, profile_of(seed, given.profile)), Tape())), flush=True)
            gc.collect()
        return 0
    different = [seed for seed, same in compare(seeds_of(given.first, given.seeds), given.profile) if not same]
    for seed in different:
        print(f"seed {seed} profile {profile_of(seed, given.profile)} is not the same day twice")
    print(f"{given.seeds} seeds run twice with PYTHONHASHSEED {' and '.join(HASH_SEEDS)}: {len(different)} differ")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
