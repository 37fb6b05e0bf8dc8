"""One simulated day and its quiet end."""

from __future__ import annotations

from dataclasses import dataclass

from tests.simulation.faults import Tape
from tests.simulation.options import Options
from tests.simulation.workload import Workload
from tests.simulation.world import QUIET_MS, SimulatedWorld, installed


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """What one run was."""

    world: SimulatedWorld
    workload: Workload
    digest: str


def run_day(options: Options, tape: Tape) -> Day:
    world = SimulatedWorld(options=options, tape=tape)
    workload = Workload(world)
    with installed(world):
        until = world.day_ms + QUIET_MS
        workload.prepare(until)
        world.kernel.run(until)
    world.kernel.forget_dead()
    return Day(world=world, workload=workload, digest=world.kernel.digest())
