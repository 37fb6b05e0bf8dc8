"""Upstream's request cases against the sandbox over a socket: understood there, or none of our business."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest

from infra.local.sandbox.__main__ import DEFAULT_KEY, DEFAULT_SECRET
from shared.venue.received import Outcome, Received
from shared.venue.transport import futures_wire
from tests.integration.venue.external_cases import CASES, load, needs_cases
from tests.integration.venue.faulty_venue import Rig, rigged
from tests.integration.venue.recorded_bodies import order_request
from tests.integration.venue.upstream_orders import ON_PURPOSE_DIFFERENT, SENDS
from trading.matching import OrderRequest, OrderType, Side
from trading.model.venue import SendOutcome

CHARTS = "charts_get_price_type_symbol_interval"
TRANSFER = "moves money out of the derivatives wallet: the key must not be able to"
DEAD_MAN = "disarms protective stops with everything else: never armed (contract, section 0, point 6)"
LEVERAGE = "leverage preferences are neither read nor set: isolation is seen on the position itself"
PUBLIC_TRADES = "public trades of contracts are not read: signals come from spot"
BATCH = "orders are cancelled one by one: a batch is not atomic and its rows need rules of their own"
NOT_OURS = {
    "fetchMarkOHLCV#0": "candles of the mark are not read, only those of the index",
    "fetchOHLCV#0": "candles of trades are not read, only those of the index",
    "fetchTicker#0": "all tickers are read in one call",
    "transfer#0": TRANSFER,
    "transfer#1": TRANSFER,
    "cancelAllOrdersAfter#0": DEAD_MAN,
    "cancelAllOrdersAfter#1": DEAD_MAN,
    "cancelOrders#0": BATCH,
    "fetchLeverage#0": LEVERAGE,
    "fetchLeverages#0": LEVERAGE,
    **{f"fetchTrades#{number}": PUBLIC_TRADES for number in range(4)},
}
"""Cases of endpoints that the adapter never calls."""

NOT_SENT_BY_US = {
    "Swap stop buy order using the triggerPrice param (type 1)": "an entry by a stop is no order of ours",
    "Swap takeProfitPrice order (type 2)": "targets are reduce-only limit orders that rest on the book",
}
"""Orders of an endpoint of ours that the adapter has no way to write; the sandbox understands them all the same."""


@dataclass(frozen=True, kw_only=True)
class Upstream:
    """One case: where it goes and with which parameters."""

    key: str
    description: str
    path: str
    query: str

    @property
    def method(self) -> str:
        """ccxt's name of the raw call that goes there."""
        parts = self.path.strip("/").split("/")
        if parts[1] == "charts":
            return CHARTS
        if parts[1] == "history":
            return "history_get_" + "_".join(parts[3:]).replace("-", "_")
        name = "_".join(parts[3:])
        if name in ("instruments", "feeschedules"):
            return f"public_get_{name}"
        return f"private_{'post' if name in ('sendorder', 'cancelorder') else 'get'}_{name}"

    @property
    def parameters(self) -> dict[str, Any]:
        found: dict[str, Any] = dict(parse_qsl(self.query))
        parts = self.path.strip("/").split("/")
        if self.method == CHARTS:
            found |= {"price_type": parts[3], "symbol": parts[4], "interval": parts[5]}
        return found | ({"version": parts[2]} if parts[1] == "history" else {})


def upstream() -> list[Upstream]:
    if not CASES.is_dir():
        return []
    methods = load("ccxt/request_krakenfutures.json")["methods"]
    found = []
    for method, cases in methods.items():
        for number, case in enumerate(cases):
            url = urlsplit(case["url"])
            name = case.get("description") or case["method"]
            found.append(Upstream(key=f"{method}#{number}", description=name, path=url.path, query=url.query))
    return found


EVERY_CONTRACT = ("--coins", "30", "--days", "1", "--history-days", "2")


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    """A sandbox that has every contract of the cases."""
    with rigged(*EVERY_CONTRACT) as made:
        yield made


