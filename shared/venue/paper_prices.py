"""What the matching core is told about the market in paper mode: the public tickers, and the path between two looks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from shared.storage.paper_books import SeenPrice
from trading.errors import InvalidInput
from trading.matching import Liquidity, MarginTier, Market, MarketStatus, PricePoint, Stress, point_at
from trading.model.venue import ContractStress, ListedContract, Quote
from trading.ports import Clock, FuturesMarket

LEVEL_USD = Decimal(10_000)
"""Tickers do not tell the depth: each of the ten levels a side is taken to hold so much."""
UNQUOTED_HALF_SPREAD = Decimal("0.01")
"""Where a ticker names no bid or no ask: too far away for an order at the market to be filled."""
HALF_SPREAD_MAXIMUM = Decimal("0.5")
UNLISTED_GRID = Decimal("1e-8")
TERMS_KEPT = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One answer of the tickers. `at` is the venue's time, `seen_at` ours."""

    quotes: Mapping[str, Quote]
    at: datetime
    seen_at: datetime

    def price(self, contract: str, last: SeenPrice | None) -> SeenPrice | None:
        """The contract's price now; the last one where the ticker is missing, and its funding where that is unsaid."""
        quote = self.quotes.get(contract)
        if quote is None:
            return last
        unsaid = last.funding if last else Decimal(0)
        funding = unsaid if quote.hourly_funding is None else quote.hourly_funding * quote.mark
        return SeenPrice(index=Decimal(quote.index or quote.mark), mark=Decimal(quote.mark), funding=funding)


class PathBetweenLooks:
    """`matching.PriceFeed`: straight from the prices of the last look, at `start`, to those of this one.

    A wick between two looks is not seen. A look that is older than the books changes nothing.
    """

    def __init__(self, start: datetime, seen: Mapping[str, SeenPrice], look: Look) -> None:
        self._start = start
        self._seen = seen
        self.look = look

    def now(self, contract: str) -> SeenPrice:
        """The newest known price of a contract. InvalidInput when there is none."""
        seen = self._seen.get(contract)
        found = seen if seen and self.look.at < self._start else self.look.price(contract, seen)
        if found is None:
            raise InvalidInput(f"no ticker names {contract}; expected one of the venue's contracts")
        return found

    def quote(self, symbol: str, at: datetime) -> PricePoint:
        new = self.now(symbol)
        old = self._seen.get(symbol, new)
        if self.look.at <= self._start:
            return PricePoint(at, new.index, new.mark)
        first = PricePoint(self._start, old.index, old.mark)
        found = point_at(first, PricePoint(self.look.at, new.index, new.mark), at)
        return PricePoint(at, found.index, found.mark)

    def path(self, symbol: str, start: datetime, end: datetime) -> Sequence[PricePoint]:
        return [self.quote(symbol, start), self.quote(symbol, end)]

    def funding_rate(self, symbol: str, at: datetime) -> Decimal:
        """The venue sets a rate for each hour: for hours before this look's, the rate that was seen last."""
        new = self.now(symbol)
        same_hour = at.replace(minute=0, second=0, microsecond=0) == self.look.at.replace(
            minute=0, second=0, microsecond=0
        )
        return new.funding if same_hour else self._seen.get(symbol, new).funding


class ContractTerms:
    """Steps, margin and fees of the contracts; asked for once an hour in each process."""

    def __init__(self, market: FuturesMarket, clock: Clock) -> None:
        self._market = market
        self._clock = clock
        self._known: dict[str, ListedContract] = {}
        self._until: datetime | None = None

    def of(self, contract: str) -> ListedContract | None:
        """None for a contract that the venue does not list. Raises VenueUnavailable."""
        now = self._clock.now()
        if self._until is None or now >= self._until:
            self._known = {each.contract: each for each in self._market.contracts()}
            self._until = now + TERMS_KEPT
        return self._known.get(contract)


def market_of(terms: ListedContract, quote: Quote | None, stress: ContractStress | None) -> Market:
    """One contract as the core matches it at this look; without a ticker it is suspended."""
    mark = None if quote is None else Decimal(quote.mark)
    return Market(
        symbol=terms.contract,
        tick_size=terms.tick,
        size_step=terms.step,
        max_position=terms.maximum_position,
        margin_tiers=tuple(
            MarginTier(from_notional=each.from_notional, initial=each.initial, maintenance=each.maintenance)
            for each in terms.margin_levels
        ),
        liquidity=Liquidity(half_spread=_half_spread(quote), level_size=LEVEL_USD / (mark or 1)),
        maker_fee=terms.maker_fee / 10_000,
        taker_fee=terms.taker_fee / 10_000,
        status=_status(quote),
        stress=_stress(stress),
    )


def delisted_market(contract: str) -> Market:
    """A contract that the venue lists no more: nothing is executed in it, and what is held counts at its dearest. Its
    grid is any, because no order of it is taken."""
    return Market(
        symbol=contract,
        tick_size=UNLISTED_GRID,
        size_step=UNLISTED_GRID,
        max_position=LEVEL_USD,
        margin_tiers=(MarginTier(from_notional=Decimal(0), initial=Decimal(1), maintenance=Decimal("0.5")),),
        liquidity=Liquidity(half_spread=UNQUOTED_HALF_SPREAD, level_size=LEVEL_USD),
        status=MarketStatus.SUSPENDED,
    )


def _half_spread(quote: Quote | None) -> Decimal:
    """The core's book stands around the mark: as wide as it takes for its prices to be no better than the real ones."""
    if quote is None or quote.bid is None or quote.ask is None:
        return UNQUOTED_HALF_SPREAD
    widest = max(quote.ask - quote.mark, quote.mark - quote.bid, Decimal(0))
    return min(widest / quote.mark, HALF_SPREAD_MAXIMUM)


def _status(quote: Quote | None) -> MarketStatus:
    if quote is None or quote.suspended:
        return MarketStatus.SUSPENDED
    return MarketStatus.POST_ONLY if quote.post_only else MarketStatus.ONLINE


def _stress(stress: ContractStress | None) -> Stress:
    if stress is None or not stress.extreme_volatility:
        return Stress()
    return Stress(extreme_volatility=True, initial_margin_multiplier=stress.margin_multiplier)
