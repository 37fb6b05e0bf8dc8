"""Contract of looking into a bar's traces and putting them right: DynamoDB and its twin in memory behave alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest

from shared.storage.decisions import BarTraces, RefusedTrace, encode_trace
from tests.fakes.records import BAR
from tests.integration.ledger.test_store_contract_others import stage, traced
from tests.simulation.memory.either import KINDS, Stores, stores_of
from tests.unit.control.records import decision
from trading.model.decisions import Outcome
from trading.model.instruments import InstrumentId


@pytest.fixture(params=KINDS)
def stores(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stores]:
    with stores_of(request.param, monkeypatch) as either:
        yield either


def test_bar_is_inspected_by_its_keys(stores: Stores) -> None:
    kept, _, _ = traced(stores, "ADA", "BTC", "ETH")
    stores.damage.trace(BAR, InstrumentId("BTC"), b"spoiled")
    older = encode_trace(decision("ETH", BAR - timedelta(hours=7)))
    stores.damage.trace(BAR, InstrumentId("ETH"), older)
    found = stores.decisions.inspect(BAR)
    assert found.readable == {InstrumentId("ADA"): kept}
    assert {coin: (each.data, each.misplaced) for coin, each in found.refused.items()} == {
        InstrumentId("BTC"): (b"spoiled", False),
        InstrumentId("ETH"): (older, True),
    }
    assert stores.decisions.inspect(BAR + timedelta(hours=1)) == BarTraces(readable={}, refused={})


def test_refused_trace_is_replaced_exactly_once(stores: Stores) -> None:
    kept, _ = traced(stores, "ADA", "BTC")
    stores.damage.trace(BAR, InstrumentId("BTC"), b"spoiled")
    refused = stores.decisions.inspect(BAR).refused[InstrumentId("BTC")]
    (better, late) = (decision("BTC", BAR, sentence=text) for text in ("better", "late"))
    assert stores.decisions.add_in_place_of([(better, refused)]) == 1
    # The second one finds that it was put right, and what can be read is never replaced.
    assert stores.decisions.add_in_place_of([(late, refused)]) == 0
    assert stores.decisions.traces(BAR) == (kept, better)
    assert stores.decisions.add_in_place_of([]) == 0


def test_absent_trace_is_not_replaced(stores: Stores) -> None:
    assert stores.decisions.add_in_place_of([(decision("BTC", BAR), RefusedTrace(why="", data=b"spoiled"))]) == 0
    assert stores.decisions.traces(BAR) == ()


def test_outcomes_are_counted_by_their_stage(stores: Stores) -> None:
    traced(stores, "ADA", "BTC")
    stores.decisions.add([decision("ETH", BAR, Outcome.COOLDOWN)])
    stores.decisions.add_stage(stage("BTC"))
    decided, later = stores.decisions.outcomes(BAR)
    assert decided == {Outcome.NO_SETUP: 2, Outcome.COOLDOWN: 1}
    assert later == {Outcome.SENT: 1}
    assert stores.decisions.outcomes(BAR + timedelta(hours=1)) == (Counter(), Counter())
