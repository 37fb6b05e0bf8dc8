"""Everything a limit may look at for one signal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from trading.model.control import Control, RiskDay
from trading.model.instruments import Instrument, Side
from trading.model.positions import Position
from trading.model.risk import Sizing
from trading.model.signals import Levels, Signal
from trading.model.units import Price
from trading.model.venue import Account, Quote, VenuePosition
from trading.rules import Rules


@dataclass(frozen=True, slots=True, kw_only=True)
class Portfolio:
    """The account as the venue shows it and our own open records; `quotes` by contract. Orders in flight count as
    filled: a record's size is the larger of what is planned and what the venue shows."""

    account: Account
    positions: tuple[Position, ...]
    venue_positions: tuple[VenuePosition, ...]
    quotes: Mapping[str, Quote]
    control: Control
    risk_day: RiskDay
    book: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """The signal's market now. `spot` is the spot mid, or the contract's index price when there is no spot quote."""

    instrument: Instrument
    quote: Quote
    spot: Price
    spot_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskCase:
    signal: Signal
    portfolio: Portfolio
    market: Market
    levels: Levels
    sizing: Sizing
    rules: Rules
    now: datetime

    @property
    def open_positions(self) -> tuple[Position, ...]:
        return self.portfolio.positions

    def notional_of(self, position: Position) -> Decimal:
        """USD value of a record at the mark, in-flight entries counted as filled."""
        size = max(position.quantity, position.planned) if position.entry_open else position.quantity
        return size * self._price_of(position)

    def margin_in_flight(self) -> Decimal:
        """Initial margin (USD) that entries on their way will take and the account does not count yet."""
        total = Decimal(0)
        for position in self.open_positions:
            if position.entry_open:
                waiting = max(position.planned - position.quantity, Decimal(0)) * self._price_of(position)
                total += waiting * position.market.margin_level(self.notional_of(position)).initial
        return total

    def _price_of(self, position: Position) -> Price:
        quote = self.portfolio.quotes.get(position.contract)
        return quote.mark if quote else position.levels.entry

    def notional(self, side: Side | None = None) -> Decimal:
        """USD value of all open records (of one side), without the new one."""
        chosen = (each for each in self.open_positions if side is None or each.side is side)
        return sum((self.notional_of(each) for each in chosen), Decimal(0))
