"""Live bodies that nautilus_trader captured, read by our client as they are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.venue import KrakenFuturesMarket, KrakenSpot
from tests.fakes.shared_folder import SHARED
from tests.integration.venue.loopback_venue import LoopbackVenue
from trading.model.times import Timeframe, from_epoch

CAPTURES = SHARED / "data" / "api_samples" / "nautilus_kraken"
pytestmark = pytest.mark.skipif(not CAPTURES.is_dir(), reason=f"captured bodies are not on this machine ({CAPTURES})")


def capture(name: str) -> Any:
    return json.loads((CAPTURES / name).read_text(encoding="utf-8"))


def test_captured_index_candles_are_read(loopback: LoopbackVenue) -> None:
    body = capture("http_futures_candles_spot.json")
    loopback.answer("/api/charts/v1/spot/PF_XBTUSD/1h", body)
    since = datetime.fromtimestamp(body["candles"][0]["time"] / 1000, UTC)
    market = KrakenFuturesMarket(base_url=loopback.url, timeout_s=2.0)
    answer = market.index_candles("PF_XBTUSD", Timeframe.H1, since)
    expected = [[row["time"] / 1000, *map(float, prices(row))] for row in body["candles"]]
    rows = zip(
        answer.bars.times, answer.bars.opens, answer.bars.highs, answer.bars.lows, answer.bars.closes, strict=True
    )
    assert [list(row) for row in rows] == expected[:-1]
    assert answer.complete_before == expected[-1][0]


def prices(row: dict[str, str]) -> Iterator[str]:
    return (row[name] for name in ("open", "high", "low", "close"))


def test_captured_quiet_bars_are_read(spot: KrakenSpot, loopback: LoopbackVenue) -> None:
    """The capture is of 1m bars: those on the 15m grid stand for 15m bars. Minutes without a trade are in it, flat."""
    result = capture("http_ohlc.json")["result"]
    (pair,) = result.keys() - {"last"}
    rows = [row for row in result[pair] if row[0] % 900 == 0 or row[0] > result["last"]]
    rows[-1][0] += -rows[-1][0] % 900
    last = result["last"] - result["last"] % 900
    loopback.answer("/0/public/OHLC", {"error": [], "result": {pair: rows, "last": last}})
    answer = spot.candles(pair, Timeframe.M15, from_epoch(rows[0][0]))
    assert (len(answer.bars), answer.bars.gaps, answer.complete_before) == (len(rows) - 1, 0, rows[-1][0])
    assert list(answer.bars.volumes) == [float(row[6]) for row in rows[:-1]]
    assert 0.0 in answer.bars.volumes
