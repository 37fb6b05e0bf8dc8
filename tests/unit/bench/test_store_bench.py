"""A tiny run of the store's bench: real emulator process, real clients, both ways."""

from __future__ import annotations

import pytest

from tests.bench import sample_bars, store
from tests.bench.candle_item import candle_items, lean_items
from tests.bench.capacity import item_size
from trading.model.instruments import InstrumentId
from trading.model.times import Timeframe

BTC = InstrumentId("BTC")
RATIOS = ("read_units_vs_item_per_candle", "write_units_vs_item_per_candle", "cpu_vs_item_per_candle")


@pytest.fixture(scope="module")
def document() -> dict:
    return store.run(store.StoreBench(coins=1, names=2, bars=60, kept=60, runs=1, item_runs=1)).document()


def test_tiny_run_has_the_documented_shape(document: dict) -> None:
    assert document["subject"] == "store"
    assert [row["bars"] for row in document["rows"]] == [240, 240, 480, 480, 480]
    for row in document["rows"]:
        assert row["cpu_seconds_median"] >= row["cpu_seconds_min"] > 0
        assert row["peak_mib"] > 10
    assert all(document["ratios"][name] > 0 for name in RATIOS)


def test_tiny_run_counts_requests_of_both_ways(document: dict) -> None:
    ours, theirs, scaled, _, _ = document["rows"]
    assert theirs["requests"] == 4
    # The index, one Query for each timeframe, one batch of blocks.
    assert ours["requests"] == 1 + 4 + 1
    assert scaled["requests"] == 2 * ours["requests"]
    assert theirs["read_units"] == 4 * 2


def test_candle_item_counts_every_attribute() -> None:
    bars = sample_bars.four_timeframes(1, sample_bars.MIDDLE, 3)[BTC, Timeframe.M15]
    item, lean = (items((BTC, Timeframe.M15), bars)[0].serialize() for items in (candle_items, lean_items))
    assert set(item) == {"pk", "sk", "open", "high", "low", "close", "volume", "expires_at"}
    assert set(item) - set(lean) == {"expires_at"}
    assert item["pk"] == {"S": "CANDLES#BTC#15m"}
    assert item_size(item) > item_size(lean)


def test_copies_of_coins_hold_other_bars() -> None:
    bars = sample_bars.four_timeframes(1, sample_bars.MIDDLE, 100)
    copies = sample_bars.under_more_names(bars, 3)
    series = [copies[InstrumentId(name), Timeframe.H1] for name in ("BTC", "BTC1", "BTC2")]
    assert len(copies) == 12
    assert len({each.closes[0] for each in series}) == 3
    assert len({tuple(each.times) for each in series}) == 1
    assert len({tuple(sorted(each.closes)) for each in series}) == 1
