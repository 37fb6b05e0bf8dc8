"""The adapter against the sandbox process over a socket: what one of them believes, the other must have done."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from shared.venue import KrakenRestVenue, KrakenSpot
from shared.venue.last_line import EntryCaps, LastLine
from shared.venue.transport import require_loopback
from tests.integration.venue.sandbox_process import KEY, SECRET, Sandbox, running_sandbox
from trading.errors import VenueAnswerInvalid, VenueAuthenticationFailed, VenueUnavailable
from trading.model.instruments import Side
from trading.model.orders import ClientOrderId, OrderRequest, OrderSide, OrderType
from trading.model.times import Timeframe, from_epoch
from trading.model.units import Price, Quantity
from trading.model.venue import OpenOrderKind, OrderFate, SendOutcome

CONTRACT = "PF_XBTUSD"
SIZE = Quantity("0.01")
WIDE = EntryCaps(order_notional_usd=Decimal(10**9), process_before_s=10, call_cost_per_10_s=400)
"""Wide enough that what the sandbox refuses gets there."""


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with running_sandbox() as running:
        yield running


@pytest.fixture
def venue(sandbox: Sandbox) -> KrakenRestVenue:
    last_line = LastLine(caps=WIDE, clock=sandbox)
    adapter = KrakenRestVenue(key=KEY, secret=SECRET, base_url=sandbox.url, last_line=last_line)
    require_loopback(adapter.wire.addresses())
    return adapter


@pytest.fixture
def started(sandbox: Sandbox) -> datetime:
    return sandbox.now()


def request(venue: KrakenRestVenue, name: str, kind: OrderType, share: str = "1", **changes: object) -> OrderRequest:
    """An order at a share of the mark, rounded to whole dollars as the contract's tick asks for."""
    price = Price((venue.quotes()[CONTRACT].mark * Decimal(share)).to_integral_value())
    values: dict[str, object] = {
        "contract": CONTRACT,
        "side": OrderSide.BUY,
        "type": kind,
        "quantity": SIZE,
        "client_order_id": ClientOrderId(name),
        "reduce_only": kind is OrderType.STOP,
        "process_before": venue.server_time() + timedelta(seconds=3),
        "limit_price": None if kind in (OrderType.MARKET, OrderType.STOP) else price,
        "trigger_price": price if kind is OrderType.STOP else None,
    }
    return OrderRequest(**{**values, **changes})  # type: ignore[arg-type]


def buy(venue: KrakenRestVenue, name: str = "smc-entry-1") -> None:
    answer = venue.place(request(venue, name, OrderType.IMMEDIATE, "1.01"))
    assert answer.outcome is SendOutcome.ACCEPTED, answer


def test_resting_order_is_found_then_cancelled(venue: KrakenRestVenue, started: datetime) -> None:
    answer = venue.place(request(venue, "smc-a-1", OrderType.POST, "0.9"))
    (order,) = venue.open_orders()
    assert (answer.outcome, answer.order_id) == (SendOutcome.ACCEPTED, order.order_id)
    assert (order.kind, order.client_order_id, order.open_quantity) == (OpenOrderKind.LIMIT, "smc-a-1", SIZE)
    (report,) = venue.order_reports(["smc-a-1", "smc-never"])
    assert (report.order_id, report.fate, report.filled) == (order.order_id, OrderFate.WORKING, Quantity(0))
    assert venue.cancel("smc-a-1").gone
    assert venue.open_orders() == ()
    assert [each.fate for each in venue.order_reports(["smc-a-1"])] == [OrderFate.CANCELLED]
    assert [each.fate for each in venue.order_history(CONTRACT, started)] == [OrderFate.CANCELLED]
    assert venue.cancel_order(order.order_id).detail == "notFound"


def test_stop_rests_on_mark_and_reduces_only(venue: KrakenRestVenue) -> None:
    buy(venue)
    stop = request(venue, "smc-stop-1", OrderType.STOP, "0.95", side=OrderSide.SELL)
    assert venue.place(stop).outcome is SendOutcome.ACCEPTED
    (order,) = venue.open_orders()
    assert (order.kind, order.side, order.reduce_only) == (OpenOrderKind.STOP, OrderSide.SELL, True)
    assert (order.trigger_price, order.trigger_signal) == (stop.trigger_price, "mark")
    assert (order.limit_price, order.open_quantity) == (None, SIZE)


