"""What the matching core is told about the market in paper mode: the public tickers, and the path between two looks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from shared.storage.paper_books import SeenPrice
from trading.errors import InvalidInput
from trading.matching import Liquidity, MarginTier, Market, MarketStatus, PricePoint, Stress, point_at
from trading.model.venue import ContractStress, ListedContract, Quote
from trading.ports import Clock, FuturesMarket

LEVEL_USD = Decimal(10_000)
"""Tickers do not tell the depth: each of the ten levels a side is taken to hold so much."""
UNQUOTED_DISTANCE = Decimal("0.02")
"""Where a ticker names no bid or no ask: beyond the protection of 1 %, so that no order at the market is filled."""
DISTANCE_MAXIMUM = Decimal("0.5")
UNLISTED_GRID = Decimal("1e-8")
TERMS_KEPT = timedelta(hours=1)
ASKED_AGAIN_AFTER = timedelta(minutes=1)
BELIEVED_WITHIN = Decimal("0.2")
"""A mark further than this from bid, ask and index alike is a wrong row, not a price."""
LONGEST_LINE = timedelta(minutes=2)
LARGEST_LINE = Decimal("0.01")
"""Of a move that is larger, or was looked at later, nobody knows the way: it is a jump."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One answer of the tickers. `at` is the venue's time, `seen_at` ours."""

    quotes: Mapping[str, Quote]
    at: datetime
    seen_at: datetime

    def quote(self, contract: str) -> Quote | None:
        """None where no ticker names it, and where its mark contradicts all else that the ticker says."""
        quote = self.quotes.get(contract)
        if quote is None:
            return None
        others = [each for each in (quote.bid, quote.ask, quote.index) if each is not None]
        away = [abs(quote.mark / each - 1) for each in others]
        return None if away and min(away) > BELIEVED_WITHIN else quote

    def price(self, contract: str, last: SeenPrice | None) -> SeenPrice | None:
        """The contract's price now; the last one where the ticker is missing, and its funding where that is unsaid."""
        quote = self.quote(contract)
        if quote is None:
            return last
        unsaid = last.funding if last else Decimal(0)
        return SeenPrice(
            index=Decimal(quote.index or quote.mark),
            mark=Decimal(quote.mark),
            funding=unsaid if quote.hourly_funding is None else quote.hourly_funding * quote.mark,
            bid_distance=_distance(quote.bid, quote.mark, -1),
            ask_distance=_distance(quote.ask, quote.mark, 1),
        )


class PathBetweenLooks:
    """`matching.PriceFeed`: from the prices of the last look, at `start`, to those of this one.

    Straight, or where that is not known at once at its end: a stop that is jumped over executes at the later price. A
    wick between two looks is not seen. A look that is older than the books changes nothing.
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

    def on_the_way(self, contract: str) -> SeenPrice:
        """The newest price with the wider of both looks' books: what rested in between met no better one."""
        new = self.now(contract)
        old = self._seen.get(contract, new)
        return replace(
            new,
            bid_distance=max(new.bid_distance, old.bid_distance),
            ask_distance=max(new.ask_distance, old.ask_distance),
        )

    def quote(self, symbol: str, at: datetime) -> PricePoint:
        new = self.now(symbol)
        if at >= self.look.at or self.look.at <= self._start:
            return PricePoint(at, new.index, new.mark)
        old = self._seen.get(symbol, new)
        first = PricePoint(self._start, old.index, old.mark)
        last = first if self._is_jump(old, new) else PricePoint(self.look.at, new.index, new.mark)
        found = point_at(first, last, at)
        return PricePoint(at, found.index, found.mark)

    def path(self, symbol: str, start: datetime, end: datetime) -> Sequence[PricePoint]:
        new = self.now(symbol)
        first, last = self.quote(symbol, start), self.quote(symbol, end)
        if start < end == self.look.at and self._is_jump(self._seen.get(symbol, new), new):
            return [first, replace(first, time=end), last]
        return [first, last]

    def _is_jump(self, old: SeenPrice, new: SeenPrice) -> bool:
        return self.look.at - self._start > LONGEST_LINE or abs(new.mark / old.mark - 1) > LARGEST_LINE

    def funding_rate(self, symbol: str, at: datetime) -> Decimal:
        """The venue sets a rate for each hour: for hours before this look's, the rate that was seen last."""
        new = self.now(symbol)
        same_hour = at.replace(minute=0, second=0, microsecond=0) == self.look.at.replace(
            minute=0, second=0, microsecond=0
        )
        return new.funding if same_hour else self._seen.get(symbol, new).funding


