"""DynamoDB's capacity units, counted from the sizes of the items that requests really carry.

Sizes as documented ("DynamoDB item sizes and formats"): attribute names and strings in UTF-8 bytes, binary as it is,
a number one byte and another for every two significant digits (one more when negative), a list or map 3 bytes and one
for each element. Reads are strong: 4 KB a unit, rounded up for every item of a Get or BatchGet, and for the sum of a
Query. Writes: 1 KB a unit, rounded up for every item; one that replaces a larger item costs as much as that.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

READ_UNIT, WRITE_UNIT = 4096, 1024
CONTAINER, ELEMENT = 3, 1

RawValue = Mapping[str, Any]
RawItem = Mapping[str, RawValue]


def item_size(item: RawItem) -> int:
    """Bytes of an item in DynamoDB's own form, such as {"pk": {"S": "BTC"}, "close": {"N": "60000.5"}}."""
    return sum(len(name.encode()) + _value_size(value) for name, value in item.items())


def _value_size(value: RawValue) -> int:
    ((kind, inner),) = value.items()
    if kind == "S":
        return len(inner.encode())
    if kind == "B":
        return len(inner)
    if kind == "N":
        return _number_size(inner)
    if kind in ("BOOL", "NULL"):
        return 1
    if kind == "L":
        return CONTAINER + sum(ELEMENT + _value_size(each) for each in inner)
    if kind == "M":
        return CONTAINER + sum(ELEMENT + len(name.encode()) + _value_size(each) for name, each in inner.items())
    raise ValueError(f"attribute has kind {kind!r}; expected one of S, N, B, BOOL, NULL, L, M")


def _number_size(text: str) -> int:
    """Leading and trailing zeros are not stored."""
    sign, digits, _ = Decimal(text).normalize().as_tuple()
    return 1 + math.ceil(len(digits) / 2) + sign if any(digits) else 1


def read_units(size: int) -> int:
    """Units of one strong read of `size` bytes; reading nothing costs one as well."""
    return max(1, math.ceil(size / READ_UNIT))


def write_units(size: int, replaced: int = 0) -> int:
    return max(1, math.ceil(max(size, replaced) / WRITE_UNIT))


@dataclass(slots=True)
class Meter:
    """Listens to a botocore client of DynamoDB: requests, units and bytes by operation. One request at a time.

    Only what the project's stores send is known; another operation raises, so that nothing goes uncounted.
    """

    requests: Counter[str] = field(default_factory=Counter)
    reads: int = 0
    read_bytes: int = 0
    writes: Counter[str] = field(default_factory=Counter)
    """Write units by the sort key's item."""
    _sizes: dict[tuple[str, str], int] = field(default_factory=dict)
    _asked: dict[str, Any] = field(default_factory=dict)

    def listen_to(self, client: Any) -> None:
        client.meta.events.register("provide-client-params.dynamodb.*", self._remember)
        client.meta.events.register("after-call.dynamodb.*", self._count)

    def reset(self) -> None:
        """Start counting anew; the sizes of stored items stay known."""
        self.requests.clear()
        self.writes.clear()
        self.reads = self.read_bytes = 0

    def _remember(self, params: dict[str, Any], **_: Any) -> None:
        self._asked = params

    def _count(self, parsed: dict[str, Any], model: Any, **_: Any) -> None:
        self.requests[model.name] += 1
        if model.name in ("GetItem", "Query"):
            self._require_strong(self._asked)
            items = parsed["Items"] if model.name == "Query" else [parsed.get("Item", {})]
            self._add_read(sum(map(item_size, items)))
        elif model.name == "BatchGetItem":
            self._count_batch(parsed)
        elif model.name == "PutItem":
            self._count_put(self._asked["Item"])
        elif model.name != "DescribeTable":
            raise ValueError(f"request {model.name} is not known to the meter; expected a Get, Query, BatchGet or Put")

    def _count_batch(self, parsed: dict[str, Any]) -> None:
        for table, asked in self._asked["RequestItems"].items():
            self._require_strong(asked)
            found = parsed["Responses"].get(table, [])
            left = len(parsed.get("UnprocessedKeys", {}).get(table, {}).get("Keys", ()))
            for item in found:
                self._add_read(item_size(item))
            for _ in range(len(asked["Keys"]) - left - len(found)):
                self._add_read(0)

    def _count_put(self, item: RawItem) -> None:
        """A put that loses its condition is charged like one that wins."""
        key, size = (item["pk"]["S"], item["sk"]["S"]), item_size(item)
        self.writes[key[0].partition("#")[0]] += write_units(size, self._sizes.get(key, 0))
        self._sizes[key] = size

    def _add_read(self, size: int) -> None:
        self.reads += read_units(size)
        self.read_bytes += size

    def _require_strong(self, asked: Mapping[str, Any]) -> None:
        if not asked.get("ConsistentRead"):
            raise ValueError("a read is not strong; expected ConsistentRead, the units are counted for that")
