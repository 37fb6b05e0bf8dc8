"""One write to a simulated table: worked out first, carried out afterwards, so that a transaction is all or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from tests.simulation.transports.dynamo_expressions import Malformed, Scope
from tests.simulation.transports.dynamo_parsing import parsed_condition
from tests.simulation.transports.dynamo_store import HASH, KEY_NAMES, RANGE, Key, Table, key_of
from tests.simulation.transports.dynamo_updates import updated
from tests.simulation.transports.dynamo_values import ITEM_BYTES, Item, item_bytes, stored_value

Arguments = Mapping[str, Any]
NOTHING: Mapping[str, Any] = {}


class ConditionLost(Exception):
    """The condition of a write does not hold; `item` is what is stored."""

    def __init__(self, item: Item | None, shown: bool) -> None:
        super().__init__("condition does not hold")
        self.item = item if shown else None


class TooLarge(Malformed):
    """An item above the size limit."""


class Write(NamedTuple):
    """What a write will do to one item. `after` is None when it deletes; `checks` when it changes nothing."""

    table: Table
    key: Key
    before: Item | None
    after: Item | None
    checks: bool = False

    def carry_out(self) -> None:
        if self.checks:
            return
        if self.after is None:
            self.table.delete(self.key)
        else:
            self.table.put(self.key, self.after)


def put(table: Table, arguments: Arguments) -> Write:
    """Raises ConditionLost or Malformed, as the others do."""
    item = {name: stored_value(value) for name, value in arguments["Item"].items()}
    key = key_of(item)
    before = table.get(key)
    check(arguments, before)
    if item_bytes(item) > ITEM_BYTES:
        raise TooLarge("Item size has exceeded the maximum allowed size")
    return Write(table, key, before, item)


def delete(table: Table, arguments: Arguments) -> Write:
    key = key_of(arguments["Key"])
    before = table.get(key)
    check(arguments, before)
    return Write(table, key, before, None)


def update(table: Table, arguments: Arguments) -> Write:
    key = key_of(arguments["Key"])
    before = table.get(key)
    check(arguments, before)
    item: Item = before if before is not None else {HASH: {"S": key[0]}, RANGE: {"S": key[1]}}
    # Without an expression UpdateItem only makes sure that the item is there.
    expression = arguments.get("UpdateExpression")
    after = updated(expression, scope_of(arguments, item), KEY_NAMES) if expression else item
    if item_bytes(after) > ITEM_BYTES:
        raise TooLarge("Item size to update has exceeded the maximum allowed size")
    return Write(table, key, before, after)


def condition_check(table: Table, arguments: Arguments) -> Write:
    key = key_of(arguments["Key"])
    before = table.get(key)
    check(arguments, before)
    return Write(table, key, before, before, checks=True)


def check(arguments: Arguments, item: Item | None) -> None:
    expression = arguments.get("ConditionExpression")
    if expression and not parsed_condition(expression).holds(scope_of(arguments, item)):
        raise ConditionLost(item, arguments.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD")


def scope_of(arguments: Arguments, item: Item | None) -> Scope:
    names = arguments.get("ExpressionAttributeNames") or NOTHING
    return Scope(item or NOTHING, names, arguments.get("ExpressionAttributeValues") or NOTHING)


WRITES = {
    "Put": put,
    "Delete": delete,
    "Update": update,
    "ConditionCheck": condition_check,
}
"""By their name inside a transaction."""
