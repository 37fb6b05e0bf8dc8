"""L1 - L9 each catch what has not come right, and are content with a calm day."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

import functions.control_trading.handler as control_trading
import functions.execute_signals.execute as execute
import shared.guard.positions as positions
from tests.fakes.records import control, filled, planned, signal, waiting, with_state
from tests.simulation.fault_model import DAY_MS, Window
from tests.simulation.invariants.liveness import (
    LIVENESS,
    BooksAgree,
    NoOrphanNoGhost,
    NoSignalWaitsForEver,
    NothingStaysInDoubt,
    SignalsAreTakenUp,
)
from tests.simulation.invariants.service import (
    EverybodyRuns,
    PeopleGetWhatTheyAsk,
    PoisonStaysAlone,
    QuietRunsAreShort,
)
from tests.simulation.invariants.trial import Trial, short_day, trial_of
from tests.simulation.memory.control import MemoryControlStore
from tests.simulation.workload import HOUR_MS
from tests.simulation.world import START, SimulatedWorld
from trading import matching
from trading.errors import CorruptRecord
from trading.model.control import KillLevel
from trading.model.orders import IntentState, Purpose
from trading.model.positions import Position

LONG_MS = 3 * HOUR_MS


def left(trial: Trial, position: Position) -> str:
    """This record is what the day leaves behind, a long time before its end."""
    trial.act(lambda: trial.ledger.adopt_position(position))
    trial.wait(LONG_MS)
    trial.end()
    return next((each.text for each in trial.judge.found.values()), "")


def bought(trial: Trial, quantity: int, name: str | None = None, price: str | None = None) -> None:
    trial.world.venue.engine.send(
        matching.OrderRequest(
            symbol="PF_COINUSD",
            side=matching.Side.BUY,
            order_type=matching.OrderType.POST if price else matching.OrderType.MARKET,
            size=Decimal(quantity),
            limit_price=Decimal(price) if price else None,
            client_order_id=name,
        )
    )


def test_calm_day_satisfies_all_liveness_rules() -> None:
    judge = short_day(*LIVENESS)
    assert not judge.found
    examined = judge.examined()
    assert all(examined[name] > 0 for name in ("L2", "L4", "L5", "L7", "L9"))


def test_position_that_only_we_know_is_caught() -> None:
    assert "the venue holds None" in left(trial_of(BooksAgree), filled())


@pytest.mark.parametrize(("quantity", "agrees"), [(10, True), (7, False)])
def test_held_size_must_be_the_recorded_one(quantity: int, agrees: bool) -> None:
    trial = trial_of(BooksAgree)
    bought(trial, quantity)
    said = left(trial, filled(intents=()))
    assert ("our records say 10" in said) != agrees
    assert trial.judge.examined()["L1"] == 1


def test_recorded_stop_that_does_not_work_is_caught() -> None:
    trial = trial_of(BooksAgree)
    bought(trial, 10)
    assert "not at the venue" in left(trial, filled())


@pytest.mark.parametrize("state", [IntentState.SENDING, IntentState.UNKNOWN, IntentState.CANCEL_PENDING])
def test_intent_that_stays_in_doubt_is_caught(state: IntentState) -> None:
    position = with_state(planned(), Purpose.STOP, state, process_before=START)
    assert f"is {state}" in left(trial_of(NothingStaysInDoubt), position)


def test_working_intent_is_in_no_doubt() -> None:
    assert not left(trial_of(NothingStaysInDoubt), with_state(waiting(), Purpose.ENTRY, IntentState.LIVE))


def test_record_with_nothing_behind_it_is_caught() -> None:
    trial = trial_of(NoOrphanNoGhost)
    assert "the venue holds nothing" in left(trial, filled())


def test_order_that_no_record_wants_is_caught() -> None:
    trial = trial_of(NoOrphanNoGhost)
    bought(trial, 1, "smc-orphan-1", "60")
    trial.wait(LONG_MS)
    trial.end()
    assert "no record wants it" in trial.said("L3")


def test_owners_order_is_no_orphan() -> None:
    trial = trial_of(NoOrphanNoGhost)
    bought(trial, 1, None, "60")
    trial.wait(LONG_MS)
    trial.end()
    assert not trial.said("L3")


def test_signal_that_waits_for_ever_is_caught() -> None:
    trial = trial_of(NoSignalWaitsForEver)
    now = trial.world.kernel.now()
    trial.world.ledger_truth.add_signal(signal(decision_bar=now, expires_at=now + timedelta(hours=1)))
    trial.wait(LONG_MS)
    trial.end()
    assert "still new" in trial.said("L4")


def test_silent_halt_of_all_entries_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """Execution runs, proves its runs and takes nothing up any more."""
    monkeypatch.setattr(execute, "take_signals", lambda *_: None)
    assert "nothing hindered anybody" in short_day(SignalsAreTakenUp).found["L5"].text


def operated(trial: Trial, action: str, answer: dict[str, object]) -> str:
    trial.act(lambda: answer, "control_trading", f"{action} 0")
    return trial.said("L6")


@pytest.mark.parametrize(
    ("action", "answer", "expected"),
    [
        ("pause", {"ok": False, "error": "no"}, "was refused: no"),
        ("pause", {"ok": True}, "the level is K0"),
        ("resume", {"ok": False, "error": "level is K3"}, "was refused"),
        ("flatten", {"ok": False, "error": "token is unknown"}, ""),
        ("cancel", {"ok": True}, "the level is K0"),
        ("status", {"ok": True}, ""),
    ],
)
def test_operator_gets_what_was_asked_for(action: str, answer: dict[str, object], expected: str) -> None:
    said = operated(trial_of(PeopleGetWhatTheyAsk), action, answer)
    assert expected in said
    assert bool(expected) == bool(said)


@pytest.mark.parametrize("action", ["flatten", "lock"])
def test_confirmation_that_changes_nothing_is_caught(action: str) -> None:
    trial = trial_of(PeopleGetWhatTheyAsk)
    trial.act(lambda: {"ok": True}, "control_trading", f"{action} 0 confirmed")
    assert "the level is K0" in trial.said("L6")


def test_coin_left_without_the_order_is_caught() -> None:
    trial = trial_of(PeopleGetWhatTheyAsk)
    trial.world.ledger_truth.adopt_position(planned())
    trial.act(lambda: {"ok": True, "scope": "COIN"}, "control_trading", "close 0 confirmed")
    assert "without the order" in trial.said("L6")


@pytest.mark.parametrize(("coin", "excused"), [("ETH", True), ("COIN", False)])
def test_refused_closing_is_excused_only_without_record(coin: str, excused: bool) -> None:
    trial = trial_of(PeopleGetWhatTheyAsk)
    trial.world.ledger_truth.adopt_position(planned())
    answer = {"ok": False, "error": f"positions: no answer: nothing is recorded for {coin} that could be closed later"}
    assert (operated(trial, "close", answer) == "") is excused


@pytest.mark.parametrize(("kind", "excused"), [("key revoked", True), ("venue outage", False)])
def test_revoked_key_excuses_a_resume_without_a_look(kind: str, excused: bool) -> None:
    """An outage is a fault of the call, and told as such; a revoked key is none."""
    trial = trial_of(PeopleGetWhatTheyAsk)
    switch = trial.world.control_truth
    switch.set_control(control(KillLevel.FLATTEN, version=switch.control(START).version))
    trial.world.faults.windows.append(Window(key="window", kind=kind, start_ms=0, end_ms=DAY_MS))
    error = "level is K3 and the venue does not say what is open: positions: the venue refuses the key"
    assert (operated(trial, "resume", {"ok": False, "error": error}) == "") is excused


def test_pause_that_changes_nothing_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_trading, "pause", lambda *_: {"ok": True})

    def ask(world: SimulatedWorld) -> None:
        event = {"action": "pause", "operator": "simulated", "reason": "test"}
        world.kernel.at(90_000, lambda: (world.invoke("control_trading", "pause 0", event), None)[1])

    assert "the level is K0" in short_day(PeopleGetWhatTheyAsk, arrange=ask, hours=2).found["L6"].text


def test_position_left_alone_at_k3_is_caught() -> None:
    trial = trial_of(PeopleGetWhatTheyAsk)
    now = trial.world.control_truth.control(trial.world.kernel.now())
    trial.act(lambda: trial.control.set_control(replace(now, level=KillLevel.FLATTEN)))
    assert "is PROTECTED at K3" in left(trial, filled())


def test_function_that_no_longer_runs_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    record = MemoryControlStore.record_run

    def forgetful(store: MemoryControlStore, function: str, *rest: object) -> None:
        if function != "manage_exits":
            record(store, function, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(MemoryControlStore, "record_run", forgetful)
    assert "manage_exits" in short_day(EverybodyRuns, hours=2).found["L7"].text


def damaged_day(world: SimulatedWorld) -> None:
    """One record is damaged after an hour; another one stands without its stop."""
    tables, ledger = world.tables, world.ledger_truth

    def damage() -> None:
        ledger.adopt_position(replace(planned("ETH"), version=0))
        tables.corrupt_position(planned("ETH").instrument, "{not json")

    world.kernel.at(HOUR_MS, damage)


def test_damaged_record_leaves_the_others_served() -> None:
    judge = short_day(PoisonStaysAlone, arrange=damaged_day, hours=3)
    assert not judge.found
    assert judge.examined()["L8"] > 0


def test_damaged_record_that_stops_reconcile_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def strict(*_: object) -> None:
        raise CorruptRecord("one record does not decode")

    monkeypatch.setattr(positions, "tell_unreadable", lambda _desk, report: strict() if report.unreadable else None)
    judge = short_day(PoisonStaysAlone, arrange=damaged_day, hours=3)
    assert "reconcile last proved a run" in judge.found["L8"].text


@pytest.mark.parametrize(("calls", "caught"), [(2_000, True), (20, False)])
def test_quiet_runs_must_be_short(calls: int, caught: bool) -> None:
    trial = trial_of(QuietRunsAreShort)
    trial.wait(trial.world.faults.quiet_from_ms)
    trial.act(lambda: [trial.ledger.open_positions() for _ in range(calls)])
    trial.wait(20_000)
    trial.end()
    assert bool(trial.said("L9")) == caught
