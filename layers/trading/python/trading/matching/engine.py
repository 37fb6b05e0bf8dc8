"""The matching engine: one account at one venue, driven by calls and by a price feed."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from trading.errors import InvalidInput
from trading.matching import placing, walking
from trading.matching.core import Core
from trading.matching.margin import MarginView, margin_equity, margin_view
from trading.matching.markets import MarginTier, Market, MarketStatus, Stress
from trading.matching.orders import Order, OrderRequest
from trading.matching.path import PriceFeed, PricePoint
from trading.matching.placing import EditRequest
from trading.matching.records import Answer
from trading.matching.rounding import ZERO
from trading.matching.state import Books, Switches


def opening_books(start: datetime, balance: Decimal, seed: int = 0) -> Books:
    """Books of a new account with `balance` USD at `start` (aware UTC); ids are derived from `seed`."""
    if start.tzinfo is None:
        raise InvalidInput(f"start {start} has no time zone, expected an aware UTC time")
    return Books(now=start, seed=seed, balance=balance, starting_balance=balance)


class MatchingEngine:
    """Orders, price path and account in; fills and events out. No clock, no I/O: time moves by `advance` only.

    All outcomes are deterministic functions of books, markets, feed, switches and the sequence of calls.
    """

    def __init__(
        self, books: Books, markets: Mapping[str, Market], feed: PriceFeed, switches: Switches | None = None
    ) -> None:
        self._core = Core(books, markets, feed, switches or Switches())

    @property
    def books(self) -> Books:
        """The account's books; read them, do not change them."""
        return self._core.books

    @property
    def now(self) -> datetime:
        """Venue time, aware UTC."""
        return self._core.books.now

    @property
    def switches(self) -> Switches:
        """Switches in force."""
        return self._core.switches

    @switches.setter
    def switches(self, value: Switches) -> None:
        self._core.switches = value

    def market(self, symbol: str) -> Market:
        """Market of a symbol; InvalidInput when it is not listed."""
        return self._core.market(symbol)

    @property
    def markets(self) -> Mapping[str, Market]:
        """All markets by symbol."""
        return self._core.markets

    def set_status(self, symbol: str, status: MarketStatus) -> None:
        """Suspend, resume or restrict a market. What its price has passed by then executes as time moves on."""
        self._core.markets[symbol] = replace(self.market(symbol), status=status)

    def set_stress(self, symbol: str, stress: Stress) -> None:
        """Put a market under stress, or calm it with `Stress()`."""
        self._core.markets[symbol] = replace(self.market(symbol), stress=stress)

    def set_terms(
        self,
        symbol: str,
        *,
        tick_size: Decimal | None = None,
        size_step: Decimal | None = None,
        margin_tiers: tuple[MarginTier, ...] | None = None,
    ) -> None:
        """Change tick, step or margin tiers of a market, as the venue does between two readings; None keeps a term.

        Orders that rest keep their price and size. InvalidInput for terms that no market can have.
        """
        market = self.market(symbol)
        self._core.markets[symbol] = replace(
            market,
            tick_size=market.tick_size if tick_size is None else tick_size,
            size_step=market.size_step if size_step is None else size_step,
            margin_tiers=market.margin_tiers if margin_tiers is None else margin_tiers,
        )

    def point(self, symbol: str) -> PricePoint:
        """Index and mark price of a symbol now."""
        self.market(symbol)
        return self._core.point(symbol)

    def margin(self) -> MarginView:
        """Margin of the account at the marks of now."""
        return margin_view(self.books, self.markets, self._core.mark)

    def equity(self) -> Decimal:
        """Balance, open profit and accrued funding in USD at the marks of now."""
        return margin_equity(self.books, self._core.mark)

    def advance(self, until: datetime) -> None:
        """Move time forward to `until`, matching on the way. InvalidInput when `until` lies in the past."""
        if until < self.now:
            raise InvalidInput(f"cannot advance to {until.isoformat()}: the venue is at {self.now.isoformat()} already")
        walking.advance(self._core, until)

    def settle(self) -> None:
        """Execute what the prices of now have reached already, in all markets at once."""
        walking.settle(self._core)

    def send(self, request: OrderRequest) -> Answer:
        """Accept or refuse an order; what it does at once is in the answer."""
        answer = placing.send(self._core, request)
        if answer.status == "placed" and request.order_type.is_trigger:
            walking.activate_due(self._core, request.symbol)
        return answer

    def edit(self, request: EditRequest) -> Answer:
        """Change size or prices of a live order."""
        answer = placing.edit(self._core, request)
        if answer.status == "edited":
            walking.activate_due(self._core, answer.events[0].order.symbol)
        return answer

    def cancel(self, order_id: str | None = None, client_order_id: str | None = None) -> Answer:
        """Cancel one order by the venue's id, else by the client's."""
        return placing.cancel(self._core, order_id, client_order_id)

    def cancel_all(self, symbol: str | None = None) -> Answer:
        """Cancel all live orders of a symbol, or of the account; stops too."""
        return placing.cancel_all(self._core, symbol)

    def find(self, order_id: str | None = None, client_order_id: str | None = None) -> Order | None:
        """Live or closed order."""
        return placing.find(self._core, order_id, client_order_id)

    def naked_seconds(self, symbol: str | None = None) -> Decimal:
        """Seconds that the position of `symbol` stands without a full reduce-only stop; the longest of all for None."""
        if symbol is not None:
            return self._core.naked_seconds(symbol)
        return max((self._core.naked_seconds(name) for name in self.books.covers), default=ZERO)

    def naked_seconds_max(self) -> Decimal:
        """Longest such time so far, the current one included."""
        ended = max((cover.longest_seconds for cover in self.books.covers.values()), default=ZERO)
        return max(ended, self.naked_seconds())
