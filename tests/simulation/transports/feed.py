"""A price source for the sandbox made of any price feed and our own instruments."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from infra.local.market import Listing
from infra.local.market.bars import Bar, epoch, from_epoch
from trading.errors import InvalidInput
from trading.matching import PriceFeed, PricePoint
from trading.model.instruments import Instrument

DAY = timedelta(days=1)
SPOT_DECIMALS = 9


class ListedPrices:
    """`infra.local.market.PriceSource`: the feed's prices are those of the contracts, its index is the spot price.

    Bars are read off the feed at their ends, so a bar's extremes are its open and close.
    """

    kind = "simulated"

    def __init__(self, feed: PriceFeed, instruments: Sequence[Instrument], first: datetime, last: datetime) -> None:
        self._feed = feed
        self._contracts = {str(each.id): each.contract for each in instruments}
        self._listings = tuple(map(listing_of, instruments))
        self.first, self.last = first, last

    def listings(self) -> tuple[Listing, ...]:
        return self._listings

    def quote(self, symbol: str, at: datetime) -> PricePoint:
        return self._feed.quote(symbol, at)

    def path(self, symbol: str, start: datetime, end: datetime) -> Sequence[PricePoint]:
        return self._feed.path(symbol, start, end)

    def funding_rate(self, symbol: str, at: datetime) -> Decimal:
        return self._feed.funding_rate(symbol, at)

    def spot(self, base: str, at: datetime) -> Decimal:
        return self._feed.quote(self._contracts[base], at).index

    def candles(self, base: str, seconds: int, until: datetime, limit: int = 720) -> Sequence[Bar]:
        running = int(epoch(until)) // seconds * seconds
        first = -(-int(epoch(self.first)) // seconds) * seconds
        opens = range(max(first, running - limit * seconds), running + 1, seconds)
        return [self._bar(base, opened, min(from_epoch(opened + seconds), until)) for opened in opens]

    def day(self, base: str, at: datetime) -> Bar:
        return self._bar(base, int(epoch(max(at - DAY, self.first))), at)

    def _bar(self, base: str, opened: int, closed: datetime) -> Bar:
        ends = float(self.spot(base, max(from_epoch(opened), self.first))), float(self.spot(base, closed))
        return Bar(opened, ends[0], max(ends), min(ends), ends[1], 1_000_000.0, 1_000)


def listing_of(instrument: Instrument) -> Listing:
    """How the sandbox lists an instrument. Raises InvalidInput for a size step that is no power of ten."""
    precision = -instrument.step.normalize().adjusted()
    if instrument.step != Decimal(1).scaleb(-precision):
        raise InvalidInput(f"{instrument.id} has size step {instrument.step}; expected a power of ten")
    return Listing(
        base=str(instrument.id),
        contract=instrument.contract,
        pair_id=instrument.spot_pair,
        tier=instrument.tier.value,
        tick_size=instrument.tick,
        size_precision=precision,
        spot_decimals=SPOT_DECIMALS,
    )
