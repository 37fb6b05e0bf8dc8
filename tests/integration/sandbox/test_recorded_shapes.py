"""The sandbox's bodies have the keys and JSON types of bodies that others recorded from Kraken."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.sandbox.served import Served, serve

Json = Any
Load = Callable[[str], Json]
LIVE = "venue-cases/live/live_captures_2026_09_25.json"
REST = "data/api_samples/kraken_futures_rest/"
NAUTILUS = "data/api_samples/nautilus_kraken/"
ADDED_LATER = {"makerProtectionMillis"}


def kind(value: Json) -> str:
    """JSON type, with one word for all numbers."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    return type(value).__name__


def assert_covers(ours: Json, theirs: Json, optional: set[str] | None = None) -> None:
    """Every key they recorded is ours too (but `optional` ones), with the same JSON type where neither is null."""
    assert set(theirs) - set(ours) <= (optional or set())
    for name in set(theirs) & set(ours):
        if ours[name] is not None and theirs[name] is not None:
            assert kind(ours[name]) == kind(theirs[name]), name


@pytest.fixture(scope="module")
def traded() -> Any:
    """A sandbox with a position, an open order, a stop and some history."""
    with serve() as sandbox:
        sandbox.send(cliOrdId="entry")
        sandbox.send(orderType="lmt", limitPrice="20000")
        sandbox.send(side="sell", orderType="stp", stopPrice="30000", reduceOnly="true", triggerSignal="mark")
        sandbox.advance("2024-08-01T01:10:00Z")
        yield sandbox


def test_instruments_have_the_live_shape(traded: Served, recorded: Load) -> None:
    theirs = recorded(LIVE)["captures"]["GET /derivatives/api/v3/instruments"]["instruments"]
    ours = traded.fetch("/derivatives/api/v3/instruments")[1]["instruments"]
    for row in theirs:
        prefix = row["symbol"].split("_")[0]
        match = next(mine for mine in ours if mine["symbol"].startswith(prefix))
        assert_covers(match, row, ADDED_LATER)
        assert set(match["marginLevels"][0]) == set(row["marginLevels"][0])
        if prefix == "PF":
            assert set(match) == set(row)


def test_tickers_have_the_recorded_shape(traded: Served, recorded: Load) -> None:
    theirs = recorded(NAUTILUS + "http_futures_tickers.json")["tickers"][0]
    assert_covers(traded.fetch("/derivatives/api/v3/tickers")[1]["tickers"][0], theirs)


def test_instrument_status_has_the_documented_shape(traded: Served, recorded: Load) -> None:
    (theirs,) = recorded(REST + "exchangedata_GetSymbolStatus.json")["response"]["instrumentStatus"]
    rows = traded.fetch("/derivatives/api/v3/instruments/status")[1]["instrumentStatus"]
    assert {row["tradeable"] for row in rows} >= {"PF_XBTUSD", "PF_ETHUSD"}
    for ours in rows:
        assert set(ours) == set(theirs)
        assert_covers(ours, theirs)


def test_funding_and_fee_bodies_have_the_live_shape(traded: Served, recorded: Load) -> None:
    live = recorded(LIVE)["captures"]
    ours = traded.fetch("/derivatives/api/v4/historicalfundingrates?symbol=PF_XBTUSD")[1]
    theirs = live["GET /derivatives/api/v4/historicalfundingrates?symbol=PF_XBTUSD"]
    assert_covers(ours, theirs)
    assert_covers(ours["rates"][0], theirs["rates"][0])
    fees, recorded_fees = (
        traded.fetch("/derivatives/api/v3/feeschedules")[1],
        live["GET /derivatives/api/v3/feeschedules"],
    )
    assert_covers(fees["feeSchedules"][0], recorded_fees["feeSchedules"][0])


def test_charts_have_the_live_shape(traded: Served, recorded: Load) -> None:
    theirs = recorded(LIVE)["captures"]["GET /api/charts/v1/trade/PF_XBTUSD/1h?from&to"]
    ours = traded.fetch("/api/charts/v1/trade/PF_XBTUSD/1h")[1]
    assert_covers(ours, theirs)
    assert_covers(ours["candles"][0], theirs["candles"][0])


def test_error_bodies_have_the_live_shape(traded: Served, recorded: Load) -> None:
    live = recorded(LIVE)["captures"]
    missing = next(body for name, body in live.items() if name.endswith("-> HTTP 404"))
    assert_covers(traded.fetch("/derivatives/api/v3/historicalfundingrates")[1], missing)
    refused = live["any private endpoint, bad credential (HTTP 200)"]
    assert set(traded.fetch("/derivatives/api/v3/accounts")[1]) == set(refused)


@pytest.mark.parametrize(("example", "size", "price"), [("placed", "0.01", "20000"), ("executed", "0.01", "90000")])
def test_send_status_has_the_documented_shape(recorded: Load, example: str, size: str, price: str) -> None:
    theirs = recorded("venue-cases/docs/sendorder_examples.json")[example]["sendStatus"]
    with serve() as sandbox:
        limit = (
            sandbox.fetch("/derivatives/api/v3/tickers/PF_XBTUSD")[1]["ticker"]["ask"]
            if example == "executed"
            else 20000
        )
        ours = sandbox.send(orderType="lmt", size=size, limitPrice=str(limit))
    assert_covers(ours, theirs)
    for mine, their in zip(ours["orderEvents"], theirs["orderEvents"], strict=True):
        assert_covers(mine, their)
        nested = "orderPriorExecution" if example == "executed" else "order"
        assert_covers(mine[nested], their[nested])


