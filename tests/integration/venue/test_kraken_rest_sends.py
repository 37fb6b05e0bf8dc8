from __future__ import annotations

import json
from typing import Any

import pytest

from shared.venue import KrakenRestVenue
from tests.integration.venue import recorded_bodies as bodies
from tests.integration.venue.conftest import SECRET, with_caps
from tests.integration.venue.loopback_venue import LoopbackVenue, Scripted
from tests.integration.venue.recorded_bodies import V3, order_request
from trading.model.orders import OrderSide, OrderType
from trading.model.units import Price, Quantity
from trading.model.venue import SendOutcome

SEND = f"{V3}/sendorder"
HTML = "<html><body>Bad gateway</body></html>"


def sent(status: str, **more: Any) -> Scripted:
    return Scripted(text=json.dumps(bodies.success(sendStatus={"status": status, **more})))


def refused(error: str, status: int = 200) -> Scripted:
    return Scripted(status=status, text=json.dumps({"result": "error", "error": error}))


def malformed(status: int) -> Scripted:
    errors = [{"code": 11, "message": "Argument invalid: symbol"}]
    return Scripted(status=status, text=json.dumps({"status": "X", "result": "error", "errors": errors}))


EXECUTION = {"type": "EXECUTION", "orderPriorExecution": {"orderId": "order-7"}}
ANSWERS: list[tuple[Scripted, SendOutcome, str]] = [
    (sent("placed", order_id="order-1", orderEvents=[]), SendOutcome.ACCEPTED, "placed"),
    (sent("placed"), SendOutcome.ACCEPTED, "placed"),
    (sent("filled", order_id="order-1"), SendOutcome.ACCEPTED, "filled"),
    (sent("partiallyFilled", order_id="order-1"), SendOutcome.ACCEPTED, "partiallyFilled"),
    (
        sent("postWouldExecute", orderEvents=[{"type": "REJECT", "reason": "X"}]),
        SendOutcome.REJECTED,
        "postWouldExecute",
    ),
    (sent("insufficientAvailableFunds"), SendOutcome.REJECTED, "insufficientAvailableFunds"),
    (sent("marketSuspended"), SendOutcome.REJECTED, "marketSuspended"),
    (sent("wouldNotReducePosition"), SendOutcome.REJECTED, "wouldNotReducePosition"),
    (sent("wouldProcessAfterSpecifiedTime"), SendOutcome.REJECTED, "wouldProcessAfterSpecifiedTime"),
    (sent("clientOrderIdAlreadyExist"), SendOutcome.UNKNOWN, "clientOrderIdAlreadyExist"),
    (sent("somethingNew"), SendOutcome.UNKNOWN, "somethingNew"),
    (sent("cancelled"), SendOutcome.UNKNOWN, "cancelled"),
    (sent("postWouldExecute", orderEvents=[EXECUTION]), SendOutcome.UNKNOWN, "postWouldExecute"),
    (sent("placed", orderEvents=[{"type": "REJECT"}]), SendOutcome.UNKNOWN, "placed"),
    (refused("apiLimitExceeded"), SendOutcome.REJECTED, "apiLimitExceeded"),
    (refused("authenticationError"), SendOutcome.REJECTED, "authenticationError"),
    (refused("invalidArgument: order_id"), SendOutcome.REJECTED, "invalidArgument: order_id"),
    (refused("marketUnavailable"), SendOutcome.REJECTED, "marketUnavailable"),
    (refused("Unavailable"), SendOutcome.UNKNOWN, "Unavailable"),
    (refused("Server Error"), SendOutcome.UNKNOWN, "Server Error"),
    (refused("unknownError"), SendOutcome.UNKNOWN, "unknownError"),
    (refused("somethingNew"), SendOutcome.UNKNOWN, "somethingNew"),
    (Scripted(status=502, text=sent("placed").text), SendOutcome.UNKNOWN, "502"),
    (refused("authenticationError", status=502), SendOutcome.UNKNOWN, "502"),
    (malformed(400), SendOutcome.REJECTED, "Argument invalid: symbol"),
    (malformed(404), SendOutcome.REJECTED, "Argument invalid: symbol"),
    (malformed(408), SendOutcome.UNKNOWN, "408"),
    (malformed(500), SendOutcome.UNKNOWN, "500"),
    (Scripted(status=429, text=HTML, content_type="text/html"), SendOutcome.REJECTED, "429"),
    (refused("apiLimitExceeded", status=429), SendOutcome.REJECTED, "429"),
    (Scripted(status=405, text=HTML), SendOutcome.UNKNOWN, "405"),
    (Scripted(status=503, text=HTML), SendOutcome.UNKNOWN, "503"),
    (Scripted(status=504, text=HTML), SendOutcome.UNKNOWN, "504"),
    (Scripted(status=524, text=HTML), SendOutcome.UNKNOWN, "524"),
    (Scripted(text=HTML, content_type="text/html"), SendOutcome.UNKNOWN, "html"),
    (Scripted(text=""), SendOutcome.UNKNOWN, "HTTP 200"),
    (Scripted(text="{}"), SendOutcome.UNKNOWN, "HTTP 200"),
    (Scripted(text="[]"), SendOutcome.UNKNOWN, "HTTP 200"),
    (Scripted(text='{"result":"success"}'), SendOutcome.UNKNOWN, "no sendStatus"),
    (Scripted(text='{"result":"success","sendStatus":null}'), SendOutcome.UNKNOWN, "no sendStatus"),
    (Scripted(text='{"result":"error"}'), SendOutcome.UNKNOWN, "without a name"),
    (Scripted(text='{"result":"success","sendStatus":{"stat'), SendOutcome.UNKNOWN, "HTTP 200"),
    (
        Scripted(text='{"result":"success","sendStatus":{"status":"placed"}}', fault="cut"),
        SendOutcome.UNKNOWN,
        "no answer",
    ),
    (Scripted(fault="close"), SendOutcome.UNKNOWN, "no answer"),
]


