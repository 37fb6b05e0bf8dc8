"""Queries of a simulated table: which items, in which order, up to where, and which of their attributes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from tests.simulation.transports.dynamo_expressions import And, Comparison, Condition, Malformed, Path, Scope
from tests.simulation.transports.dynamo_parsing import parsed_condition
from tests.simulation.transports.dynamo_store import HASH, RANGE, Table, key_of
from tests.simulation.transports.dynamo_values import Item, item_bytes
from tests.simulation.transports.dynamo_writes import Arguments, scope_of

PAGE_BYTES = 1024 * 1024
"""A Query reads at most this much and then says where to go on."""

Answer = dict[str, Any]


def query(table: Table, arguments: Arguments, *, stale: bool) -> Answer:
    """Raises Malformed."""
    name, sort_condition = partition_of(arguments)
    found = table.partition(name, stale=stale)
    if sort_condition is not None:
        scope = scope_of(arguments, None)
        found = [pair for pair in found if sort_condition.holds(scope._replace(item={RANGE: {"S": pair[0]}}))]
    forward = arguments.get("ScanIndexForward", True)
    if not forward:
        found.reverse()
    start = arguments.get("ExclusiveStartKey")
    if start is not None:
        after = key_of(start)[1]
        found = [pair for pair in found if (pair[0] > after if forward else pair[0] < after)]
    return _read([item for _, item in found], arguments)


def scan(table: Table, arguments: Arguments, *, stale: bool) -> Answer:
    """Every item by partition, in the order of their keys. Raises Malformed."""
    start = arguments.get("ExclusiveStartKey")
    after = key_of(start) if start is not None else ("", "")
    seen = [(key, table.get(key, stale=stale)) for key, _ in table.all() if key > after]
    return _read([item for _, item in seen if item is not None], arguments)


def _read(found: list[Item], arguments: Arguments) -> Answer:
    page, more = _page(found, arguments.get("Limit"))
    answer = _answered(page, arguments)
    if more:
        answer["LastEvaluatedKey"] = {HASH: page[-1][HASH], RANGE: page[-1][RANGE]}
    return answer


def partition_of(arguments: Arguments) -> tuple[str, Condition | None]:
    """Partition key of a query and the condition on its sort keys. Raises Malformed."""
    equality, rest = _split(arguments["KeyConditionExpression"])
    scope = scope_of(arguments, None)
    value = equality.right.read(scope)
    if not isinstance(equality.left, Path) or equality.left.resolved(scope) != (HASH,) or not value:
        raise Malformed(f"Query condition missed key schema element: {HASH}")
    return value["S"], rest


@lru_cache(maxsize=1024)
def _split(text: str) -> tuple[Comparison, Condition | None]:
    condition = parsed_condition(text)
    equality, rest = (condition.left, condition.right) if isinstance(condition, And) else (condition, None)
    if not isinstance(equality, Comparison) or equality.sign != "=":
        raise Malformed("Query key condition not supported")
    return equality, rest


def _page(items: list[Item], limit: int | None) -> tuple[list[Item], bool]:
    """Items up to the limit of the request or of a page; True when the reading stopped there.

    Like DynamoDB it also says so when the limit was reached with the very last item.
    """
    size = 0
    for position, item in enumerate(items, start=1):
        size += item_bytes(item)
        if position == limit or (size >= PAGE_BYTES and position < len(items)):
            return items[:position], True
    return items, False


def _answered(page: Sequence[Item], arguments: Arguments) -> Answer:
    matching = page
    if filter_expression := arguments.get("FilterExpression"):
        condition = parsed_condition(filter_expression)
        matching = [item for item in page if condition.holds(scope_of(arguments, item))]
    answer: Answer = {"Count": len(matching), "ScannedCount": len(page)}
    if arguments.get("Select") != "COUNT":
        answer["Items"] = [projected(item, arguments) for item in matching]
    return answer


def projected(item: Item, arguments: Arguments) -> Item:
    """A copy of the item with the attributes that were asked for."""
    expression = arguments.get("ProjectionExpression")
    if expression is None:
        return dict(item)
    wanted = _names(expression, arguments.get("ExpressionAttributeNames") or {})
    return {name: item[name] for name in wanted if name in item}


def _names(expression: str, names: Mapping[str, str]) -> list[str]:
    found = [part.strip() for part in expression.split(",")]
    nested = [part for part in found if "." in part or "[" in part]
    if nested:
        raise NotImplementedError(f"projection of {nested[0]!r}: the simulated DynamoDB knows whole attributes only")
    scope = Scope({}, names, {})
    return [str(Path((part,)).resolved(scope)[0]) for part in found]
