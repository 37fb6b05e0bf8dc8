"""Many days, one summary: what was simulated, what went wrong on purpose, and whether anything was violated."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from math import ceil
from multiprocessing import get_context
from statistics import fmean

from tests.simulation.faults import Tape
from tests.simulation.invariants.protection import CoveredInTime
from tests.simulation.judge import Violation
from tests.simulation.options import Options, draw_options
from tests.simulation.run import Day, run_day
from trading.model.orders import CLIENT_ORDER_ID_PREFIX

SEEDS_PER_PROCESS = 25
"""Killed processes are never resumed and slow their operating-system process down: it is renewed before they do."""

SLOW_SEEDS_PER_PROCESS = 5

MIX = ("swarm", "storm", "swarm", "targeted", "swarm", "outage", "human", "crash", "clock", "deploy", "swarm", "calm")
"""Profiles by seed when none is named."""

MIX_FROM_DAYS = 100
FEWEST_FAULTS = 40
LOST_REPLY = "venue.place lost reply"
LOST_SHARE = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class DayResult:
    """What is kept of one day."""

    seed: int
    profile: str
    options: str
    digest: str
    violations: tuple[Violation, ...]
    faults: Counter[str]
    counts: Counter[str]
    examined: Counter[str]
    naked_s: tuple[float, ...]
    orders: int
    entries: int
    fills: int
    trades: int
    slots: int
    thinned: int
    invocations: int
    sends: int
    cpu_s: float
    tier: str = "A"


def profile_of(seed: int, profile: str | None) -> str:
    return profile if profile is not None else MIX[seed % len(MIX)]


def simulate(
    seed: int, profile: str | None, only: frozenset[str] | None = None, tier: str = "A", *, stops: bool = False
) -> DayResult:
    """One day by its seed; with `stops` only until its first violation."""
    options = draw_options(seed, profile_of(seed, profile))
    return replace(result_of(options, run_day(options, Tape(only=only), tier, stops=stops)), tier=tier)


def result_of(options: Options, day: Day) -> DayResult:
    books = day.world.venue.engine.books
    ours = [
        each
        for each in (*books.live.values(), *books.closed.values())
        if (each.client_order_id or "").startswith(CLIENT_ORDER_ID_PREFIX)
    ]
    covered = next((each for each in day.judge.invariants if isinstance(each, CoveredInTime)), None)
    return DayResult(
        seed=options.seed,
        profile=options.profile,
        options=day.world.told(),
        digest=day.digest,
        violations=day.violations,
        faults=Counter(each.kind for each in day.world.tape.faults),
        counts=day.counts,
        examined=day.judge.examined(),
        naked_s=tuple(covered.stretches) if covered else (),
        orders=len(ours),
        entries=sum(not each.reduce_only for each in ours),
        fills=len(books.fills),
        trades=sum(each.trade is not None for month in day.world.tables.archive.values() for each in month.values()),
        slots=day.workload.slots,
        thinned=day.workload.thinned,
        invocations=sum(day.world.invocations.values()),
        sends=len(day.world.venue.placed),
        cpu_s=day.cpu_s,
    )


Chunk = tuple[Sequence[int], str | None, str]
"""Seeds, profile and tier."""


def _chunk(chunk: Chunk) -> list[DayResult]:
    seeds, profile, tier = chunk
    found = []
    for seed in seeds:
        found.append(simulate(seed, profile, tier=tier))
        gc.collect()
    return found


def run_campaign(seeds: Sequence[int], profile: str | None, workers: int, tier: str = "A") -> Iterator[DayResult]:
    """Results in the order of the seeds, as they come."""
    size = SEEDS_PER_PROCESS if tier == "A" else SLOW_SEEDS_PER_PROCESS
    chunks: list[Chunk] = [(seeds[at : at + size], profile, tier) for at in range(0, len(seeds), size)]
    if workers < 2 or len(chunks) < 2:
        for chunk in chunks:
            yield from _chunk(chunk)
        return
    # Not a ProcessPoolExecutor: it can wait for ever once its processes are renewed.
    with get_context("spawn").Pool(workers, maxtasksperchild=2) as pool:
        for found in pool.imap(_chunk, chunks):
            yield from found


@dataclass
class Summary:
    """All days together. Times without a stop in seconds: of calm days, and of all others."""

    results: list[DayResult] = field(default_factory=list)

    def add(self, result: DayResult) -> None:
        self.results.append(result)

    @property
    def failures(self) -> list[DayResult]:
        return [each for each in self.results if each.violations]

    def total(self, name: str) -> int:
        return sum(getattr(each, name) for each in self.results)

    def counted(self, name: str) -> Counter[str]:
        found: Counter[str] = Counter()
        for each in self.results:
            found.update(getattr(each, name))
        return found

    def naked(self, calm: bool) -> list[float]:
        return sorted(s for each in self.results if (each.profile == "calm") is calm for s in each.naked_s)

    def fewest_faults(self) -> int:
        """On one day that is not calm."""
        return min((sum(each.faults.values()) for each in self.results if each.profile != "calm"), default=0)

    def lossy_days(self) -> int:
        """Days on which the replies of at least one send of an order in twenty were lost."""
        lost = ((each.faults[LOST_REPLY], each.sends) for each in self.results)
        return sum(replies >= LOST_SHARE * sends for replies, sends in lost if sends)

    def missed(self) -> list[str]:
        """What the faults of a mixed campaign were too few for; nothing is asked of a few days."""
        days, lossy, fewest = len(self.results), self.lossy_days(), self.fewest_faults()
        if days < MIX_FROM_DAYS:
            return []
        found = [] if fewest >= FEWEST_FAULTS else [f"{fewest} faults on a day; expected {FEWEST_FAULTS} or more"]
        if 2 * lossy < days:
            found.append(f"replies lost on {LOST_SHARE:.0%} of the sends on {lossy} of {days} days; expected half")
        return found

    def days_per_cpu_hour(self) -> float:
        return 3600 / fmean(each.cpu_s for each in self.results)


def percentile(values: Sequence[float], share: float) -> float:
    """By the nearest rank; 0 of nothing."""
    return values[max(ceil(len(values) * share) - 1, 0)] if values else 0.0


def seeds_of(first: int, count: int) -> Sequence[int]:
    return range(first, first + count)
