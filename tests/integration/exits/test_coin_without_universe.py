"""The handler of the exits for a position whose coin is no longer traded: it left the universe, its candles are old,
its contract is suspended."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from infra.local.sandbox.control_api import switches
from tests.integration.exits.replay import COIN
from tests.integration.limits.local_stack import LocalStack, opened
from tests.integration.limits.wire import Wire
from trading.exits.registry import REGISTRY
from trading.model.instruments import Universe
from trading.model.positions import PositionState

NAMES = [name for name, _ in REGISTRY]


@pytest.fixture
def stack(wire: Wire, url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalStack]:
    """A position in BTC, which then leaves the universe."""
    with opened(wire, url, monkeypatch, {}) as opened_stack:
        opened_stack.propose(COIN, away="0.1")
        opened_stack.execute()
        opened_stack.move(COIN, "-0.15", seconds=20)
        opened_stack.reconcile()
        market = opened_stack.cloud.market
        stored = market.universe()
        assert stored is not None
        others = tuple(each for each in stored.universe.instruments if each.id != COIN)
        market.save_universe(Universe(instruments=others), opened_stack.now(), stored)
        yield opened_stack


def test_every_rule_is_evaluated_without_its_coin(stack: LocalStack) -> None:
    response = stack._invoke("manage_exits", {})
    assert (response["positions"], response["evaluated"]) == (1, dict.fromkeys(NAMES, 1))
    run = stack.cloud.control.last_run("manage_exits")
    assert run is not None
    assert run.proof["without_input"] == {"premise": 1, "abandon_ship": 1}


def test_exit_fires_without_its_coin(stack: LocalStack) -> None:
    stack.wait(hours=5)
    response = stack._invoke("manage_exits", {})
    assert response["fired"] == {"time_exit": 1}
    assert not stack.venue.engine.books.positions


def test_exit_waits_for_a_suspended_contract(stack: LocalStack) -> None:
    """It is told as a failure every minute, the stop stays, and the exit goes out when trading resumes."""
    contract = stack.contract(COIN)
    stack.wait(hours=5)
    switches(stack.venue, {"market": contract, "status": "suspended"})
    with pytest.raises(AssertionError, match="marketSuspended"):
        stack._invoke("manage_exits", {})
    held = stack.cloud.ledger.position(COIN)
    assert held is not None
    assert held.state is PositionState.CLOSING
    switches(stack.venue, {"market": contract, "status": "online"})
    stack.wait(seconds=timedelta(minutes=1).total_seconds())
    stack._invoke("manage_exits", {})
    assert not stack.venue.engine.books.positions
