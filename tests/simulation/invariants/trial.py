"""Holds one invariant against a world in which the test breaks something, or against a short calm day."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.simulation.faults import Tape
from tests.simulation.judge import Invariant, Judge
from tests.simulation.kernel import Invocation, Process
from tests.simulation.options import Options, draw_options
from tests.simulation.workload import HOUR_MS, Workload
from tests.simulation.world import QUIET_MS, TIMEOUTS_S, SimulatedWorld, installed

CALM_SEED = 1


@dataclass
class Trial:
    """A world in which nothing happens by itself: the test is its workload."""

    world: SimulatedWorld
    workload: Workload
    judge: Judge

    def act(self, work: Callable[[], Any], function: str = "reconcile_positions", name: str = "broken") -> Process:
        """One invocation that does this, to its end, and five seconds more."""
        invocation = Invocation(function=function, name=name, timeout_s=TIMEOUTS_S[function])
        process = self.world.kernel.spawn(invocation, work)
        self.wait(5_000)
        return process

    def wait(self, milliseconds: int) -> None:
        kernel = self.world.kernel
        kernel.run(kernel.now_ms + milliseconds)
        self.world.venue.catch_up(kernel.now())

    def look(self) -> None:
        """A minute's judgement, as the day has it every minute."""
        self.judge._minute()

    def end(self) -> None:
        self.judge.close()

    def said(self, name: str) -> str:
        """What this invariant found, nothing when it is content."""
        return self.judge.found[name].text if name in self.judge.found else ""

    @property
    def ledger(self) -> Any:
        return self.world.stores["ledger"]

    @property
    def control(self) -> Any:
        return self.world.stores["control"]


def trial_of(*kinds: type[Invariant]) -> Trial:
    """With no fault at all; the price begins where the builders of `tests.fakes.records` have it."""
    world = SimulatedWorld(options=Options(seed=1, profile="calm", coins=4), tape=Tape(), day_ms=2 * HOUR_MS)
    workload = Workload(world)
    return Trial(world, workload, Judge(world=world, workload=workload, kinds=kinds))


def short_day(
    *kinds: type[Invariant],
    options: Options | None = None,
    arrange: Callable[[SimulatedWorld], None] = lambda _world: None,
    hours: int = 5,
) -> Judge:
    """Some hours of the real handlers and the quiet phase; `arrange` may put more on the kernel's heap."""
    world = SimulatedWorld(options=options or draw_options(CALM_SEED, "calm"), tape=Tape(), day_ms=hours * HOUR_MS)
    workload = Workload(world)
    judge = Judge(world=world, workload=workload, kinds=kinds)
    arrange(world)
    with installed(world):
        until = world.day_ms + QUIET_MS
        judge.watch(until)
        workload.prepare(until)
        world.kernel.run(until)
        judge.close()
    world.kernel.forget_dead()
    return judge