class ContractTerms:
    """Steps, margin and fees of the contracts; asked for once an hour in each process, and sooner for one not found."""

    def __init__(self, market: FuturesMarket, clock: Clock) -> None:
        self._market = market
        self._clock = clock
        self._known: dict[str, ListedContract] = {}
        self._asked_at: datetime | None = None

    def of(self, contract: str) -> ListedContract | None:
        """None for a contract that the venue does not list. What was listed once in this process stays known: whether
        it is traded is the ticker's to say. Raises VenueUnavailable."""
        now = self._clock.now()
        kept = TERMS_KEPT if contract in self._known else ASKED_AGAIN_AFTER
        if self._asked_at is None or now - self._asked_at >= kept:
            self._known |= {each.contract: each for each in self._market.contracts()}
            self._asked_at = now
        return self._known.get(contract)


def market_of(
    terms: ListedContract, quote: Quote | None, stress: ContractStress | None, price: SeenPrice | None
) -> Market:
    """One contract as the core matches it, its book as far away as `price` says; without a ticker it is suspended."""
    bid, ask = (price.bid_distance, price.ask_distance) if price else (UNQUOTED_DISTANCE, UNQUOTED_DISTANCE)
    return Market(
        symbol=terms.contract,
        tick_size=terms.tick,
        size_step=terms.step,
        # Some contracts are listed with a maximum of 0: nothing more than the least is taken in them.
        max_position=terms.maximum_position or terms.step,
        margin_tiers=tuple(
            MarginTier(from_notional=each.from_notional, initial=each.initial, maintenance=each.maintenance)
            for each in terms.margin_levels
        ),
        liquidity=Liquidity(
            half_spread=bid, ask_half_spread=ask, level_size=LEVEL_USD / (price.mark if price else Decimal(1))
        ),
        maker_fee=terms.maker_fee / 10_000,
        taker_fee=terms.taker_fee / 10_000,
        status=_status(quote),
        stress=_stress(stress),
    )


def suspended_market(contract: str) -> Market:
    """A contract that the venue lists no more, or with terms that no market can have: nothing is executed in it, and
    what is held counts at its dearest. Its grid is any, because no order of it is taken."""
    return Market(
        symbol=contract,
        tick_size=UNLISTED_GRID,
        size_step=UNLISTED_GRID,
        max_position=LEVEL_USD,
        margin_tiers=(MarginTier(from_notional=Decimal(0), initial=Decimal(1), maintenance=Decimal("0.5")),),
        liquidity=Liquidity(half_spread=UNQUOTED_DISTANCE, level_size=LEVEL_USD),
        status=MarketStatus.SUSPENDED,
    )


def _distance(side: Decimal | None, mark: Decimal, sign: int) -> Decimal:
    """How far the best bid lies below the mark or the best ask above it; 0 where it lies on the other side, so that
    paper's price is no better than the real one."""
    if side is None:
        return UNQUOTED_DISTANCE
    return min(max((side - mark) * sign / mark, Decimal(0)), DISTANCE_MAXIMUM)


def _status(quote: Quote | None) -> MarketStatus:
    if quote is None or quote.suspended:
        return MarketStatus.SUSPENDED
    return MarketStatus.POST_ONLY if quote.post_only else MarketStatus.ONLINE


def _stress(stress: ContractStress | None) -> Stress:
    if stress is None or not stress.extreme_volatility:
        return Stress()
    return Stress(extreme_volatility=True, initial_margin_multiplier=stress.margin_multiplier)
