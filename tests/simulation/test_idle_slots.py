"""Which slots are left out to save time: only those in which nothing can be due."""

from __future__ import annotations

import pytest

from tests.simulation.fault_model import Window
from tests.simulation.invariants.trial import Trial, trial_of
from tests.simulation.options import MINUTE_MS
from tests.simulation.world import installed

FUNCTION = "execute_signals"


def after_runs(outage_ends_ms: int | None) -> Trial:
    """Two runs, as the first makes records of its own, then a minute of nothing but, perhaps, an outage's end."""
    trial = trial_of()
    if outage_ends_ms is not None:
        trial.world.faults.windows.append(Window(key="0", kind="store outage", start_ms=0, end_ms=outage_ends_ms))
    with installed(trial.world):
        for number in range(2):
            trial.workload._start(FUNCTION, f"{FUNCTION} {number}")
            trial.wait(MINUTE_MS)
    trial.workload._failed.clear()
    return trial


@pytest.mark.parametrize(("outage_ends_ms", "idle"), [(None, True), (100_000, False), (200_000, True)])
def test_first_slot_after_an_outage_is_not_left_out(outage_ends_ms: int | None, idle: bool) -> None:
    trial = after_runs(outage_ends_ms)
    assert trial.workload._idle(FUNCTION, 1) is idle


def test_every_fifth_slot_is_never_left_out() -> None:
    trial = after_runs(None)
    assert [trial.workload._idle(FUNCTION, minute) for minute in (4, 5, 6)] == [True, False, True]