def test_bought_position_is_in_all_the_books(venue: KrakenRestVenue, started: datetime) -> None:
    buy(venue)
    (position,) = venue.positions()
    assert (position.contract, position.side, position.quantity) == (CONTRACT, Side.LONG, SIZE)
    fills = venue.fills()
    assert sum(fill.quantity for fill in fills) == SIZE
    assert {(fill.client_order_id, fill.side, fill.kind) for fill in fills} == {("smc-entry-1", OrderSide.BUY, "taker")}
    notional = sum(fill.quantity * fill.price for fill in fills)
    rows = venue.ledger_rows(started)
    assert {row.execution for row in rows} == {fill.id for fill in fills}
    assert abs(sum(row.fee for row in rows) - notional * Decimal("0.0005")) < Decimal("0.0001")
    (report,) = venue.order_history(CONTRACT, started)
    assert (report.fate, report.filled, report.client_order_id) == (OrderFate.FILLED, SIZE, "smc-entry-1")


def test_account_agrees_with_the_sandboxs_books(venue: KrakenRestVenue, sandbox: Sandbox, started: datetime) -> None:
    buy(venue)
    sandbox.advance(hours=3)
    account, truth = venue.account(), sandbox.control("state")
    assert abs(account.equity - Decimal(truth["equity"])) < Decimal("0.000001")
    assert abs(account.unrealised - Decimal(truth["unrealised"]) - Decimal(truth["accrued_funding"])) < Decimal(
        "0.000001"
    )
    assert account.at == sandbox.now()
    rows = venue.ledger_rows(started)
    assert [row.kind for row in rows].count("funding rate change") == 3
    booked = sum(row.realised - row.fee + row.funding for row in rows)
    assert abs(Decimal(truth["balance"]) - Decimal(truth["starting_balance"]) - booked) < Decimal("0.000001")


def test_stop_that_fires_closes_the_position(venue: KrakenRestVenue, sandbox: Sandbox, started: datetime) -> None:
    buy(venue)
    close = request(venue, "smc-stop-1", OrderType.STOP, "1.0003", side=OrderSide.SELL)
    assert venue.place(close).outcome is SendOutcome.ACCEPTED
    sandbox.advance(minutes=1)
    assert venue.positions() == ()
    assert venue.open_orders() == ()
    reports = {report.client_order_id: report for report in venue.order_history(CONTRACT, started)}
    assert (reports["smc-stop-1"].fate, reports["smc-stop-1"].filled) == (OrderFate.FILLED, SIZE)
    assert venue.fills()[-1].client_order_id == "smc-stop-1"
    assert venue.account().initial_margin == 0


def test_resting_entry_fills_while_time_passes(venue: KrakenRestVenue, sandbox: Sandbox) -> None:
    answer = venue.place(request(venue, "smc-entry-1", OrderType.POST, "0.999"))
    assert answer.outcome is SendOutcome.ACCEPTED
    for _ in range(48):
        sandbox.advance(hours=1)
        if venue.positions():
            break
    assert {(fill.order_id, fill.kind) for fill in venue.fills()} == {(answer.order_id, "maker")}
    assert venue.positions()[0].entry <= venue.fills()[0].price


@pytest.mark.parametrize(
    ("kind", "share", "changes", "word"),
    [
        (OrderType.POST, "1.01", {}, "postWouldExecute"),
        (OrderType.IMMEDIATE, "0.95", {}, "iocWouldNotExecute"),
        (OrderType.MARKET, "1", {"reduce_only": True}, "wouldNotReducePosition"),
        (OrderType.LIMIT, "0.99", {"quantity": Quantity("0.00001")}, "invalidSize"),
        (OrderType.LIMIT, "0.99", {"quantity": Quantity("900")}, "insufficientAvailableFunds"),
    ],
)
def test_refused_orders_carry_the_venues_word(
    venue: KrakenRestVenue, kind: OrderType, share: str, changes: dict[str, object], word: str
) -> None:
    answer = venue.place(request(venue, "smc-refused-1", kind, share, **changes))
    assert (answer.outcome, answer.detail) == (SendOutcome.REJECTED, word)
    assert (venue.open_orders(), venue.positions()) == ((), ())


