"""Bars to measure with: the local stack's generated coins, prices and volumes as exact as Kraken gives them."""

from __future__ import annotations

import random
from array import array
from collections.abc import Mapping
from functools import cache
from string import ascii_uppercase

from infra.local.market.generated import COIN_PRICES, coin_names, generate_bars
from infra.local.market.listings import list_coin
from shared.storage.candle_index import SLAB_BARS, SeriesKey
from trading.model import folding
from trading.model.candles import CandleSeries
from trading.model.instruments import InstrumentId
from trading.model.times import Timeframe

SEED = 4
PRICES = ("open", "high", "low", "close")
TURN = 37
"""Bars between one coin and its next copy: a prime, so that copies do not meet."""
TICKER_LETTERS = (3, 3, 3, 4, 4, 5)
"""How long made-up names are; half are longer than three letters."""

DAY = Timeframe.D1.seconds
PERIOD = SLAB_BARS * DAY
"""At every multiple of it (since 1970) all four timeframes end a slab period."""
MIDNIGHT = 200 * PERIOD
MIDDLE = MIDNIGHT + 58 * DAY + DAY // 2
"""A usual moment: of every timeframe about half of the slabs (48 to 63 of 96) wait for their fold."""
FIRST = MIDNIGHT - 820 * DAY


@cache
def quarter_hours(coin: str) -> CandleSeries:
    """15m bars of a coin from FIRST to MIDDLE, prices with the decimals of a listing at the newest of them.

    Two years of a generated coin go far from its first price; digits nobody quotes would make the bytes harder to pack.
    """
    price = COIN_PRICES[coin]
    span = (FIRST, (MIDDLE - FIRST) // Timeframe.M15.seconds)
    bars = generate_bars(list_coin(coin, price), price, SEED, span).bars
    decimals = list_coin(coin, bars[-1].close).spot_decimals
    times = array("q", (int(bar.time) for bar in bars))
    prices = (array("d", (round(getattr(bar, name), decimals) for bar in bars)) for name in PRICES)
    return CandleSeries.from_columns(Timeframe.M15, (times, *prices, array("d", (bar.volume for bar in bars))))


def derived(bars: CandleSeries, timeframe: Timeframe) -> CandleSeries:
    """Bars of a higher timeframe as ingest derives them: volumes are sums of doubles, not rounded."""
    return bars if timeframe is Timeframe.M15 else folding.fold(bars, timeframe)


def four_timeframes(coins: int, until: int, count: int) -> Mapping[SeriesKey, CandleSeries]:
    """The newest `count` bars closed by `until` (MIDDLE at the latest) of every timeframe, of `coins` coins."""
    series = {}
    for coin in coin_names(coins):
        bars = quarter_hours(coin).until(until)
        for timeframe in Timeframe:
            needed = bars.last((count + 1) * timeframe.seconds // Timeframe.M15.seconds)
            series[InstrumentId(coin), timeframe] = derived(needed, timeframe).last(count)
    return series


def under_more_names(series: Mapping[SeriesKey, CandleSeries], times: int) -> Mapping[SeriesKey, CandleSeries]:
    """`times` as many coins: BTC, BTC1, BTC2 ... Each has its coin's bars in turned order, so that no two are alike."""
    return {
        (InstrumentId(f"{coin}{copy or ''}"), timeframe): _turned(bars, copy * TURN)
        for (coin, timeframe), bars in series.items()
        for copy in range(times)
    }


def under_tickers(series: Mapping[SeriesKey, CandleSeries]) -> Mapping[SeriesKey, CandleSeries]:
    """The same bars under made-up names of three to five letters, in another order.

    In a slab BTC, BTC1 and BTC2 would stand side by side; names and prices that are alike make it smaller than it is.
    """
    coins = list(dict.fromkeys(coin for coin, _ in series))
    draw = random.Random(SEED)
    tickers: dict[str, None] = {}
    while len(tickers) < len(coins):
        tickers["".join(draw.choices(ascii_uppercase, k=draw.choice(TICKER_LETTERS)))] = None
    named = dict(zip(coins, tickers, strict=True))
    return {(InstrumentId(named[coin]), timeframe): bars for (coin, timeframe), bars in series.items()}


def _turned(series: CandleSeries, by: int) -> CandleSeries:
    """The last `by` bars come first; times stay."""
    start = len(series) - by % len(series)
    values = (column[start:] + column[:start] for column in series.columns[1:])
    return CandleSeries.from_columns(series.timeframe, (series.times, *values))