@pytest.fixture
def fresh() -> Iterator[Rig]:
    """One that nobody has traded at."""
    with rigged(*EVERY_CONTRACT) as made:
        yield made


def understood(outcome: Outcome) -> dict[str, object]:
    """The body of an answer to a request whose signature and parameters the sandbox took."""
    assert isinstance(outcome, Received), outcome
    document = outcome.document()
    assert outcome.status == 200, outcome
    assert document is not None
    assert "error" not in document, outcome
    return document


@needs_cases
def test_every_upstream_case_is_ours_or_has_a_reason() -> None:
    cases = upstream()
    assert len(cases) == len({case.key for case in cases}) == 39
    assert {case.key for case in cases} >= set(NOT_OURS)
    orders = {case.description for case in cases if case.key.startswith("createOrder#")}
    assert orders == set(SENDS) | set(NOT_SENT_BY_US)
    assert len([case for case in cases if case.key not in NOT_OURS]) == 25


@needs_cases
@pytest.mark.parametrize(
    "case", [case for case in upstream() if case.key not in NOT_OURS], ids=lambda case: f"{case.key}"
)
def test_sandbox_understands_the_upstream_request(rig: Rig, case: Upstream) -> None:
    wire = futures_wire(base_url=rig.served.url, timeout_s=5, key=DEFAULT_KEY, secret=DEFAULT_SECRET)
    body = understood(wire.call(case.method, case.parameters))
    asked = rig.served.asked[-1]
    assert asked.path == case.path
    assert sorted(parse_qsl(asked.query)) == sorted(parse_qsl(case.query))
    status = body.get("sendStatus", body.get("cancelStatus", {}))
    assert isinstance(status, dict)
    expected = {"createOrder": "placed", "cancelOrder": "notFound"}.get(case.key.partition("#")[0])
    assert status.get("status") == expected


@needs_cases
@pytest.mark.parametrize("case", [case for case in upstream() if case.key not in NOT_OURS], ids=lambda case: case.key)
def test_wrong_secret_makes_the_same_request_refused(rig: Rig, case: Upstream) -> None:
    wire = futures_wire(base_url=rig.served.url, timeout_s=5, key=DEFAULT_KEY, secret="d3Jvbmc=")
    answer = wire.call(case.method, case.parameters)
    assert isinstance(answer, Received)
    signed = not case.method.startswith(("public_", "charts_"))
    assert ("authenticationError" in answer.text or answer.status == 401) is signed


def hand_trade(rig: Rig, contract: str, signed: Decimal) -> None:
    side = Side.BUY if signed > 0 else Side.SELL
    request = OrderRequest(symbol=contract, side=side, order_type=OrderType.MARKET, size=abs(signed))
    assert rig.engine.send(request).status == "placed"


@needs_cases
@pytest.mark.parametrize("description", SENDS)
def test_our_order_for_the_case_is_taken(fresh: Rig, description: str) -> None:
    (case,) = [each for each in upstream() if each.description == description]
    until = fresh.now().replace(second=3)
    changes = {"client_order_id": f"smc-{case.key}", **SENDS[description], "process_before": until}
    request = order_request(**changes)
    if request.reduce_only:
        hand_trade(fresh, request.contract, -request.quantity * (1 if request.side == "buy" else -1))
    answer = fresh.venue.place(request)
    asked = fresh.served.asked[-1]
    expected = parse_qs(case.query)
    if request.trigger_price is not None:
        expected = {name: value for name, value in expected.items() if name not in ON_PURPOSE_DIFFERENT}
    ours = asked.parameters()
    assert (asked.method, asked.path) == ("POST", case.path)
    assert {name: ours[name] for name in expected} == expected
    assert (answer.outcome, answer.detail) == (SendOutcome.ACCEPTED, "placed")
    order = fresh.engine.find(answer.order_id)
    assert order is not None
    assert (order.symbol, order.size, order.reduce_only) == (request.contract, request.quantity, request.reduce_only)
