"""The price source protocol and its one implementation: coins with bar series, a basis and funding on top.

Index = spot price on the path through the bars. Mark = index x (1 + basis), the basis a few bps, slowly varying and
seeded. Funding follows the basis: USD per contract per hour.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Protocol

from infra.local.market.bars import BAR_SECONDS, Bar, BarSeries, epoch, fold, from_epoch
from infra.local.market.listings import DECOY_PRICES, Listing, decoy_listings
from infra.local.market.noise import slow_noise
from trading.errors import InvalidInput
from trading.matching import PricePoint, point_at
from trading.matching.path import PriceFeed

BASIS_FRACTION = 0.0004
FUNDING_FRACTION = 0.00001
HOUR_SECONDS = 3600


class PriceSource(PriceFeed, Protocol):
    """What the sandbox needs of a market. Symbols of prices are contract symbols, of candles and spot prices bases."""

    @property
    def kind(self) -> str:
        """`recorded` or `generated`."""
        ...

    @property
    def first(self) -> datetime:
        """First instant with a price."""
        ...

    @property
    def last(self) -> datetime:
        """Last instant with a price."""
        ...

    def listings(self) -> tuple[Listing, ...]:
        """All listings, coins first, in a stable order."""
        ...

    def spot(self, base: str, at: datetime) -> Decimal:
        """Spot price in USD at `at`."""
        ...

    def candles(self, base: str, seconds: int, until: datetime, limit: int = 720) -> Sequence[Bar]:
        """Spot bars of `seconds`, oldest first, the running one last after at most `limit` closed ones."""
        ...

    def day(self, base: str, at: datetime) -> Bar:
        """The last 24 hours folded into one bar."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketIdentity:
    """What a market is: `recorded` or `generated`, the seed of its basis and funding, its period (aware UTC)."""

    kind: str
    seed: int
    first: datetime
    last: datetime

    def __post_init__(self) -> None:
        if self.first >= self.last:
            raise InvalidInput(f"a market runs from {self.first} to {self.last}, expected a period of some length")


