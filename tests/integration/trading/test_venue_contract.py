"""One suite for every venue: the one in memory that our tests trust, the adapter over HTTP against the sandbox, and the
paper account with the sandbox's public prices and its books in a table.

What the fake promises here, the others keep too; a difference makes every test on the fake worthless.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

import pytest

from shared.storage.paper_books import PaperBooksStore
from shared.venue import KrakenFuturesMarket, KrakenRestVenue
from shared.venue.last_line import EntryCaps, LastLine
from shared.venue.paper import PaperVenue
from shared.venue.paper_markets import ContractTerms
from shared.venue.transport import require_loopback
from tests.fakes.cloud import LEDGER, emulated
from tests.fakes.records import NOW, coin
from tests.fakes.venue import VenueInMemory
from tests.integration.venue.sandbox_process import KEY, SECRET, Sandbox, running_sandbox
from trading.errors import VenueUnavailable
from trading.model.instruments import Side
from trading.model.orders import ClientOrderId, OrderRequest, OrderSide, OrderType
from trading.model.units import Price, Quantity
from trading.model.venue import OpenOrderKind, OrderFate, SendAnswer, SendOutcome
from trading.ports import Venue

SIZE = Quantity("0.02")
CAPS = EntryCaps(order_notional_usd=Decimal(100_000), process_before_s=10, call_cost_per_10_s=400)


@dataclass
class Trader:
    """One venue, one of its contracts, and its passing of time."""

    venue: Venue
    contract: str
    pass_seconds: Callable[[float], None]

    def send(
        self, name: str, kind: OrderType, side: OrderSide = OrderSide.BUY, share: str = "1", **more: object
    ) -> SendAnswer:
        """An order at a share of the mark, on whole dollars."""
        price = Price((self.venue.quotes()[self.contract].mark * Decimal(share)).to_integral_value())
        values: dict[str, object] = {
            "contract": self.contract,
            "side": side,
            "type": kind,
            "quantity": SIZE,
            "client_order_id": ClientOrderId(f"smc-{name}"),
            "reduce_only": side is OrderSide.SELL,
            "process_before": self.venue.server_time() + timedelta(seconds=5),
            "limit_price": None if kind in (OrderType.MARKET, OrderType.STOP) else price,
            "trigger_price": price if kind is OrderType.STOP else None,
        }
        return self.venue.place(OrderRequest(**{**values, **more}))  # type: ignore[arg-type]

    def buy(self) -> None:
        """With a limit: an order at the market that may open never leaves the adapter."""
        assert self.send("entry", OrderType.IMMEDIATE, share="1.01").outcome is SendOutcome.ACCEPTED


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running_sandbox() as running:
        yield running


@pytest.fixture(scope="module")
def sandbox_trader(sandbox: Sandbox) -> Trader:
    last_line = LastLine(caps=CAPS, clock=sandbox)
    adapter = KrakenRestVenue(key=KEY, secret=SECRET, base_url=sandbox.url, last_line=last_line)
    require_loopback(adapter.wire.addresses())
    return Trader(adapter, "PF_XBTUSD", lambda count: sandbox.advance(seconds=count))


@pytest.fixture
def paper_trader(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Trader]:
    """No key anywhere: the paper account reads what the venue tells everybody."""
    market = KrakenFuturesMarket(base_url=sandbox.url)
    with emulated(monkeypatch):
        venue = PaperVenue(
            market=market,
            terms=ContractTerms(market, sandbox),
            store=PaperBooksStore(LEDGER),
            clock=sandbox,
            last_line=LastLine(caps=CAPS, clock=sandbox),
        )
        yield Trader(venue, "PF_XBTUSD", lambda count: sandbox.advance(seconds=count))


@pytest.fixture(params=["memory", "adapter", "paper"])
def trader(request: pytest.FixtureRequest) -> Trader:
    if request.param == "memory":
        memory = VenueInMemory([coin()], NOW, price="30000")
        return Trader(memory, "PF_COINUSD", memory.advance)
    chosen: Trader = request.getfixturevalue("sandbox_trader" if request.param == "adapter" else "paper_trader")
    return chosen


def test_stop_rests_while_flat_and_reads_back(trader: Trader) -> None:
    answer = trader.send("flat-stop", OrderType.STOP, OrderSide.SELL, "0.9")
    (order,) = trader.venue.open_orders()
    assert (answer.outcome, answer.order_id) == (SendOutcome.ACCEPTED, order.order_id)
    assert (order.kind, order.side, order.open_quantity) == (OpenOrderKind.STOP, OrderSide.SELL, SIZE)
    assert (order.reduce_only, order.trigger_signal, order.filled) == (True, "mark", 0)
    assert trader.venue.cancel("smc-flat-stop").gone
    assert trader.venue.open_orders() == ()


def test_resting_order_is_reported_until_its_end(trader: Trader) -> None:
    since = trader.venue.server_time() - timedelta(seconds=1)
    trader.send("rest", OrderType.POST, share="0.9")
    ids = ["smc-rest", "smc-never-sent"]
    assert [each.fate for each in trader.venue.order_reports(ids)] == [OrderFate.WORKING]
    trader.venue.cancel("smc-rest")
    assert [each.fate for each in trader.venue.order_reports(ids)] == [OrderFate.CANCELLED]
    trader.pass_seconds(60)
    assert trader.venue.order_reports(ids) == ()
    history = [
        each for each in trader.venue.order_history(trader.contract, since) if each.client_order_id == "smc-rest"
    ]
    assert [(each.fate, each.filled) for each in history] == [(OrderFate.CANCELLED, 0)]


def test_second_send_of_one_id_is_unknown(trader: Trader) -> None:
    assert trader.send("twice", OrderType.POST, share="0.9").outcome is SendOutcome.ACCEPTED
    assert trader.send("twice", OrderType.POST, share="0.9").outcome is SendOutcome.UNKNOWN
    assert len(trader.venue.open_orders()) == 1
    trader.venue.cancel("smc-twice")


@pytest.mark.parametrize(
    ("name", "kind", "share", "word"),
    [("crossing", OrderType.POST, "1.05", "postWouldExecute"), ("far", OrderType.LIMIT, "1.5", "outsidePriceCollar")],
)
def test_refusal_is_rejected_in_the_venues_word(
    trader: Trader, name: str, kind: OrderType, share: str, word: str
) -> None:
    answer = trader.send(name, kind, share=share)
    assert (answer.outcome, answer.detail) == (SendOutcome.REJECTED, word)
    assert trader.venue.open_orders() == ()


def test_late_request_is_refused_for_sure(trader: Trader) -> None:
    late = trader.venue.server_time() - timedelta(seconds=5)
    answer = trader.send("late", OrderType.STOP, OrderSide.SELL, "0.9", process_before=late)
    assert (answer.outcome, answer.detail) == (SendOutcome.REJECTED, "wouldProcessAfterSpecifiedTime")


def test_reduce_only_never_opens_a_position(trader: Trader) -> None:
    answer = trader.send("nothing-to-reduce", OrderType.MARKET, OrderSide.SELL)
    assert (answer.outcome, answer.detail) == (SendOutcome.REJECTED, "wouldNotReducePosition")
    assert trader.venue.positions() == ()


def test_round_trip_is_in_every_book(trader: Trader) -> None:
    since = trader.venue.server_time() - timedelta(seconds=1)
    before = trader.venue.account().equity
    trader.buy()
    (position,) = trader.venue.positions()
    assert (position.contract, position.side, position.quantity) == (trader.contract, Side.LONG, SIZE)
    trader.pass_seconds(1)
    assert (
        trader.send("exit", OrderType.MARKET, OrderSide.SELL, quantity=Quantity("0.05")).outcome is SendOutcome.ACCEPTED
    )
    assert trader.venue.positions() == ()
    fills = [each for each in trader.venue.fills() if each.at >= since]
    assert [each.at for each in fills] == sorted(each.at for each in fills)
    bought = sum(each.quantity for each in fills if each.client_order_id == "smc-entry")
    sold = sum(each.quantity for each in fills if each.client_order_id == "smc-exit")
    assert bought == sold == SIZE
    rows = [each for each in trader.venue.ledger_rows(since) if each.execution]
    assert {each.execution for each in rows} == {each.id for each in fills}
    change = sum(each.realised - each.fee + each.funding for each in rows)
    assert abs(trader.venue.account().equity - before - change) < Decimal("0.01")


def test_order_book_agrees_with_the_ticker(trader: Trader) -> None:
    book, quote = trader.venue.order_book(trader.contract), trader.venue.quotes()[trader.contract]
    assert (book.contract, book.at) == (trader.contract, quote.at)
    assert (book.bids[0][0], book.asks[0][0]) == pytest.approx((quote.bid, quote.ask), rel=Decimal("0.0001"))
    assert len(book.bids) == len(book.asks) == 10
    assert all(book.closing(side, Decimal(50)) > SIZE for side in Side)


def test_order_book_of_the_unknown_is_no_answer(trader: Trader) -> None:
    with pytest.raises(VenueUnavailable):
        trader.venue.order_book("PF_NOSUCHUSD")


def test_cancel_of_the_unknown_is_gone(trader: Trader) -> None:
    assert trader.venue.cancel("smc-never-existed").gone
    assert trader.venue.cancel_order("00000000-0000-4000-8000-000000000000").gone
