"""The quality of coins in DynamoDB: what is saved is loaded, and two writers never overwrite each other."""

from __future__ import annotations

import zlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.storage.quality import QualityStore
from shared.storage.tables import MarketDataItem
from tests.integration.market_data.conftest import MARKET
from trading.errors import StoreConflict
from trading.model.instruments import InstrumentId
from trading.model.quality import CoinQuality, QualityState

AT = datetime(2024, 5, 1, 12, tzinfo=UTC)
LATER = AT + timedelta(minutes=1)
BTC, ETH = InstrumentId("BTC"), InstrumentId("ETH")
SOUND = CoinQuality.new(AT)
FROZEN = CoinQuality(
    state=QualityState.SUSPENDED,
    since=AT,
    reason="16 bars in a row stand at 0.05 without a trade, limit 16",
    failures=7,
    passes=0,
    failing_since=AT - timedelta(hours=6),
    probe_at=AT + timedelta(minutes=30),
    absent_until=1_714_564_800,
    failed_at=AT,
    passed_close=AT - timedelta(hours=7),
)


@pytest.fixture
def quality() -> QualityStore:
    return QualityStore(MARKET)


def stored(shard: str = "00") -> MarketDataItem:
    return MarketDataItem.get("QUALITY", shard, consistent_read=True)


def damage(data: bytes, shard: str = "00") -> None:
    item = stored(shard)
    item.data = data
    item.save()


def test_saved_quality_is_loaded_by_anyone(quality: QualityStore) -> None:
    quality.save(0, {BTC: SOUND, ETH: FROZEN}, AT)
    other = QualityStore(MARKET)
    assert other.load() == other.load_shard(0) == {BTC: SOUND, ETH: FROZEN}
    assert other.load_shard(1) == {}


def test_empty_table_knows_no_coin(quality: QualityStore) -> None:
    assert (quality.load(), quality.load_shard(0)) == ({}, {})


def test_newest_shard_wins_a_coin_named_twice(quality: QualityStore) -> None:
    quality.save(0, {BTC: FROZEN, ETH: FROZEN}, LATER)
    quality.save(1, {BTC: SOUND}, AT)
    assert quality.load() == {BTC: FROZEN, ETH: FROZEN}
    quality.save(1, {BTC: SOUND}, LATER + timedelta(minutes=1))
    assert quality.load() == {BTC: SOUND, ETH: FROZEN}


@pytest.mark.parametrize("whole", [True, False])
def test_second_writer_of_a_shard_is_refused(quality: QualityStore, whole: bool) -> None:
    quality.save(3, {BTC: SOUND}, AT)
    other = QualityStore(MARKET)
    assert (other.load() if whole else other.load_shard(3)) == {BTC: SOUND}
    quality.save(3, {BTC: FROZEN}, LATER)
    with pytest.raises(StoreConflict, match="shard 03"):
        other.save(3, {BTC: SOUND}, LATER)
    assert other.load_shard(3) == {BTC: FROZEN}
    other.save(3, {ETH: SOUND}, LATER)
    assert quality.load() == {ETH: SOUND}


@pytest.mark.parametrize("whole", [True, False])
def test_what_was_loaded_may_be_replaced(quality: QualityStore, whole: bool) -> None:
    quality.save(3, {BTC: SOUND}, AT)
    other = QualityStore(MARKET)
    assert (other.load() if whole else other.load_shard(3)) == {BTC: SOUND}
    other.save(3, {BTC: FROZEN}, LATER)
    other.save(3, {ETH: FROZEN}, LATER)
    assert quality.load() == {ETH: FROZEN}


def test_saving_without_loading_overwrites_nothing(quality: QualityStore) -> None:
    quality.save(0, {BTC: FROZEN}, AT)
    with pytest.raises(StoreConflict):
        QualityStore(MARKET).save(0, {BTC: SOUND}, LATER)
    assert quality.load() == {BTC: FROZEN}


@pytest.mark.parametrize(
    "data",
    [
        b"no zip at all",
        zlib.compress(b"\xff\xfe"),
        zlib.compress(b"{}"),
        zlib.compress(b'{"coins":[["BTC",{"state":"HEALTHY"}]]}'),
        zlib.compress(b'{"coins":[["BTC",{"state":"SICK"}]]}'),
    ],
    ids=["no zip", "no text", "no coins", "lacks fields", "unknown state"],
)
def test_corrupt_shard_reads_as_nothing_known(quality: QualityStore, data: bytes) -> None:
    quality.save(0, {BTC: FROZEN}, AT)
    quality.save(1, {ETH: FROZEN}, AT)
    damage(data)
    found = QualityStore(MARKET).load_all()
    assert (dict(found.coins), len(found.refused)) == ({ETH: FROZEN}, 1)
    assert found.refused[0].startswith("quality of shard 00: ")
    assert quality.load_shard(0) == {}
    quality.save(0, {BTC: SOUND}, LATER)
    assert QualityStore(MARKET).load() == {BTC: SOUND, ETH: FROZEN}


def test_impossible_quality_in_store_is_refused(quality: QualityStore) -> None:
    quality.save(0, {BTC: FROZEN}, AT)
    text = zlib.decompress(bytes(stored().data)).decode()
    damage(zlib.compress(text.replace('"SUSPENDED"', '"DEGRADED"').encode()))
    assert "expected one only when suspended" in quality.load_all().refused[0]


def test_quality_of_three_hundred_coins_stays_small(quality: QualityStore) -> None:
    coins = {
        InstrumentId(f"COIN{number}"): replace(FROZEN, absent_until=900 * number, since=AT + timedelta(seconds=number))
        for number in range(300)
    }
    quality.save(0, coins, AT)
    assert len(bytes(stored().data)) < 20_000
    assert QualityStore(MARKET).load() == coins