class CandleMarket:
    """Coins with unbroken 15 minute bars over one common period; see PriceSource for the contract."""

    def __init__(
        self, identity: MarketIdentity, coins: Sequence[Listing], load: Callable[[Listing], BarSeries]
    ) -> None:
        if not coins:
            raise InvalidInput("a market has no coins, expected at least one")
        self.kind = identity.kind
        self.seed = identity.seed
        self.first = identity.first
        self.last = identity.last
        decoys = decoy_listings({listing.base for listing in coins})
        self._coins = {listing.base: listing for listing in coins}
        self._listings = (*coins, *decoys)
        self._bases = {item.contract: item.base for item in self._listings if item.contract}
        self._load = load
        self._loaded: dict[str, BarSeries] = {}
        self._folded: dict[tuple[str, int], list[Bar]] = {}
        self._points = lru_cache(maxsize=20_000)(self._bar_points)
        self._days = lru_cache(maxsize=2_000)(self._day_before)

    def preload(self) -> None:
        """Load every coin now instead of on first use."""
        for base in self._coins:
            self._series(base)

    def _series(self, base: str) -> BarSeries | None:
        """Bars of a coin, None for a decoy."""
        found = self._loaded.get(base)
        if found is None and base in self._coins:
            found = self._loaded[base] = self._load(self._coins[base])
        return found

    def listings(self) -> tuple[Listing, ...]:
        """All listings, coins first, in a stable order."""
        return self._listings

    # prices of contracts (the feed of the matching core)

    def quote(self, symbol: str, at: datetime) -> PricePoint:
        """Index and mark of a contract at `at`."""
        return self._point_at(self._base(symbol), at)

    def _point_at(self, base: str, at: datetime) -> PricePoint:
        series = self._series(base)
        if series is None:
            price = Decimal(str(DECOY_PRICES[base]))
            return PricePoint(at, price, price)
        points = self._points(base, series.number_at(at))
        number = min(int((at - points[0].time).total_seconds() // (BAR_SECONDS // 3)), 2)
        return point_at(points[number], points[number + 1], at)

    def path(self, symbol: str, start: datetime, end: datetime) -> Sequence[PricePoint]:
        """Points of a contract's path from `start` to `end`; a jump at `end` is part of it."""
        first, last = self.quote(symbol, start), self.quote(symbol, end)
        base = self._base(symbol)
        series = self._series(base)
        if series is None:
            return (first, last)
        between = [first]
        for number in range(series.number_at(start), series.number_at(end) + 1):
            between.extend(point for point in self._points(base, number) if start < point.time <= end)
        if between[-1].time < end or between[-1] != last:
            between.append(last)
        return tuple(between)

    def funding_rate(self, symbol: str, at: datetime) -> Decimal:
        """USD per contract per hour in the hour that contains `at`; positive means longs pay."""
        hour = from_epoch(epoch(at) // HOUR_SECONDS * HOUR_SECONDS)
        base = self._base(symbol)
        relative = FUNDING_FRACTION * (0.5 + 1.5 * slow_noise(f"{self.seed}:{base}:funding", hour))
        index = self.quote(symbol, max(hour, self.first)).index
        return Decimal(f"{relative * float(index):.12g}")

    def _bars(self, base: str) -> BarSeries:
        series = self._series(base)
        if series is None:
            raise InvalidInput(f"{base} has no bars, expected one of {sorted(self._coins)}")
        return series

    def _base(self, symbol: str) -> str:
        base = self._bases.get(symbol)
        if base is None:
            raise InvalidInput(f"contract {symbol!r} is not listed, expected one of {sorted(self._bases)[:5]} ...")
        return base

    def _bar_points(self, base: str, number: int) -> tuple[PricePoint, ...]:
        """Path points of one bar with the basis applied."""
        return tuple(self._point(base, time, price) for time, price in self._bars(base).waypoints(number))

    def _point(self, base: str, seconds: float, price: float) -> PricePoint:
        at = from_epoch(seconds)
        basis = BASIS_FRACTION * slow_noise(f"{self.seed}:{base}:basis", at)
        return PricePoint(at, Decimal(repr(price)), Decimal(f"{price * (1 + basis):.12g}"))

    # spot

    def spot(self, base: str, at: datetime) -> Decimal:
        """Spot price in USD at `at`."""
        return self._point_at(base, at).index

    def candles(self, base: str, seconds: int, until: datetime, limit: int = 720) -> Sequence[Bar]:
        """Spot bars of `seconds`, oldest first, up to and including the one running at `until`."""
        series = self._series(base)
        if series is None:
            return self._flat(base, seconds, until)
        price = float(self.spot(base, until))
        running = series.running(until, price)
        if seconds < BAR_SECONDS:
            return self._finer(base, seconds, until, limit)
        start = int(epoch(until) // seconds * seconds)
        closed = self._closed(base, seconds)
        end = (start - closed[0].time) // seconds
        offset = series.number_at(from_epoch(max(start, series.bars[0].time)))
        tail = [*series.bars[offset : series.number_at(until)], running]
        return [*closed[max(end - limit, 0) : end], fold(tail, seconds)[-1]]

    def _closed(self, base: str, seconds: int) -> list[Bar]:
        found = self._folded.get((base, seconds))
        if found is None:
            found = self._folded[(base, seconds)] = fold(self._bars(base).bars, seconds)
        return found

    def _finer(self, base: str, seconds: int, until: datetime, limit: int) -> list[Bar]:
        """Bars shorter than the recorded ones, read off the path (each lies within one linear piece or at its ends)."""
        series = self._bars(base)
        last = int(epoch(until) // seconds * seconds)
        bars: list[Bar] = []
        for time in range(max(last - limit * seconds, series.bars[0].time), last + 1, seconds):
            whole = series.bars[series.number_at(from_epoch(time))]
            ends = [float(self.spot(base, min(from_epoch(at), until))) for at in (time, time + seconds)]
            if time + seconds == whole.time + BAR_SECONDS and from_epoch(time + seconds) <= until:
                ends[1] = whole.close
            share = seconds / BAR_SECONDS
            trades = max(int(whole.trades * share), 1) if whole.trades else 0
            bars.append(Bar(time, ends[0], max(ends), min(ends), ends[1], whole.volume * share, trades))
        return bars

    def _flat(self, base: str, seconds: int, until: datetime) -> list[Bar]:
        price, last = DECOY_PRICES[base], int(epoch(until) // seconds * seconds)
        first = int(-(-epoch(self.first) // seconds) * seconds)
        start = max(first, last - 720 * seconds)
        return [Bar(time, price, price, price, price, 1000.0, 10) for time in range(start, last + 1, seconds)]

    def day(self, base: str, at: datetime) -> Bar:
        """The last 24 hours up to the running bar folded into one; its open is the price a day ago."""
        series = self._series(base)
        if series is None:
            return self._flat(base, 86_400, at)[-1]
        return self._days(base, series.number_at(at))

    def _day_before(self, base: str, number: int) -> Bar:
        bars = self._bars(base).bars
        return _summary(bars[max(number - 96, 0) : number] or bars[:1])


def _summary(bars: Sequence[Bar]) -> Bar:
    return Bar(
        bars[0].time,
        bars[0].open,
        max(bar.high for bar in bars),
        min(bar.low for bar in bars),
        bars[-1].close,
        sum(bar.volume for bar in bars),
        sum(bar.trades for bar in bars),
    )
