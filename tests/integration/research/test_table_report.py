"""The report of a table: what decisions read beside what was backfilled, and records that do not decode by name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from infra.research import archives
from infra.research.backfill import backfill
from infra.research.history import HistoryStore
from infra.research.report import coverage_rows, of_table
from shared.storage.quality import QualityStore
from tests.fakes.candle_archives import START, segment_lines, write_segment
from tests.fakes.cloud import MARKET, Cloud
from tests.fakes.records import coin
from trading.errors import InvalidInput
from trading.model.instruments import InstrumentId, Universe
from trading.model.quality import CoinQuality, QualityState
from trading.model.times import Timeframe, from_epoch

NOW = from_epoch(START) + timedelta(hours=30)


def shown(now: datetime = NOW) -> dict[tuple[str, str], str]:
    rows = coverage_rows(of_table(MARKET, now), now)
    return {(row["source"], row["timeframe"]): row["quality"] for row in rows if row["coin"] == "BTC"}


@pytest.fixture
def filled(cloud: Cloud, history: HistoryStore, tmp_path: Path) -> Cloud:
    """A universe of one coin with 15m bars up to NOW; history of 20 bars."""
    bitcoin = coin("BTC")
    cloud.market.save_universe(Universe(instruments=(bitcoin,)), NOW, None)
    bars = archives.read(archives.named(write_segment(tmp_path, segment_lines(120))))
    cloud.market.add_history({(bitcoin.id, Timeframe.M15): bars}, NOW)
    path = write_segment(tmp_path, segment_lines(20, start=START - 86_400))
    backfill([path], history, NOW, lambda _: None)
    return cloud


def test_store_and_history_stand_side_by_side(filled: Cloud) -> None:
    assert shown() == {
        ("store", "15m"): "complete",
        ("store", "1h"): "empty",
        ("store", "4h"): "empty",
        ("store", "1d"): "empty",
        ("history", "15m"): "complete",
    }


def test_store_that_falls_behind_is_stale(filled: Cloud) -> None:
    later = shown(NOW + timedelta(hours=1))
    assert (later["store", "15m"], later["history", "15m"]) == ("stale", "complete")


def test_unreadable_records_are_named_as_quality(filled: Cloud, history: HistoryStore) -> None:
    for key in (("CANDLES#BTC", "15m"), ("HISTORY#BTC#15m", "2023-12")):
        item = history._item.get(*key)
        item.data = b"torn"
        item.save()
    found = shown()
    assert found["store", "15m"].startswith("candle block BTC 15m: candle record has 4 bytes")
    assert found["history", "15m"].startswith("history of BTC 15m 2023-12: candle record has 4 bytes")


def test_trust_of_ingest_is_shown_for_live_series(filled: Cloud) -> None:
    suspended = CoinQuality(
        state=QualityState.SUSPENDED,
        since=NOW,
        reason="no answer",
        failures=9,
        passes=0,
        failing_since=NOW,
        probe_at=NOW + timedelta(minutes=30),
    )
    assert trusts() == {"store": "healthy", "history": ""}
    QualityStore(MARKET).save(1, {InstrumentId("BTC"): suspended}, NOW)
    assert trusts()["store"] == f"suspended since {NOW:%Y-%m-%d %H:%M}: no answer"


def trusts() -> dict[str, str]:
    return {row["source"]: row["trust"] for row in coverage_rows(of_table(MARKET, NOW), NOW)}


def test_empty_table_is_said_in_words(cloud: Cloud) -> None:
    with pytest.raises(InvalidInput, match="neither a universe nor backfilled candles"):
        of_table(MARKET, datetime(2024, 1, 1, tzinfo=UTC))
