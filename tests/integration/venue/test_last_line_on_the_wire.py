"""What the last line holds back is never seen by a server; what reduces always is."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.venue import KrakenRestVenue
from shared.venue.last_line import LastLine
from tests.integration.venue import recorded_bodies as bodies
from tests.integration.venue.conftest import CAPS, NOW, SECRET
from tests.integration.venue.loopback_venue import LoopbackVenue
from tests.integration.venue.recorded_bodies import V3, order_request
from trading.model.orders import ClientOrderId, OrderRequest, OrderSide, OrderType
from trading.model.units import Price, Quantity
from trading.model.venue import SendAnswer, SendOutcome, refused_for_now

SEND = f"{V3}/sendorder"
AT_THE_CAP: dict[str, Any] = {"quantity": Quantity(2), "limit_price": Price(50_000)}
REDUCING: list[dict[str, Any]] = [
    {"type": OrderType.STOP, "limit_price": None, "trigger_price": Price(50_000)},
    {"type": OrderType.MARKET, "limit_price": None},
    {"type": OrderType.LIMIT, "limit_price": Price(50_000)},
]


class MovableClock:
    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> datetime:
        return self.at


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
def guarded(loopback: LoopbackVenue, clock: MovableClock) -> KrakenRestVenue:
    for path, body in bodies.EVERY_READ.items():
        loopback.answer(path, body)
    loopback.answer(SEND, bodies.success(sendStatus={"status": "placed", "order_id": "order-1"}))
    line = LastLine(caps=CAPS, clock=clock)
    return KrakenRestVenue(key="key", secret=SECRET, base_url=loopback.url, timeout_s=2.0, last_line=line)


def entry(number: int = 1, **changes: Any) -> OrderRequest:
    return order_request(client_order_id=ClientOrderId(f"smc-entry-{number}"), **changes)


def stop(number: int = 1, **changes: Any) -> OrderRequest:
    values = {"type": OrderType.STOP, "limit_price": None, "trigger_price": Price(83_000), "side": OrderSide.SELL}
    name = ClientOrderId(f"smc-stop-{number}")
    return order_request(**{**values, "reduce_only": True, "client_order_id": name, **changes})


def assert_not_sent(answer: SendAnswer, loopback: LoopbackVenue, why: str) -> None:
    assert (answer.outcome, answer.order_id) == (SendOutcome.REJECTED, None)
    assert answer.detail.startswith(f"not sent: {why}")
    assert loopback.asked == []


def test_order_over_the_cap_is_never_seen(guarded: KrakenRestVenue, loopback: LoopbackVenue) -> None:
    over = entry(**{**AT_THE_CAP, "quantity": Quantity("2.0001")})
    assert_not_sent(guarded.place(over), loopback, "notional is 100005 USD; expected at most 100000")
    assert guarded.place(entry(**AT_THE_CAP)).outcome is SendOutcome.ACCEPTED
    assert [asked.parameters["size"] for asked in loopback.asked] == [["2"]]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"type": OrderType.MARKET, "limit_price": None}, "type is market"),
        ({"type": OrderType.STOP, "limit_price": None, "trigger_price": Price(9)}, "type is stop"),
        ({"contract": "PI_XBTUSD"}, "contract is 'PI_XBTUSD'"),
        ({"process_before": NOW + timedelta(seconds=11)}, "it is to be processed before 2026-11-22T12:00:11"),
        ({"process_before": NOW - timedelta(seconds=1)}, "it is to be processed before 2026-11-22T11:59:59"),
    ],
)
def test_order_of_wrong_kind_is_never_seen(
    guarded: KrakenRestVenue, loopback: LoopbackVenue, changes: dict[str, Any], why: str
) -> None:
    assert_not_sent(guarded.place(entry(**changes)), loopback, why)


@pytest.mark.parametrize("changes", REDUCING)
def test_reduce_only_order_of_any_size_passes(
    guarded: KrakenRestVenue, loopback: LoopbackVenue, changes: dict[str, Any]
) -> None:
    late = NOW + timedelta(hours=1)
    order = order_request(**changes, reduce_only=True, quantity=Quantity(10**6), process_before=late)
    assert guarded.place(order).outcome is SendOutcome.ACCEPTED
    assert loopback.asked[0].parameters["reduceOnly"] == ["true"]


def test_client_without_caps_can_only_reduce(loopback: LoopbackVenue) -> None:
    loopback.answer(SEND, bodies.success(sendStatus={"status": "placed"}))
    bare = KrakenRestVenue(key="key", secret=SECRET, base_url=loopback.url, timeout_s=2.0)
    assert_not_sent(bare.place(entry()), loopback, "it may open a position and this client has no caps")
    assert bare.place(stop()).outcome is SendOutcome.ACCEPTED


def test_order_held_back_leaves_a_log_line(guarded: KrakenRestVenue, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        guarded.place(entry(contract="PI_XBTUSD"))
    (line,) = [each.getMessage() for each in caplog.records if each.name == "shared.venue.kraken_rest"]
    assert line.startswith("order smc-entry-1 in PI_XBTUSD: not sent: contract is 'PI_XBTUSD'")


def test_burst_of_entries_ends_at_the_budget(
    guarded: KrakenRestVenue, loopback: LoopbackVenue, clock: MovableClock
) -> None:
    answers = [guarded.place(entry(number)) for number in range(41)]
    assert [answer.outcome for answer in answers] == [SendOutcome.ACCEPTED] * 40 + [SendOutcome.REJECTED]
    assert answers[40].detail.startswith("not sent: call budget: 400 units")
    assert refused_for_now(answers[40].detail)
    assert len(loopback.asked) == 40
    assert guarded.place(stop()).outcome is SendOutcome.ACCEPTED
    assert guarded.cancel("smc-stop-1").gone
    assert len(loopback.asked) == 42
    clock.at = NOW + timedelta(seconds=10)
    again = entry(41, process_before=clock.at + timedelta(seconds=3))
    assert guarded.place(again).outcome is SendOutcome.ACCEPTED
    assert loopback.asked[-1].parameters["cliOrdId"] == ["smc-entry-41"]


def test_reads_and_cancels_use_the_budget_too(guarded: KrakenRestVenue, loopback: LoopbackVenue) -> None:
    """Ten rounds of 39 units, then room for exactly one entry."""
    for number in range(10):
        guarded.account(), guarded.positions(), guarded.open_orders(), guarded.fills()
        guarded.order_reports(["smc-1"]), guarded.cancel("smc-1"), guarded.cancel_order("order-1")
        assert guarded.place(stop(number)).outcome is SendOutcome.ACCEPTED
    guarded.contracts(), guarded.quotes(), guarded.order_history("PF_XBTUSD", NOW), guarded.ledger_rows(NOW)
    assert guarded.place(entry(1)).outcome is SendOutcome.ACCEPTED
    assert guarded.place(entry(2)).detail.startswith("not sent: call budget: 400 units")
    assert [asked.path for asked in loopback.asked].count(SEND) == 11


def test_lost_send_is_counted_as_sent(loopback: LoopbackVenue) -> None:
    small = replace(CAPS, call_cost_per_10_s=10)
    line = LastLine(caps=small, clock=MovableClock())
    nowhere = KrakenRestVenue(key="key", secret=SECRET, base_url="http://127.0.0.1:9", timeout_s=0.5, last_line=line)
    assert nowhere.place(entry(1)).outcome is SendOutcome.UNKNOWN
    assert nowhere.place(entry(2)).detail.startswith("not sent: call budget: 10 units")
