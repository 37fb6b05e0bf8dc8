"""Signatures are verified exactly as Kraken and ccxt make them."""

from typing import Any

import ccxt
import pytest

from infra.local.sandbox.signing import ApiKey, KeyRing, Verdict, sign
from infra.local.sandbox.wire import Request
from tests.integration.sandbox.served import Served
from trading.errors import InvalidInput

SECRET = "c2VjcmV0IG9mIGEgdGVzdA=="


def request(path: str, query: str = "", body: str = "", **headers: str) -> Request:
    return Request(method="POST", path=path, query=query, body=body.encode(), headers=headers)


def test_golden_vector_of_another_client_verifies(recorded: Any) -> None:
    golden = recorded("venue-cases/signature_vectors.json")["external_golden"]["futures"]
    for given in (request(golden["endpoint"], golden["postData"]), request(golden["endpoint"], "", golden["postData"])):
        signed = Request(
            method="POST", path=given.path, query=given.query, body=given.body, headers={"nonce": golden["nonce"]}
        )
        assert sign(golden["secret_b64"], signed) == golden["authent"]


def test_vectors_made_by_ccxt_verify(recorded: Any) -> None:
    vectors = recorded("venue-cases/signature_vectors.json")
    secret = vectors["external_golden"]["futures"]["secret_b64"]
    cases = vectors["ccxt_4_5_90_vectors_generated_by_us"]
    assert len(cases) == 13
    for case in cases:
        wire = case["wire"]
        assert sign(secret, request(wire["path"], wire["query"], wire["body"])) == case["authent"], wire


def test_one_changed_byte_is_refused() -> None:
    ring = KeyRing({"k": ApiKey(key="k", secret=SECRET)})
    good = request("/derivatives/api/v3/sendorder", "size=1")
    headers = {"apikey": "k", "authent": sign(SECRET, good)}
    assert ring.check(request(good.path, "size=1", **headers)) is Verdict.FULL
    assert ring.check(request(good.path, "size=2", **headers)) is Verdict.REFUSED
    assert ring.check(request(good.path, "size=1", "a=b", **headers)) is Verdict.REFUSED
    assert ring.check(request("/derivatives/api/v3/fills", "size=1", **headers)) is Verdict.REFUSED


def test_nonce_must_increase_when_one_is_sent() -> None:
    ring = KeyRing({"k": ApiKey(key="k", secret=SECRET)})

    def check(nonce: str) -> Verdict:
        bare = request("/derivatives/api/v3/accounts", nonce=nonce)
        return ring.check(request(bare.path, apikey="k", nonce=nonce, authent=sign(SECRET, bare)))

    assert [check(nonce) for nonce in ("5", "6", "6", "4")] == [
        Verdict.FULL,
        Verdict.FULL,
        Verdict.NONCE_USED,
        Verdict.NONCE_LOW,
    ]


def test_secret_that_is_not_base64_is_refused() -> None:
    with pytest.raises(InvalidInput, match="base64"):
        ApiKey(key="k", secret="not base64!")


def test_bad_key_answers_http_200_on_derivatives(read_sandbox: Served) -> None:
    status, body = read_sandbox.fetch("/derivatives/api/v3/accounts", headers={"APIKey": "x", "Authent": "y"})
    assert (status, body["result"], body["error"]) == (200, "error", "authenticationError")
    with pytest.raises(ccxt.AuthenticationError):
        read_sandbox.client("sandbox-key", SECRET).private_get_accounts()


def test_bad_key_answers_http_401_on_history(read_sandbox: Served) -> None:
    status, body = read_sandbox.fetch("/api/history/v3/account-log")
    assert status == 401
    assert body == {"status": "unauthorized", "reason": "You are not authorized to access this endpoint."}


def test_reading_key_reads_but_does_not_trade(read_sandbox: Served) -> None:
    assert read_sandbox.reader.private_get_accounts()["result"] == "success"
    order = {"symbol": "PF_XBTUSD", "side": "buy", "orderType": "mkt", "size": "0.01"}
    with pytest.raises(ccxt.AuthenticationError):
        read_sandbox.reader.private_post_sendorder(order)
    assert read_sandbox.control("state")["fills"] == 0


def test_form_body_with_nonce_is_accepted(sandbox: Served) -> None:
    order = {"orderType": "lmt", "symbol": "pf_xbtusd", "side": "buy", "size": "0.01", "limitPrice": "20000"}
    status, body = sandbox.form("/derivatives/api/v3/sendorder", {**order, "cliOrdId": "a b&c=d/é"}, nonce="7")
    assert (status, body["sendStatus"]["status"]) == (200, "placed")
    assert sandbox.futures.private_get_openorders()["openOrders"][0]["cliOrdId"] == "a b&c=d/é"
