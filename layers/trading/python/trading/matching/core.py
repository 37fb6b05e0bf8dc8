"""Bookkeeping primitives of the matching core: time, ids, order life cycle, executions, funding.

Every change of the books goes through here, so that the account log, the history, funding and the record of unprotected
time cannot be forgotten by a caller.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from trading.errors import InvalidInput
from trading.matching.markets import Market
from trading.matching.orders import Order, OrderState, OrderType, Reason, Side
from trading.matching.path import MICROSECOND, PriceFeed, PricePoint
from trading.matching.records import Fill, FillType, HistoryKind, HistoryRow
from trading.matching.rounding import ZERO
from trading.matching.settlement import Settlement, settle_execution, settle_funding
from trading.matching.state import Books, Cover, Switches

MICROSECONDS_PER_HOUR = Decimal(3_600_000_000)
MICROSECONDS_PER_SECOND = Decimal(1_000_000)


class Core:
    """The books with their markets and prices. Callers pass orders in; this class keeps the record straight."""

    def __init__(self, books: Books, markets: Mapping[str, Market], feed: PriceFeed, switches: Switches) -> None:
        self.books = books
        self.markets = dict(markets)
        self.feed = feed
        self.switches = switches
        self._points: dict[str, PricePoint] = {}
        self._rates: dict[str, Decimal] = {}

    # time and prices

    def market(self, symbol: str) -> Market:
        """Market of a symbol; InvalidInput when it is not listed."""
        found = self.markets.get(symbol)
        if found is None:
            raise InvalidInput(f"symbol {symbol!r} is not a market of this venue, expected one of its contracts")
        return found

    def point(self, symbol: str) -> PricePoint:
        """Prices of a symbol now."""
        found = self._points.get(symbol)
        if found is None or found.time != self.books.now:
            found = self._points[symbol] = self.feed.quote(symbol, self.books.now)
        return found

    def mark(self, symbol: str) -> Decimal:
        """Mark price of a symbol now."""
        return self.point(symbol).mark

    def move_to(self, now: datetime, points: Mapping[str, PricePoint]) -> None:
        """Move time forward to `now`, accruing funding on the way; `points` are the prices there."""
        elapsed = Decimal((now - self.books.now) // MICROSECOND) / MICROSECONDS_PER_HOUR
        if elapsed > ZERO:
            for symbol, position in self.books.positions.items():
                self.books.positions[symbol] = position.accruing(-position.size * self.rate(symbol) * elapsed)
        self.books.now = now
        self._points = dict(points)

    def rate(self, symbol: str) -> Decimal:
        """Funding in USD per contract and hour for the hour that began last."""
        found = self._rates.get(symbol)
        if found is None:
            found = self._rates[symbol] = self.feed.funding_rate(symbol, self.books.now)
        return found

    def realise_hour(self) -> None:
        """Book the funding accrued by every position and let the next hour's rates apply."""
        for symbol in list(self.books.positions):
            settle_funding(self._settlement(symbol))
        self._rates.clear()

    def _settlement(self, symbol: str) -> Settlement:
        return Settlement(
            books=self.books,
            market=self.market(symbol),
            mark=self.mark(symbol),
            rate=self.rate(symbol),
            new_id=self.new_id,
        )

    # ids and history

    def next_number(self) -> int:
        """Next value of the one counter from which all ids and sequences come."""
        self.books.counter += 1
        return self.books.counter

    def new_id(self, kind: str) -> str:
        """UUID-shaped id, a function of seed, kind and counter only."""
        text = hashlib.sha256(f"{self.books.seed}:{kind}:{self.next_number()}".encode()).hexdigest()
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:32]}"

    def remember(self, kind: HistoryKind, order: Order, old: Order | None = None, reason: str = "") -> None:
        """Append an order event to the history."""
        row = HistoryRow(
            event_id=self.new_id("event"), time=self.books.now, kind=kind, order=order, old=old, reason=reason
        )
        self.books.history.append(row)

    # order life cycle

    def put(self, order: Order) -> Order:
        """Store a live order (new or changed) and return it."""
        self.books.live[order.order_id] = order
        self.watch_cover(order.symbol)
        return order

    def close(self, order: Order, state: OrderState, reason: Reason) -> Order:
        """End an order: it leaves the live orders and stays known as closed."""
        closed = replace(order, state=state, reason=reason, updated_at=self.books.now)
        self.books.live.pop(order.order_id, None)
        self.books.closed[order.order_id] = closed
        self.watch_cover(order.symbol)
        return closed

    def cancel(self, order: Order, reason: Reason) -> Order:
        """Cancel a live order and record it."""
        trigger = order.state is OrderState.TRIGGER
        closed = self.close(order, OrderState.CANCELLED, reason)
        kind = HistoryKind.TRIGGER_CANCELLED if trigger else HistoryKind.CANCELLED
        self.remember(kind, closed, old=order, reason=reason.lower())
        return closed

    # executions

    def execute(self, order: Order, price: Decimal, size: Decimal, fill_type: FillType) -> tuple[Order, Fill]:
        """Execute part of an order: account, fills, history; resting reduce-only orders shrink with the position."""
        filled = replace(order, filled=order.filled + size, updated_at=self.books.now)
        fill = settle_execution(self._settlement(order.symbol), order, (price, size), fill_type)
        whole = filled.remaining == ZERO
        if whole:
            filled = self.close(filled, OrderState.FILLED, Reason.FULL_FILL)
        elif order.order_id in self.books.live:
            self.put(filled)
        reason = Reason.FULL_FILL if whole else Reason.PARTIAL_FILL
        self.remember(HistoryKind.UPDATED, filled, old=order, reason=reason.lower())
        self._shrink_reduce_only(order.symbol)
        self.watch_cover(order.symbol)
        return self.books.live.get(order.order_id, filled), fill

    def reducible(self, symbol: str, side: Side) -> Decimal:
        """Base units that an order on `side` can take off the position; 0 when flat or on the same side."""
        return max(-self.books.size_of(symbol) * side.sign, ZERO)

    def _shrink_reduce_only(self, symbol: str) -> None:
        """Resting reduce-only limits never exceed the position: shrink them, cancel them when nothing is left."""
        for order in self.books.orders_of(symbol):
            if not order.reduce_only or order.state is not OrderState.RESTING:
                continue
            room = self.reducible(symbol, order.side)
            if room == ZERO:
                self.cancel(order, Reason.WOULD_NOT_REDUCE)
            elif room < order.remaining:
                shrunk = replace(order, size=order.filled + room, updated_at=self.books.now)
                self.put(shrunk)
                self.remember(HistoryKind.UPDATED, shrunk, old=order, reason=Reason.WOULD_NOT_REDUCE.lower())

    # protection record

    def watch_cover(self, symbol: str) -> None:
        """Keep the record of the time during which the position lacked a full reduce-only stop."""
        cover = self.books.covers.get(symbol)
        naked = self._is_naked(symbol)
        if cover is None:
            if naked:
                self.books.covers[symbol] = Cover(naked_since=self.books.now)
            return
        if naked and cover.naked_since is None:
            cover.naked_since = self.books.now
        elif not naked and cover.naked_since is not None:
            cover.longest_seconds = max(cover.longest_seconds, self.naked_seconds(symbol))
            cover.naked_since = None

    def naked_seconds(self, symbol: str) -> Decimal:
        """Seconds for which the position has been without a full stop until now; 0 when covered or flat."""
        cover = self.books.covers.get(symbol)
        if cover is None or cover.naked_since is None:
            return ZERO
        return Decimal((self.books.now - cover.naked_since) // MICROSECOND) / MICROSECONDS_PER_SECOND

    def _is_naked(self, symbol: str) -> bool:
        size = self.books.size_of(symbol)
        if size == ZERO:
            return False
        stops = ZERO
        for order in self.books.orders_of(symbol):
            closing = order.side.sign * size < ZERO
            if closing and order.reduce_only and order.order_type is OrderType.STOP and order.state.is_live:
                stops += order.remaining
        return stops < abs(size)
