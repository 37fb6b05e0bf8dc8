"""What we put on the wire carries everything that upstream's request cases ask for, and its signature is right."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from shared.venue import KrakenRestVenue
from shared.venue.transport import futures_wire
from tests.integration.venue.conftest import SECRET
from tests.integration.venue.external_cases import CASES, load, needs_cases
from tests.integration.venue.loopback_venue import Asked, LoopbackVenue
from tests.integration.venue.recorded_bodies import EVERY_READ, order_request
from tests.integration.venue.upstream_orders import ON_PURPOSE_DIFFERENT, SENDS
from trading.model.orders import ClientOrderId, OrderType

SINCE = datetime(2022, 4, 15, 5, 20, tzinfo=UTC)


def authent(secret: str, endpoint: str, post_data: str, nonce: str = "") -> str:
    """Kraken's own sample (CryptoFacilities/REST-v3-Python), written out again here."""
    message = post_data + nonce + endpoint.removeprefix("/derivatives")
    digest = hashlib.sha256(message.encode()).digest()
    return base64.b64encode(hmac.new(base64.b64decode(secret), digest, hashlib.sha512).digest()).decode()


def signature_of(asked: Asked, secret: str) -> str:
    return authent(secret, asked.path, asked.query + asked.body, asked.headers.get("Nonce", ""))


def test_every_private_request_is_signed_right(venue: KrakenRestVenue, loopback: LoopbackVenue) -> None:
    for path, body in EVERY_READ.items():
        loopback.answer(path, body)
    venue.account(), venue.positions(), venue.open_orders(), venue.fills(), venue.server_time()
    venue.order_reports(["smc-1", "a b&c=d/é"]), venue.order_history("PF_XBTUSD", SINCE), venue.ledger_rows(SINCE)
    (
        venue.place(order_request(client_order_id=ClientOrderId("a b&c=d/é"))),
        venue.cancel("smc-1"),
        venue.cancel_order("1"),
    )
    assert len(loopback.asked) == 12
    for asked in loopback.asked:
        assert asked.headers["Authent"] == signature_of(asked, SECRET), asked
        assert asked.headers["APIKey"] == "key-for-tests"


def test_public_requests_carry_no_key(venue: KrakenRestVenue, loopback: LoopbackVenue) -> None:
    for path, body in EVERY_READ.items():
        loopback.answer(path, body)
    venue.contracts(), venue.quotes()
    assert len(loopback.asked) == 3
    assert not any({"APIKey", "Authent"} & set(asked.headers) for asked in loopback.asked)


@needs_cases
def test_our_algorithm_gives_the_external_golden_signature() -> None:
    golden = load("signature_vectors.json")["external_golden"]["futures"]
    found = authent(golden["secret_b64"], golden["endpoint"], golden["postData"], golden["nonce"])
    assert found == golden["authent"]


def vectors() -> list[dict[str, Any]]:
    return load("signature_vectors.json")["ccxt_4_5_90_vectors_generated_by_us"] if CASES.is_dir() else []


@needs_cases
@pytest.mark.parametrize("vector", vectors(), ids=lambda vector: vector["call"]["path"])
def test_wire_gives_the_recorded_signature(loopback: LoopbackVenue, vector: dict[str, Any]) -> None:
    secret = load("signature_vectors.json")["external_golden"]["futures"]["secret_b64"]
    call, expected = vector["call"], vector["wire"]
    method = f"{call['api']}_{call['method'].lower()}_{call['path'].replace('/', '_').replace('-', '_')}"
    futures_wire(base_url=loopback.url, timeout_s=2, key="key", secret=secret).call(method, call["params"])
    (asked,) = loopback.asked
    assert (asked.method, asked.path, asked.query, asked.body) == (
        expected["method"],
        expected["path"],
        expected["query"],
        expected["body"],
    )
    assert asked.headers["Authent"] == vector["authent"] == signature_of(asked, secret)


@needs_cases
@pytest.mark.parametrize("description", SENDS)
def test_sent_order_matches_upstream_request(venue: KrakenRestVenue, loopback: LoopbackVenue, description: str) -> None:
    cases = load("ccxt/request_krakenfutures.json")["methods"]["createOrder"]
    (case,) = [case for case in cases if description in (case.get("description"), case["method"])]
    venue.place(order_request(**SENDS[description]))
    (asked,) = loopback.asked
    expected = parse_qs(urlsplit(case["url"]).query)
    if SENDS[description]["type"] is OrderType.STOP:
        expected = {name: value for name, value in expected.items() if name not in ON_PURPOSE_DIFFERENT}
    assert (asked.method, asked.path) == ("POST", urlsplit(case["url"]).path)
    assert {name: asked.parameters[name] for name in expected} == expected
    ours = set(asked.parameters) - set(expected) - ON_PURPOSE_DIFFERENT
    assert ours <= {"reduceOnly", "cliOrdId", "processBefore"}
    assert ("limitPrice" in asked.parameters) is (SENDS[description]["type"] is OrderType.LIMIT)


@needs_cases
@pytest.mark.parametrize(
    ("method", "read"),
    [
        ("fetchMyTrades", "fills"),
        ("fetchBalance", "account"),
        ("fetchTradingFees", "contracts"),
        ("fetchOpenOrders", "open_orders"),
        ("fetchLeverageTiers", "contracts"),
    ],
)
def test_reads_go_to_upstreams_addresses(
    venue: KrakenRestVenue, loopback: LoopbackVenue, method: str, read: str
) -> None:
    for path, body in EVERY_READ.items():
        loopback.answer(path, body)
    getattr(venue, read)()
    cases = load("ccxt/request_krakenfutures.json")["methods"][method]
    expected = {(urlsplit(case["url"]).path, urlsplit(case["url"]).query) for case in cases}
    assert expected <= {(asked.path, asked.query) for asked in loopback.asked}


@needs_cases
def test_cancel_and_ledger_match_upstream_requests(venue: KrakenRestVenue, loopback: LoopbackVenue) -> None:
    for path, body in EVERY_READ.items():
        loopback.answer(path, body)
    methods = load("ccxt/request_krakenfutures.json")["methods"]
    cancel, ledger = urlsplit(methods["cancelOrder"][0]["url"]), urlsplit(methods["fetchLedger"][0]["url"])
    venue.cancel_order(parse_qs(cancel.query)["order_id"][0])
    assert (loopback.asked[-1].path, loopback.asked[-1].query) == (cancel.path, cancel.query)
    venue.ledger_rows(datetime.fromtimestamp(1650000000, UTC))
    assert loopback.asked[-1].path == ledger.path
    for name in ("since", "sort"):
        assert loopback.asked[-1].parameters[name] == parse_qs(ledger.query)[name]
