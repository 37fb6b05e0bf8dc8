"""Orders, account and market data of the derivatives API through the real ccxt client."""

import ccxt
import pytest

from tests.integration.sandbox.served import Served


def mark(sandbox: Served, symbol: str = "PF_XBTUSD") -> float:
    return float(sandbox.futures.public_get_tickers_symbol({"symbol": symbol})["ticker"]["markPrice"])


def test_ccxt_loads_perpetuals_with_tick_and_step(read_sandbox: Served) -> None:
    markets = read_sandbox.futures.load_markets()
    assert markets["BTC/USD:USD"]["id"] == "PF_XBTUSD"
    assert markets["BTC/USD:USD"]["precision"] == {"amount": 0.0001, "price": 1.0}
    assert markets["ETH/USD:USD"]["precision"] == {"amount": 0.001, "price": 0.1}


def test_contracts_that_discovery_must_exclude_are_listed(read_sandbox: Served) -> None:
    rows = {row["symbol"]: row for row in read_sandbox.futures.public_get_instruments()["instruments"]}
    kinds = {symbol.split("_")[0] for symbol in rows}
    assert kinds == {"PF", "PI", "FI", "FF"}
    pairs = read_sandbox.fetch("/0/public/AssetPairs")[1]["result"]
    assert "PF_DEFIUSD" in rows
    assert not [pair for pair in pairs if "DEFI" in pair]
    assert "KSMUSD" in pairs
    assert "PF_KSMUSD" not in rows
    assert {"PF_USDCUSD", "PF_EURUSD"} <= set(rows)


def test_ticker_gives_absolute_hourly_funding(read_sandbox: Served) -> None:
    ticker = read_sandbox.futures.public_get_tickers_symbol({"symbol": "PF_XBTUSD"})["ticker"]
    rates = read_sandbox.futures.public_get_historicalfundingrates({"symbol": "PF_XBTUSD"})["rates"]
    assert float(ticker["fundingRate"]) == float(rates[-1]["fundingRate"])
    ratio = float(rates[-1]["fundingRate"]) / float(rates[-1]["relativeFundingRate"])
    assert ratio == pytest.approx(float(ticker["indexPrice"]), rel=1e-6)
    assert abs(float(ticker["markPrice"]) / float(ticker["indexPrice"]) - 1) < 0.0005


def test_order_book_starts_at_the_ticker_quotes(read_sandbox: Served) -> None:
    book = read_sandbox.futures.public_get_orderbook({"symbol": "PF_XBTUSD"})["orderBook"]
    ticker = read_sandbox.futures.public_get_tickers_symbol({"symbol": "PF_XBTUSD"})["ticker"]
    assert (book["bids"][0][0], book["asks"][0][0]) == (ticker["bid"], ticker["ask"])


def test_market_order_fills_and_shows_everywhere(sandbox: Served) -> None:
    answer = sandbox.send(size="0.05", cliOrdId="entry-1")
    assert answer["status"] == "placed"
    assert [event["type"] for event in answer["orderEvents"]] == ["EXECUTION"]
    fill = sandbox.futures.private_get_fills()["fills"][0]
    assert (fill["order_id"], fill["cliOrdId"]) == (answer["order_id"], "entry-1")
    row = sandbox.futures.private_get_openpositions()["openPositions"][0]
    assert (row["symbol"], row["side"], float(row["size"])) == ("PF_XBTUSD", "long", 0.05)
    flex = sandbox.futures.private_get_accounts()["accounts"]["flex"]
    assert float(flex["marginEquity"]) == pytest.approx(float(sandbox.control("state")["equity"]))


def test_stop_is_read_back_field_by_field(sandbox: Served) -> None:
    stop = round(mark(sandbox) * 0.98)
    answer = sandbox.send(
        side="sell", orderType="stp", stopPrice=str(stop), reduceOnly="true", triggerSignal="mark", cliOrdId="stop-1"
    )
    assert "orderTrigger" in answer["orderEvents"][0]
    row = sandbox.futures.private_get_openorders()["openOrders"][0]
    expected = {"orderType": "stop", "side": "sell", "reduceOnly": True, "triggerSignal": "mark", "cliOrdId": "stop-1"}
    assert {name: row[name] for name in expected} == expected
    assert (float(row["stopPrice"]), float(row["unfilledSize"])) == (stop, 0.01)
    assert "limitPrice" not in row


def test_late_order_is_refused_by_process_before(sandbox: Served) -> None:
    sandbox.advance("2024-08-01T00:05:00Z")
    assert sandbox.send(processBefore="2024-08-01T00:04:59.000Z")["status"] == "wouldProcessAfterSpecifiedTime"
    assert sandbox.send(processBefore="2024-08-01T00:05:03.000Z")["status"] == "placed"


def test_client_order_id_works_only_once(sandbox: Served) -> None:
    assert sandbox.send(cliOrdId="once")["status"] == "placed"
    with pytest.raises(ccxt.ExchangeError) as refusal:
        sandbox.futures.create_order("BTC/USD:USD", "market", "buy", 0.01, None, {"clientOrderId": "once"})
    assert isinstance(refusal.value, ccxt.DuplicateOrderId)
    assert sandbox.control("state")["fills"] == 1


def test_order_status_knows_ended_orders_for_five_seconds(sandbox: Served) -> None:
    sandbox.send(cliOrdId="gone")
    query = {"orderIds": [], "cliOrdIds": ["gone", "never"]}
    rows = sandbox.futures.private_get_orders_status(query)["orders"]
    assert [(row["order"]["cliOrdId"], row["status"]) for row in rows] == [("gone", "FULLY_EXECUTED")]
    sandbox.advance("2024-08-01T00:00:06Z")
    assert sandbox.futures.private_get_orders_status(query)["orders"] == []