def test_reject_has_the_documented_shape(recorded: Load) -> None:
    theirs = recorded("venue-cases/docs/sendorder_examples.json")["rejected"]["sendStatus"]
    with serve() as sandbox:
        order = {"symbol": "PF_XBTUSD", "side": "buy", "orderType": "ioc", "size": "0.01", "limitPrice": "20000"}
        ours = sandbox.form("/derivatives/api/v3/sendorder", order)[1]["sendStatus"]
    assert ours["status"] == theirs["status"] == "iocWouldNotExecute"
    assert ours["orderEvents"][0]["reason"] == theirs["orderEvents"][0]["reason"]
    assert_covers(ours["orderEvents"][0], theirs["orderEvents"][0])


def test_open_orders_have_the_documented_shape(traded: Served, recorded: Load) -> None:
    theirs = recorded("venue-cases/docs/derivatives_pages.json")["openorders"]["example"]["openOrders"][0]
    rows = traded.futures.private_get_openorders()["openOrders"]
    plain = next(row for row in rows if row["orderType"] == "lmt")
    assert set(plain) == set(theirs)
    trigger = next(
        row for row in recorded(NAUTILUS + "http_futures_open_orders.json")["openOrders"] if "stopPrice" in row
    )
    stop = next(row for row in rows if row["orderType"] == "stop")
    assert set(trigger) - set(stop) == {"limitPrice"}


def test_positions_and_fills_have_the_recorded_shape(traded: Served, recorded: Load) -> None:
    position = recorded(REST + "trading_GetOpenPositions.json")["response"]["openPositions"][0]
    fill = recorded(REST + "trading_GetUserTrades.json")["response"]["fills"][0]
    assert set(position) <= set(traded.futures.private_get_openpositions()["openPositions"][0])
    assert set(fill) <= set(traded.futures.private_get_fills()["fills"][0])


def test_account_has_every_recorded_field(traded: Served, recorded: Load) -> None:
    theirs = recorded(REST + "account_GetBalances.json")["response"]["accounts"]["flex"]
    ours = traded.futures.private_get_accounts()["accounts"]["flex"]
    assert set(ours) == set(theirs)
    assert set(theirs["currencies"]["USD"]) - set(ours["currencies"]["USD"]) == {"collateralValue"}


def test_cancel_has_the_recorded_shape(recorded: Load) -> None:
    theirs = recorded(REST + "trading_CancelOrder.json")["response"]["cancelStatus"]
    with serve() as sandbox:
        order_id = sandbox.send(orderType="lmt", limitPrice="20000")["order_id"]
        ours = sandbox.futures.private_post_cancelorder({"order_id": order_id})["cancelStatus"]
    assert_covers(ours, theirs)
    assert_covers(ours["orderEvents"][0], theirs["orderEvents"][0])
    assert_covers(ours["orderEvents"][0]["order"], theirs["orderEvents"][0]["order"])


def test_account_log_has_the_recorded_shape(traded: Served, recorded: Load) -> None:
    rows = recorded("data/api_samples/ccxt_krakenfutures/account_log.json")["logs"]
    ours = traded.futures.history_get_account_log({"version": "v3"})["logs"]
    for info in ("futures trade", "funding rate change"):
        theirs = next(row for row in rows if row["info"] == info)
        assert set(next(row for row in ours if row["info"] == info)) == set(theirs)


def test_order_history_has_the_recorded_shape(traded: Served, recorded: Load) -> None:
    methods = recorded("venue-cases/ccxt/response_krakenfutures.json")["methods"]
    bodies = [case["httpResponse"] for name in ("fetchClosedOrders", "fetchOpenOrders") for case in methods[name]]
    events = [element["event"] for body in bodies for element in body.get("elements", [])]
    ours = [
        element["event"]
        for elements in (
            traded.futures.history_get_orders({"version": "v3"})["elements"],
            traded.futures.history_get_triggers({"version": "v3"})["elements"],
        )
        for element in elements
    ]
    for name in ("OrderPlaced", "OrderUpdated", "OrderTriggerPlaced"):
        theirs = next(event[name] for event in events if name in event)
        mine = next(event[name] for event in ours if name in event)
        assert set(theirs) <= set(mine)
        order = "newOrder" if name == "OrderUpdated" else "order"
        assert set(theirs[order]) - set(mine[order]) <= {"status"}


def test_position_log_has_the_live_shape(traded: Served, recorded: Load) -> None:
    captures = recorded(LIVE)["captures"]
    theirs = next(body for name, body in captures.items() if "PositionUpdate" in name)
    ours = traded.futures.history_get_positions({"version": "v3"})["elements"][0]["event"]["PositionUpdate"]
    assert_covers(ours, theirs)


def test_spot_bodies_have_the_recorded_shape(traded: Served, recorded: Load) -> None:
    for name, path in (("asset_pairs", "AssetPairs"), ("ticker", "Ticker"), ("server_time", "Time")):
        theirs = recorded(f"{NAUTILUS}http_{name}.json")["result"]
        ours = traded.fetch(f"/0/public/{path}")[1]["result"]
        if name != "server_time":
            ours, theirs = ours["XXBTZUSD"], next(iter(theirs.values()))
        assert_covers(ours, theirs)
    rows = next(iter(recorded(f"{NAUTILUS}http_ohlc.json")["result"].values()))
    ours = traded.fetch("/0/public/OHLC?pair=XXBTZUSD&interval=15")[1]["result"]["XXBTZUSD"]
    assert [type(cell) for cell in ours[0]] == [type(cell) for cell in rows[0]]
