"""S22 - S29 each catch what they are there for, and are content with a calm day."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

import shared.guard.ending as ending
import shared.order_desk as order_desk
from shared.storage.ledger import SignalState
from tests.fakes.records import filled, planned, signal, waiting, with_state
from tests.simulation.invariants.bookkeeping import (
    FillsAreRecordedOnce,
    MoneyIsConserved,
    NothingIsLost,
    OnlyListedEdges,
)
from tests.simulation.invariants.provenance import (
    EveryActionIsRecorded,
    FencedOut,
    HandsOffWhatIsNotOurs,
    MissingIsProven,
)
from tests.simulation.invariants.records import RECORDS
from tests.simulation.invariants.trial import Trial, short_day, trial_of
from tests.simulation.memory.decisions import MemoryDecisions
from tests.simulation.memory.ledger import MemoryLedger
from trading import matching
from trading.model.orders import IntentState, OrderIntent, Purpose
from trading.model.positions import Position, PositionState, Trade
from trading.model.units import Money, Quantity


def recorded(trial: Trial, position: Position) -> Position:
    """Written by an invocation, as the first version of its record."""
    trial.act(lambda: trial.ledger.adopt_position(position))
    return replace(position, version=1)


def intent_of(position: Position, purpose: Purpose) -> OrderIntent:
    found = position.intent(purpose)
    assert found is not None
    return found


def test_calm_day_satisfies_all_record_invariants() -> None:
    judge = short_day(*RECORDS)
    assert not judge.found
    examined = judge.examined()
    assert all(examined[name] > 0 for name in ("S22", "S23", "S24", "S25", "S26", "S27", "S28", "S31", "S32"))


def test_trade_with_forgotten_fees_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    booked = ending.book_trade  # type: ignore[attr-defined]

    def without_fees(*given: Any) -> Trade:
        trade: Trade = booked(*given)
        return replace(trade, fees=Money(0), net=Money(trade.gross + trade.funding))

    monkeypatch.setattr(ending, "book_trade", without_fees)
    assert "the account log says" in short_day(MoneyIsConserved).found["S22"].text


def test_money_without_a_record_is_caught() -> None:
    trial = trial_of(MoneyIsConserved)
    buy = matching.OrderRequest(
        symbol="PF_COINUSD", side=matching.Side.BUY, order_type=matching.OrderType.MARKET, size=Decimal(1)
    )
    trial.world.venue.engine.send(buy)
    trial.wait(4 * 60_000)
    trial.end()
    assert "our records know of 0" in trial.said("S22")


def test_fill_recorded_twice_is_caught() -> None:
    trial = trial_of(FillsAreRecordedOnce)
    position = filled()
    recorded(trial, replace(position, fills=(*position.fills, *position.fills)))
    assert "one fill twice" in trial.said("S23")


def test_fill_that_the_venue_never_made_is_caught() -> None:
    trial = trial_of(FillsAreRecordedOnce)
    recorded(trial, filled())
    assert "executed were None" in trial.said("S23")


def test_filled_quantity_that_falls_is_caught() -> None:
    trial = trial_of(FillsAreRecordedOnce)
    position = recorded(trial, with_state(waiting(), Purpose.ENTRY, IntentState.PARTIAL, filled=Quantity(4)))
    entry = replace(intent_of(position, Purpose.ENTRY), filled=Quantity(3))
    trial.act(lambda: trial.ledger.save_position(position.with_intent(entry)))
    assert "was filled 4 and then 3" in trial.said("S23")


BROKEN_WRITES: dict[str, tuple[Callable[[], Position], Callable[[Position], Position], str]] = {
    "sent without a write": (planned, lambda each: with_state(each, Purpose.ENTRY, IntentState.LIVE), "to LIVE"),
    "raised from the dead": (
        lambda: with_state(planned(), Purpose.STOP, IntentState.CANCELLED),
        lambda each: with_state(each, Purpose.STOP, IntentState.LIVE),
        "CANCELLED to LIVE",
    ),
    "left closing": (
        lambda: filled(state=PositionState.CLOSING),
        lambda each: replace(each, state=PositionState.PROTECTED),
        "CLOSING to PROTECTED",
    ),
    "history lost": (planned, lambda each: replace(each, intents=each.intents[:1]), "vanished"),
    "order turned": (
        planned,
        lambda each: each.with_intent(replace(intent_of(each, Purpose.STOP), side=intent_of(each, Purpose.ENTRY).side)),
        "side of",
    ),
}


@pytest.mark.parametrize("broken", sorted(BROKEN_WRITES))
def test_write_off_the_listed_edges_is_caught(broken: str) -> None:
    begin, change, expected = BROKEN_WRITES[broken]
    trial = trial_of(OnlyListedEdges)
    first = begin()
    position = recorded(trial, first)
    trial.judge.found.clear()
    trial.act(lambda: trial.ledger.save_position(change(position)))
    assert expected in trial.said("S24")


def test_version_that_stands_still_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    put = MemoryLedger._put
    monkeypatch.setattr(
        MemoryLedger, "_put", lambda self, position: put(self, replace(position, version=min(position.version, 2)))
    )
    assert "from version 2 to 2" in short_day(OnlyListedEdges, hours=3).found["S24"].text


def test_order_without_any_record_is_caught() -> None:
    trial = trial_of(EveryActionIsRecorded, NothingIsLost)
    stop = intent_of(planned(), Purpose.STOP)
    request = stop.request("PF_COINUSD", trial.world.kernel.now() + timedelta(minutes=1))
    trial.act(lambda: trial.world.account.place(request))
    trial.end()
    assert "before any record" in trial.said("S26")
    assert "is in no record" in trial.said("S27")


def test_order_desk_without_write_ahead_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """It places first and records afterwards."""
    send = order_desk.OrderDesk.send

    def place_first(desk: order_desk.OrderDesk, position: Position, intent: OrderIntent) -> Position:
        desk._venue.place(intent.request(position.contract, desk._clock.now() + timedelta(seconds=10)))
        return send(desk, position, intent)

    monkeypatch.setattr(order_desk.OrderDesk, "send", place_first)
    assert "before any record" in short_day(EveryActionIsRecorded, hours=3).found["S26"].text


def test_order_of_another_size_is_caught() -> None:
    trial = trial_of(EveryActionIsRecorded)
    position = recorded(trial, with_state(planned(), Purpose.STOP, IntentState.SENDING))
    stop = replace(intent_of(position, Purpose.STOP), quantity=Quantity(11))
    request = stop.request("PF_COINUSD", trial.world.kernel.now() + timedelta(minutes=1))
    trial.act(lambda: trial.world.account.place(request))
    assert "recorded was" in trial.said("S26")


def test_judged_signal_without_a_stage_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MemoryDecisions, "add_stage", lambda *_: None)
    assert "no stage says why" in short_day(EveryActionIsRecorded, hours=3).found["S26"].text


def test_settled_signal_with_a_stage_is_examined() -> None:
    judge = short_day(EveryActionIsRecorded, hours=3)
    settled = judge.invariants[0].seen.settled  # type: ignore[attr-defined]
    assert not judge.found
    assert any(each.signal.state is SignalState.TAKEN for each in settled)


def test_entry_under_another_switch_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MemoryLedger, "_entries_open", lambda *_: True)
    trial = trial_of(FencedOut)
    position = recorded(trial, planned(control_version=7))
    trial.act(lambda: trial.ledger.save_entry_send(with_state(position, Purpose.ENTRY, IntentState.SENDING)))
    assert "planned under version 7" in trial.said("S25")


def test_cancel_of_the_owners_order_is_caught() -> None:
    trial = trial_of(HandsOffWhatIsNotOurs)
    order = matching.OrderRequest(
        symbol="PF_COINUSD",
        side=matching.Side.BUY,
        order_type=matching.OrderType.POST,
        size=Decimal(1),
        limit_price=Decimal(90),
    )
    order_id = trial.world.venue.engine.send(order).order_id
    assert order_id is not None
    trial.act(lambda: trial.world.account.cancel_order(order_id))
    assert "is not ours" in trial.said("S28")


def test_exit_of_the_owners_position_is_caught() -> None:
    trial = trial_of(HandsOffWhatIsNotOurs)
    foreign = replace(planned(), state=PositionState.FOREIGN, intents=(), quantity=Quantity(10))
    position = recorded(trial, foreign)
    leaving = replace(intent_of(planned(), Purpose.STOP), purpose=Purpose.EXIT)
    trial.act(lambda: trial.ledger.save_position(position.with_intent(leaving)))
    assert "which is not ours" in trial.said("S28")


@pytest.mark.parametrize(("between_ms", "caught"), [(5_000, True), (20_000, False)])
def test_missing_record_needs_two_looks_apart(between_ms: int, caught: bool) -> None:
    trial = trial_of(MissingIsProven)
    position = recorded(trial, filled(quantity=Quantity(0)))
    missed = replace(position, missing_since=trial.world.kernel.now())
    trial.act(lambda: trial.ledger.save_position(missed))
    trial.wait(between_ms - 5_000)
    closed = replace(missed, version=2, intents=(), state=PositionState.CLOSED)
    trial.act(lambda: trial.ledger.close_position(closed, None))
    assert not trial.world.tables.positions
    assert bool(trial.said("S29")) == caught


def test_order_given_up_after_one_look_is_caught() -> None:
    trial = trial_of(MissingIsProven)
    position = recorded(trial, with_state(planned(), Purpose.ENTRY, IntentState.UNKNOWN))
    given_up = replace(
        intent_of(position, Purpose.ENTRY), state=IntentState.NOT_PLACED, absences=(position.planned_at,)
    )
    trial.act(lambda: trial.ledger.save_position(position.with_intent(given_up)))
    assert "ended as never placed" in trial.said("S29")


def test_accepted_fill_without_a_record_is_caught() -> None:
    trial = trial_of(NothingIsLost)
    buy = matching.OrderRequest(
        symbol="PF_COINUSD",
        side=matching.Side.BUY,
        order_type=matching.OrderType.MARKET,
        size=Decimal(1),
        client_order_id=intent_of(planned(), Purpose.ENTRY).client_order_id,
    )
    recorded(trial, waiting())
    trial.world.venue.engine.send(buy)
    trial.wait(4 * 60_000)
    trial.end()
    assert "fill" in trial.said("S27")


def test_refusal_written_without_reason_is_caught() -> None:
    trial = trial_of(EveryActionIsRecorded)
    offered = signal()
    trial.world.ledger_truth.add_signal(offered)
    trial.act(lambda: trial.ledger.settle_signal(offered, SignalState.REFUSED))
    trial.end()
    assert "no stage says why" in trial.said("S26")
