"""What the system needs of the world, in our own words. Adapters live in `shared`; nothing of theirs leaks out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from trading.model.candles import CandleAnswer
from trading.model.depth import OrderBook
from trading.model.listings import ContractListing
from trading.model.orders import OrderRequest
from trading.model.times import Timeframe
from trading.model.venue import (
    Account,
    CancelAnswer,
    ContractStress,
    Fill,
    LedgerRow,
    ListedContract,
    ListedPair,
    OpenOrder,
    OrderReport,
    Quote,
    SendAnswer,
    SpotQuote,
    TradePage,
    VenuePosition,
)


class Clock(Protocol):
    def now(self) -> datetime:
        """Aware UTC."""
        ...

    def __hash__(self) -> int: ...


class SpotMarket(Protocol):
    """Public spot data. Reads raise VenueUnavailable when there is no valid answer; nothing is ever guessed."""

    def pairs(self) -> tuple[ListedPair, ...]: ...

    def quotes(self, pairs: Sequence[str]) -> dict[str, SpotQuote]:
        """Bulk quotes by pair, one request."""
        ...

    def candles(self, pair: str, timeframe: Timeframe, since: datetime | None) -> CandleAnswer:
        """Committed bars only, at most the newest 720, opening at or after `since`."""
        ...


class TradeHistory(Protocol):
    """Public trades, the only way to spot prices older than the newest 720 bars."""

    def trades(self, pair: str, since: int) -> TradePage:
        """Up to 1,000 trades after `since` (nanoseconds since 1970), oldest first. Raises VenueUnavailable."""
        ...


class IndexCandles(Protocol):
    """Candles of the index that a contract follows: what stands in when the spot market does not answer."""

    def index_candles(self, contract: str, timeframe: Timeframe, since: datetime) -> CandleAnswer:
        """Closed bars opening at or after `since`, without volume. Raises VenueUnavailable."""
        ...


class FuturesMarket(Protocol):
    """Public derivatives data."""

    def contracts(self) -> tuple[ListedContract, ...]: ...

    def quotes(self) -> dict[str, Quote]:
        """All contracts' tickers by contract, one request. A ticker that does not validate is left out."""
        ...

    def order_book(self, contract: str) -> OrderBook:
        """What rests in this contract, one request. Raises VenueUnavailable, also for a contract it does not know."""
        ...


class ContractListings(FuturesMarket, Protocol):
    def listing(self) -> ContractListing:
        """The contracts, and by name those that are listed in a way that cannot be used."""
        ...


class StressReports(Protocol):
    def stress(self) -> dict[str, ContractStress]:
        """Contracts under stress by contract, one request; a contract that is not named is calm. VenueUnavailable."""
        ...


class Venue(FuturesMarket, StressReports, Protocol):
    """The account. Reads raise VenueUnavailable; an empty answer is given only when the venue said "empty"."""

    def account(self) -> Account: ...

    def positions(self) -> tuple[VenuePosition, ...]: ...

    def open_orders(self) -> tuple[OpenOrder, ...]: ...

    def order_reports(self, client_order_ids: Sequence[str]) -> tuple[OrderReport, ...]:
        """Look-up by client order id; knows only working orders and those ended within the last seconds."""
        ...

    def order_history(self, contract: str, since: datetime) -> tuple[OrderReport, ...]:
        """Orders and triggers of a contract from the venue's history; it proves existence, never absence."""
        ...

    def fills(self, since: datetime | None = None) -> tuple[Fill, ...]:
        """Executions over all contracts, oldest first: the newest 100, and further back until `since` when given."""
        ...

    def ledger_rows(self, since: datetime) -> tuple[LedgerRow, ...]:
        """Cash rows of the account log, oldest first."""
        ...

    def place(self, request: OrderRequest) -> SendAnswer:
        """Send once, never retried here. Does not raise for anything the venue or the network does."""
        ...

    def cancel(self, client_order_id: str) -> CancelAnswer:
        """Cancel by client order id. Raises VenueUnavailable when the answer is unusable."""
        ...

    def cancel_order(self, order_id: str) -> CancelAnswer:
        """Cancel by the venue's own id (orders that are not ours to name)."""
        ...

    def server_time(self) -> datetime: ...
