"""One run of a composed world, judged: what a drawn day, a script and a replay have in common."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from functools import partial

from tests.simulation.coverage import count_answers, counted_edges
from tests.simulation.invariants import INVARIANTS
from tests.simulation.judge import Judge, Violation
from tests.simulation.people import People
from tests.simulation.workload import Workload
from tests.simulation.world import SimulatedWorld, installed


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """`violations` in the order of time; `counts` as of a day."""

    judge: Judge
    counts: Counter[str]
    digest: str
    cpu_s: float

    @property
    def violations(self) -> tuple[Violation, ...]:
        return tuple(sorted(self.judge.found.values(), key=lambda each: (each.at_ms, each.name)))


def play(workload: Workload, until_ms: int, *, people: People | None = None, quiet: bool = True) -> Played:
    """Run the workload's world until then; `quiet` says that this is the end of its quiet phase."""
    began = time.process_time()
    world: SimulatedWorld = workload.world
    counts: Counter[str] = Counter()
    judge = Judge(world=world, workload=workload, kinds=INVARIANTS)
    world.endings.append(partial(count_answers, counts))
    with installed(world), counted_edges(counts):
        judge.watch(until_ms)
        workload.prepare(until_ms)
        if people is not None:
            people.prepare()
        world.kernel.run(until_ms)
        if quiet:
            judge.close()
    world.kernel.forget_dead()
    return Played(judge=judge, counts=counts, digest=world.kernel.digest(), cpu_s=time.process_time() - began)
