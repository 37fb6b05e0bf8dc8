"""Makes moto's DynamoDB answer in time that does not grow with the table. Its answers stay the same.

moto reads the whole table for every query, copies whole tables, items and all, once for every part of a transaction to
be able to take it back, and tries ten kinds under five spellings for every attribute it sends. After a few simulated
days that was most of a run's time (measured: 140 of 300 s, and 2 GB of memory). Here a query looks at its own
partition, a transaction keeps references to the items instead of copies (an update then works on a copy of its own),
and of an attribute only the kind that it has is written.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from functools import cache, wraps
from typing import Any

from moto.core import responses
from moto.core.serialize import JSONSerializer
from moto.core.utils import method_names_from_class
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import Table

INDEX_NAME = 6
"""Position of `index_name` among the arguments of `Table.query` after the key."""


def speed_up() -> None:
    """Change moto's classes in this process. Requests must be served one at a time from here on."""
    changed: tuple[tuple[Any, str, Any], ...] = (
        (Table, "query", _query_of_partition(Table.query)),
        (Table, "__deepcopy__", _snapshot),
        (DynamoDBBackend, "update_item", _update_of_copy(DynamoDBBackend.update_item)),
        (JSONSerializer, "_serialize_type_structure", _one_kind(JSONSerializer._serialize_type_structure)),
        (responses, "method_names_from_class", cache(method_names_from_class)),
    )
    for owner, name, method in changed:
        setattr(owner, name, method)


def _query_of_partition(query: Any) -> Any:
    @wraps(query)
    def query_partition(self: Any, hash_key: Any, *arguments: Any, **options: Any) -> Any:
        index_name = options.get("index_name") or (arguments[INDEX_NAME] if len(arguments) > INDEX_NAME else None)
        if index_name or not self.has_range_key or hash_key is None:
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


def _one_kind(serialize: Any) -> Any:
    @wraps(serialize)
    def serialize_one_kind(self: Any, serialized: Any, value: Any, shape: Any, key: str) -> None:
        if shape.name != "AttributeValue" or type(value) is not dict or len(value) != 1:
            serialize(self, serialized, value, shape, key)
            return
        ((kind, inner),) = value.items()
        wrapper: dict[str, Any] = {}
        if kind in ("S", "N") and type(inner) is str:
            wrapper[kind] = inner
        else:
            self._serialize(wrapper, inner, shape.members[kind], kind)
        self._default_serialize(serialized, wrapper, shape, key)

    return serialize_one_kind
