"""Backfill from trades over the wire: Kraken's adapter against the sandbox as a process of its own.

The sandbox's trades are samples of its price, one every 75 s, so bars made of them lie inside its own OHLC bars.
"""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from infra.research.history import HistoryStore, Line
from infra.research.paced_trades import FASTEST, PacedTrades
from infra.research.trade_backfill import Wanted, backfill_trades
from infra.research.trade_progress import TradeProgressStore
from shared.venue import KrakenSpot
from shared.venue.transport import require_loopback
from tests.fakes.cloud import MARKET
from tests.integration.venue.sandbox_process import Sandbox, running_sandbox
from trading.model.candles import CandleSeries
from trading.model.folding import fold
from trading.model.instruments import InstrumentId
from trading.model.times import Timeframe

BTC, PAIR = InstrumentId("BTC"), "XXBTZUSD"
Bar = tuple[float, float, float, float]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running_sandbox() as running:
        running.advance(hours=7, minutes=10)
        yield running


@pytest.fixture(scope="module")
def now(sandbox: Sandbox) -> datetime:
    return sandbox.now()


@pytest.fixture
def bars(sandbox: Sandbox, history: HistoryStore, now: datetime) -> dict[Timeframe, CandleSeries]:
    """What the last five days of trades gave."""
    spot = KrakenSpot(clock=sandbox, base_url=sandbox.url, timeout_s=5.0)
    require_loopback(spot.wire.addresses())
    start = Timeframe.D1.floor(now - timedelta(days=5))
    wanted = Wanted(coin=BTC, pair=PAIR, start=start, until=now, now=now)
    source = PacedTrades(spot, pytest.fail, calls_per_second=FASTEST)
    outcome = backfill_trades(wanted, source, history, TradeProgressStore(MARKET), lambda _: None)
    assert outcome.pages > 5
    return {each: history.load(Line(coin=BTC, timeframe=each, quote="USD")) for each in Timeframe}


def offered(sandbox: Sandbox, minutes: int) -> dict[int, Bar]:
    """The sandbox's own committed OHLC bars by open time."""
    address = f"{sandbox.url}/0/public/OHLC?pair={PAIR}&interval={minutes}"
    with urllib.request.urlopen(address, timeout=10) as answer:
        result = json.load(answer)["result"]
    return {
        row[0]: (float(row[1]), float(row[2]), float(row[3]), float(row[4]))
        for row in result[PAIR]
        if row[0] <= result["last"]
    }


def test_bars_of_trades_lie_inside_ohlc_bars(
    sandbox: Sandbox, bars: dict[Timeframe, CandleSeries], now: datetime
) -> None:
    own, made = offered(sandbox, 15), bars[Timeframe.M15]
    first = int(Timeframe.D1.floor(now - timedelta(days=5)).timestamp())
    assert list(made.times) == [time for time in own if time >= first]
    for time, high, low in zip(made.times, made.highs, made.lows, strict=True):
        assert own[time][2] <= low <= high <= own[time][1]
    # The trade at the very open of a bar has the price that the bar opens with.
    assert [round(own[time][0] - opened, 6) for time, opened in zip(made.times, made.opens, strict=True)] == [
        0.0
    ] * len(made)


def test_longer_bars_are_folded_from_15m_bars(sandbox: Sandbox, bars: dict[Timeframe, CandleSeries]) -> None:
    for timeframe, minutes in ((Timeframe.H1, 60), (Timeframe.H4, 240), (Timeframe.D1, 1440)):
        own, made = offered(sandbox, minutes), bars[timeframe]
        assert made == fold(bars[Timeframe.M15], timeframe)
        assert list(made.times) == [time for time in own if time >= made.times[0]]
    assert len(bars[Timeframe.D1]) == 5


def test_each_15m_bar_has_all_twelve_samples(bars: dict[Timeframe, CandleSeries]) -> None:
    """The sandbox trades 1 + n % 7 coins at the n-th 75 s since 1970."""
    for time, volume in zip(bars[Timeframe.M15].times, bars[Timeframe.M15].volumes, strict=True):
        assert volume == sum(1 + number % 7 for number in range(time // 75, time // 75 + 12))
