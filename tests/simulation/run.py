"""One simulated day and its quiet end."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from functools import partial

from tests.simulation.coverage import count_answers, counted_edges
from tests.simulation.faults import Tape
from tests.simulation.judge import Judge, Violation
from tests.simulation.options import Options
from tests.simulation.people import People
from tests.simulation.tiers import invariants_of, make_world
from tests.simulation.workload import Workload
from tests.simulation.world import QUIET_MS, SimulatedWorld, installed


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """What one run was. `counts`: edges, discrepancies, repairs; `cpu_s` of the whole run."""

    world: SimulatedWorld
    workload: Workload
    people: People
    judge: Judge
    digest: str
    counts: Counter[str]
    cpu_s: float

    @property
    def violations(self) -> tuple[Violation, ...]:
        return tuple(sorted(self.judge.found.values(), key=lambda each: (each.at_ms, each.name)))


def run_day(options: Options, tape: Tape, tier: str = "A", *, stops: bool = False) -> Day:
    """The day, then the quiet phase in which nothing goes wrong and everything has to come right. With `stops` it ends
    at the first violation."""
    began = time.process_time()
    counts: Counter[str] = Counter()
    world = make_world(options, tape, tier)
    workload, people = Workload(world), People(world)
    judge = Judge(world=world, workload=workload, kinds=invariants_of(tier), stops=stops)
    world.endings.append(partial(count_answers, counts))
    with installed(world), counted_edges(counts):
        until = world.day_ms + QUIET_MS
        judge.watch(until)
        workload.prepare(until)
        people.prepare()
        world.kernel.run(until)
        judge.close()
    world.kernel.forget_dead()
    return Day(
        world=world,
        workload=workload,
        people=people,
        judge=judge,
        digest=world.kernel.digest(),
        counts=counts,
        cpu_s=time.process_time() - began,
    )
