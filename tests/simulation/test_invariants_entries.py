"""S8 catches an order that a record denies, HELD an entry where something is held; neither what nobody could know."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from tests.fakes.records import planned, with_state
from tests.fakes.venue_translation import matching_request
from tests.simulation.invariants.entries import RecordedBeforeSent
from tests.simulation.invariants.held import NoEntryWhereSomethingIsHeld
from tests.simulation.invariants.trial import Trial, trial_of
from trading import matching
from trading.model.orders import IntentState, OrderRequest, OrderSide, OrderType, Purpose
from trading.model.positions import Position
from trading.model.units import Price, Quantity

REFUSED = with_state(planned(), Purpose.ENTRY, IntentState.REJECTED)


def request_of(position: Position) -> OrderRequest:
    entry = position.intent(Purpose.ENTRY)
    assert entry is not None
    return OrderRequest(
        contract=position.contract,
        client_order_id=entry.client_order_id,
        side=OrderSide.BUY,
        type=OrderType.POST,
        quantity=Quantity(Decimal(1)),
        reduce_only=False,
        process_before=position.planned_at + timedelta(days=365),
        limit_price=Price(Decimal(95)),
    )


def send(trial: Trial, position: Position) -> None:
    """As an invocation does that finds the record as it is and writes it once more."""
    trial.world.venue.place(request_of(position))
    trial.act(lambda: trial.ledger.adopt_position(position))


def come_again(trial: Trial, position: Position) -> None:
    """The request once more, without us."""
    trial.world.venue.engine.send(matching_request(request_of(position)))
    trial.look()


def test_order_denied_by_its_record_is_caught() -> None:
    trial = trial_of(RecordedBeforeSent)
    send(trial, REFUSED)
    assert "is REJECTED on record, and the venue has it" in trial.said("S8")


@pytest.mark.parametrize(("after_ms", "caught"), [(0, False), (60_000, True)])
def test_only_a_doubled_request_is_left_alone(after_ms: int, caught: bool) -> None:
    trial = trial_of(RecordedBeforeSent)
    trial.world.venue.faults.sends.append("postWouldExecute")
    trial.world.venue.place(request_of(REFUSED))
    trial.look()
    trial.wait(after_ms)
    come_again(trial, REFUSED)
    trial.act(lambda: trial.ledger.adopt_position(REFUSED))
    assert bool(trial.said("S8")) == caught


@pytest.mark.parametrize(
    ("state", "gone_ms", "caught"),
    [
        (IntentState.NOT_PLACED, 5_000, False),
        (IntentState.NOT_PLACED, 20_000, True),
        (IntentState.NOT_PLACED, None, True),
        (IntentState.REJECTED, 5_000, True),
    ],
)
def test_only_what_nobody_could_see_is_left_alone(state: IntentState, gone_ms: int | None, caught: bool) -> None:
    """It rests for a while and is taken off, so long before the record says that it was never there."""
    trial, denied = trial_of(RecordedBeforeSent), with_state(planned(), Purpose.ENTRY, state)
    answer = trial.world.venue.place(request_of(denied))
    if gone_ms is not None:
        assert answer.order_id is not None
        trial.world.venue.cancel_order(answer.order_id)
        trial.wait(gone_ms)
    trial.act(lambda: trial.ledger.adopt_position(denied))
    trial.wait(60_000)
    trial.look()
    assert bool(trial.said("S8")) == caught


def test_order_with_a_fill_is_never_left_alone() -> None:
    trial, denied = trial_of(RecordedBeforeSent), with_state(planned(), Purpose.ENTRY, IntentState.NOT_PLACED)
    market = replace(request_of(denied), type=OrderType.MARKET, limit_price=None)
    trial.world.venue.place(market)
    trial.act(lambda: trial.ledger.adopt_position(denied))
    assert "is NOT_PLACED on record, and the venue has it" in trial.said("S8")


def test_order_sent_before_its_record_is_caught() -> None:
    trial = trial_of(RecordedBeforeSent)
    send(trial, planned())
    assert "was accepted while its record says PLANNED" in trial.said("S8")


def test_order_without_any_record_is_caught() -> None:
    trial = trial_of(RecordedBeforeSent)
    trial.world.venue.place(request_of(planned()))
    trial.look()
    assert "no record knows it" in trial.said("S8")


@pytest.mark.parametrize(("held_ms", "caught"), [(20_000, True), (5_000, False)])
def test_entry_on_a_known_position_is_caught(held_ms: int, caught: bool) -> None:
    trial = trial_of(NoEntryWhereSomethingIsHeld)
    short = matching.OrderRequest(
        symbol="PF_COINUSD", side=matching.Side.SELL, order_type=matching.OrderType.MARKET, size=Decimal(5)
    )
    trial.world.venue.engine.send(short)
    trial.world.observe("owner")
    trial.wait(held_ms)
    trial.world.venue.place(request_of(planned()))
    trial.look()
    assert ("an entry was taken in PF_COINUSD" in trial.said("HELD")) == caught
