"""L10: tables put back to an earlier time come to agree with the exchange again, and no old idea is traded twice."""

from __future__ import annotations

import pytest

from tests.simulation.faults import Tape
from tests.simulation.invariants import INVARIANTS
from tests.simulation.invariants.entries import OneEntryForEachIdea
from tests.simulation.invariants.protection import CoveredInTime
from tests.simulation.judge import Judge
from tests.simulation.options import Options
from tests.simulation.workload import HOUR_MS, Workload
from tests.simulation.world import QUIET_MS, SimulatedWorld

ABOUT_ALL = ("S1", "S4", "S6", "S7", "S10", "S17", "S31", "L2", "L3", "L9")
"""What must hold in spite of it. A record's history was taken back: rules about it cannot hold. A generation of a stop
is counted anew (S9): the venue refuses its id, and the next generation goes out."""


@pytest.mark.parametrize(("seed", "back_h"), [(0, 0.5), (1, 1), (2, 2), (3, 1.5), (5, 3), (8, 0.25), (9, 1), (11, 2)])
def test_restored_tables_agree_with_the_exchange_again(seed: int, back_h: float) -> None:
    options = Options(seed=seed, profile="calm", coins=5, signals=40, volatility_bps=14)
    world = SimulatedWorld(options=options, tape=Tape(), day_ms=6 * HOUR_MS)
    workload = Workload(world)
    judge = Judge(world=world, workload=workload, kinds=INVARIANTS)
    kept = []

    def restore() -> None:
        world.tables.restore(kept[0])

    until = world.day_ms + QUIET_MS
    world.kernel.at(int((4 - back_h) * HOUR_MS), lambda: kept.append(world.tables.snapshot()))
    world.kernel.at(4 * HOUR_MS, restore)
    with world.installed():
        judge.watch(until)
        workload.prepare(until)
        world.kernel.run(until)
        judge.close()
    world.kernel.forget_dead()
    broken = {name: each for name, each in judge.found.items() if name in ABOUT_ALL}
    assert not broken
    ideas = next(each for each in judge.invariants if isinstance(each, OneEntryForEachIdea))
    assert sum(ideas.entries.values()) > 3
    naked = next(each for each in judge.invariants if isinstance(each, CoveredInTime))
    assert not naked.running
