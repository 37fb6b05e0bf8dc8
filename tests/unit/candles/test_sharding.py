"""Queue messages and the parts of a large universe."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from functions.ingest_candles.sharding import by_priority, shard_message, shard_numbers, shards_of
from shared.queues import message
from tests.fakes.futures_market import a_contract, a_pair, a_quote
from trading.errors import InvalidInput
from trading.model.instruments import InstrumentId, Universe
from trading.rules import load_rules
from trading.universe.joining import Markets, join

CLOSE = datetime(2024, 5, 1, 12, tzinfo=UTC)
RULES = load_rules().universe


def a_universe(count: int) -> Universe:
    bases = [f"C{number:03d}" for number in range(count)]
    quotes = {
        f"PF_{base}USD": a_quote(base, volume_usd=volume)
        for base, volume in zip(bases, [300_000, 600_000, 9_000_000] * count, strict=False)
    }
    contracts = tuple(map(a_contract, bases))
    return join(Markets(pairs=tuple(map(a_pair, bases)), contracts=contracts, quotes=quotes), RULES)


def test_queue_message_is_a_json_object() -> None:
    assert message({"messageId": "1", "body": '{"shard": 1}'}) == {"shard": 1}


@pytest.mark.parametrize("body", ["", "[1]", "{", None])
def test_unreadable_queue_message_is_refused(body: str | None) -> None:
    with pytest.raises(InvalidInput, match="expected a JSON object"):
        message({"messageId": "1", "body": body})


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"shard": 0, "instruments": ["BTC"]},
        {"shard": 99, "instruments": ["BTC"]},
        {"shard": True, "instruments": ["BTC"]},
        {"shard": 1, "instruments": []},
        {"shard": 1, "instruments": "BTC"},
        {"shard": 1, "instruments": [1]},
    ],
)
def test_shard_message_of_another_shape_is_refused(body: dict[str, object]) -> None:
    with pytest.raises(InvalidInput, match="shard message"):
        shard_message(body)


def test_shards_cover_the_wanted_coins_once() -> None:
    universe = a_universe(25)
    wanted = {coin.id for coin in universe.instruments} - {InstrumentId("C003")}
    shards = shards_of(universe, wanted, 10, CLOSE)
    assert [len(shard.coins) for shard in shards] == [9, 10, 5]
    assert {coin for shard in shards for coin in shard.coins} == wanted
    assert shard_message(shards[1].message()) == (2, frozenset(shards[1].coins))


def test_shard_without_wanted_coins_is_not_sent() -> None:
    universe = a_universe(25)
    assert [shard.number for shard in shards_of(universe, {InstrumentId("C024")}, 10, CLOSE)] == [3]


def test_coin_keeps_its_shard_whatever_is_wanted() -> None:
    universe = a_universe(25)
    numbers = shard_numbers(universe, 10)
    for shard in shards_of(universe, {InstrumentId("C012"), InstrumentId("C024")}, 10, CLOSE):
        assert {numbers[coin] for coin in shard.coins} == {shard.number}


def test_majors_come_first_then_the_tiers() -> None:
    universe = a_universe(12)
    rules = replace(RULES, pinned=("C004",))
    order = by_priority(universe.instruments, rules)
    assert order[0].id == "C004"
    tiers = [coin.tier.value for coin in order[1:]]
    assert tiers == sorted(tiers)
    assert set(tiers) == {"A", "B", "C"}
