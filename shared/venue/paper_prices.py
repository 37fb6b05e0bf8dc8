"""Prices in paper mode: the public tickers of one look, and the way from the last look to this one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from shared.storage.paper_books import SeenPrice
from trading.errors import InvalidInput
from trading.matching import MarketStatus, PricePoint, point_at
from trading.model.venue import Quote

UNQUOTED_DISTANCE = Decimal("0.02")
"""Where a ticker names no bid or no ask: beyond the protection of 1 %, so that no order at the market is filled."""
DISTANCE_MAXIMUM = Decimal("0.5")
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

    def status(self, contract: str) -> MarketStatus:
        """Without a ticker that can be used a market is suspended."""
        quote = self.quote(contract)
        if quote is None or quote.suspended:
            return MarketStatus.SUSPENDED
        return MarketStatus.POST_ONLY if quote.post_only else MarketStatus.ONLINE

    def price(self, contract: str, last: SeenPrice | None) -> SeenPrice | None:
        """The contract's price now; the last one where the ticker is missing, and its funding where that is unsaid."""
        quote = self.quote(contract)
        if quote is None:
            return last and replace(last, online=False)
        unsaid = last.funding if last else Decimal(0)
        return SeenPrice(
            index=Decimal(quote.index or quote.mark),
            mark=Decimal(quote.mark),
            funding=unsaid if quote.hourly_funding is None else quote.hourly_funding * quote.mark,
            bid_distance=_distance(quote.bid, quote.mark, -1),
            ask_distance=_distance(quote.ask, quote.mark, 1),
            online=self.status(contract) is MarketStatus.ONLINE,
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

    def before(self, contract: str) -> SeenPrice:
        """What the last look saw; this one's where it is the first."""
        return self._seen.get(contract, self.now(contract))

    def status(self, contract: str) -> MarketStatus:
        """As this look says; where the books know of a later halt, that."""
        seen = self._seen.get(contract)
        if seen and not seen.online and self.look.at < self._start:
            return MarketStatus.SUSPENDED
        return self.look.status(contract)

    def until_now(self) -> PathBetweenLooks:
        """The way without its end for what was halted at the last look: the marks of a halt are nobody's prices, so it
        stands still and suspended, and opens at this look's price."""
        halted = {contract for contract, price in self._seen.items() if not price.online}
        open_ones = {contract: quote for contract, quote in self.look.quotes.items() if contract not in halted}
        return PathBetweenLooks(self._start, self._seen, replace(self.look, quotes=open_ones))

    def quote(self, symbol: str, at: datetime) -> PricePoint:
        new = self.now(symbol)
        if at >= self.look.at or self.look.at <= self._start:
            return PricePoint(at, new.index, new.mark)
        old = self.before(symbol)
        first = PricePoint(self._start, old.index, old.mark)
        last = first if self._is_jump(old, new) else PricePoint(self.look.at, new.index, new.mark)
        found = point_at(first, last, at)
        return PricePoint(at, found.index, found.mark)

    def path(self, symbol: str, start: datetime, end: datetime) -> Sequence[PricePoint]:
        first, last = self.quote(symbol, start), self.quote(symbol, end)
        if start < end == self.look.at and self._is_jump(self.before(symbol), self.now(symbol)):
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
        return new.funding if same_hour else self.before(symbol).funding


def _distance(side: Decimal | None, mark: Decimal, sign: int) -> Decimal:
    """How far the best bid lies below the mark or the best ask above it; 0 where it lies on the other side, so that
    paper's price is no better than the real one."""
    if side is None:
        return UNQUOTED_DISTANCE
    return min(max((side - mark) * sign / mark, Decimal(0)), DISTANCE_MAXIMUM)