@pytest.mark.parametrize(("answer", "outcome", "detail"), ANSWERS)
def test_send_is_classified_by_what_was_received(
    venue: KrakenRestVenue, loopback: LoopbackVenue, answer: Scripted, outcome: SendOutcome, detail: str
) -> None:
    loopback.answer(SEND, answer)
    found = venue.place(order_request())
    assert (found.outcome, detail in found.detail) == (outcome, True), found
    assert len(loopback.asked) == 1


def test_timed_out_send_is_unknown_and_sent_once(loopback: LoopbackVenue) -> None:
    loopback.answer(SEND, Scripted(fault="hang"))
    impatient = KrakenRestVenue(key="key", secret=SECRET, base_url=loopback.url, timeout_s=0.15, last_line=with_caps())
    assert impatient.place(order_request()).outcome is SendOutcome.UNKNOWN
    assert len(loopback.asked) == 1


def test_refused_connection_leaves_a_send_unknown() -> None:
    nowhere = KrakenRestVenue(
        key="key", secret=SECRET, base_url="http://127.0.0.1:9", timeout_s=0.5, last_line=with_caps()
    )
    assert nowhere.place(order_request()).outcome is SendOutcome.UNKNOWN


@pytest.mark.parametrize(
    ("more", "order_id"),
    [
        ({"order_id": "order-1"}, "order-1"),
        ({"orderEvents": [{"type": "PLACE", "order": {"orderId": "order-2"}}]}, "order-2"),
        ({"orderEvents": [EXECUTION]}, "order-7"),
        ({"orderEvents": [{"type": "PLACE", "orderTrigger": {"uid": "order-3"}}]}, "order-3"),
        ({"orderEvents": []}, None),
        ({"orderEvents": "nonsense", "order_id": 5}, None),
    ],
)
def test_order_id_is_found_wherever_given(
    venue: KrakenRestVenue, loopback: LoopbackVenue, more: dict[str, object], order_id: str | None
) -> None:
    loopback.answer(SEND, sent("placed", **more))
    assert venue.place(order_request()).order_id == order_id


def test_stop_is_sent_on_mark_and_reduce_only(venue: KrakenRestVenue, loopback: LoopbackVenue) -> None:
    loopback.answer(SEND, sent("placed"))
    stop = order_request(
        type=OrderType.STOP,
        side=OrderSide.SELL,
        reduce_only=True,
        limit_price=None,
        trigger_price=Price("0.0000001230"),
        quantity=Quantity("1E+3"),
    )
    venue.place(stop)
    assert {name: values[0] for name, values in loopback.asked[0].parameters.items()} == {
        "orderType": "stp",
        "symbol": "PF_XBTUSD",
        "side": "sell",
        "size": "1000",
        "stopPrice": "0.000000123",
        "triggerSignal": "mark",
        "reduceOnly": "true",
        "cliOrdId": "smc-0123456789abcdef-1",
        "processBefore": "2026-11-22T12:00:03.000Z",
    }


@pytest.mark.parametrize(
    ("kind", "word", "limit"),
    [
        (OrderType.POST, "post", "84000"),
        (OrderType.LIMIT, "lmt", "84000"),
        (OrderType.IMMEDIATE, "ioc", "84000"),
        (OrderType.MARKET, "mkt", None),
    ],
)
def test_order_types_use_the_venues_words(
    venue: KrakenRestVenue, loopback: LoopbackVenue, kind: OrderType, word: str, limit: str | None
) -> None:
    loopback.answer(SEND, sent("placed"))
    reduces = kind is OrderType.MARKET
    venue.place(order_request(type=kind, limit_price=Price(limit) if limit else None, reduce_only=reduces))
    asked = loopback.asked[0].parameters
    assert (asked["orderType"], asked.get("limitPrice")) == ([word], [limit] if limit else None)
    assert "stopPrice" not in asked


def test_answer_of_earlier_call_is_never_reused(venue: KrakenRestVenue, loopback: LoopbackVenue) -> None:
    loopback.answer(SEND, sent("placed", order_id="order-1"), Scripted(fault="close"))
    assert venue.place(order_request()).outcome is SendOutcome.ACCEPTED
    assert venue.place(order_request()).outcome is SendOutcome.UNKNOWN
