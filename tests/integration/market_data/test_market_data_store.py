"""Candles and the universe in DynamoDB."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.storage.candle_index import period_start
from shared.storage.market_data import SUBSTITUTES, MarketDataStore
from shared.storage.tables import MarketDataItem
from tests.fakes.futures_market import a_contract, a_pair
from tests.fakes.spot_market import wave
from tests.integration.market_data.conftest import BARS_KEPT, MARKET
from trading.errors import CorruptRecord, InvalidInput, StoreConflict
from trading.model.candles import CandleSeries
from trading.model.folding import merged
from trading.model.instruments import InstrumentId, Universe
from trading.model.times import Timeframe, from_epoch
from trading.rules import load_rules
from trading.universe.joining import Markets, join

BTC, ETH = InstrumentId("BTC"), InstrumentId("ETH")
M15 = Timeframe.M15
MIDNIGHT = 1_714_521_600
NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
EVENING = from_epoch(MIDNIGHT)
BOTH = wave(MIDNIGHT - 96 * 900, 96 + 48)
TODAY_SLABS = "SLAB#15m#2024-05-01T00:00:00.000Z"
YESTERDAY, TODAY = BOTH.until(MIDNIGHT), BOTH.last(48)


def loaded(store: MarketDataStore, coin: InstrumentId = BTC, now: datetime = NOON) -> CandleSeries:
    return store.load_series([coin], [M15], now)[coin, M15]


def test_bars_added_to_slabs_are_loaded(store: MarketDataStore) -> None:
    store.add({(BTC, M15): TODAY, (ETH, M15): TODAY.last(3)}, NOON)
    assert loaded(store) == TODAY
    assert loaded(store, ETH) == TODAY.last(3)
    assert len(loaded(store, InstrumentId("ZRX"))) == 0


def test_history_and_later_bars_join_without_seam(store: MarketDataStore) -> None:
    store.add_history({(BTC, M15): BOTH.until(MIDNIGHT + 10 * 900)}, from_epoch(MIDNIGHT + 10 * 900))
    store.add({(BTC, M15): TODAY.last(40)}, NOON)
    assert loaded(store) == BOTH.last(BARS_KEPT)


def test_fold_moves_slabs_into_blocks_unchanged(store: MarketDataStore) -> None:
    evening = from_epoch(MIDNIGHT)
    store.add({(BTC, M15): YESTERDAY, (ETH, M15): YESTERDAY.last(7)}, evening)
    assert store.fold(evening) == 0
    store.add({(BTC, M15): TODAY}, NOON)
    assert store.fold(NOON) == 2
    assert store.fold(NOON) == 0
    assert store.coverage(NOON).index.newest[BTC, M15] == YESTERDAY.times[-1]
    assert loaded(store) == BOTH.last(BARS_KEPT)
    assert loaded(store, ETH) == YESTERDAY.last(7)


def test_late_bar_of_folded_day_reaches_its_block(store: MarketDataStore) -> None:
    store.add({(BTC, M15): YESTERDAY.until(MIDNIGHT - 900)}, from_epoch(MIDNIGHT))
    store.fold(NOON)
    store.add({(BTC, M15): YESTERDAY.last(1)}, NOON)
    assert loaded(store) == YESTERDAY


def test_unclosed_bar_is_refused_and_nothing_stored(store: MarketDataStore) -> None:
    with pytest.raises(InvalidInput, match="expected closed by"):
        store.add({(BTC, M15): TODAY}, NOON - timedelta(seconds=1))
    with pytest.raises(InvalidInput, match="expected closed by"):
        store.add_history({(BTC, M15): TODAY}, NOON - timedelta(seconds=1))
    assert len(loaded(store)) == 0


def test_loading_never_shows_bars_of_the_future(store: MarketDataStore) -> None:
    store.add({(BTC, M15): TODAY}, NOON)
    assert loaded(store, now=NOON - timedelta(minutes=1)) == TODAY.until(MIDNIGHT + 47 * 900)


def test_bar_that_is_stored_never_changes(store: MarketDataStore) -> None:
    store.add({(BTC, M15): TODAY}, NOON)
    store.add({(BTC, M15): wave(MIDNIGHT, 48, start_price=900.0)}, NOON)
    assert loaded(store) == TODAY


SPAN = BOTH.until(MIDNIGHT + 12 * 900).last(24)
spans = st.tuples(st.integers(0, 23), st.integers(1, 24))


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(repeated=st.lists(spans, max_size=4), cut=st.integers(1, 23), folds=st.integers(0, 2), chance=st.randoms())
def test_order_duplication_and_splitting_change_nothing(
    repeated: list[tuple[int, int]], cut: int, folds: int, chance: Random
) -> None:
    store = MarketDataStore(MARKET, bars_kept=16)
    for item in MarketDataItem.scan():
        item.delete()
    store.add({}, from_epoch(MIDNIGHT - 900))
    parts = [SPAN.last(24 - cut), SPAN.until(SPAN.times[cut])]
    parts += [SPAN.last(24 - start).until(SPAN.times[min(start + count, 24) - 1] + 900) for start, count in repeated]
    steps: list[CandleSeries | None] = [*parts, *[None] * folds]
    chance.shuffle(steps)
    for step in steps:
        if step is None:
            store.fold(NOON)
        else:
            store.add({(BTC, M15): step}, NOON, chance.randrange(3))
    assert loaded(store) == SPAN.last(16)
    store.fold(NOON)
    assert loaded(store) == SPAN.last(16)


def damage(store: MarketDataStore, pk: str, sk: str) -> None:
    item = MarketDataItem.get(pk, sk)
    data = bytearray(item.data)
    data[len(data) // 2] ^= 1
    item.data = bytes(data)
    item.save()


def test_corrupt_block_is_named_and_fetched_again(store: MarketDataStore) -> None:
    history = {(BTC, each): CandleSeries(each) for each in Timeframe} | {(BTC, M15): YESTERDAY}
    store.add_history(history, NOON)
    damage(store, "CANDLES#BTC", "15m")
    with pytest.raises(CorruptRecord, match="candle block BTC 15m"):
        loaded(store)
    found = store.load([BTC], [M15], NOON)
    assert (len(found.series[BTC, M15]), list(found.refused)) == (0, [(BTC, M15)])
    store.forget([BTC], NOON)
    assert not store.coverage(NOON).index.has_blocks(BTC)
    store.add_history(history, NOON)
    assert loaded(store) == YESTERDAY


def test_corrupt_slab_counts_as_missing_and_heals(store: MarketDataStore) -> None:
    store.add_history({(BTC, M15): YESTERDAY}, from_epoch(MIDNIGHT))
    store.add({(BTC, M15): TODAY}, NOON)
    damage(store, TODAY_SLABS, "2024-05-01T03:00:00.000Z#00")
    coverage = store.coverage(NOON)
    assert len(coverage.refused) == 1
    assert coverage.first_missing((BTC, M15)) == MIDNIGHT + 3 * 3600
    store.add({(BTC, M15): TODAY.last(36)}, NOON)
    assert loaded(store) == BOTH.last(BARS_KEPT)


def test_corrupt_slab_takes_no_other_closes_with_it(store: MarketDataStore) -> None:
    store.add({(BTC, M15): TODAY}, NOON, 1)
    store.add({(ETH, M15): TODAY}, NOON, 2)
    damage(store, TODAY_SLABS, "2024-05-01T11:45:00.000Z#01")
    assert store.last_closes(NOON) == {ETH: TODAY.closes[-1]}
    assert store.present(NOON, [M15]) == {(ETH, M15)}


def test_shards_of_one_close_share_no_item(store: MarketDataStore) -> None:
    store.add({(BTC, M15): TODAY}, NOON, 1)
    store.add({(ETH, M15): TODAY}, NOON, 2)
    store.add({(BTC, M15): TODAY}, NOON, 2)  # a coin that moved to another shard
    partition = list(MarketDataItem.query(TODAY_SLABS))
    assert len(partition) == 2 * 48
    assert loaded(store) == loaded(store, ETH) == TODAY
    assert store.last_closes(NOON) == {BTC: TODAY.closes[-1], ETH: TODAY.closes[-1]}


def test_substitute_is_shown_until_the_real_bar_comes(store: MarketDataStore) -> None:
    store.add_history({(BTC, each): CandleSeries(each) for each in Timeframe} | {(BTC, M15): YESTERDAY}, EVENING)
    other = wave(MIDNIGHT, 48, 900.0)
    store.add({(BTC, M15): other}, NOON, SUBSTITUTES)
    assert loaded(store).last(48) == other
    assert store.coverage(NOON).first_missing((BTC, M15)) == MIDNIGHT
    assert store.present(NOON, [M15]) == frozenset()
    store.add({(BTC, M15): TODAY.last(10)}, NOON)
    assert loaded(store).last(48) == merged(TODAY.last(10), other)
    assert store.present(NOON, [M15]) == {(BTC, M15)}
    store.fold(from_epoch(MIDNIGHT + 86400 + 900))
    assert loaded(store).last(48) == merged(TODAY.last(10), other)


def test_series_is_present_in_block_or_slab(store: MarketDataStore) -> None:
    store.add_history({(BTC, each): CandleSeries(each) for each in Timeframe} | {(BTC, M15): TODAY}, NOON)
    store.add({(ETH, M15): TODAY}, NOON)
    assert store.present(NOON, [M15]) == {(BTC, M15), (ETH, M15)}
    assert store.present(NOON + timedelta(minutes=15), [M15]) == frozenset()


def test_fold_forgets_coin_with_corrupt_block(store: MarketDataStore) -> None:
    evening = from_epoch(MIDNIGHT)
    store.add_history({(coin, each): CandleSeries(each) for coin in (BTC, ETH) for each in Timeframe}, evening)
    store.add({(BTC, M15): TODAY, (ETH, M15): TODAY}, NOON)
    damage(store, "CANDLES#BTC", "15m")
    tomorrow = from_epoch(MIDNIGHT + 86400 + 900)
    store.fold(tomorrow)
    index = store.coverage(tomorrow).index
    assert (index.has_blocks(BTC), index.has_blocks(ETH)) == (False, True)
    assert loaded(store, ETH, tomorrow) == TODAY


def a_universe(*bases: str) -> Universe:
    rules = replace(load_rules().universe, pinned=bases)
    contracts = tuple(a_contract(base) for base in bases)
    return join(Markets(pairs=tuple(map(a_pair, bases)), contracts=contracts, quotes={}), rules)


def test_universe_version_moves_only_with_its_markets(store: MarketDataStore) -> None:
    assert store.universe() is None
    first = store.save_universe(a_universe("BTC"), NOON, None)
    again = store.save_universe(a_universe("BTC"), NOON + timedelta(hours=4), first)
    changed = store.save_universe(a_universe("BTC", "ETH"), NOON + timedelta(hours=8), again)
    assert [each.version for each in (first, again, changed)] == [1, 1, 2]
    assert store.universe() == changed


def test_second_writer_of_universe_loses(store: MarketDataStore) -> None:
    first = store.save_universe(a_universe("BTC"), NOON, None)
    store.save_universe(a_universe("ETH"), NOON, first)
    with pytest.raises(StoreConflict, match="no longer at version 1"):
        store.save_universe(a_universe("ZRX"), NOON, first)
    with pytest.raises(StoreConflict):
        store.save_universe(a_universe("ZRX"), NOON, None)


def test_corrupt_universe_is_refused(store: MarketDataStore) -> None:
    store.save_universe(a_universe("BTC"), NOON, None)
    damage(store, "UNIVERSE", "CURRENT")
    with pytest.raises(CorruptRecord, match="universe"):
        MarketDataStore(MARKET, bars_kept=BARS_KEPT).universe()


def test_slab_periods_hold_ninety_six_bars() -> None:
    for timeframe in Timeframe:
        start = period_start(MIDNIGHT, timeframe)
        assert start % (96 * timeframe.seconds) == 0
        assert period_start(start + 95 * timeframe.seconds, timeframe) == start
        assert period_start(start + 96 * timeframe.seconds, timeframe) == start + 96 * timeframe.seconds
