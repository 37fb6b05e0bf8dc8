"""An in-memory DynamoDB below the real PynamoDB: the store code, its models and its error handling run unchanged.

    simulated = SimulatedDynamo("ledger", "decisions", "market")
    with installed(simulated, hook):
        Ledger("ledger").open_positions()

`hook(operation, table, key, run)` is called around each call. `run()` carries the request out and returns the answer
(or raises DynamoDB's error); the hook may wait, call it or not, call it twice as botocore does after a lost answer,
call it later, or raise what `dynamo_errors` offers.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any
from zlib import crc32

from pynamodb.connection import Connection

from tests.simulation.transports import dynamo_errors as errors
from tests.simulation.transports.dynamo_expressions import Malformed
from tests.simulation.transports.dynamo_reads import Answer, projected, query, scan
from tests.simulation.transports.dynamo_requests import (
    KEYS_PER_BATCH,
    WRITES_PER_BATCH,
    check_batch,
    check_transaction,
    label,
)
from tests.simulation.transports.dynamo_store import HASH, RANGE, Key, Table, key_of
from tests.simulation.transports.dynamo_values import Item, item_bytes
from tests.simulation.transports.dynamo_writes import WRITES, Arguments, ConditionLost, TooLarge, Write

Run = Callable[[], Answer]
Hook = Callable[[str, str, str, Run], Answer]

BATCH_BYTES = 16 * 1024 * 1024
EXPRESSIONS = frozenset({"ExpressionAttributeNames", "ExpressionAttributeValues", "ConditionExpression"})
WRITING = {"ReturnValues", "ReturnValuesOnConditionCheckFailure", *EXPRESSIONS}
UNDERSTOOD: Mapping[str, frozenset[str]] = {
    name: frozenset({"TableName", "ReturnConsumedCapacity", *more})
    for name, more in {
        "GetItem": {"Key", "ConsistentRead", "ProjectionExpression", "ExpressionAttributeNames"},
        "PutItem": {"Item", *WRITING},
        "DeleteItem": {"Key", *WRITING},
        "UpdateItem": {"Key", "UpdateExpression", *WRITING},
        "Query": {
            *("KeyConditionExpression", "FilterExpression", "ProjectionExpression", "ConsistentRead", "Limit"),
            *("ScanIndexForward", "ExclusiveStartKey", "Select", *EXPRESSIONS),
        },
        "Scan": {
            *("FilterExpression", "ProjectionExpression", "ConsistentRead", "Limit", "ExclusiveStartKey", "Select"),
            *EXPRESSIONS,
        },
        "BatchGetItem": {"RequestItems"},
        "BatchWriteItem": {"RequestItems"},
        "TransactWriteItems": {"TransactItems", "ClientRequestToken"},
        "TransactGetItems": {"TransactItems"},
        "DescribeTable": set[str](),
    }.items()
}
"""What each operation may carry: anything else is refused, so that nothing is silently left out."""


class Snapshot:
    """The tables at one moment; belongs to the simulated DynamoDB that made it."""

    def __init__(self, tables: Mapping[str, Table]) -> None:
        self.tables = {name: table.copy() for name, table in tables.items()}


class SimulatedDynamo:
    """Tables by name. With `stale_reads` an eventually consistent read answers with the state before the last write
    of each item, until `settle` is called; without, every read is strong."""

    def __init__(self, *tables: str, stale_reads: bool = True) -> None:
        self._tables = {name: Table() for name in tables}
        self._lock = threading.RLock()
        self.stale_reads = stale_reads

    def call(self, operation: str, arguments: Arguments) -> Answer:
        """Carry out one request. Raises botocore's ClientError for whatever DynamoDB refuses."""
        unknown = arguments.keys() - UNDERSTOOD.get(operation, frozenset())
        if unknown:
            raise NotImplementedError(f"{operation} with {sorted(unknown)}: the simulated DynamoDB does not know that")
        with self._lock:
            try:
                return OPERATIONS[operation](self, arguments)
            except ConditionLost as lost:
                raise errors.condition_failed(operation, lost.item) from None
            except Malformed as problem:
                raise errors.invalid(operation, str(problem)) from None

    def run_of(self, operation: str, arguments: Arguments) -> Run:
        """The request as something that a hook can call, more than once if it likes.

        A transaction takes effect once only however often it is sent: botocore gives it a token. A single write that
        is sent twice meets its own condition.
        """
        if operation != "TransactWriteItems":
            return lambda: self.call(operation, arguments)
        done: list[Answer] = []

        def once() -> Answer:
            if not done:
                done.append(self.call(operation, arguments))
            return done[0]

        return once

    def item(self, table: str, pk: str, sk: str) -> Item | None:
        """One stored item, for checks."""
        return self._table(table).get((pk, sk))

    def items(self, table: str) -> Iterator[tuple[Key, Item]]:
        """Every stored item of a table by key, for checks."""
        return self._table(table).all()

    def put_item(self, *, TableName: str, Item: Mapping[str, Any]) -> Answer:
        """Write an item as boto3's client does: past all conditions."""
        return self.call("PutItem", {"TableName": TableName, "Item": Item})

    def settle(self) -> None:
        """Let eventually consistent reads see every write made so far."""
        for table in self._tables.values():
            table.settle()

    def snapshot(self) -> Snapshot:
        return Snapshot(self._tables)

    def restore(self, snapshot: Snapshot) -> None:
        self._tables = Snapshot(snapshot.tables).tables

    def _table(self, name: str) -> Table:
        try:
            return self._tables[name]
        except KeyError:
            raise errors.refused("", "ResourceNotFoundException", f"Requested resource not found: {name}") from None

    def _stale(self, arguments: Arguments) -> bool:
        return self.stale_reads and not arguments.get("ConsistentRead", False)

    def _get(self, arguments: Arguments) -> Answer:
        found = self._table(arguments["TableName"]).get(key_of(arguments["Key"]), stale=self._stale(arguments))
        return {} if found is None else {"Item": projected(found, arguments)}

    def _query(self, arguments: Arguments) -> Answer:
        return query(self._table(arguments["TableName"]), arguments, stale=self._stale(arguments))

    def _scan(self, arguments: Arguments) -> Answer:
        return scan(self._table(arguments["TableName"]), arguments, stale=self._stale(arguments))

    def _write(self, kind: str, arguments: Arguments) -> Answer:
        write = WRITES[kind](self._table(arguments["TableName"]), arguments)
        write.carry_out()
        shown = _returned(write, arguments.get("ReturnValues", "NONE"))
        return {} if shown is None else {"Attributes": dict(shown)}

    def _transact_write(self, arguments: Arguments) -> Answer:
        writes: list[Write] = []
        reasons: list[errors.Reason] = []
        for entry in arguments["TransactItems"]:
            ((kind, request),) = entry.items()
            try:
                writes.append(WRITES[kind](self._table(request["TableName"]), request))
                reasons.append(errors.INNOCENT)
            except (ConditionLost, TooLarge) as problem:
                reasons.append(_reason(problem))
        check_transaction(arguments["TransactItems"], writes)
        if any(reason is not errors.INNOCENT for reason in reasons):
            raise errors.cancelled(reasons)
        for write in writes:
            write.carry_out()
        return {}

    def _transact_get(self, arguments: Arguments) -> Answer:
        requests = [entry["Get"] for entry in arguments["TransactItems"]]
        return {"Responses": [self._get({**request, "ConsistentRead": True}) for request in requests]}

    def _batch_get(self, arguments: Arguments) -> Answer:
        responses: dict[str, list[Item]] = {}
        unprocessed: dict[str, Any] = {}
        size = 0
        for name, request in arguments["RequestItems"].items():
            keys = request["Keys"]
            check_batch([(name, key_of(key)) for key in keys], KEYS_PER_BATCH)
            found = responses[name] = []
            # DynamoDB gives no order; a scattered one finds code that relies on one.
            keys = sorted(keys, key=_scattered)
            for position, key in enumerate(keys):
                item = self._table(name).get(key_of(key), stale=self._stale(request))
                size += item_bytes(item) if item else 0
                if size > BATCH_BYTES:
                    unprocessed[name] = {**request, "Keys": keys[position:]}
                    break
                if item is not None:
                    found.append(projected(item, request))
        return {"Responses": responses, "UnprocessedKeys": unprocessed}

    def _batch_write(self, arguments: Arguments) -> Answer:
        writes = []
        for name, requests in arguments["RequestItems"].items():
            for request in requests:
                kind = "Put" if "PutRequest" in request else "Delete"
                writes.append(WRITES[kind](self._table(name), request[f"{kind}Request"]))
        check_batch([(id(write.table), write.key) for write in writes], WRITES_PER_BATCH)
        for write in writes:
            write.carry_out()
        return {"UnprocessedItems": {}}

    def _describe(self, arguments: Arguments) -> Answer:
        self._table(arguments["TableName"])
        keys = ((HASH, "HASH"), (RANGE, "RANGE"))
        described = {
            "TableName": arguments["TableName"],
            "TableStatus": "ACTIVE",
            "KeySchema": [{"AttributeName": name, "KeyType": kind} for name, kind in keys],
            "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name, _ in keys],
        }
        return {"Table": described}


