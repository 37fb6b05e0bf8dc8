"""The response cases of ccxt's own suite: bodies recorded and expectations written by others, served over a socket."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from shared.venue import KrakenRestVenue, KrakenSpot
from shared.venue.history_bodies import HistoryAnswer
from shared.venue.order_history import executions
from shared.venue.reading import read_answer
from shared.venue.transport import futures_wire
from tests.integration.venue.external_cases import load, needs_cases, response_case
from tests.integration.venue.loopback_venue import LoopbackVenue
from tests.integration.venue.recorded_bodies import HISTORY, HISTORY_ORDERS, V3
from trading.model.orders import OrderSide
from trading.model.times import Timeframe
from trading.model.units import Quantity
from trading.model.venue import OrderFate, OrderReport

pytestmark = needs_cases
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
FATES = {"closed": OrderFate.FILLED, "canceled": OrderFate.CANCELLED, "open": OrderFate.WORKING}


def milliseconds(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def test_ledger_matches_upstream_cash_legs(venue: KrakenRestVenue, loopback: LoopbackVenue) -> None:
    case = response_case("fetchLedger", "fetch ledger")
    loopback.answer(f"{HISTORY}/account-log", case["httpResponse"])
    rows = {str(row.id): row for row in venue.ledger_rows(LONG_AGO)}
    assert set(rows) == {row["id"] for row in case["upstream_expect"]} == {"1", "2", "7", "9"}
    trade, funding = rows["9"], rows["2"]
    assert abs(trade.realised) == Decimal("0.0042")
    assert trade.fee == Decimal("0.0035")
    assert trade.realised - trade.fee + trade.funding == Decimal("0") - Decimal("0.0077")
    assert (trade.contract, trade.execution) == ("PF_DOGEUSD", "a59b8e24-89d8-4553-a084-b2de96dba5d3")
    assert (funding.kind, funding.funding) == ("funding rate change", Decimal("0.0116"))
    assert (rows["1"].kind, rows["7"].kind) == ("cross-exchange transfer", "conversion")


def test_fee_schedules_match_upstream_first_tiers(venue: KrakenRestVenue, loopback: LoopbackVenue) -> None:
    case = response_case("fetchTradingFees", "fetch trading fees")
    loopback.answer(f"{V3}/feeschedules", case["httpResponse"])
    loopback.answer(f"{V3}/instruments", load("ccxt/markets_krakenfutures.json")["instruments_response"])
    contracts = {contract.contract: contract for contract in venue.contracts()}
    for symbol, contract in {"BTC/USD:USD": "PF_XBTUSD", "BTC/USD:BTC": "PI_XBTUSD"}.items():
        expected = case["upstream_expect"][symbol]
        assert contracts[contract].maker_fee / 10_000 == Decimal(str(expected["maker"]))
        assert contracts[contract].taker_fee / 10_000 == Decimal(str(expected["taker"]))


def test_fills_match_upstream_trades(venue: KrakenRestVenue, loopback: LoopbackVenue) -> None:
    case = response_case("fetchMyTrades", "user trades")
    loopback.answer(f"{V3}/fills", case["httpResponse"])
    found = [(fill.id, fill.side.value, float(fill.price), float(fill.quantity)) for fill in venue.fills()]
    expected = [(trade["id"], trade["side"], trade["price"], trade["amount"]) for trade in case["upstream_expect"]]
    assert found == expected
    assert {fill.kind for fill in venue.fills()} == {"taker"}


def test_positions_match_upstream_exactly(venue: KrakenRestVenue, loopback: LoopbackVenue) -> None:
    case = response_case("fetchPositions", "open positions")
    loopback.answer(f"{V3}/openpositions", case["httpResponse"])
    (position,) = venue.positions()
    (expected,) = case["upstream_expect"]
    assert position.contract == "PF_LTCUSD"
    assert (position.side.value, float(position.quantity)) == (expected["side"], expected["contracts"])
    assert float(position.entry) == expected["entryPrice"]
    assert position.isolated is (expected["marginType"] == "isolated")


@pytest.mark.parametrize("description", ["open order", "fetch open orders"])
def test_open_orders_match_upstream(venue: KrakenRestVenue, loopback: LoopbackVenue, description: str) -> None:
    case = response_case("fetchOpenOrders", description)
    loopback.answer(f"{V3}/openorders", case["httpResponse"])
    (order,) = venue.open_orders()
    (expected,) = case["upstream_expect"]
    assert (order.order_id, order.client_order_id) == (expected["id"], None)
    assert float(order.open_quantity) == expected["remaining"]
    assert float(order.filled) == expected.get("filled", 0)
    assert order.kind.value == expected.get("type", "limit")
    assert milliseconds(order.received_at) == expected.get("timestamp", milliseconds(order.received_at))


def history(venue: KrakenRestVenue, loopback: LoopbackVenue, kind: str, body: object) -> dict[str, OrderReport]:
    for path in ("orders", "triggers"):
        loopback.answer(f"{HISTORY}/{path}", body if path == kind else HISTORY_ORDERS)
    return {report.order_id: report for report in venue.order_history("PF_ETHUSD", LONG_AGO)}


CLOSED = ["fetch closed orders including filled limit order", "swap closed order", "fetch closed orders"]


@pytest.mark.parametrize("description", CLOSED)
def test_closed_orders_match_upstream_fates(venue: KrakenRestVenue, loopback: LoopbackVenue, description: str) -> None:
    cases = load("ccxt/response_krakenfutures.json")["methods"]["fetchClosedOrders"]
    (case,) = [case for case in cases if case["description"] == description]
    reports = history(venue, loopback, "orders", case["httpResponse"])
    ended = {uid: report for uid, report in reports.items() if report.fate is not OrderFate.WORKING}
    assert set(ended) == {expected["id"] for expected in case["upstream_expect"]}
    for expected in case["upstream_expect"]:
        assert ended[expected["id"]].fate is FATES[expected["status"]]
        assert float(ended[expected["id"]].filled) == expected["filled"]


def test_cancelled_triggers_match_upstream(venue: KrakenRestVenue, loopback: LoopbackVenue) -> None:
    case = response_case("fetchCanceledOrders", "canceled trigger orders")
    reports = history(venue, loopback, "triggers", case["httpResponse"])
    cancelled = {uid for uid, report in reports.items() if report.fate is OrderFate.CANCELLED}
    assert cancelled == {expected["id"] for expected in case["upstream_expect"]}


def test_activated_triggers_go_on_as_orders(venue: KrakenRestVenue, loopback: LoopbackVenue) -> None:
    """Upstream calls an activated trigger closed, filled 0; the order of the same uid tells what became of it."""
    triggers = response_case("fetchClosedOrders", "fetchClosed trigger")
    reports = history(venue, loopback, "triggers", triggers["httpResponse"])
    for expected in triggers["upstream_expect"]:
        assert (reports[expected["id"]].fate, reports[expected["id"]].filled) == (OrderFate.WORKING, Quantity(0))
    orders = response_case("fetchClosedOrders", "fetch closed orders including")
    loopback.answer(f"{HISTORY}/orders", orders["httpResponse"])
    reports = {report.order_id: report for report in venue.order_history("PF_ETHUSD", LONG_AGO)}
    (filled,) = orders["upstream_expect"]
    assert (reports[filled["id"]].fate, reports[filled["id"]].filled) == (OrderFate.FILLED, Decimal("0.001"))


def test_tickers_match_upstream_funding_rates(venue: KrakenRestVenue, loopback: LoopbackVenue) -> None:
    case = response_case("fetchFundingRates", "fetch funding rates")
    loopback.answer(f"{V3}/tickers", case["httpResponse"])
    expected = case["upstream_expect"]["DOGE/USD:USD"]
    quote = venue.quotes()["PF_DOGEUSD"]
    assert quote.hourly_funding is not None
    assert float(quote.hourly_funding) == pytest.approx(expected["fundingRate"], rel=1e-12)
    assert quote.index is not None
    assert (float(quote.mark), float(quote.index)) == (expected["markPrice"], expected["indexPrice"])
    last_time = datetime.fromisoformat(case["httpResponse"]["tickers"][0]["lastTime"])
    assert milliseconds(last_time) == expected["timestamp"] < milliseconds(quote.at)


def test_public_executions_match_upstream(loopback: LoopbackVenue) -> None:
    case = response_case("fetchTrades", "Inverse swap fetch trades")
    loopback.answer("/api/history/v3/market/PI_XBTUSD/executions", case["httpResponse"])
    wire = futures_wire(base_url=loopback.url, timeout_s=2)
    outcome = wire.call("history_get_market_symbol_executions", {"symbol": "PI_XBTUSD"})
    (execution,) = executions(read_answer(outcome, "executions", HistoryAnswer, plain=True).elements)
    (expected,) = case["upstream_expect"]
    assert (execution.uid, float(execution.price)) == (expected["id"], expected["price"])
    assert milliseconds(execution.timestamp) == expected["timestamp"]
    assert execution.taker_order is not None
    assert OrderSide(execution.taker_order.direction).value == expected["side"]


def test_spot_candles_match_upstream(spot: KrakenSpot, loopback: LoopbackVenue) -> None:
    (case,) = load("ccxt/response_kraken.json")["methods"]["fetchOHLCV"]
    loopback.answer("/0/public/OHLC", case["httpResponse"])
    since = datetime.fromtimestamp(case["input"][2] / 1000, UTC)
    answer = spot.candles("XBTUSDT", Timeframe.H1, since)
    series = answer.bars
    bars = [series[index] for index in range(len(series))][: case["input"][3]]
    found = [[bar.open_time * 1000, bar.open, bar.high, bar.low, bar.close, bar.volume] for bar in bars]
    assert found == case["upstream_expect"]
    assert series.times[-1] <= int(case["httpResponse"]["result"]["last"])
    assert answer.complete_before == case["httpResponse"]["result"]["XBTUSDT"][-1][0]


def test_spot_trades_match_upstream(spot: KrakenSpot, loopback: LoopbackVenue) -> None:
    (case,) = load("ccxt/response_kraken.json")["methods"]["fetchTrades"]
    loopback.answer("/0/public/Trades", case["httpResponse"])
    page = spot.trades("XBTUSDT", 0)
    (trade,), (row,) = page.trades, case["httpResponse"]["result"]["XBTUSDT"]
    assert trade.at // 10**6 == case["upstream_expect"][0]["timestamp"]
    assert (trade.price, trade.volume) == (float(row[0]), float(row[1]))
    assert str(page.next_since) == case["httpResponse"]["result"]["last"]