def test_expired_request_is_refused_for_sure(venue: KrakenRestVenue) -> None:
    late = request(
        venue, "smc-late-1", OrderType.STOP, "0.9", process_before=venue.server_time() - timedelta(seconds=1)
    )
    answer = venue.place(late)
    assert (answer.outcome, answer.detail) == (SendOutcome.REJECTED, "wouldProcessAfterSpecifiedTime")


def test_second_send_of_one_id_stays_unknown(venue: KrakenRestVenue) -> None:
    order = request(venue, "smc-twice-1", OrderType.POST, "0.9")
    assert venue.place(order).outcome is SendOutcome.ACCEPTED
    again = venue.place(order)
    assert (again.outcome, again.detail) == (SendOutcome.UNKNOWN, "clientOrderIdAlreadyExist")
    assert len(venue.open_orders()) == 1


@pytest.mark.parametrize("switch", [{"order_events": "empty"}, {"order_events": "missing"}, {"echo_client_id": False}])
def test_accepted_order_survives_sparse_answers(
    venue: KrakenRestVenue, sandbox: Sandbox, switch: dict[str, object]
) -> None:
    sandbox.control("switches", switch)
    answer = venue.place(request(venue, "smc-sparse-1", OrderType.POST, "0.9"))
    assert (answer.outcome, answer.order_id) == (SendOutcome.ACCEPTED, venue.open_orders()[0].order_id)


def test_lower_case_symbols_are_the_same_contracts(venue: KrakenRestVenue, sandbox: Sandbox) -> None:
    buy(venue)
    venue.place(request(venue, "smc-stop-1", OrderType.STOP, "0.9", side=OrderSide.SELL))
    sandbox.control("switches", {"lower_case_symbols": True, "stop_type_in_open_orders": "stp"})
    assert {each.contract for each in venue.positions()} == {CONTRACT}
    assert {each.contract for each in venue.open_orders()} == {CONTRACT}
    assert {each.contract for each in venue.fills()} == {CONTRACT}
    assert {each.contract for each in venue.order_reports(["smc-stop-1"])} == {CONTRACT}
    assert venue.open_orders()[0].kind is OpenOrderKind.STOP


def test_committed_candles_end_at_the_last_bar(sandbox: Sandbox) -> None:
    spot = KrakenSpot(clock=sandbox, base_url=sandbox.url)
    pair = next(each.pair for each in spot.pairs() if (each.base, each.quote) == ("BTC", "USD"))
    sandbox.advance(minutes=20)
    answer = spot.candles(pair, Timeframe.M15, None)
    series = answer.bars
    assert (len(series), series.gaps) == (719, 0)
    assert series.closed_at == Timeframe.M15.floor(sandbox.now()) == from_epoch(answer.complete_before)
    newest = spot.candles(pair, Timeframe.M15, sandbox.now() - timedelta(minutes=50)).bars
    assert newest == series.last(3)
    quote = spot.quotes([pair])[pair]
    assert (quote.bid < quote.ask, quote.at) == (True, sandbox.now())


def test_index_candles_of_sandbox_end_closed(venue: KrakenRestVenue, sandbox: Sandbox) -> None:
    sandbox.advance(minutes=20)
    since = Timeframe.M15.floor(sandbox.now()) - timedelta(hours=2)
    answer = venue.index_candles(CONTRACT, Timeframe.M15, since)
    assert (len(answer.bars), answer.bars.gaps) == (8, 0)
    assert answer.bars.closed_at == Timeframe.M15.floor(sandbox.now()) == from_epoch(answer.complete_before)