def test_cancel_by_client_id_then_not_found(sandbox: Served) -> None:
    sandbox.send(orderType="lmt", limitPrice="20000", cliOrdId="rest")
    cancel = sandbox.futures.private_post_cancelorder({"cliOrdId": "rest"})["cancelStatus"]
    assert (cancel["status"], cancel["orderEvents"][0]["type"]) == ("cancelled", "CANCEL")
    status, body = sandbox.form("/derivatives/api/v3/cancelorder", {"cliOrdId": "rest"})
    assert (status, body["cancelStatus"]["status"]) == (200, "notFound")


def test_edit_moves_a_stop_under_the_same_id(sandbox: Served) -> None:
    stop = round(mark(sandbox) * 0.97)
    order_id = sandbox.send(side="sell", orderType="stp", stopPrice=str(stop), reduceOnly="true")["order_id"]
    edit = sandbox.futures.private_post_editorder({"orderId": order_id, "stopPrice": str(stop + 10)})["editStatus"]
    assert edit["status"] == "edited"
    assert float(sandbox.futures.private_get_openorders()["openOrders"][0]["stopPrice"]) == stop + 10


def test_cancel_all_lists_every_cancelled_order(sandbox: Served) -> None:
    for price in ("20000", "21000"):
        sandbox.send(orderType="lmt", limitPrice=price)
    answer = sandbox.futures.private_post_cancelallorders()["cancelStatus"]
    assert (answer["status"], len(answer["cancelledOrders"])) == ("cancelled", 2)
    again = sandbox.futures.private_post_cancelallorders({"symbol": "PF_XBTUSD"})["cancelStatus"]
    assert again["status"] == "noOrdersToCancel"


def test_fills_page_backwards_and_hide_profit_when_paged(sandbox: Served) -> None:
    sandbox.send()
    sandbox.advance("2024-08-01T00:10:00Z")
    sandbox.send(side="sell", reduceOnly="true")
    newest = sandbox.futures.private_get_fills()["fills"]
    assert [fill["fillTime"] for fill in newest] == ["2024-08-01T00:10:00.000Z", "2024-08-01T00:00:00.000Z"]
    older = sandbox.futures.private_get_fills({"lastFillTime": newest[0]["fillTime"]})["fills"]
    assert [fill["fill_id"] for fill in older] == [newest[1]["fill_id"]]
    assert older[0]["realized_pnl"] is None


def test_setting_leverage_marks_the_contract_isolated(sandbox: Served) -> None:
    sandbox.send()
    sandbox.futures.private_put_leveragepreferences({"symbol": "PF_XBTUSD", "maxLeverage": "5"})
    preferences = sandbox.futures.private_get_leveragepreferences()["leveragePreferences"]
    assert [(row["symbol"], float(row["maxLeverage"])) for row in preferences] == [("PF_XBTUSD", 5.0)]
    assert "maxFixedLeverage" in sandbox.futures.private_get_openpositions()["openPositions"][0]
    sandbox.futures.private_put_leveragepreferences({"symbol": "PF_XBTUSD"})
    assert sandbox.futures.private_get_leveragepreferences()["leveragePreferences"] == []


def test_malformed_and_missing_arguments_have_their_shapes(sandbox: Served) -> None:
    path = "/derivatives/api/v3/sendorder"
    order = {"orderType": "lmt", "symbol": "PF_XBTUSD", "side": "buy", "size": "0.01", "limitPrice": "20000"}
    missing = sandbox.form(path, {name: value for name, value in order.items() if name != "size"})
    assert missing[1]["error"] == "requiredArgumentMissing: size"
    with pytest.raises(ccxt.BadRequest, match="Argument invalid: size"):
        sandbox.futures.private_post_sendorder({**order, "size": "ten"})
    assert sandbox.form(path, {**order, "orderType": "trailing_stop"})[1]["sendStatus"]["status"] == "invalidOrderType"
    assert sandbox.control("state")["orders_accepted"] == 0


def test_unknown_path_answers_krakens_404(read_sandbox: Served) -> None:
    status, body = read_sandbox.fetch("/derivatives/api/v3/historicalfundingrates?symbol=PF_XBTUSD")
    assert status == 404
    assert (body["status"], body["errors"]) == ("NOT_FOUND", [{"code": 0, "message": "404 NOT_FOUND"}])


def test_charts_give_candles_and_refuse_bad_resolutions(read_sandbox: Served) -> None:
    parameters = {"price_type": "mark", "symbol": "PF_XBTUSD", "interval": "1h"}
    body = read_sandbox.futures.charts_get_price_type_symbol_interval(parameters)
    assert len(body["candles"]) > 500
    assert [type(body["candles"][0][name]) for name in ("time", "open", "volume")] == [int, str, str]
    with pytest.raises(ccxt.ExchangeNotAvailable, match="Invalid resolution"):
        read_sandbox.futures.charts_get_price_type_symbol_interval({**parameters, "interval": "7m"})


def test_rate_limit_refuses_and_recovers_in_virtual_time(sandbox: Served) -> None:
    sandbox.control("switches", {"rate_limits": True})
    for _ in range(250):
        sandbox.futures.private_get_openorders()
    with pytest.raises(ccxt.RateLimitExceeded):
        sandbox.futures.private_get_openorders()
    sandbox.advance("2024-08-01T00:00:11Z")
    assert sandbox.futures.private_get_openorders()["result"] == "success"
