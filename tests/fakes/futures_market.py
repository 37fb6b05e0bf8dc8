"""A derivatives market in memory: what it lists and quotes is what the test gave it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from trading.errors import VenueUnavailable
from trading.model.depth import OrderBook
from trading.model.instruments import MarginLevel
from trading.model.listings import ContractListing
from trading.model.units import BasisPoints, Price, Quantity
from trading.model.venue import ContractStress, ListedContract, ListedPair, Quote

AT = datetime(2024, 5, 1, tzinfo=UTC)


@dataclass(slots=True)
class FuturesInMemory:
    listed: tuple[ListedContract, ...] = ()
    tickers: dict[str, Quote] = field(default_factory=dict)
    refused: tuple[tuple[str, str], ...] = ()
    stressed: dict[str, ContractStress] = field(default_factory=dict)
    books: dict[str, OrderBook] = field(default_factory=dict)
    down: bool = False

    def contracts(self) -> tuple[ListedContract, ...]:
        self._answer()
        return self.listed

    def listing(self) -> ContractListing:
        return ContractListing(contracts=self.contracts(), refused=self.refused)

    def stress(self) -> dict[str, ContractStress]:
        self._answer()
        return self.stressed

    def quotes(self) -> dict[str, Quote]:
        self._answer()
        return self.tickers

    def order_book(self, contract: str) -> OrderBook:
        self._answer()
        return self.books[contract]

    def _answer(self) -> None:
        if self.down:
            raise VenueUnavailable("the futures market does not answer")


def a_contract(base: str, **changes: Any) -> ListedContract:
    """A tradeable linear perpetual of this coin."""
    values: dict[str, Any] = {
        "contract": f"PF_{base}USD",
        "kind": "flexible_futures",
        "base": base,
        "quote": "USD",
        "tradeable": True,
        "post_only": False,
        "perpetual": True,
        "tick": Decimal("0.01"),
        "step": Decimal("0.001"),
        "maximum_position": Quantity("1000000"),
        "margin_levels": (MarginLevel(from_notional=Decimal(0), initial=Decimal("0.02"), maintenance=Decimal("0.01")),),
        "maker_fee": BasisPoints(2),
        "taker_fee": BasisPoints(5),
    }
    return ListedContract(**(values | changes))


def a_pair(base: str, **changes: Any) -> ListedPair:
    """An online USD pair of this coin, named as the venue might."""
    values: dict[str, Any] = {"pair": f"X{base}ZUSD", "base": base, "quote": "USD", "online": True}
    return ListedPair(**(values | changes))


def a_quote(contract: str, *, volume: str = "6000000", spread: str = "5", **changes: Any) -> Quote:
    """A ticker with this 24 h volume (USD) and this spread (bps) around a mark of 100."""
    half = Decimal(spread) / 200
    values: dict[str, Any] = {
        "contract": contract,
        "mark": Price("100"),
        "index": Price("100"),
        "bid": Price(100 - half),
        "ask": Price(100 + half),
        "volume_usd": Decimal(volume),
        "hourly_funding": Decimal("0.00001"),
        "suspended": False,
        "post_only": False,
        "at": AT,
    }
    return Quote(**(values | changes))