def test_trades_of_sandbox_are_paged_to_now(sandbox: Sandbox) -> None:
    spot = KrakenSpot(clock=sandbox, base_url=sandbox.url)
    since = int((sandbox.now() - timedelta(days=1)).timestamp()) * 10**9
    pages = [spot.trades("XXBTZUSD", since)]
    while pages[-1].trades:
        pages.append(spot.trades("XXBTZUSD", pages[-1].next_since))
    times = [trade.at for page in pages for trade in page.trades]
    assert len(pages[0].trades) == 1000
    assert times == sorted(set(times))
    assert since < times[0]
    assert 0 <= sandbox.now().timestamp() - times[-1] / 10**9 < 120


def test_contracts_and_quotes_cover_the_same_markets(venue: KrakenRestVenue) -> None:
    perpetual = {each.contract: each for each in venue.contracts() if each.perpetual}
    assert {"PF_XBTUSD", "PF_ETHUSD", "PF_SOLUSD"} <= set(perpetual) & set(venue.quotes())
    assert (perpetual[CONTRACT].base, perpetual[CONTRACT].step) == ("BTC", Decimal("0.0001"))
    assert (perpetual[CONTRACT].maker_fee, perpetual[CONTRACT].taker_fee) == (Decimal(2), Decimal(5))


@pytest.mark.parametrize(
    ("kind", "rests"), [("lost_reply", 1), ("empty", 1), ("truncated", 1), ("html", 0), ("http_503", 0)]
)
def test_spoilt_answer_leaves_a_send_unknown(venue: KrakenRestVenue, sandbox: Sandbox, kind: str, rests: int) -> None:
    order = request(venue, "smc-spoilt-1", OrderType.POST, "0.9")
    sandbox.control("faults", {"path": "/sendorder", "kind": kind})
    assert venue.place(order).outcome is SendOutcome.UNKNOWN
    assert len(venue.order_reports(["smc-spoilt-1"])) == len(venue.open_orders()) == rests


@pytest.mark.parametrize("kind", ["html", "http_503", "empty", "empty_object", "truncated", "lost_reply"])
def test_spoilt_read_never_looks_flat(venue: KrakenRestVenue, sandbox: Sandbox, kind: str) -> None:
    buy(venue)
    sandbox.control("faults", {"path": "/openpositions", "kind": kind})
    with pytest.raises(VenueUnavailable, match="openpositions") as caught:
        venue.positions()
    assert isinstance(caught.value, VenueAnswerInvalid) is (kind in ("html", "empty", "empty_object"))
    assert len(venue.positions()) == 1


def test_wrong_secret_is_refused_everywhere(venue: KrakenRestVenue, sandbox: Sandbox, started: datetime) -> None:
    stranger = KrakenRestVenue(key=KEY, secret="c3RyYW5nZXI=", base_url=sandbox.url)
    for read in (stranger.account, stranger.positions, stranger.open_orders, stranger.fills):
        with pytest.raises(VenueAuthenticationFailed):
            read()
    with pytest.raises(VenueAuthenticationFailed):
        stranger.ledger_rows(started)
    answer = stranger.place(request(venue, "smc-x-1", OrderType.STOP, "0.9"))
    assert (answer.outcome, answer.detail) == (SendOutcome.REJECTED, "authenticationError")


def test_fills_reach_back_beyond_the_newest_hundred(
    sandbox: Sandbox, venue: KrakenRestVenue, started: datetime
) -> None:
    for number in range(53):
        side = OrderSide.BUY if number % 2 == 0 else OrderSide.SELL
        sells = side is OrderSide.SELL
        for leg in (1, 2):
            kind = OrderType.MARKET if sells else OrderType.IMMEDIATE
            order = request(venue, f"smc-{number}-{leg}", kind, "1.01", side=side, reduce_only=sells)
            assert venue.place(order).outcome is SendOutcome.ACCEPTED
        sandbox.advance(seconds=20)
    everything = venue.fills(started)
    assert len(everything) > len(venue.fills()) == 100
    assert len({each.id for each in everything}) == len(everything)
    assert {each.client_order_id for each in everything} == {f"smc-{n}-{k}" for n in range(53) for k in (1, 2)}
