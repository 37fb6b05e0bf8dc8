"""A universe too large for one function: sent out in shards, concluded by the last of them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.progress import INGEST, ingested_until
from shared.storage.tables import MarketDataItem
from tests.integration.market_data.ingest_scene import COINS, MIDNIGHT, MINUTE, START, Scene, assert_complete
from trading.model.times import Timeframe, from_epoch

CLOSE = from_epoch(MIDNIGHT + 41 * 900)
TODAY_SLABS = "SLAB#15m#2024-05-01T00:00:00.000Z"


@pytest.fixture
def large(scene: Scene) -> Scene:
    """Three coins are two shards here."""
    scene.change_rules("ingest", shard_above=2, shard_coins=2)
    return scene


def test_large_universe_is_sent_out_in_shards(large: Scene) -> None:
    proof = large.run(START)
    assert (proof["shards"], proof["watermark"], large.spot.calls) == (2, None, [])
    assert [shard.coins for shard in large.sent] == [("AAA", "BBB"), ("CCC",)]


def test_last_shard_concludes_the_close(large: Scene) -> None:
    large.run(START)
    first, second = large.sent
    large.sent[:] = [first]
    large.run_shards(START)
    assert large.announced == []
    large.sent[:] = [second]
    large.run_shards(START)
    assert large.announced == [CLOSE]
    assert ingested_until(large.world.control.last_runs()) == CLOSE
    assert_complete(large, START)


def test_concluded_close_is_not_sent_out_again(large: Scene) -> None:
    large.run(START)
    large.run_shards(START)
    proof = large.run(START + MINUTE)
    assert (proof["shards"], large.sent, large.announced) == (0, [], [CLOSE])


def test_only_lacking_coins_are_sent_out_again(large: Scene) -> None:
    large.run(START)
    large.run_shards(START)
    now = START + timedelta(minutes=15)
    large.spot.hidden = {("XBBBZUSD", MIDNIGHT + 41 * 900)}
    large.run(now)
    large.run_shards(now)
    assert len(large.announced) == 1
    large.spot.hidden = set()
    proof = large.run(now + MINUTE)
    assert proof["waiting"] == {"BBB": "asked for in shard 1"}
    assert [shard.coins for shard in large.sent] == [("BBB",)]
    large.run_shards(now + MINUTE)
    assert len(large.announced) == 2
    assert_complete(large, now)


def test_lost_shard_is_sent_out_again(large: Scene) -> None:
    large.run(START)
    large.sent.pop(0)
    large.run_shards(START)
    large.run(START + MINUTE)
    assert [shard.coins for shard in large.sent] == [("AAA", "BBB")]
    large.run_shards(START + MINUTE)
    assert_complete(large, START)


def test_shard_with_a_corrupt_slab_is_sent_out_again(large: Scene) -> None:
    large.run(START)
    large.run_shards(START)
    now = START + timedelta(minutes=15)
    large.run(now)
    large.sent.pop()
    large.run_shards(now)
    item = MarketDataItem.get(TODAY_SLABS, "2024-05-01T10:15:00.000Z#01")
    item.data = item.data[:-1]
    item.save()
    large.run(now + MINUTE)
    assert [shard.coins for shard in large.sent] == [("AAA", "BBB"), ("CCC",)]
    large.run_shards(now + MINUTE)
    assert_complete(large, now)


def test_shard_run_twice_stores_and_announces_once(large: Scene) -> None:
    large.run(START)
    sent = list(large.sent)
    large.run_shards(START)
    large.sent[:] = sent
    large.spot.calls.clear()
    large.run_shards(START)
    assert (large.spot.calls, large.announced) == ([], [CLOSE])


def test_hanging_shard_delays_no_other(large: Scene) -> None:
    large.run(START)
    large.run_shards(START)
    now = START + timedelta(minutes=15)
    large.change_rules("ingest", run_s=0.4)
    large.spot.hanging = {"XCCCZUSD"}
    try:
        large.run(now)
        large.run_shards(now)
        assert_complete(large, now, ("AAA", "BBB"))
        quality = large.quality("CCC")
        assert quality is not None
        assert quality.reason == "no answer within 0.42 s"
    finally:
        large.spot.released.set()
    assert large.run(now + MINUTE)["waiting"] == {"CCC": "no answer within 0.42 s"}


def test_shards_write_a_slab_of_their_own(large: Scene) -> None:
    large.run(START)
    large.run_shards(START)
    now = START + timedelta(minutes=15)
    large.run(now)
    large.run_shards(now)
    keys = [item.sk for item in MarketDataItem.query(TODAY_SLABS)]
    assert keys == ["2024-05-01T10:15:00.000Z#01", "2024-05-01T10:15:00.000Z#02"]


def test_day_of_shards_equals_the_exchange(large: Scene) -> None:
    now = START
    for _ in range(62):  # until 01:30 of the next day: a fold and the close of a 1d bar lie between
        large.run(now)
        large.run_shards(now)
        now += timedelta(minutes=15)
    assert_complete(large, now - timedelta(minutes=15))


def test_one_budget_for_all_pairs_needs_no_shards(large: Scene) -> None:
    large.change_rules("ingest", limit_per_ip=True)
    proof = large.run(START)
    assert (proof["shards"], large.sent, proof["new_coins"]) == (0, [], len(COINS))
    assert_complete(large, START)


def test_shard_before_any_discovery_does_nothing(large: Scene) -> None:
    large.run(START)
    MarketDataItem("UNIVERSE", "CURRENT").delete()
    assert [proof["coins"] for proof in large.run_shards(START)] == [0, 0]
    assert INGEST in large.world.control.last_runs()
    assert len(large.series("AAA", Timeframe.M15, START)) == 0
