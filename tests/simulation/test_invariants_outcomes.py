"""S31 and S32: ends that mean a defect, silence about what is critical, and alerts told twice are caught."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pynamodb.exceptions import GetError

from tests.fakes.records import filled, risk_day
from tests.simulation.faults import Mode, Verdict
from tests.simulation.invariants.outcomes import EndsAsKnown, PeopleAreTold
from tests.simulation.invariants.trial import Trial, short_day, trial_of
from tests.simulation.memory.control import MemoryControlStore
from tests.simulation.world import SimulatedWorld
from trading.errors import IllegalTransition, StoreConflict, VenueUnavailable
from trading.model.alerts import Alert, AlertKind, Severity
from trading.model.control import KillLevel
from trading.model.positions import PositionState


def raising(error: Exception) -> Any:
    def work() -> None:
        raise error

    return work


def naked(trial: Trial, tell: bool = False) -> None:
    position = filled(state=PositionState.UNPROTECTED)

    def work() -> dict[str, Any]:
        trial.ledger.adopt_position(position)
        if tell:
            trial.world.alerts.tell(about_naked(trial, position.id))
        return {}

    trial.act(work)


def about_naked(trial: Trial, subject: str, seconds: float = 0) -> Alert:
    return Alert(
        kind=AlertKind.NAKED_POSITION,
        severity=Severity.CRITICAL,
        subject=subject,
        title="without a stop",
        text="look",
        at=trial.world.kernel.now() + timedelta(seconds=seconds),
    )


@pytest.mark.parametrize(
    "error",
    [AssertionError("no"), KeyError("x"), AttributeError("y"), IllegalTransition("z"), TimeoutError("of its own")],
    ids=lambda error: type(error).__name__,
)
def test_end_that_means_a_defect_is_caught(error: Exception) -> None:
    trial = trial_of(EndsAsKnown)
    trial.act(raising(error))
    assert type(error).__name__ in trial.said("S31")


@pytest.mark.parametrize("error", [VenueUnavailable("no"), StoreConflict("no"), GetError("no")], ids=str)
def test_end_that_means_again_is_allowed(error: Exception) -> None:
    trial = trial_of(EndsAsKnown)
    trial.act(raising(error))
    assert not trial.said("S31")
    assert trial.judge.examined()["S31"] == 1


def test_killed_invocation_is_no_defect() -> None:
    trial = trial_of(EndsAsKnown)
    trial.world.kernel.decide = lambda _process, _call: Verdict(Mode.KILLED_BEFORE, 1, 2)
    process = trial.act(lambda: trial.ledger.open_positions())
    assert isinstance(process.failure, TimeoutError)
    assert not trial.said("S31")


def test_unlisted_edge_kept_as_failure_is_caught() -> None:
    trial = trial_of(EndsAsKnown)
    trial.act(lambda: {"failures": ["COIN: intent smc-1 cannot go from FILLED to LIVE"]})
    assert "met a defect" in trial.said("S31")


def test_naked_position_nobody_hears_of_is_caught() -> None:
    trial = trial_of(PeopleAreTold)
    naked(trial)
    assert "nobody was told" in trial.said("S32")


def test_naked_position_that_is_told_satisfies() -> None:
    trial = trial_of(PeopleAreTold)
    naked(trial, tell=True)
    assert not trial.said("S32")
    assert trial.judge.examined()["S32"] == 2


def test_hindered_invocation_need_not_have_told() -> None:
    trial = trial_of(PeopleAreTold)
    trial.world.kernel.decide = lambda _process, _call: Verdict(Mode.SLOW, 1, 2)
    naked(trial)
    assert not trial.said("S32")


def test_silent_change_of_the_switch_is_caught() -> None:
    trial = trial_of(PeopleAreTold)
    now = trial.world.control_truth.control(trial.world.kernel.now())
    trial.act(lambda: trial.control.set_control(replace(now, level=KillLevel.NO_ENTRIES)), "control_trading", "pause 1")
    assert "kill_level of control 2" in trial.said("S32")


def test_silent_halt_of_the_day_is_caught() -> None:
    trial = trial_of(PeopleAreTold)
    today = trial.world.kernel.now().date()
    trial.act(lambda: trial.control.save_risk_day(risk_day(day=today, halted_on=today)))
    assert "daily_loss" in trial.said("S32")


def test_alert_twice_in_its_window_is_caught() -> None:
    trial = trial_of(PeopleAreTold)
    for seconds in (0, 100):
        trial.world.tables.told.append(about_naked(trial, "one", seconds))
        trial.act(lambda: None)
    assert "and again at" in trial.said("S32")


@pytest.mark.parametrize(("subject", "seconds"), [("one", 301), ("another", 100)])
def test_alert_of_another_window_satisfies(subject: str, seconds: float) -> None:
    trial = trial_of(PeopleAreTold)
    trial.world.tables.told += [about_naked(trial, "one"), about_naked(trial, subject, seconds)]
    trial.act(lambda: None)
    assert not trial.said("S32")


def test_desk_without_windows_tells_too_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """The store no longer remembers what was told."""
    monkeypatch.setattr(MemoryControlStore, "tell_once", lambda *_: True)

    def halt(world: SimulatedWorld) -> None:
        today = world.kernel.now().date()
        world.control_truth.save_risk_day(risk_day(day=today, halted_on=today))

    judge = short_day(PeopleAreTold, arrange=halt, hours=2)
    assert "and again at" in judge.found["S32"].text
