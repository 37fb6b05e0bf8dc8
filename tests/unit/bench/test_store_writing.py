"""How a day of ingest is written in the bench of the store."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.bench import sample_bars
from tests.bench.cloud_emulator import create_table, emulated_tables
from tests.bench.store_writing import DayOfWrites, Ingest, write_a_day
from trading.model.instruments import InstrumentId

COINS = [InstrumentId(name) for name in "ABCDE"]
CLOSES = 96 + 24 + 6 + 1
"""Slabs of a day: one for each close of each timeframe."""


def written(ingest: Ingest) -> list[tuple[int, str]]:
    return [(shard, "".join(sorted(coins))) for shard, coins in ingest.writes(COINS)]


def test_shards_write_a_slab_each() -> None:
    assert written(Ingest(name="all")) == [(0, "ABCDE")]
    assert written(Ingest(name="shards", coins_per_write=2, sharded=True)) == [(1, "AB"), (2, "CD"), (3, "E")]


def test_paced_parts_add_to_one_slab() -> None:
    assert written(Ingest(name="paced", coins_per_write=2)) == [(0, "AB"), (0, "CD"), (0, "E")]


def test_late_coins_are_written_after_all_others() -> None:
    late = Ingest(name="late", coins_per_write=3, sharded=True, late=1)
    assert written(late) == [(1, "BC"), (2, "E"), (1, "A"), (2, "D")]


@pytest.fixture(scope="module")
def days() -> Mapping[str, DayOfWrites]:
    bars = sample_bars.four_timeframes(1, sample_bars.MIDNIGHT, 100 + 96)
    ingests = {
        "one": Ingest(name="one slab"),
        "shards": Ingest(name="a coin a slab", coins_per_write=1, sharded=True),
        "paced": Ingest(name="a coin a minute", coins_per_write=1),
    }
    with emulated_tables() as tables:
        return write_a_day(
            lambda way: create_table(tables, f"day-{way}"), sample_bars.under_more_names(bars, 2), 100, ingests
        )


def test_every_write_of_a_slab_is_counted(days: Mapping[str, DayOfWrites]) -> None:
    # A store that starts with the day writes its index once.
    assert days["one"].slab_writes == CLOSES
    assert days["shards"].slab_writes == 2 * CLOSES + 1
    assert days["paced"].slab_writes >= 2 * CLOSES + 1
    assert days["shards"].slabs == days["shards"].slab_writes


def test_folds_count_by_their_share_of_days(days: Mapping[str, DayOfWrites]) -> None:
    assert {day.items for day in days.values()} == {2 * CLOSES}
    # Two blocks and the index of 15m a day, of higher timeframes a quarter of that, a sixteenth ...
    daily = 1 + 1 / 4 + 1 / 16 + 1 / 96
    assert 3 * daily <= days["one"].folds <= 7 * daily


def test_made_up_tickers_are_all_different() -> None:
    bars = sample_bars.under_more_names(sample_bars.four_timeframes(1, sample_bars.MIDNIGHT, 100), 300)
    renamed = sample_bars.under_tickers(bars)
    assert len(renamed) == len(bars) == 1200
    assert all(3 <= len(coin) <= 5 for coin, _ in renamed)
    assert [series.closes[0] for series in renamed.values()] == [series.closes[0] for series in bars.values()]
