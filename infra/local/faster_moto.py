"""Makes moto's DynamoDB answer in time that does not grow with the table. Its answers stay the same.

moto reads the whole table for every query, and copies whole tables, items and all, once for every part of a
transaction to be able to take it back. After a few simulated days that was most of a run's time (measured: 140 of 300
s, and 2 GB of memory). Here a query looks at its own partition, and a transaction keeps references to the items instead
of copies, which is safe because an update then works on a copy of its own.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from functools import wraps
from typing import Any

from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import Table


def speed_up() -> None:
    """Change moto's classes in this process. Requests must be served one at a time from here on."""
    changed: tuple[tuple[Any, str, Any], ...] = (
        (Table, "query", _query_of_partition(Table.query)),
        (Table, "__deepcopy__", _snapshot),
        (DynamoDBBackend, "update_item", _update_of_copy(DynamoDBBackend.update_item)),
    )
    for owner, name, method in changed:
        setattr(owner, name, method)


def _query_of_partition(query: Any) -> Any:
    @wraps(query)
    def query_partition(self: Any, hash_key: Any, *arguments: Any, **options: Any) -> Any:
        if options.get("index_name") or not self.has_range_key or hash_key is None:
            return query(self, hash_key, *arguments, **options)
        whole = self.items
        self.items = {hash_key: whole[hash_key]} if hash_key in whole else {}
        try:
            return query(self, hash_key, *arguments, **options)
        finally:
            self.items = whole

    return query_partition


def _snapshot(self: Any, memo: dict[int, Any]) -> Any:  # noqa: ARG001 - the signature of __deepcopy__
    kept = object.__new__(type(self))
    kept.__dict__.update(self.__dict__)
    items: defaultdict[Any, Any] = defaultdict(dict)
    items.update({key: dict(part) if self.has_range_key else part for key, part in self.items.items()})
    kept.items = items
    return kept


def _update_of_copy(update_item: Any) -> Any:
    @wraps(update_item)
    def update_copy(self: Any, table_name: str, key: dict[str, Any], *arguments: Any, **options: Any) -> Any:
        table = self.get_table(table_name)
        if table.has_range_key and table.hash_key_attr in key and table.range_key_attr in key:
            part = table.items.get(DynamoType(key[table.hash_key_attr]), {})
            name = DynamoType(key[table.range_key_attr])
            if name in part:
                part[name] = copy.deepcopy(part[name])
        return update_item(self, table_name, key, *arguments, **options)

    return update_copy
