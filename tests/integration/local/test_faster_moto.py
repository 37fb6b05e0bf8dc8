"""The faster emulator still answers as DynamoDB does: transactions, conditions, queries."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.local.provision import client

TABLE = "books"


@pytest.fixture
def tables(emulator_url: str) -> Any:
    found = client("dynamodb", emulator_url)
    if TABLE in found.list_tables()["TableNames"]:
        found.delete_table(TableName=TABLE)
    found.create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        BillingMode="PAY_PER_REQUEST",
    )
    return found


def key(pk: str, sk: str) -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def count_up(sk: str, condition: str) -> dict[str, Any]:
    return {
        "Update": {
            "TableName": TABLE,
            "Key": key("a", sk),
            "UpdateExpression": "ADD amount :one",
            "ConditionExpression": condition,
            "ExpressionAttributeValues": {":one": {"N": "1"}},
        }
    }


def stored(tables: Any, sk: str) -> dict[str, Any] | None:
    found: dict[str, Any] | None = tables.get_item(TableName=TABLE, Key=key("a", sk)).get("Item")
    return found


def test_refused_transaction_takes_every_part_back(tables: Any) -> None:
    tables.put_item(TableName=TABLE, Item={**key("a", "1"), "amount": {"N": "5"}})
    put = {"Put": {"TableName": TABLE, "Item": key("a", "new")}}
    delete = {"Delete": {"TableName": TABLE, "Key": key("a", "1")}}

    for parts in ([count_up("1", "amount = amount")], [delete]):
        with pytest.raises(ClientError, match="ConditionalCheckFailed"):
            tables.transact_write_items(TransactItems=[*parts, put, count_up("2", "attribute_exists(pk)")])
    assert stored(tables, "1") == {**key("a", "1"), "amount": {"N": "5"}}
    assert stored(tables, "new") is None


def test_accepted_transaction_changes_every_part(tables: Any) -> None:
    tables.put_item(TableName=TABLE, Item={**key("a", "1"), "amount": {"N": "5"}})
    parts = [count_up("1", "attribute_exists(pk)"), {"Put": {"TableName": TABLE, "Item": key("a", "2")}}]
    tables.transact_write_items(TransactItems=parts)

    assert stored(tables, "1") == {**key("a", "1"), "amount": {"N": "6"}}
    assert stored(tables, "2") == key("a", "2")


def test_query_gives_its_partition_in_order(tables: Any) -> None:
    for pk, sk in (("a", "2"), ("b", "1"), ("a", "1"), ("a", "10")):
        tables.put_item(TableName=TABLE, Item=key(pk, sk))
    asked = {"TableName": TABLE, "KeyConditionExpression": "pk = :p", "ExpressionAttributeValues": {":p": {"S": "a"}}}

    assert [each["sk"]["S"] for each in tables.query(**asked)["Items"]] == ["1", "10", "2"]
    first = tables.query(**asked, Limit=2)
    rest = tables.query(**asked, ExclusiveStartKey=first["LastEvaluatedKey"])
    assert [each["sk"]["S"] for each in rest["Items"]] == ["2"]


def test_query_of_a_missing_partition_is_empty(tables: Any) -> None:
    tables.put_item(TableName=TABLE, Item=key("a", "1"))
    values = {":p": {"S": "none"}}
    answer = tables.query(TableName=TABLE, KeyConditionExpression="pk = :p", ExpressionAttributeValues=values)

    assert answer["Items"] == []
    assert stored(tables, "1") == key("a", "1")


def test_every_kind_of_attribute_comes_back_as_written(tables: Any) -> None:
    kinds = {
        "text": {"S": "ä"},
        "number": {"N": "12.50"},
        "bytes": {"B": b"\x00\xff"},
        "flag": {"BOOL": False},
        "nothing": {"NULL": True},
        "list": {"L": [{"S": "a"}, {"N": "1"}]},
        "map": {"M": {"inner": {"B": b"x"}}},
        "texts": {"SS": ["a", "b"]},
        "empty": {"S": ""},
    }
    tables.put_item(TableName=TABLE, Item={**key("a", "1"), **kinds})

    assert stored(tables, "1") == {**key("a", "1"), **kinds}
