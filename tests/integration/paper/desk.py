"""A paper account on the emulator's table, a public market that the test moves, and runs that start from nothing."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from shared.storage.paper_books import PaperBooksStore
from shared.storage.tables import LedgerItem
from shared.venue.last_line import EntryCaps, LastLine
from shared.venue.paper import PaperVenue
from shared.venue.paper_markets import ContractTerms
from tests.fakes.cloud import LEDGER
from tests.fakes.futures_market import FuturesInMemory, a_contract, a_quote
from trading.errors import VenueUnavailable
from trading.model.orders import ClientOrderId, OrderRequest, OrderSide, OrderType
from trading.model.units import Price, Quantity
from trading.model.venue import ListedContract, Quote, SendAnswer

START = datetime(2024, 5, 1, 10, 0, 30, tzinfo=UTC)
COIN, OTHER = "PF_COINUSD", "PF_OTHERUSD"
LIMIT = 300 * 1024
"""Bytes of one item; DynamoDB takes 400 KB."""
CAPS = EntryCaps(order_notional_usd=Decimal(100_000), process_before_s=10, call_cost_per_10_s=100_000)


@dataclass
class CountedMarket(FuturesInMemory):
    """Counts how often the tickers are asked for; `answers` are the next ones, one after the other."""

    looks: int = 0
    answers: list[dict[str, Quote]] = field(default_factory=list)
    listing_down: bool = False

    def quotes(self) -> dict[str, Quote]:
        self.looks += 1
        return self.answers.pop(0) if self.answers else FuturesInMemory.quotes(self)

    def contracts(self) -> tuple[ListedContract, ...]:
        if self.listing_down:
            raise VenueUnavailable("the instruments do not answer")
        return FuturesInMemory.contracts(self)


@dataclass
class PaperDesk:
    """The clock of everybody, too."""

    at: datetime = START
    market: CountedMarket = field(default_factory=CountedMarket)
    marks: dict[str, Decimal] = field(default_factory=lambda: {COIN: Decimal(100), OTHER: Decimal(50)})
    funding: Decimal = Decimal(0)
    numbers: int = 0

    def __post_init__(self) -> None:
        self.market.listed = (a_contract("COIN"), a_contract("OTHER"))
        self.pass_time(0)

    def __hash__(self) -> int:
        return id(self)

    def now(self) -> datetime:
        return self.at

    def pass_time(self, seconds: float, **marks: str) -> None:
        """Move the clock; marks are given by contract and are there at the end of the time."""
        self.at += timedelta(seconds=seconds)
        self.marks |= {contract: Decimal(mark) for contract, mark in marks.items()}
        self.market.tickers = {name: self._ticker(name, mark) for name, mark in self.marks.items()}

    def say(self, contract: str = COIN, **ticker: Any) -> None:
        """Put something else into a contract's ticker, until time passes."""
        self.market.tickers = {**self.market.tickers, contract: replace(self.market.tickers[contract], **ticker)}

    def _ticker(self, name: str, mark: Decimal) -> Quote:
        sides = {"bid": Price(mark - Decimal("0.01")), "ask": Price(mark + Decimal("0.01"))}
        return a_quote(name, mark=Price(mark), index=Price(mark), hourly_funding=self.funding, at=self.at, **sides)

    def run(self, store: PaperBooksStore | None = None) -> PaperVenue:
        """The venue of one run in a new process."""
        return PaperVenue(
            market=self.market,
            terms=ContractTerms(self.market, self),
            store=store or PaperBooksStore(LEDGER),
            clock=self,
            last_line=LastLine(caps=CAPS, clock=self),
        )

    def request(
        self, kind: OrderType, side: OrderSide = OrderSide.BUY, price: str = "101", **more: Any
    ) -> OrderRequest:
        """An order for one coin with a name of its own; sells only reduce."""
        self.numbers += 1
        values: dict[str, Any] = {
            "contract": COIN,
            "side": side,
            "type": kind,
            "quantity": Quantity("1"),
            "client_order_id": ClientOrderId(f"smc-{self.numbers}"),
            "reduce_only": side is OrderSide.SELL,
            "process_before": self.at + timedelta(seconds=5),
            "limit_price": None if kind in (OrderType.MARKET, OrderType.STOP) else Price(price),
            "trigger_price": Price(price) if kind is OrderType.STOP else None,
        }
        return OrderRequest(**{**values, **more})

    def buy(self, venue: PaperVenue | None = None, **more: Any) -> SendAnswer:
        return (venue or self.run()).place(self.request(OrderType.IMMEDIATE, **more))

    def protect(self, price: str = "95", **more: Any) -> SendAnswer:
        return self.run().place(self.request(OrderType.STOP, OrderSide.SELL, price, **more))


def sizes(partition: str) -> list[int]:
    """Bytes of the items' data."""
    return [len(bytes(item.data or b"")) for item in LedgerItem.query(partition)]
