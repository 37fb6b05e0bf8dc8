"""A market in which nothing happens by itself: prices stand still until a scenario moves them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from infra.local.market import Listing
from infra.local.market.bars import Bar, epoch
from infra.local.market.generated import COIN_PRICES
from infra.local.market.listings import TERMS, list_coin
from trading.matching import PricePoint, point_at

COINS = ("BTC", "ETH", "SOL", "XRP", "DOGE", "ADA", "LTC", "LINK", "AVAX", "DOT", "BCH", "ATOM")
BEFORE, AFTER = timedelta(days=1), timedelta(days=3)


class QuietMarket:
    """`infra.local.market.PriceSource`. A price moves in a straight line between what `move` has laid down."""

    kind = "scripted"

    def __init__(self, start: datetime) -> None:
        self.first, self.last = start - BEFORE, start + AFTER
        self._listings = tuple(list_coin(base, COIN_PRICES[base]) for base in COINS)
        self._bases = {each.contract: each.base for each in self._listings}
        prices = {base: Decimal(str(COIN_PRICES[base])) for base in COINS}
        self._points = {base: [PricePoint(self.first, price, price)] for base, price in prices.items()}
        self.volumes = {each.base: TERMS[each.tier].daily_volume_usd for each in self._listings}
        self.funding = dict.fromkeys(COINS, Decimal(0))
        """Share of the price that longs pay in an hour."""

    def move(self, base: str, begins: datetime, ends: datetime, to: tuple[Decimal, Decimal]) -> None:
        """Index and mark go from where they are at `begins` to `to` (USD) at `ends`."""
        here = self._at(base, begins)
        self._points[base] += [PricePoint(begins, here.index, here.mark), PricePoint(ends, *to)]

    def listings(self) -> tuple[Listing, ...]:
        return self._listings

    def quote(self, symbol: str, at: datetime) -> PricePoint:
        return self._at(self._bases[symbol], at)

    def path(self, symbol: str, start: datetime, end: datetime) -> Sequence[PricePoint]:
        between = [each for each in self._points[self._bases[symbol]] if start < each.time < end]
        return (self.quote(symbol, start), *between, self.quote(symbol, end))

    def funding_rate(self, symbol: str, at: datetime) -> Decimal:
        return self.funding[self._bases[symbol]] * self.quote(symbol, at).index

    def spot(self, base: str, at: datetime) -> Decimal:
        return self._at(base, at).index

    def candles(self, base: str, seconds: int, until: datetime, limit: int = 720) -> Sequence[Bar]:
        last, price = int(epoch(until) // seconds * seconds), float(self.spot(base, until))
        first = max(int(epoch(self.first)), last - limit * seconds)
        return [Bar(time, price, price, price, price, 1.0, 1) for time in range(first, last + 1, seconds)]

    def day(self, base: str, at: datetime) -> Bar:
        price = float(self.spot(base, at))
        return Bar(int(epoch(at)) - 86_400, price, price, price, price, self.volumes[base] / price, 1000)

    def _at(self, base: str, at: datetime) -> PricePoint:
        points = self._points[base]
        number = max(index for index, each in enumerate(points) if each.time <= at)
        if number + 1 == len(points):
            return PricePoint(at, points[number].index, points[number].mark)
        return point_at(points[number], points[number + 1], at)
