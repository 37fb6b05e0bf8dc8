"""S15 - S20 each catch what they are there for, and are content with a calm day."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import partial

import pytest

import functions.execute_signals.entries as entries
from tests.fakes.records import planned, risk_day, with_state
from tests.simulation.invariants.control import (
    CONTROL,
    CancelledWhenStopped,
    FlattenedIsFlat,
    HaltedByLoss,
    KilledMeansNoEntry,
    LoweredByPeople,
)
from tests.simulation.invariants.traffic import BoundedTraffic
from tests.simulation.invariants.trial import Trial, short_day, trial_of
from tests.simulation.memory.ledger import MemoryLedger
from tests.simulation.options import Options
from tests.simulation.world import SimulatedWorld
from trading import matching
from trading.errors import StoreConflict
from trading.model.control import Control, KillLevel
from trading.model.instruments import InstrumentId
from trading.model.orders import IntentState, PositionId, Purpose


def switched(trial: Trial, level: KillLevel, **changes: object) -> Control:
    now = trial.world.control_truth.control(trial.world.kernel.now())
    return replace(now, level=level, changed_at=trial.world.kernel.now(), **changes)  # type: ignore[arg-type]


def raise_to(trial: Trial, level: KillLevel) -> None:
    changed = switched(trial, level, reason="test", changed_by="someone (request 1)")
    trial.act(lambda: trial.control.set_control(changed), "control_trading", "pause 1")


def resting_entry(trial: Trial, name: str = "smc-entry-1") -> None:
    trial.world.venue.engine.send(
        matching.OrderRequest(
            symbol="PF_COINUSD",
            side=matching.Side.BUY,
            order_type=matching.OrderType.POST,
            size=Decimal(1),
            limit_price=Decimal(95),
            client_order_id=name,
        )
    )


def test_calm_day_satisfies_all_control_invariants() -> None:
    judge = short_day(*CONTROL)
    assert not judge.found
    examined = judge.examined()
    assert all(examined[name] > 0 for name in ("S15", "S18", "S20"))


def test_entry_sent_although_killed_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The transaction no longer looks at the switch, and neither does the run."""
    monkeypatch.setattr(MemoryLedger, "_entries_open", lambda *_: True)
    trial = trial_of(KilledMeansNoEntry)
    position = trial.world.ledger_truth.adopt_position(planned())
    raise_to(trial, KillLevel.NO_ENTRIES)
    sending = with_state(position, Purpose.ENTRY, IntentState.SENDING)
    trial.act(lambda: trial.ledger.save_entry_send(sending))
    assert "K1" in trial.said("S15")


def test_refused_send_transaction_satisfies_the_kill() -> None:
    trial = trial_of(KilledMeansNoEntry)
    position = trial.world.ledger_truth.adopt_position(planned())
    raise_to(trial, KillLevel.NO_ENTRIES)
    sending = with_state(position, Purpose.ENTRY, IntentState.SENDING)
    process = trial.act(lambda: trial.ledger.save_entry_send(sending))
    assert isinstance(process.failure, StoreConflict)
    assert not trial.said("S15")


def test_entry_that_rests_at_k2_is_caught() -> None:
    trial = trial_of(CancelledWhenStopped)
    resting_entry(trial)
    raise_to(trial, KillLevel.CANCEL_ENTRIES)
    for _ in range(2):
        trial.look()
        assert not trial.said("S16")
        trial.wait(61_000)
    trial.look()
    assert "still rests" in trial.said("S16")


def test_run_that_ignores_the_level_keeps_entries(monkeypatch: pytest.MonkeyPatch) -> None:
    """A day with the switch at K2: the product takes its entries off, and does not once it ignores the level."""

    def stop_when_one_rests(world: SimulatedWorld) -> None:
        def look(_what: str) -> None:
            resting = [each for each in world.venue.engine.books.live.values() if not each.reduce_only]
            control = world.control_truth.control(world.kernel.now())
            if resting and control.level is KillLevel.NORMAL:
                world.control_truth.set_control(
                    replace(control, level=KillLevel.CANCEL_ENTRIES, changed_at=world.kernel.now())
                )

        world.observers.append(look)

    still = Options(seed=3, profile="calm", coins=3, signals=8, volatility_bps=0.5)
    kept = short_day(CancelledWhenStopped, options=still, arrange=stop_when_one_rests, hours=3)
    assert not kept.found
    step = entries.next_entry_step  # type: ignore[attr-defined]
    monkeypatch.setattr(
        entries, "next_entry_step", lambda position, sight, *rest: step(position, replace(sight, level=0), *rest)
    )
    broken = short_day(CancelledWhenStopped, options=still, arrange=stop_when_one_rests, hours=3)
    assert "still rests" in broken.found["S16"].text


def test_position_held_after_flatten_is_caught() -> None:
    trial = trial_of(FlattenedIsFlat)
    buy = matching.OrderRequest(
        symbol="PF_COINUSD", side=matching.Side.BUY, order_type=matching.OrderType.MARKET, size=Decimal(1)
    )
    trial.world.venue.engine.send(buy)
    raise_to(trial, KillLevel.FLATTEN)
    for _ in range(4):
        assert not trial.said("S17")
        trial.look()
        trial.wait(60_000)
    assert "PF_COINUSD is still held" in trial.said("S17")


def test_order_left_after_flatten_is_caught() -> None:
    trial = trial_of(FlattenedIsFlat)
    resting_entry(trial)
    raise_to(trial, KillLevel.FLATTEN)
    for _ in range(9):
        trial.look()
        trial.wait(60_000)
    assert "still works" in trial.said("S17")


