"""Everything a limit may look at for one signal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from trading.model.book import EntryBook
from trading.model.control import Control, RiskDay
from trading.model.depth import OrderBook
from trading.model.disorder import MarketWatch
from trading.model.instruments import Instrument, MarginLevel, Side
from trading.model.positions import Position
from trading.model.risk import Sizing
from trading.model.signals import Levels, Signal
from trading.model.units import Price
from trading.model.venue import Account, ContractStress, OpenOrder, Quote, VenuePosition
from trading.rules import Rules

CALM = Decimal(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Portfolio:
    """The account as the venue shows it and our own open records, read at one moment.

    `quotes` and `stress` by contract (not in `stress`: calm); `read_at` is our own clock when the account answered;
    `contracts_at` is when the venue was last asked about its contracts. Orders in flight count as filled: a record's
    size is the larger of what is planned and what the venue shows.
    """

    account: Account
    positions: tuple[Position, ...]
    venue_positions: tuple[VenuePosition, ...]
    orders: tuple[OpenOrder, ...]
    quotes: Mapping[str, Quote]
    control: Control
    risk_day: RiskDay
    book: EntryBook
    read_at: datetime
    contracts_at: datetime | None
    watch: MarketWatch = field(default_factory=MarketWatch)
    stress: Mapping[str, ContractStress] = field(default_factory=dict)

    def multiplier(self, contract: str) -> Decimal:
        """What the venue multiplies this contract's margin by."""
        stressed = self.stress.get(contract)
        return stressed.margin_multiplier if stressed else CALM

    def mark_of(self, position: Position) -> Price:
        quote = self.quotes.get(position.contract)
        return quote.mark if quote else position.levels.entry

    def size_in(self, contract: str) -> Decimal:
        """Base coins of all records on this contract, in-flight entries counted as filled."""
        return sum((full_size(each) for each in self.positions if each.contract == contract), Decimal(0))

    def notional_of(self, position: Position) -> Decimal:
        """USD value of a record at the mark, in-flight entries counted as filled: at their price where that is more."""
        mark, waiting = self.mark_of(position), full_size(position) - position.quantity
        return position.quantity * mark + waiting * max(mark, position.levels.entry)

    def notional(self, side: Side | None = None) -> Decimal:
        """USD value of all open records (of one side)."""
        chosen = (each for each in self.positions if side is None or each.side is side)
        return sum((self.notional_of(each) for each in chosen), Decimal(0))

    def held_notional(self, side: Side) -> Decimal:
        """USD value at the mark of what is filled on this side: an entry that may never fill offsets nothing."""
        chosen = (each for each in self.positions if each.side is side)
        return sum((each.quantity * self.mark_of(each) for each in chosen), Decimal(0))

    def initial_in_flight(self) -> Decimal:
        """Initial margin (USD) that entries on their way will take and the account does not count yet."""
        return self._in_flight(lambda level: level.initial)

    def maintenance_in_flight(self) -> Decimal:
        """The same of the maintenance margin."""
        return self._in_flight(lambda level: level.maintenance)

    def _in_flight(self, rate: Callable[[MarginLevel], Decimal]) -> Decimal:
        total = Decimal(0)
        for position in self.positions:
            counted, full = position.quantity * self.mark_of(position), self.notional_of(position)
            # The rest may lift the whole position into a dearer level.
            more = full * rate(position.market.margin_level(full))
            more -= counted * rate(position.market.margin_level(counted))
            total += more * self.multiplier(position.contract)
        return total


def full_size(position: Position) -> Decimal:
    """What the position is once its entry has filled."""
    return max(position.quantity, position.planned) if position.entry_open else position.quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """The signal's market now. `spot` is the spot mid, or the contract's index price when there is no spot quote.

    Without an order book nothing can be closed: `depth` refuses, unless it is switched off.
    """

    instrument: Instrument
    quote: Quote
    spot: Price
    spot_at: datetime
    order_book: OrderBook | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskCase:
    """One signal against one portfolio; `levels` in contract USD, sized."""

    signal: Signal
    portfolio: Portfolio
    market: Market
    levels: Levels
    sizing: Sizing
    rules: Rules
    now: datetime
