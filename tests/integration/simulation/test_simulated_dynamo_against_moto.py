"""The simulated DynamoDB against the emulator: the same random requests must come to the same answers and errors.

Left out where the emulator itself is wrong: `size` of an attribute that is not there (it fails), two absent attributes
compared (it calls them equal), arithmetic on numbers in exponent form (it fails).
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from tests.fakes import cloud
from tests.fakes.cloud import LEDGER, emulated
from tests.simulation.transports.dynamo import SimulatedDynamo, installed
from tests.simulation.transports.dynamo_values import comparable
from tests.simulation.transports.random_requests import RandomRequests, Thing

REQUESTS = 250


def as_compared(item: dict[str, Any]) -> dict[str, Any]:
    """An item for comparison: sets have no order, and boto3 gives bytes of its own kind."""
    return {name: comparable(value) for name, value in item.items()}


@pytest.mark.parametrize("seed", range(4))
def test_random_requests_end_as_on_the_emulator(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    Thing._connection = None
    with emulated(monkeypatch):
        expected = list(RandomRequests(seed).play(REQUESTS))
        stored = [as_compared(item) for item in cloud._tables().scan(TableName=LEDGER)["Items"]]
    Thing._connection = None
    simulated = SimulatedDynamo(LEDGER)
    with installed(simulated):
        found = list(RandomRequests(seed).play(REQUESTS))
    for number, (theirs, ours) in enumerate(zip(expected, found, strict=True)):
        assert ours == theirs, f"request {number}"
    ours_stored = [as_compared(dict(item)) for _, item in simulated.items(LEDGER)]
    assert sorted(ours_stored, key=repr) == sorted(stored, key=repr)


def test_random_requests_succeed_and_fail_in_every_way() -> None:
    ends: Counter[tuple[str, ...]] = Counter()
    Thing._connection = None
    with installed(SimulatedDynamo(LEDGER)):
        for seed in range(4):
            for kind, *rest in RandomRequests(seed).play(REQUESTS):
                ends[(kind, *rest[:2]) if isinstance(rest[0], str) else (kind,)] += 1
    assert {kind for kind, *error in ends if not error} == {
        *("save", "update", "delete", "get", "query", "batch", "transact"),
    }
    for end in (
        ("save", "PutError", "ConditionalCheckFailedException"),
        ("update", "UpdateError", "ConditionalCheckFailedException"),
        ("update", "UpdateError", "ValidationException"),
        ("delete", "DeleteError", "ConditionalCheckFailedException"),
        ("transact", "TransactWriteError", "TransactionCanceledException"),
        ("transact", "TransactWriteError", "ValidationException"),
    ):
        assert ends[end] >= 5, end