def test_order_of_a_moment_ago_is_not_left() -> None:
    """What the owner opened and we closed between two minutes: its stop is about to go."""
    trial = trial_of(FlattenedIsFlat)
    raise_to(trial, KillLevel.FLATTEN)
    for minute in range(13):
        if minute == 9:
            resting_entry(trial)
        trial.look()
        trial.wait(60_000)
        assert not trial.said("S17")
    for _ in range(6):
        trial.look()
        trial.wait(60_000)
    assert "still works" in trial.said("S17")


def test_halt_ended_on_its_own_day_is_caught() -> None:
    trial = trial_of(HaltedByLoss)
    today = trial.world.kernel.now().date()
    halted = trial.world.control_truth.save_risk_day(risk_day(day=today, halted_on=today))
    trial.judge.invariants[0].seen._day = trial.world.tables.risk_day  # type: ignore[attr-defined]
    trial.act(lambda: trial.control.save_risk_day(replace(halted, halted_on=None)), "control_trading", "resume 1")
    assert "not on a later day" in trial.said("S18")


def test_halt_ended_by_a_machine_is_caught() -> None:
    trial = trial_of(HaltedByLoss)
    yesterday = trial.world.kernel.now().date() - timedelta(days=1)
    halted = trial.world.control_truth.save_risk_day(risk_day(day=yesterday, halted_on=yesterday))
    trial.judge.invariants[0].seen._day = trial.world.tables.risk_day  # type: ignore[attr-defined]
    trial.act(lambda: trial.control.save_risk_day(replace(halted, halted_on=None)))
    assert "by reconcile_positions" in trial.said("S18")


def test_great_loss_without_a_halt_is_caught() -> None:
    trial = trial_of(HaltedByLoss)
    trial.look()
    trial.world.venue.engine.books.balance -= 700
    for _ in range(3):
        assert not trial.said("S18")
        trial.look()
        trial.wait(65_000)
    trial.look()
    assert "entries are not halted" in trial.said("S18")


@pytest.mark.parametrize(
    ("function", "name", "by"),
    [("reconcile_positions", "reconcile 1", "guards"), ("control_trading", "resume 1", "nobody")],
)
def test_level_that_falls_by_itself_is_caught(function: str, name: str, by: str) -> None:
    trial = trial_of(LoweredByPeople)
    raise_to(trial, KillLevel.CANCEL_ENTRIES)
    assert not trial.said("S19")
    trial.act(lambda: trial.control.set_control(switched(trial, KillLevel.NORMAL, changed_by=by)), function, name)
    assert f"by {by!r}" in trial.said("S19")


@pytest.mark.parametrize(
    ("before", "name", "to", "falls_too_fast"),
    [
        (KillLevel.CANCEL_ENTRIES, "resume 1", KillLevel.NORMAL, True),
        (KillLevel.CANCEL_ENTRIES, "resume 1 confirmed", KillLevel.NORMAL, False),
        (KillLevel.NO_ENTRIES, "resume 1", KillLevel.NORMAL, False),
        (KillLevel.LOCK, "resume 1 confirmed", KillLevel.NORMAL, True),
        (KillLevel.LOCK, "resume 1 confirmed", KillLevel.NO_ENTRIES, False),
    ],
)
def test_level_that_falls_too_fast_is_caught(before: KillLevel, name: str, to: KillLevel, falls_too_fast: bool) -> None:
    trial = trial_of(LoweredByPeople)
    raise_to(trial, before)
    changed = switched(trial, to, changed_by="anna (request 1)")
    trial.act(lambda: trial.control.set_control(changed), "control_trading", name)
    assert ("too few steps" in trial.said("S19")) == falls_too_fast


def test_flatten_ordered_by_a_guard_is_caught() -> None:
    trial = trial_of(LoweredByPeople)
    trial.act(lambda: trial.control.set_control(switched(trial, KillLevel.FLATTEN)))
    assert "by itself" in trial.said("S19")


def test_too_many_plans_a_day_are_caught() -> None:
    trial = trial_of(BoundedTraffic)
    for number in range(4):
        position = replace(planned(), id=PositionId(f"id-{number}"))
        market = replace(position.market, id=InstrumentId(f"COIN{number}"))
        trial.act(partial(trial.ledger.adopt_position, replace(position, market=market)))
    assert "4 entries planned in a day in PF_COINUSD" in trial.said("S20")


def test_endless_cancels_of_one_order_are_caught() -> None:
    trial = trial_of(BoundedTraffic)
    for _ in range(9):
        assert not trial.said("S20")
        trial.act(lambda: trial.world.account.cancel("smc-one-1"))
    assert "9 times in a minute" in trial.said("S20")


@pytest.mark.parametrize(("bid", "excused"), [("99.9", True), ("95", False)])
def test_owners_bid_in_the_way_excuses_a_flatten(bid: str, excused: bool) -> None:
    """The venue refuses an exit that would meet it, and it is not ours to take off."""
    trial = trial_of(FlattenedIsFlat)
    engine = trial.world.venue.engine
    market = matching.OrderType.MARKET
    engine.send(matching.OrderRequest(symbol="PF_COINUSD", side=matching.Side.BUY, order_type=market, size=Decimal(1)))
    post = matching.OrderType.POST
    price = Decimal(bid)
    engine.send(
        matching.OrderRequest(
            symbol="PF_COINUSD", side=matching.Side.BUY, order_type=post, size=Decimal(1), limit_price=price
        )
    )
    raise_to(trial, KillLevel.FLATTEN)
    for _ in range(4):
        trial.look()
        trial.wait(60_000)
    assert bool(trial.said("S17")) is not excused
