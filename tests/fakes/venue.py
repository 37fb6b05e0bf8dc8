"""`trading.ports.Venue` in memory, over the same matching core as the sandbox: no wire, all of the behaviour.

The test moves the price; time and matching follow. Faults are put in front of single calls, as a network would.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from tests.fakes import venue_translation as translate
from trading import matching
from trading.errors import VenueUnavailable
from trading.matching import Dislocation, MarketStatus, MatchingEngine, PricePoint, Stress, point_at
from trading.model.depth import OrderBook
from trading.model.instruments import Instrument, Side
from trading.model.orders import OrderRequest
from trading.model.units import Money, Price, Quantity
from trading.model.venue import (
    Account,
    CancelAnswer,
    ContractStress,
    Fill,
    LedgerRow,
    ListedContract,
    OpenOrder,
    OrderReport,
    Quote,
    SendAnswer,
    SendOutcome,
    VenuePosition,
)

STATUS_KNOWS_FOR = timedelta(seconds=5)
NEWEST_FILLS = 100


class MovedPrices:
    """`matching.PriceFeed` whose path the test extends: straight from the last price to the next one."""

    def __init__(self, start: datetime, prices: dict[str, Decimal]) -> None:
        self._points = {symbol: [PricePoint(start, price, price)] for symbol, price in prices.items()}
        self.rates: dict[str, Decimal] = {}

    def extend(self, until: datetime, prices: dict[str, Decimal]) -> None:
        for symbol, points in self._points.items():
            price = prices.get(symbol, points[-1].mark)
            points.append(PricePoint(until, price, price))

    def quote(self, symbol: str, at: datetime) -> PricePoint:
        points = self._points[symbol]
        before = [point for point in points if point.time <= at][-1]
        after = next((point for point in points if point.time > at), None)
        return PricePoint(at, before.index, before.mark) if after is None else point_at(before, after, at)

    def path(self, symbol: str, start: datetime, end: datetime) -> Sequence[PricePoint]:
        between = [point for point in self._points[symbol] if start < point.time < end]
        return [self.quote(symbol, start), *between, self.quote(symbol, end)]

    def funding_rate(self, symbol: str, at: datetime) -> Decimal:
        return self.rates.get(symbol, Decimal(0))


@dataclass
class Faults:
    """What goes wrong. `reads` names methods that do not answer (`order_book PF_COINUSD`: for this contract only).

    `sends` are taken one per `place`, in order: `""` nothing, `lost reply` placed but not told, `lost request` never
    arrived, `killed before` and `killed after` end the process around the send, any other word is the venue's refusal.
    With `no_funding` tickers name no rate.
    """

    reads: set[str] = field(default_factory=set)
    sends: list[str] = field(default_factory=list)
    hidden_positions: bool = False
    hidden_fills: bool = False
    no_history: bool = False
    no_funding: bool = False


class VenueInMemory:
    """One account over the given instruments. Also the clock of the test: `now()` is the venue's time."""

    def __init__(
        self, instruments: Sequence[Instrument], start: datetime, price: str = "100", balance: str = "10000"
    ) -> None:
        self.instruments = {each.contract: each for each in instruments}
        self._feed = MovedPrices(start, {contract: Decimal(price) for contract in self.instruments})
        markets = {contract: translate.market_of(each) for contract, each in self.instruments.items()}
        self.engine = MatchingEngine(matching.opening_books(start, Decimal(balance), 1), markets, self._feed)
        self.faults = Faults()
        self.placed: list[OrderRequest] = []
        self.cancelled: list[str] = []
        self._fills: dict[str, Fill] = {}

    # the test's side

    def now(self) -> datetime:
        return self.engine.now

    def advance(self, seconds: float, **prices: object) -> None:
        """Move time; prices are given by coin (`COIN="101.5"`) and reached in a straight line."""
        until = self.engine.now + timedelta(seconds=seconds)
        by_id = {each.id: contract for contract, each in self.instruments.items()}
        moved = {by_id[name]: Decimal(str(price)) for name, price in prices.items()}  # type: ignore[index]
        self._feed.extend(until, moved)
        self.engine.advance(until)

    def charge_funding(self, contract: str, usd_per_coin_and_hour: str) -> None:
        self._feed.rates[contract] = Decimal(usd_per_coin_and_hour)

    def put_under_stress(self, contract: str, *, multiplier: str = "1", dislocated: bool = False) -> None:
        """Extreme volatility with this multiplier of initial margin (calm at 1), and dislocation of the price."""
        stress = Stress(
            extreme_volatility=Decimal(multiplier) != 1,
            initial_margin_multiplier=Decimal(multiplier),
            dislocation=Dislocation.ABOVE if dislocated else None,
        )
        self.engine.set_stress(contract, stress)

    def naked_seconds_max(self) -> Decimal:
        return self.engine.naked_seconds_max()

    # trading.ports.Venue

    def contracts(self) -> tuple[ListedContract, ...]:
        self._answer("contracts")
        return tuple(translate.listed_contract(each) for each in self.instruments.values())

    def quotes(self) -> dict[str, Quote]:
        self._answer("quotes")
        return {contract: self._quote(contract) for contract in self.instruments}

    def order_book(self, contract: str) -> OrderBook:
        self._answer(f"order_book {contract}")
        self._answer("order_book")
        if contract not in self.engine.markets:
            raise VenueUnavailable(f"{contract} is not listed")
        return translate.order_book(self.engine, contract)

    def stress(self) -> dict[str, ContractStress]:
        self._answer("stress")
        markets = self.engine.markets.values()
        return {each.symbol: translate.contract_stress(each) for each in markets if each.stress != Stress()}

    def account(self) -> Account:
        self._answer("account")
        margin = self.engine.margin()
        return Account(
            equity=Money(margin.equity),
            available_margin=Money(margin.available),
            initial_margin=Money(margin.initial),
            maintenance_margin=Money(margin.maintenance),
            portfolio_value=Money(margin.equity),
            unrealised=Money(margin.unrealised),
            at=self.engine.now,
        )

    def positions(self) -> tuple[VenuePosition, ...]:
        self._answer("positions")
        if self.faults.hidden_positions:
            return ()
        return tuple(
            VenuePosition(
                contract=each.symbol,
                side=Side.LONG if each.size > 0 else Side.SHORT,
                quantity=Quantity(abs(each.size)),
                entry=Price(each.entry),
                isolated=False,
            )
            for each in self.engine.books.positions.values()
        )

    def open_orders(self) -> tuple[OpenOrder, ...]:
        self._answer("open_orders")
        return tuple(map(translate.open_order, self.engine.books.live.values()))

    def order_reports(self, client_order_ids: Sequence[str]) -> tuple[OrderReport, ...]:
        self._answer("order_reports")
        found = [self.engine.find(client_order_id=each) for each in client_order_ids]
        return tuple(translate.order_report(each) for each in found if each and self._still_known(each))

    def order_history(self, contract: str, since: datetime) -> tuple[OrderReport, ...]:
        self._answer("order_history")
        books = self.engine.books
        orders = () if self.faults.no_history else (*books.live.values(), *books.closed.values())
        return tuple(
            translate.order_report(each) for each in orders if each.symbol == contract and each.updated_at >= since
        )

    def fills(self, since: datetime | None = None) -> tuple[Fill, ...]:
        self._answer("fills")
        if self.faults.hidden_fills:
            return ()
        found = self.engine.books.fills
        older = [] if since is None else [each for each in found[:-NEWEST_FILLS] if each.time >= since]
        return tuple(map(self._fill, [*older, *found[-NEWEST_FILLS:]]))

    def ledger_rows(self, since: datetime) -> tuple[LedgerRow, ...]:
        self._answer("ledger_rows")
        return tuple(
            translate.ledger_row(each) for each in self.engine.books.log if each.is_cash and each.time >= since
        )

    def place(self, request: OrderRequest) -> SendAnswer:
        self.placed.append(request)
        fault = self.faults.sends.pop(0) if self.faults.sends else ""
        if fault == "lost request":
            return SendAnswer(outcome=SendOutcome.UNKNOWN, detail="no answer")
        if fault == "killed before":
            raise SystemExit("killed before the request left")
        if fault in ("", "lost reply", "killed after"):
            answer = translate.send_answer(self.engine.send(translate.matching_request(request)))
            if fault == "killed after":
                raise SystemExit("killed before the answer was recorded")
            return SendAnswer(outcome=SendOutcome.UNKNOWN, detail="no answer") if fault else answer
        return SendAnswer(outcome=SendOutcome.REJECTED, detail=fault)

    def cancel(self, client_order_id: str) -> CancelAnswer:
        self._answer("cancel")
        self.cancelled.append(client_order_id)
        status = self.engine.cancel(client_order_id=client_order_id).status
        return CancelAnswer(gone=True, detail=status)

    def cancel_order(self, order_id: str) -> CancelAnswer:
        self._answer("cancel_order")
        self.cancelled.append(order_id)
        return CancelAnswer(gone=True, detail=self.engine.cancel(order_id=order_id).status)

    def server_time(self) -> datetime:
        self._answer("server_time")
        return self.engine.now

    # inside

    def _answer(self, method: str) -> None:
        if method in self.faults.reads:
            raise VenueUnavailable(f"{method} does not answer")

    def _fill(self, fill: matching.Fill) -> Fill:
        """Translated once: a fill never changes, and every run of a day asks for all of them."""
        told = self._fills.get(fill.fill_id)
        if told is None:
            told = self._fills[fill.fill_id] = translate.fill_of(fill)
        return told

    def _still_known(self, order: matching.Order) -> bool:
        return order.state.is_live or self.engine.now - order.updated_at <= STATUS_KNOWS_FOR

    def _hourly_funding(self, contract: str, mark: Decimal) -> Decimal:
        return self._feed.funding_rate(contract, self.engine.now) / mark

    def _quote(self, contract: str) -> Quote:
        market, point = self.engine.market(contract), self.engine.point(contract)
        mark, half = point.mark, market.tick_size / 2
        return Quote(
            contract=contract,
            mark=Price(mark),
            index=Price(point.index),
            bid=Price(mark - half),
            ask=Price(mark + half),
            volume_usd=Decimal(6_000_000),
            hourly_funding=None if self.faults.no_funding else self._hourly_funding(contract, mark),
            suspended=market.status is MarketStatus.SUSPENDED,
            post_only=market.status is MarketStatus.POST_ONLY,
            at=self.engine.now,
        )
