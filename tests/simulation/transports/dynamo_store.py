"""The items of one simulated table, by partition and sort key, with what an eventually consistent read may see."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator, Mapping
from typing import Any

from tests.simulation.transports.dynamo_expressions import Malformed
from tests.simulation.transports.dynamo_values import Item

HASH, RANGE = "pk", "sk"
"""The key of all our tables; both are text."""

KEY_NAMES = frozenset({HASH, RANGE})
Key = tuple[str, str]
WRONG_KEY = "The provided key element does not match the schema"


def key_of(document: Mapping[str, Any]) -> Key:
    """The key of a key document or item. Raises Malformed when it is missing, empty or not text."""
    try:
        key = (document[HASH]["S"], document[RANGE]["S"])
    except KeyError:
        raise Malformed(WRONG_KEY) from None
    if not key[0] or not key[1]:
        name = RANGE if key[0] else HASH
        raise Malformed(
            "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an "
            f"empty string value. Key: {name}"
        )
    return key


class Partition:
    """Items with one partition key; `order` holds their sort keys in order."""

    __slots__ = ("items", "order")

    def __init__(self) -> None:
        self.items: dict[str, Item] = {}
        self.order: list[str] = []

    def copy(self) -> Partition:
        other = Partition()
        other.items, other.order = dict(self.items), list(self.order)
        return other


class Table:
    """`before` holds the state of changed items ahead of their last write since the replicas settled."""

    def __init__(self) -> None:
        self._partitions: dict[str, Partition] = {}
        self._before: dict[Key, Item | None] = {}

    def get(self, key: Key, *, stale: bool = False) -> Item | None:
        if stale and key in self._before:
            return self._before[key]
        partition = self._partitions.get(key[0])
        return None if partition is None else partition.items.get(key[1])

    def put(self, key: Key, item: Item) -> None:
        partition = self._partitions.get(key[0])
        if partition is None:
            partition = self._partitions[key[0]] = Partition()
        self._before[key] = partition.items.get(key[1])
        if key[1] not in partition.items:
            insort(partition.order, key[1])
        partition.items[key[1]] = item

    def delete(self, key: Key) -> None:
        partition = self._partitions.get(key[0])
        if partition is None or key[1] not in partition.items:
            return
        self._before[key] = partition.items.pop(key[1])
        del partition.order[bisect_left(partition.order, key[1])]
        if not partition.order:
            del self._partitions[key[0]]

    def partition(self, name: str, *, stale: bool = False) -> list[tuple[str, Item]]:
        """Sort keys and items of one partition, in order."""
        partition = self._partitions.get(name)
        if not stale or not self._before:
            return [] if partition is None else [(sort, partition.items[sort]) for sort in partition.order]
        seen = dict(partition.items) if partition is not None else {}
        for (owner, sort), item in self._before.items():
            if owner == name:
                seen.pop(sort, None)
                if item is not None:
                    seen[sort] = item
        return sorted(seen.items())

    def all(self) -> Iterator[tuple[Key, Item]]:
        """Every item, by key."""
        for name in sorted(self._partitions):
            for sort, item in self.partition(name):
                yield (name, sort), item

    def settle(self) -> None:
        """Let every replica see all writes."""
        self._before.clear()

    def copy(self) -> Table:
        other = Table()
        other._partitions = {name: partition.copy() for name, partition in self._partitions.items()}
        other._before = dict(self._before)
        return other
