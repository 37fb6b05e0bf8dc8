"""Capacity units follow DynamoDB's documented size rules."""

from __future__ import annotations

from typing import Any

import pytest

from tests.bench.capacity import Meter, item_size, read_units, write_units


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ({"S": "BTC"}, 3),
        ({"S": "é"}, 2),
        ({"S": ""}, 0),
        ({"B": b"\x00" * 50}, 50),
        ({"BOOL": True}, 1),
        ({"NULL": True}, 1),
        ({"N": "0"}, 1),
        ({"N": "7"}, 2),
        ({"N": "60000"}, 2),
        ({"N": "0.0000105"}, 3),
        ({"N": "60123.5"}, 4),
        ({"N": "-60123.5"}, 5),
        ({"L": [{"S": "ab"}, {"N": "1"}]}, 3 + (1 + 2) + (1 + 2)),
        ({"M": {"key": {"S": "ab"}}}, 3 + 1 + 3 + 2),
    ],
)
def test_value_takes_its_documented_bytes(value: dict[str, Any], size: int) -> None:
    assert item_size({"": value}) == size


def test_item_is_names_and_values_together() -> None:
    item = {"pk": {"S": "CANDLES#BTC"}, "sk": {"S": "15m"}, "data": {"B": b"x" * 1000}, "version": {"N": "12"}}
    assert item_size(item) == (2 + 11) + (2 + 3) + (4 + 1000) + (7 + 2)


def test_unknown_kind_of_value_is_refused() -> None:
    with pytest.raises(ValueError, match="kind 'X'"):
        item_size({"pk": {"X": "?"}})


def test_units_are_rounded_up_from_one() -> None:
    assert [read_units(size) for size in (0, 1, 4096, 4097, 8193)] == [1, 1, 1, 2, 3]
    assert [write_units(size) for size in (0, 1, 1024, 1025, 2049)] == [1, 1, 1, 2, 3]


def test_replacing_larger_item_costs_its_size() -> None:
    assert write_units(100, replaced=5000) == 5
    assert write_units(5000, replaced=100) == 5


class Answer:
    """What botocore tells its listeners about one request."""

    def __init__(self, name: str) -> None:
        self.name = name


def told(meter: Meter, name: str, params: dict[str, Any], parsed: dict[str, Any]) -> Meter:
    meter._remember(params)
    meter._count(parsed, Answer(name))
    return meter


def an_item(size: int, key: str = "A") -> dict[str, Any]:
    """An item of `size` bytes: 4 for the keys' names, 1 for each key, 4 for the name of its data."""
    return {"pk": {"S": key}, "sk": {"S": "1"}, "data": {"B": b"x" * (size - 10)}}


def test_query_rounds_its_sum_once() -> None:
    answer = {"Items": [an_item(1500) for _ in range(4)]}
    meter = told(Meter(), "Query", {"ConsistentRead": True}, answer)
    assert (meter.reads, meter.read_bytes) == (2, 6000)


def test_batch_rounds_every_item_and_counts_missing() -> None:
    keys = [{"pk": {"S": name}} for name in "ABC"]
    asked = {"RequestItems": {"table": {"Keys": keys, "ConsistentRead": True}}}
    meter = told(Meter(), "BatchGetItem", asked, {"Responses": {"table": [an_item(1500), an_item(5000)]}})
    assert meter.reads == 1 + 2 + 1


def test_weak_reads_are_refused_by_the_meter() -> None:
    with pytest.raises(ValueError, match="not strong"):
        told(Meter(), "Query", {}, {"Items": []})


def test_request_the_meter_does_not_know_raises() -> None:
    with pytest.raises(ValueError, match="UpdateItem"):
        told(Meter(), "UpdateItem", {}, {})


def test_put_over_larger_item_is_charged_for_it() -> None:
    meter = told(Meter(), "PutItem", {"Item": an_item(3000)}, {})
    assert meter.writes.total() == 3
    meter.reset()
    told(meter, "PutItem", {"Item": an_item(500)}, {})
    assert meter.writes.total() == 3
    told(meter, "PutItem", {"Item": an_item(500)}, {})
    assert meter.writes.total() == 3 + 1
