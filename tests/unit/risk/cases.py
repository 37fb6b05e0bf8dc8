"""A signal that passes every limit, and ways to push one thing at a time."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from tests.fakes.records import NOW, RULES, account, coin, control, quote, risk_day, signal
from trading.model.book import EntryBook
from trading.model.depth import OrderBook
from trading.model.disorder import MarketWatch
from trading.model.instruments import Instrument
from trading.model.positions import Position
from trading.model.risk import LimitCheck, RefusalReason, RiskApproved, RiskRefused
from trading.model.signals import Signal
from trading.model.units import Price, Quantity
from trading.model.venue import Account, ContractStress, OpenOrder, Quote, VenuePosition
from trading.risk.case import Market, Portfolio, RiskCase
from trading.risk.gate import decide_risk
from trading.risk.sizing import contract_levels, size, trade_cost
from trading.rules import Rules


def order_book(bids: Any = 10**15, asks: Any = 10**15, **changes: Any) -> OrderBook:
    """One level of so many coins on either side of a price of 100, 2 bps apart; none where None is given."""
    sides = {
        name: () if size is None else ((Price(price), Quantity(size)),)
        for name, price, size in (("bids", "99.99", bids), ("asks", "100.01", asks))
    }
    return replace(OrderBook(contract="PF_COINUSD", at=NOW, **sides), **changes)


@dataclass(frozen=True)
class Scene:
    """What the gate looks at; `replace` one field to push one limit."""

    signal: Signal = field(default_factory=signal)
    instrument: Instrument = field(default_factory=coin)
    account: Account = field(default_factory=account)
    quote: Quote = field(default_factory=quote)
    spot: Any = 100
    spot_at: datetime = NOW
    positions: tuple[Position, ...] = ()
    venue_positions: tuple[VenuePosition, ...] = ()
    other_quotes: tuple[Quote, ...] = ()
    orders: tuple[OpenOrder, ...] = ()
    book: EntryBook = field(default_factory=EntryBook)
    order_book: OrderBook | None = field(default_factory=order_book)
    watch: MarketWatch = field(default_factory=MarketWatch)
    stress: tuple[ContractStress, ...] = ()
    read_at: datetime = NOW
    contracts_at: datetime | None = NOW
    silent: frozenset[str] = frozenset()
    control: Any = field(default_factory=control)
    day: Any = field(default_factory=risk_day)
    rules: Rules = RULES
    now: datetime = NOW

    def but(self, **changes: Any) -> Scene:
        return replace(self, **changes)

    @property
    def market(self) -> Market:
        return Market(
            instrument=self.instrument,
            quote=self.quote,
            spot=Price(self.spot),
            spot_at=self.spot_at,
            order_book=self.order_book,
        )

    @property
    def portfolio(self) -> Portfolio:
        return Portfolio(
            account=self.account,
            positions=self.positions,
            venue_positions=self.venue_positions,
            orders=self.orders,
            quotes=self._quotes(),
            control=self.control,
            risk_day=self.day,
            book=self.book,
            read_at=self.read_at,
            contracts_at=self.contracts_at,
            watch=self.watch,
            stress={each.contract: each for each in self.stress},
        )

    def _quotes(self) -> dict[str, Quote]:
        """What is held stands at its entry price, if nothing else is said and its contract is not silent."""
        calm = {
            each.contract: {"contract": each.contract}
            | dict.fromkeys(("mark", "index", "bid", "ask"), each.levels.entry)
            for each in self.positions
        }
        held = {name: replace(self.quote, **values) for name, values in calm.items()}
        given = {each.contract: each for each in (self.quote, *self.other_quotes)}
        return {name: each for name, each in (held | given).items() if name not in self.silent}

    def decide(self) -> RiskApproved | RiskRefused:
        return decide_risk(self.signal, self.portfolio, self.market, self.rules, self.now)

    def case(self) -> RiskCase:
        """The sized case as the gate judges it."""
        ratio = self.market.quote.mark / self.market.spot
        found = contract_levels(self.signal, self.instrument, ratio)
        cost = trade_cost(self.signal, self.instrument, self.quote, self.rules)
        return RiskCase(
            signal=self.signal,
            portfolio=self.portfolio,
            market=self.market,
            levels=found,
            sizing=size(found, self.market, self.portfolio, cost, self.rules.risk),
            rules=self.rules,
            now=self.now,
        )

    def check(self, reason: RefusalReason) -> LimitCheck | None:
        return next((each for each in self.decide().limits if each.reason is reason), None)

    def refused_by(self) -> set[RefusalReason]:
        return {each.reason for each in self.decide().limits if not each.passed}


SCENE = Scene()