OPERATIONS: Mapping[str, Callable[[SimulatedDynamo, Arguments], Answer]] = {
    "GetItem": SimulatedDynamo._get,
    "Query": SimulatedDynamo._query,
    "Scan": SimulatedDynamo._scan,
    "PutItem": lambda simulated, arguments: simulated._write("Put", arguments),
    "DeleteItem": lambda simulated, arguments: simulated._write("Delete", arguments),
    "UpdateItem": lambda simulated, arguments: simulated._write("Update", arguments),
    "TransactWriteItems": SimulatedDynamo._transact_write,
    "TransactGetItems": SimulatedDynamo._transact_get,
    "BatchGetItem": SimulatedDynamo._batch_get,
    "BatchWriteItem": SimulatedDynamo._batch_write,
    "DescribeTable": SimulatedDynamo._describe,
}


def _scattered(key: Arguments) -> int:
    return crc32("/".join(key_of(key)).encode())


def _returned(write: Write, wanted: str) -> Item | None:
    if wanted not in ("NONE", "ALL_OLD", "ALL_NEW"):
        raise NotImplementedError(f"ReturnValues {wanted}: the simulated DynamoDB knows NONE, ALL_OLD and ALL_NEW")
    return {"NONE": None, "ALL_OLD": write.before, "ALL_NEW": write.after}[wanted]


