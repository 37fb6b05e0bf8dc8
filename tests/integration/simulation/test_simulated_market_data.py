"""The suites of the candle and quality stores once more, on the simulated DynamoDB instead of the emulator.

The test functions are those of `tests/integration/market_data`; only the tables below them are others.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shared.storage.market_data import MarketDataStore
from tests.integration.market_data import test_market_data_store, test_quality_store
from tests.integration.market_data.conftest import BARS_KEPT, DECISIONS, LEDGER, MARKET
from tests.simulation.transports.dynamo import SimulatedDynamo, installed

for suite in (test_market_data_store, test_quality_store):
    globals().update(
        {
            name: each
            for name, each in vars(suite).items()
            if name.startswith("test_") or type(each).__name__ == "FixtureFunctionDefinition"
        }
    )


@pytest.fixture(autouse=True)
def tables() -> Iterator[None]:
    # The tests themselves clear the tables with eventually consistent scans.
    with installed(SimulatedDynamo(MARKET, DECISIONS, LEDGER, stale_reads=False)):
        yield


@pytest.fixture
def store() -> MarketDataStore:
    return MarketDataStore(MARKET, bars_kept=BARS_KEPT)


def test_both_suites_are_played_here() -> None:
    expected = [name for suite in (test_market_data_store, test_quality_store) for name in vars(suite)]
    functions = [name for name in expected if name.startswith("test_")]
    assert len(functions) == len(set(functions)) > 20
    assert set(functions) <= set(globals())
