"""Whole requests to the simulated DynamoDB: how they are named in traces, and the limits on their number and size."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.simulation.transports.dynamo_expressions import Malformed
from tests.simulation.transports.dynamo_reads import partition_of
from tests.simulation.transports.dynamo_store import HASH, key_of
from tests.simulation.transports.dynamo_values import item_bytes
from tests.simulation.transports.dynamo_writes import Arguments, Write

KEYS_PER_BATCH, WRITES_PER_BATCH, WRITES_PER_TRANSACTION = 100, 25, 100
TRANSACTION_BYTES = 4 * 1024 * 1024


def label(operation: str, arguments: Arguments) -> tuple[str, str]:
    """Table and key of a request for traces, several joined by `+`. A query's key ends in `*`."""
    if "TransactItems" in arguments:
        requests = [request for entry in arguments["TransactItems"] for request in entry.values()]
        tables = dict.fromkeys(request["TableName"] for request in requests)
        return "+".join(tables), "+".join(map(_key_text, requests))
    if "RequestItems" in arguments:
        # PynamoDB takes the keys of a batch out of a set, in an order that differs from process to process.
        return "+".join(arguments["RequestItems"]), "+".join(sorted(_batch_keys(arguments["RequestItems"])))
    if operation == "Query":
        return arguments["TableName"], f"{partition_of(arguments)[0]}/*"
    return arguments["TableName"], _key_text(arguments)


def _key_text(request: Arguments) -> str:
    document = request.get("Key") or request.get("Item")
    return "/".join(key_of(document)) if document else ""


def _batch_keys(tables: Mapping[str, Any]) -> Iterator[str]:
    for requests in tables.values():
        entries = requests["Keys"] if "Keys" in requests else [each for pair in requests for each in pair.values()]
        for entry in entries:
            yield "/".join(key_of(entry if HASH in entry else entry.get("Key") or entry["Item"]))


def check_transaction(entries: Sequence[Any], writes: Sequence[Write]) -> None:
    if not 1 <= len(entries) <= WRITES_PER_TRANSACTION:
        raise Malformed(f"a transaction has {len(entries)} writes, expected 1 to {WRITES_PER_TRANSACTION}")
    places = []
    for entry in entries:
        (request,) = entry.values()
        places.append((request["TableName"], key_of(request.get("Key") or request["Item"])))
    if len(set(places)) < len(places):
        raise Malformed("Transaction request cannot include multiple operations on one item")
    if sum(item_bytes(write.after) for write in writes if write.after and not write.checks) > TRANSACTION_BYTES:
        raise Malformed("Transaction request is too large, expected at most 4 MB")


def check_batch(places: Sequence[Any], maximum: int) -> None:
    if not 1 <= len(places) <= maximum:
        raise Malformed(f"a batch has {len(places)} requests, expected 1 to {maximum}")
    if len(set(places)) < len(places):
        raise Malformed("Provided list of item keys contains duplicates")
