"""Virtual time, scripted faults, manual actions, switches and persistence."""

import time
from decimal import Decimal
from pathlib import Path

import ccxt
import pytest

from tests.integration.sandbox.served import Served, serve
from trading.errors import InvalidInput

STATUS = "instrumentStatus"
ORDER = {"symbol": "PF_XBTUSD", "side": "buy", "orderType": "mkt", "size": "0.01"}


def test_virtual_time_moves_only_by_advance(sandbox: Served) -> None:
    assert sandbox.futures.private_get_accounts()["serverTime"] == "2024-08-01T00:00:00.000Z"
    assert sandbox.advance("2024-08-01T04:00:00.250Z")["now"] == "2024-08-01T04:00:00.250Z"
    assert sandbox.futures.public_get_instruments()["serverTime"] == "2024-08-01T04:00:00.250Z"


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"to": "2024-07-31T00:00:00Z"}, "cannot advance"),
        ({"to": "2034-07-31T00:00:00Z"}, "prices end at"),
        ({"to": "2024-08-01T01:00:00"}, "with zone"),
        ({"to": "noon"}, "isoformat"),
        ({}, "needs `to`"),
    ],
)
def test_bad_advance_is_refused_with_a_sentence(sandbox: Served, document: dict[str, str], message: str) -> None:
    status, body = sandbox.fetch("/sandbox/advance", document)
    assert status == 400
    assert message in body["error"]
    assert sandbox.control("state")["now"] == "2024-08-01T00:00:00.000Z"


@pytest.mark.parametrize(
    ("kind", "fills"),
    [("html", 0), ("http_503", 0), ("empty", 1), ("empty_object", 1), ("truncated", 1), ("lost_reply", 1)],
)
def test_fault_spoils_one_answer_and_is_gone(sandbox: Served, kind: str, fills: int) -> None:
    sandbox.control("faults", {"path": "/sendorder", "kind": kind})
    outcome: object
    try:
        outcome = sandbox.futures.private_post_sendorder(ORDER)
    except ccxt.NetworkError as error:
        outcome = error
    assert not (isinstance(outcome, dict) and outcome.get("result") == "success")
    assert sandbox.control("state")["fills"] == fills
    assert sandbox.send()["status"] == "placed"


def test_fault_may_carry_the_request_out_all_the_same(sandbox: Served) -> None:
    sandbox.control("faults", {"path": "/sendorder", "kind": "http_503", "processed": True, "count": 2})
    for _ in range(2):
        with pytest.raises(ccxt.ExchangeNotAvailable):
            sandbox.futures.private_post_sendorder(ORDER)
    assert sandbox.control("state")["fills"] == 2


def test_timeout_fault_holds_and_never_answers(sandbox: Served) -> None:
    sandbox.futures.timeout = 300
    sandbox.control("faults", {"path": "/sendorder", "kind": "timeout", "hold_seconds": 0.6})
    started = time.monotonic()
    with pytest.raises(ccxt.RequestTimeout):
        sandbox.futures.private_post_sendorder(ORDER)
    assert time.monotonic() - started < 2
    assert sandbox.control("state")["fills"] == 0


def test_reject_fault_answers_the_given_status(sandbox: Served) -> None:
    sandbox.control("faults", {"path": "/sendorder", "kind": "reject:marketSuspended"})
    with pytest.raises(ccxt.ExchangeNotAvailable, match="marketSuspended"):
        sandbox.futures.create_order("BTC/USD:USD", "market", "buy", 0.01)
    assert sandbox.control("state")["orders_accepted"] == 0


def test_spot_faults_hit_the_spot_api(sandbox: Served) -> None:
    sandbox.control("faults", {"path": "/OHLC", "kind": "html", "count": 1})
    assert sandbox.spot.public_get_ohlc({"pair": "XBTUSD", "interval": "15"}).startswith("<html>")
    assert len(sandbox.spot.fetch_ohlcv("BTC/USD", "15m")) == 720


def test_unknown_fault_is_refused_with_a_sentence(sandbox: Served) -> None:
    status, body = sandbox.fetch("/sandbox/faults", {"path": "*", "kind": "explode"})
    assert status == 400
    assert "explode" in body["error"]
    assert sandbox.control("state")["faults"] == []


def test_owner_opens_a_ghost_and_removes_its_stop(sandbox: Served) -> None:
    manual = {"action": "order", **ORDER, "size": "0.02"}
    assert sandbox.control("manual", manual)["status"] == "placed"
    stop = {**manual, "side": "sell", "orderType": "stp", "stopPrice": "30000", "reduceOnly": "true"}
    order_id = sandbox.control("manual", stop)["order_id"]
    assert "cliOrdId" not in sandbox.futures.private_get_fills()["fills"][0]
    removed = sandbox.control("manual", {"action": "remove_stops", "symbol": "PF_XBTUSD"})
    assert removed["cancelled"] == [order_id]
    sandbox.advance("2024-08-01T00:02:00Z")
    assert sandbox.control("state")["seconds_without_stop"] == "120"


