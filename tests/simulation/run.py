"""One simulated day and its quiet end."""

from __future__ import annotations

from dataclasses import dataclass

from tests.simulation.faults import Tape
from tests.simulation.invariants import INVARIANTS
from tests.simulation.judge import Judge
from tests.simulation.options import Options
from tests.simulation.workload import Workload
from tests.simulation.world import QUIET_MS, SimulatedWorld, installed


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """What one run was."""

    world: SimulatedWorld
    workload: Workload
    judge: Judge
    digest: str


def run_day(options: Options, tape: Tape) -> Day:
    """The day, then the quiet phase in which nothing goes wrong and everything has to come right."""
    world = SimulatedWorld(options=options, tape=tape)
    workload = Workload(world)
    judge = Judge(world=world, workload=workload, kinds=INVARIANTS)
    with installed(world):
        until = world.day_ms + QUIET_MS
        judge.watch(until)
        workload.prepare(until)
        world.kernel.run(until)
        judge.close()
    world.kernel.forget_dead()
    return Day(world=world, workload=workload, judge=judge, digest=world.kernel.digest())
