"""What ingest and its store ask of DynamoDB: nothing twice, and no write that is bound to be refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from shared.storage.market_data import MarketDataStore
from shared.storage.tables import MarketDataItem, connection
from tests.fakes.spot_market import wave
from tests.integration.market_data.conftest import BARS_KEPT, MARKET, listening
from tests.integration.market_data.ingest_scene import KEPT, MIDNIGHT, MINUTE, START, Scene, assert_complete
from trading.model.candles import CandleSeries
from trading.model.instruments import InstrumentId
from trading.model.times import Timeframe, from_epoch

BTC, ETH = InstrumentId("BTC"), InstrumentId("ETH")
M15 = Timeframe.M15
QUARTER = timedelta(minutes=15)
BAR = wave(MIDNIGHT, 1)
CLOSE, NEXT_DAY = from_epoch(MIDNIGHT + 900), from_epoch(MIDNIGHT + 86400 + 900)


@dataclass(slots=True)
class Requests:
    """What the client of the market data sent: operation and kind of item (INDEX, CANDLES for blocks, SLAB ...).

    `refused`: writes that lost their condition.
    """

    sent: list[tuple[str, str]] = field(default_factory=list)
    refused: int = 0

    def note(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        values = params.get("ExpressionAttributeValues", {":0": {"S": ""}})
        key = params.get("Key") or params.get("Item") or {"pk": next(iter(values.values()))}
        partition, of_a_coin, _ = key["pk"]["S"].partition("#")
        self.sent.append((model.name, "INDEX" if partition == "CANDLES" and not of_a_coin else partition))

    def note_answer(self, parsed: dict[str, Any], **_: Any) -> None:
        self.refused += "ConditionalCheckFailed" in parsed.get("Error", {}).get("Code", "")

    def count(self, operation: str, kind: str) -> int:
        return self.sent.count((operation, kind))

    def forget(self) -> None:
        self.sent.clear()
        self.refused = 0


@pytest.fixture
def requests(store: MarketDataStore) -> Iterator[Requests]:
    requests = Requests()
    with (
        listening(MarketDataItem, "provide-client-params.dynamodb", requests.note),
        listening(MarketDataItem, "after-call.dynamodb", requests.note_answer),
    ):
        yield requests


@pytest.fixture
def large(scene: Scene) -> Scene:
    """Three coins are two shards here, and their first close is concluded."""
    scene.change_rules("ingest", shard_above=2, shard_coins=2)
    scene.run(START)
    scene.run_shards(START)
    return scene


def in_a_fresh_process(scene: Scene) -> None:
    scene.world = replace(scene.world, store=MarketDataStore(MARKET, bars_kept=KEPT))


def test_sending_out_shards_reads_everything_once(large: Scene, requests: Requests) -> None:
    large.run(START + QUARTER)
    # Of the index: one read for the fold, one for what lacks.
    assert (requests.count("GetItem", "INDEX"), requests.count("Query", "QUALITY")) == (2, 1)
    assert len(large.sent) == 2


def test_last_shard_reads_no_quality_to_conclude(large: Scene, requests: Requests) -> None:
    large.run(START + QUARTER)
    requests.forget()
    large.run_shards(START + QUARTER)
    assert len(large.announced) == 2
    # Each shard for its fetch, and the first once more to say what the others lack.
    assert requests.count("Query", "QUALITY") == 3


def test_late_coin_is_stored_without_a_refused_write(scene: Scene, requests: Requests) -> None:
    scene.run(START)
    now = START + QUARTER
    scene.spot.hidden = {("XBBBZUSD", MIDNIGHT + 41 * 900)}
    scene.run(now)
    scene.spot.hidden = set()
    in_a_fresh_process(scene)
    requests.forget()
    scene.run(now + MINUTE)
    assert (requests.count("PutItem", "SLAB"), requests.refused) == (1, 0)
    assert_complete(scene, now)


def test_next_portion_is_stored_without_a_refused_write(store: MarketDataStore, requests: Requests) -> None:
    store.add({(BTC, M15): BAR}, CLOSE)
    requests.forget()
    store.add({(ETH, M15): BAR}, CLOSE)
    assert (requests.count("GetItem", "SLAB"), requests.count("PutItem", "SLAB"), requests.refused) == (1, 1, 0)


def test_new_slab_is_written_without_a_read(store: MarketDataStore, requests: Requests) -> None:
    store.add({(BTC, M15): BAR}, CLOSE)
    assert (requests.count("GetItem", "SLAB"), requests.count("PutItem", "SLAB")) == (0, 1)


def test_slab_of_an_unknown_writer_is_kept(store: MarketDataStore, requests: Requests) -> None:
    store.add({(BTC, M15): BAR}, CLOSE)
    MarketDataStore(MARKET, bars_kept=BARS_KEPT).add({(ETH, M15): BAR}, CLOSE)
    assert requests.refused == 1
    assert store.present(CLOSE, [M15]) == {(BTC, M15), (ETH, M15)}


def test_fold_reads_all_blocks_in_one_request(store: MarketDataStore, requests: Requests) -> None:
    coins = [InstrumentId(f"C{number:02d}") for number in range(40)]
    store.add_history({(coin, each): CandleSeries(each) for coin in coins for each in Timeframe}, CLOSE)
    store.add({(coin, M15): BAR for coin in coins}, CLOSE)
    requests.forget()
    assert store.fold(NEXT_DAY) == len(coins)
    # Once before the index says that the day is folded, once after it.
    assert [name for name, _ in requests.sent].count("BatchGetItem") == 2
    assert (requests.count("GetItem", "CANDLES"), requests.count("PutItem", "CANDLES")) == (0, len(coins))


def test_block_changed_meanwhile_loses_no_bar(store: MarketDataStore, requests: Requests) -> None:
    def overtake(params: dict[str, Any], **_: Any) -> None:
        events.unregister("provide-client-params.dynamodb.PutItem", overtake)
        MarketDataStore(MARKET, bars_kept=BARS_KEPT).add_history({(BTC, M15): BAR}, CLOSE)

    events = connection(MarketDataItem).connection.client.meta.events
    events.register("provide-client-params.dynamodb.PutItem", overtake)
    both = wave(MIDNIGHT, 2)
    store.add_history({(BTC, M15): both.last(1)}, CLOSE + QUARTER)
    assert requests.refused >= 1
    assert store.load_series([BTC], [M15], CLOSE + QUARTER)[BTC, M15] == both