def test_owner_cancels_an_order_by_hand(sandbox: Served) -> None:
    order_id = sandbox.send(orderType="lmt", limitPrice="20000")["order_id"]
    assert sandbox.control("manual", {"action": "cancel", "order_id": order_id})["status"] == "cancelled"
    assert sandbox.futures.private_get_openorders()["openOrders"] == []


def test_switches_change_what_the_wire_looks_like(sandbox: Served) -> None:
    sandbox.control("switches", {"lower_case_symbols": True, "stop_type_in_open_orders": "stp"})
    sandbox.send(side="sell", orderType="stp", stopPrice="30000", reduceOnly="true")
    row = sandbox.futures.private_get_openorders()["openOrders"][0]
    assert (row["symbol"], row["orderType"]) == ("pf_xbtusd", "stp")
    sandbox.control("switches", {"order_events": "missing", "accept_stop_when_flat": False})
    assert "orderEvents" not in sandbox.send()


def test_switch_refuses_stops_while_flat(sandbox: Served) -> None:
    sandbox.control("switches", {"accept_stop_when_flat": False})
    with pytest.raises(ccxt.ExchangeError, match="wouldNotReducePosition"):
        sandbox.futures.create_order(
            "BTC/USD:USD", "market", "sell", 0.01, None, {"stopLossPrice": 30000, "triggerSignal": "mark"}
        )


def test_suspended_market_refuses_and_says_so(sandbox: Served) -> None:
    sandbox.control("switches", {"market": "PF_XBTUSD", "status": "suspended"})
    ticker = sandbox.futures.public_get_tickers_symbol({"symbol": "PF_XBTUSD"})["ticker"]
    assert ticker["suspended"] is True
    assert sandbox.send()["status"] == "marketSuspended"


def test_stress_multiplies_margin_and_is_said(sandbox: Served) -> None:
    before = sandbox.send(size="1") and sandbox.futures.private_get_accounts()["accounts"]["flex"]
    wild = {"extreme_volatility": True, "margin_multiplier": "3", "dislocation": "ABOVE_UPPER_BOUND"}
    sandbox.control("switches", {"market": "PF_XBTUSD", "stress": wild})
    after = sandbox.futures.private_get_accounts()["accounts"]["flex"]
    assert float(after["initialMargin"]) == pytest.approx(3 * float(before["initialMargin"]))
    assert after["maintenanceMargin"] == before["maintenanceMargin"]
    rows = {row["tradeable"]: row for row in sandbox.fetch("/derivatives/api/v3/instruments/status")[1][STATUS]}
    assert list(rows["PF_XBTUSD"].values()) == ["PF_XBTUSD", True, "ABOVE_UPPER_BOUND", True, 3]
    assert list(rows["PF_ETHUSD"].values()) == ["PF_ETHUSD", False, None, False, 1]
    sandbox.control("switches", {"market": "PF_XBTUSD", "stress": {}})
    assert sandbox.control("state")["stress"] == {}


@pytest.mark.parametrize(
    ("stress", "message"),
    [
        (None, "expected an object"),
        ({"margin": 2}, "expected an object"),
        ({"extreme_volatility": "yes"}, "expected true or false"),
        ({"extreme_volatility": True, "margin_multiplier": 0.5}, "margin_multiplier is 0.5"),
        ({"extreme_volatility": True, "margin_multiplier": "0.5"}, "expected 1 or more"),
        ({"extreme_volatility": True, "margin_multiplier": "NaN"}, "finite"),
        ({"margin_multiplier": "2"}, "without extreme volatility"),
        ({"dislocation": "sideways"}, "sideways"),
    ],
)
def test_bad_stress_is_refused_with_a_sentence(sandbox: Served, stress: object, message: str) -> None:
    status, body = sandbox.fetch("/sandbox/switches", {"market": "PF_XBTUSD", "stress": stress})
    assert status == 400
    assert message in body["error"]
    assert sandbox.control("state")["stress"] == {}


@pytest.mark.parametrize(
    "document",
    [
        {"no_such": True},
        {"rate_limits": "yes"},
        {"market": "PF_NOPE", "status": "online"},
        {"market": "PF_NOPE", "stress": {}},
    ],
)
def test_bad_switches_change_nothing(sandbox: Served, document: dict[str, object]) -> None:
    before = sandbox.control("state")["switches"]
    assert sandbox.fetch("/sandbox/switches", document)[0] == 400
    assert sandbox.control("state")["switches"] == before


