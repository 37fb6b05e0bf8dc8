"""The whole suite of the Ledger's stores once more, on the simulated DynamoDB instead of the emulator.

The test functions are those of `tests/integration/ledger`; only the fixture `cloud` is another one.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

import pytest

from tests.fakes import cloud as emulated_cloud
from tests.fakes.cloud import DECISIONS, LEDGER, MARKET, Cloud
from tests.integration.ledger import test_control_store, test_ledger, test_market_watch, test_trace_store
from tests.simulation.transports.cloud import simulated_cloud
from tests.simulation.transports.dynamo import SimulatedDynamo

SUITES = (test_control_store, test_ledger, test_market_watch, test_trace_store)


def functions_of(suite: ModuleType) -> dict[str, object]:
    """Test functions under names that tell the suite, and the suite's own fixtures under theirs."""
    return {
        f"test_{suite.__name__.split('.')[-1].removeprefix('test_')}_{name.removeprefix('test_')}"
        if name.startswith("test_")
        else name: found
        for name, found in vars(suite).items()
        if name.startswith("test_") or type(found).__name__ == "FixtureFunctionDefinition"
    }


for each in SUITES:
    globals().update(functions_of(each))


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    # The tests themselves look with eventually consistent reads; the stores never do.
    dynamo = SimulatedDynamo(MARKET, DECISIONS, LEDGER, stale_reads=False)
    # `write_raw` writes past the stores, through a client of its own.
    monkeypatch.setattr(emulated_cloud, "_tables", lambda: dynamo)
    with simulated_cloud(dynamo) as stores:
        yield stores


def test_every_suite_of_the_stores_is_played_here() -> None:
    played = [name for name in globals() if name.startswith("test_")]
    assert len(played) - 1 - len(SUITES) == sum(name.startswith("test_") for suite in SUITES for name in vars(suite))
