"""The cases written for the stores on DynamoDB, once more on the twins in memory."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any, cast

import pytest

from tests.fakes.cloud import Cloud
from tests.integration.ledger import test_control_store, test_ledger, test_market_watch
from tests.simulation.memory.either import memory_stores
from tests.simulation.memory.tables import MemoryTables
from tests.simulation.memory.watch import MemoryWatch

TABLE_ITSELF = frozenset({"write_raw", "LedgerItem", "damage_day", "Overtaken"})
"""A case that names one of these reads or writes the emulated table beside the stores."""


def cases_of(module: ModuleType) -> dict[str, Callable[..., Any]]:
    found = {name: case for name, case in vars(module).items() if name.startswith("test_")}
    return {name: case for name, case in found.items() if not TABLE_ITSELF & set(case.__code__.co_names)}


REUSED = {module.__name__: cases_of(module) for module in (test_ledger, test_control_store, test_market_watch)}
for _cases in REUSED.values():
    globals().update(_cases)


@pytest.fixture
def cloud() -> Cloud:
    """The names that cases use of a cloud, on the twins."""
    return cast(Cloud, memory_stores(MemoryTables()))


@pytest.fixture
def store() -> MemoryWatch:
    return MemoryWatch(MemoryTables())


def test_most_cases_of_the_stores_are_reused() -> None:
    counted = [len(cases) for cases in REUSED.values()]
    assert len({name for cases in REUSED.values() for name in cases}) == sum(counted), "two cases share a name"
    assert all(count >= least for count, least in zip(counted, (15, 12, 2), strict=True)), counted
