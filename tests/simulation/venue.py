"""The exchange of a simulated day: the venue in memory over a price path, with views that lag and things that break."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.fakes import venue_translation as translate
from tests.fakes.venue import VenueInMemory
from tests.simulation.market import SimulatedPrices
from tests.simulation.options import Options
from trading import matching
from trading.matching import MarketStatus, MatchingEngine, Switches
from trading.model.instruments import Instrument, Side
from trading.model.orders import OrderRequest
from trading.model.units import Price, Quantity
from trading.model.venue import Account, Fill, LedgerRow, OpenOrder, OrderReport, SendAnswer, VenuePosition

MILLISECOND = timedelta(milliseconds=1)


class SimulatedVenue(VenueInMemory):
    """`trading.ports.Venue`. Call `catch_up` with the time before anything else happens at that time."""

    def __init__(
        self, options: Options, instruments: Sequence[Instrument], prices: SimulatedPrices, start: datetime
    ) -> None:
        super().__init__(instruments, start)
        self.options = options
        self.prices = prices
        markets = {
            each.contract: _market(each, options, prices.quote(each.contract, start).mark) for each in instruments
        }
        books = matching.opening_books(start, Decimal(10_000), options.seed)
        switches = Switches(accept_stop_when_flat=options.stop_when_flat)
        self.engine = MatchingEngine(books, markets, prices, switches)

    def catch_up(self, now: datetime) -> None:
        """Match up to now."""
        if now > self.engine.now:
            self.engine.advance(now)

    def positions(self) -> tuple[VenuePosition, ...]:
        return self.positions_of(0)

    def positions_of(self, age_s: float) -> tuple[VenuePosition, ...]:
        """As they stood before the lag of this view and `age_s` more."""
        at, books = self._seen(self.options.positions_lag_ms, age_s), self.engine.books
        if not books.position_log or books.position_log[-1].time <= at:
            return super().positions()
        return tuple(
            VenuePosition(
                contract=each.symbol,
                side=Side.LONG if each.size > 0 else Side.SHORT,
                quantity=Quantity(abs(each.size)),
                entry=Price(each.entry),
                isolated=False,
            )
            for each in matching.positions_at(books, at).values()
        )

    def open_orders(self) -> tuple[OpenOrder, ...]:
        return self.open_orders_of(0)

    def open_orders_of(self, age_s: float) -> tuple[OpenOrder, ...]:
        at, books = self._seen(self.options.orders_lag_ms, age_s), self.engine.books
        if not books.history or books.history[-1].time <= at:
            return super().open_orders()
        return tuple(
            translate.open_order(each) for each in matching.orders_at(books, at).values() if each.state.is_live
        )

    def _seen(self, lag_ms: int, age_s: float) -> datetime:
        return self.engine.now - (lag_ms + age_s * 1000) * MILLISECOND

    def fills(self, since: datetime | None = None) -> tuple[Fill, ...]:
        return self.fills_of(0, since)

    def fills_of(self, age_s: float, since: datetime | None) -> tuple[Fill, ...]:
        until = self.engine.now - (self.options.fills_lag_ms + age_s * 1000) * MILLISECOND
        return tuple(each for each in super().fills(since) if each.at <= until)

    def order_history(self, contract: str, since: datetime) -> tuple[OrderReport, ...]:
        until = self.engine.now - self.options.history_lag_ms * MILLISECOND
        books = self.engine.books
        return tuple(
            translate.order_report(each)
            for each in (*books.live.values(), *books.closed.values())
            if each.symbol == contract and since <= each.updated_at <= until
        )

    def ledger_rows(self, since: datetime) -> tuple[LedgerRow, ...]:
        until = self.engine.now - self.options.log_lag_ms * MILLISECOND
        return tuple(each for each in super().ledger_rows(since) if each.at <= until)

    def _hourly_funding(self, contract: str, mark: Decimal) -> Decimal:
        """What the engine charges; the scenes' feed of the venue in memory knows none of it."""
        return self.prices.funding_rate(contract, self.engine.now) / mark

    def account(self) -> Account:
        return replace(super().account(), at=self.engine.now)

    # what people and the market do, from outside

    def halt(self, contract: str, status: MarketStatus) -> None:
        self.engine.set_status(contract, status)

    def trade_by_owner(self, request: matching.OrderRequest) -> Any:
        return self.engine.send(request)

    def answer_again(self, request: OrderRequest) -> SendAnswer:
        return translate.send_answer(self.engine.send(translate.matching_request(request)))


def _market(instrument: Instrument, options: Options, price: Decimal) -> matching.Market:
    """`partial_fills`: levels so thin that most orders take several of them, and some more than there are."""
    market = translate.market_of(instrument)
    size = Decimal(2_000 if options.partial_fills else 100_000) / price
    liquidity = replace(market.liquidity, half_spread=Decimal("0.0001"), level_size=size)
    return replace(market, liquidity=liquidity)