BAD_FAULTS = [
    ({"path": "/fills", "kind": "late", "delay_seconds": 1}, "path of a late fault"),
    ({"path": "/sendorder", "kind": "late"}, "expected above 0"),
    ({"path": "/fills", "kind": "answer"}, "has no body"),
    ({"path": "/fills", "kind": "page", "status": 99}, "expected 200..599"),
    ({"path": "/fills", "kind": "html", "count": 0}, "at least 1"),
    ({"path": "/fills", "kind": "html", "colour": "red"}, "colour"),
]


@pytest.mark.parametrize(("document", "message"), BAD_FAULTS)
def test_bad_fault_is_refused_with_a_sentence(sandbox: Served, document: dict[str, object], message: str) -> None:
    status, body = sandbox.fetch("/sandbox/faults", document)
    assert (status, message in body["error"]) == (400, True), body
    assert sandbox.control("state")["faults"] == []


def test_fault_lets_other_requests_pass(sandbox: Served) -> None:
    sandbox.control("faults", {"path": "/fills", "kind": "html", "after": 1, "holding": "lastFillTime"})
    later = {"lastFillTime": "2024-08-01T00:00:00.000Z"}
    answers = [sandbox.futures.private_get_fills(query) for query in ({}, later, {}, later, later)]
    assert [isinstance(answer, str) for answer in answers] == [False, False, False, True, False]


BAD_TERMS = [
    ({}, "expected an object"),
    ({"fee": "1"}, "expected an object"),
    ({"tick_size": "0"}, "above 0"),
    ({"tick_size": 0.5}, "tick_size is 0.5"),
    ({"size_step": "0.03"}, "power of ten"),
    ({"margin_tiers": [{"from_notional": "0"}]}, "margin tier"),
    ({"margin_tiers": [{"from_notional": "5", "initial": "0.1", "maintenance": "0.1"}]}, "start at 0"),
]


@pytest.mark.parametrize(("terms", "message"), BAD_TERMS)
def test_bad_terms_are_refused_with_a_sentence(sandbox: Served, terms: dict[str, object], message: str) -> None:
    status, body = sandbox.fetch("/sandbox/switches", {"market": "PF_XBTUSD", "terms": terms})
    assert (status, message in body["error"]) == (400, True), body
    assert sandbox.control("state")["terms"] == {}


def test_negative_lag_is_refused(sandbox: Served) -> None:
    assert "expected 0 or more" in sandbox.fetch("/sandbox/switches", {"fills_lag_s": -1})[1]["error"]


def test_killed_sandbox_comes_back_with_the_same_books(tmp_path: Path) -> None:
    saved = ["--state-file", str(tmp_path / "venue.json")]
    with serve(*saved) as first:
        first.send(cliOrdId="kept")
        first.send(side="sell", orderType="stp", stopPrice="30000", reduceOnly="true")
        first.advance("2024-08-01T03:20:00Z")
        first.control("faults", {"path": "/fills", "kind": "empty"})
        first.control("switches", {"market": "PF_ETHUSD", "status": "post_only"})
        wild = {"extreme_volatility": True, "margin_multiplier": "2.5", "dislocation": None}
        first.control("switches", {"market": "PF_ETHUSD", "stress": wild})
        first.control("switches", {"market": "PF_ETHUSD", "terms": {"tick_size": "0.5"}})
        first.control("switches", {"market": "PF_ETHUSD", "terms": {"size_step": "0.01"}})
        before = first.control("state")
        assert before["terms"] == {"PF_ETHUSD": {"tick_size": "0.5", "size_step": "0.01"}}
        assert before["stress"] == {"PF_ETHUSD": wild}
    with serve(*saved) as second:
        assert second.control("state") == before
        assert second.application.venue.engine.market("PF_ETHUSD").tick_size == Decimal("0.5")
        assert second.fetch("/derivatives/api/v3/tickers/PF_ETHUSD")[1]["ticker"]["postOnly"] is True
        with pytest.raises(ccxt.DuplicateOrderId):
            second.futures.create_order("BTC/USD:USD", "market", "buy", 0.01, None, {"clientOrderId": "kept"})


def test_state_of_another_market_is_refused(tmp_path: Path) -> None:
    saved = ["--state-file", str(tmp_path / "venue.json")]
    with serve(*saved) as first:
        first.send()
    with pytest.raises(InvalidInput, match="is of market"), serve(*saved, "--seed", "4"):
        pass


def test_real_time_follows_the_wall_clock() -> None:
    with serve("--real-time", "--start", "2024-08-01T00:00:00Z") as sandbox:
        sandbox.application.venue.clock = lambda: sandbox.application.venue.started + 90.5
        assert sandbox.futures.private_get_accounts()["serverTime"] == "2024-08-01T00:01:30.500Z"
