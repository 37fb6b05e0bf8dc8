"""S17 for one coin catches what a person had closed and is held all the same."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from tests.fakes.records import filled, planned, with_state
from tests.simulation.invariants.closing import OneIsClosed
from tests.simulation.invariants.trial import Trial, trial_of
from trading import matching
from trading.model.orders import IntentState, Purpose


def close_one(trial: Trial) -> None:
    trial.act(lambda: {"ok": True, "scope": "COIN"}, "control_trading", "close 1 confirmed")


@pytest.mark.parametrize(("flat_meanwhile", "caught"), [(False, True), (True, False)])
def test_coin_held_after_it_was_closed_is_caught(flat_meanwhile: bool, caught: bool) -> None:
    """What is bought once it was flat is another position, and his own."""
    trial = trial_of(OneIsClosed)
    engine = trial.world.venue.engine
    buy, sell = (
        matching.OrderRequest(symbol="PF_COINUSD", side=side, order_type=matching.OrderType.MARKET, size=Decimal(1))
        for side in (matching.Side.BUY, matching.Side.SELL)
    )
    engine.send(buy)
    trial.world.ledger_truth.adopt_position(replace(filled(), close_reason="flatten"))
    close_one(trial)
    if flat_meanwhile:
        engine.send(sell)
        trial.look()
        engine.send(buy)
    for _ in range(4):
        assert not trial.said("S17one")
        trial.look()
        trial.wait(60_000)
    assert ("PF_COINUSD is still held" in trial.said("S17one")) == caught


def test_coin_bought_by_a_late_entry_is_caught() -> None:
    """Flat when it was ordered, with an entry under way."""
    trial = trial_of(OneIsClosed)
    trial.world.ledger_truth.adopt_position(replace(planned(), close_reason="flatten"))
    close_one(trial)
    buy = matching.OrderRequest(
        symbol="PF_COINUSD", side=matching.Side.BUY, order_type=matching.OrderType.MARKET, size=Decimal(1)
    )
    trial.look()
    trial.world.venue.engine.send(buy)
    for _ in range(4):
        trial.look()
        trial.wait(60_000)
    assert "PF_COINUSD is still held" in trial.said("S17one")


def test_entry_sent_after_the_close_is_caught() -> None:
    trial = trial_of(OneIsClosed)
    position = trial.world.ledger_truth.adopt_position(replace(planned(), close_reason="flatten"))
    close_one(trial)
    sending = with_state(position, Purpose.ENTRY, IntentState.SENDING)
    trial.act(lambda: trial.ledger.save_position(sending))
    assert "went out after a person had it closed" in trial.said("S17one")