def _reason(problem: ConditionLost | TooLarge) -> errors.Reason:
    if isinstance(problem, TooLarge):
        return {"Code": "ValidationError", "Message": str(problem)}
    reason = {"Code": "ConditionalCheckFailed", "Message": errors.CONDITION_FAILED}
    return reason if problem.item is None else {**reason, "Item": problem.item}


class _Client:
    """Stands where PynamoDB keeps its botocore client, so that even the wrapping of errors is its own."""

    def __init__(self, simulated: SimulatedDynamo, hook: Hook | None) -> None:
        self._simulated = simulated
        self._hook = hook
        self.meta = SimpleNamespace(endpoint_url="simulated")

    def _make_api_call(self, operation: str, arguments: Arguments) -> Answer:
        if self._hook is None:
            return self._simulated.call(operation, arguments)
        table, key = label(operation, arguments)
        return self._hook(operation, table, key, self._simulated.run_of(operation, arguments))


@contextmanager
def installed(simulated: SimulatedDynamo, hook: Hook | None = None) -> Iterator[SimulatedDynamo]:
    """Let every PynamoDB connection of this process use `simulated` until the block ends."""
    before = vars(Connection)["client"]
    Connection.client = _Client(simulated, hook)  # type: ignore[method-assign,assignment]
    try:
        yield simulated
    finally:
        Connection.client = before  # type: ignore[method-assign]
