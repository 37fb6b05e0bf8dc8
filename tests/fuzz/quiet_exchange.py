"""The sandbox with prices that a test moves, in this process: the exchange below whole runs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from infra.local.market import Listing
from infra.local.market.bars import Bar, epoch
from infra.local.sandbox.application import Application
from infra.local.sandbox.signing import ApiKey, KeyRing
from infra.local.sandbox.venue import SandboxVenue, VenueSettings
from infra.local.sandbox.wire import Request
from shared.venue.last_line import EntryCaps
from tests.fakes.records import NOW, coin
from tests.fakes.venue import MovedPrices
from tests.fakes.venue_translation import market_of
from trading.matching import MatchingEngine, opening_books

KEY = "key-for-fuzz"
SECRET = "YSBzZWNyZXQgZm9yIHRlc3RzIG9ubHksIDQwIGJ5dGVzIGxvbmcuLi4="
CAPS = EntryCaps(order_notional_usd=Decimal(100_000), process_before_s=10, call_cost_per_10_s=400)
COINS = ("COIN", "NEXT")
DAILY_VOLUME = 90_000.0


def _listing(name: str) -> Listing:
    known = coin(name)
    return Listing(
        base=name,
        contract=known.contract,
        pair_id=known.spot_pair,
        tier="A",
        tick_size=known.tick,
        size_precision=2,
        spot_decimals=2,
    )


class MovedMarket(MovedPrices):
    """`infra.local.market.PriceSource` of a few coins; its price is where the test put it, spot and contract alike."""

    kind = "moved"
    first, last = NOW - timedelta(days=1), datetime(2030, 1, 1, tzinfo=UTC)

    def __init__(self, start: datetime) -> None:
        self._listings = tuple(map(_listing, COINS))
        super().__init__(start, {each.contract: Decimal(100) for each in self._listings if each.contract})

    def listings(self) -> tuple[Listing, ...]:
        return self._listings

    def spot(self, base: str, at: datetime) -> Decimal:
        return self.quote(f"PF_{base}USD", at).index

    def day(self, base: str, at: datetime) -> Bar:
        price = float(self.spot(base, at))
        return Bar(int(epoch(at)) - 86_400, price, price, price, price, DAILY_VOLUME, 1000)

    def candles(self, base: str, seconds: int, until: datetime, limit: int = 720) -> Sequence[Bar]:
        price, end = float(self.spot(base, until)), int(epoch(until))
        opens = range(end - end % seconds - 9 * seconds, end + 1, seconds)
        return [Bar(time, price, price, price, price, 1.0, 1) for time in opens][-limit:]


def open_exchange() -> tuple[Application, MovedMarket]:
    market = MovedMarket(NOW)
    markets = {each.contract: market_of(each) for each in map(coin, COINS)}
    engine = MatchingEngine(opening_books(NOW, Decimal(10_000), 1), markets, market)
    keys = KeyRing({KEY: ApiKey(key=KEY, secret=SECRET)})
    return Application(SandboxVenue(market, engine, keys, VenueSettings(start=NOW))), market


def is_send(request: Request) -> bool:
    return request.path.endswith("/sendorder")
