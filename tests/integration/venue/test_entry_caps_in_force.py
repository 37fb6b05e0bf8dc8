"""The caps of the rules reach the wire on the real path: the handler's own desk, keys, rules and ledger."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from functions.execute_signals.handler import handler
from shared import aws_clients, runtime, secrets, venues
from shared.clock import SystemClock, install_clock
from shared.observability import telemetry_for
from shared.settings import TradingSettings, load_settings
from shared.trading_desk import open_desk
from tests.fakes import cloud as emulator
from tests.fakes.cloud import Cloud
from tests.fakes.records import control, planned, with_state
from tests.integration.venue import recorded_bodies as bodies
from tests.integration.venue.conftest import NOW, SECRET, StoppedClock
from tests.integration.venue.loopback_venue import LoopbackVenue
from tests.integration.venue.recorded_bodies import V3
from trading.model.control import KillLevel
from trading.model.orders import IntentState, Purpose
from trading.model.positions import Position
from trading.model.units import Quantity
from trading.model.venue import SendOutcome
from trading.ports import Venue

TRADING_SECRET = "trading-test-key"
SEND = f"{V3}/sendorder"
WIDER = '{"execution": {"order_notional_maximum_usd": 150000}}'
WIDER_AND_SHORTER = '{"execution": {"order_notional_maximum_usd": 150000, "process_before_s": 8}}'
WIDER_FEW_CALLS = '{"execution": {"order_notional_maximum_usd": 150000, "call_cost_per_10_s": 11}}'
CACHES = (
    aws_clients.secrets_client,
    aws_clients.topics_client,
    secrets.secret_reader,
    venues.account_of,
    runtime.rules_of,
    runtime.control_of,
    runtime.ledger_of,
    runtime.decisions_of,
    runtime.market_of,
    runtime.watch_of,
)


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch, loopback: LoopbackVenue) -> Iterator[Cloud]:
    for cached in CACHES:
        cached.cache_clear()
    install_clock(StoppedClock())
    with emulator.emulated(monkeypatch) as stores:
        key = json.dumps({"api_key": "key", "api_secret": SECRET})
        boto3.client("secretsmanager").create_secret(Name=TRADING_SECRET, SecretString=key)
        for name, value in _environment(loopback.url).items():
            monkeypatch.setenv(name, value)
        yield stores
    install_clock(SystemClock())
    for cached in CACHES:
        cached.cache_clear()


def _environment(url: str) -> dict[str, str]:
    return {
        "SMC_LEDGER_TABLE": emulator.LEDGER,
        "SMC_MARKET_DATA_TABLE": emulator.MARKET,
        "SMC_DECISIONS_TABLE": emulator.DECISIONS,
        "SMC_ALERTS_TOPIC_ARN": "arn:aws:sns:us-east-1:123456789012:alerts",
        "SMC_SPOT_URL": url,
        "SMC_FUTURES_URL": url,
        "SMC_TRADING_SECRET_ID": TRADING_SECRET,
        "SMC_MODE": "live",
    }


@pytest.fixture
def protected(cloud: Cloud, loopback: LoopbackVenue) -> Position:
    """An entry of 1200 coins at 100 USD whose stop works at the venue: the next run sends the entry."""
    plan = planned(quantity=1200, planned_at=NOW, entry_expires_at=NOW + timedelta(hours=1))
    position = with_state(plan, Purpose.STOP, IntentState.LIVE)
    (stop,) = position.resting(Purpose.STOP)
    row = {
        "order_id": stop.venue_order_id,
        "cliOrdId": stop.client_order_id,
        "symbol": position.contract,
        "side": stop.side.value,
        "orderType": "stop",
        "stopPrice": 98,
        "triggerSignal": "mark",
        "unfilledSize": 1200,
        "filledSize": 0,
        "reduceOnly": True,
        "receivedTime": bodies.SERVER_TIME,
    }
    for path, body in bodies.EVERY_READ.items():
        loopback.answer(path, body)
    loopback.answer(f"{V3}/openpositions", bodies.success(openPositions=[]))
    loopback.answer(f"{V3}/instruments/status", bodies.success(instrumentStatus=[]))
    loopback.answer(f"{V3}/openorders", bodies.success(openOrders=[row]))
    loopback.answer(SEND, bodies.success(sendStatus={"status": "placed", "order_id": "order-1"}))
    cloud.control.set_control(control(KillLevel.NORMAL))
    # A plan made under another version of the switch would be given up before it meets the caps.
    position = replace(position, control_version=cloud.control.control(NOW).version)
    cloud.ledger.adopt_position(position)
    return position


def run(monkeypatch: pytest.MonkeyPatch, override: str) -> dict[str, Any]:
    monkeypatch.setenv("SMC_RULES_OVERRIDE", override)
    context = SimpleNamespace(
        function_name="execute_signals", memory_limit_in_mb=512, invoked_function_arn="arn", aws_request_id="request"
    )
    return handler({}, context)  # type: ignore[arg-type]


def sends(loopback: LoopbackVenue) -> list[str]:
    return [asked.parameters["cliOrdId"][0] for asked in loopback.asked if asked.path == SEND]


def open_with(monkeypatch: pytest.MonkeyPatch, override: str) -> Venue:
    monkeypatch.setenv("SMC_RULES_OVERRIDE", override)
    return open_desk(load_settings(TradingSettings), telemetry_for("caps-test")).venue


@pytest.mark.parametrize(
    ("override", "why"),
    [("", "not sent: notional is 120000 USD; expected at most 100000"), (WIDER_FEW_CALLS, "not sent: call budget: ")],
)
def test_handler_sends_no_entry_beyond_the_caps(
    protected: Position, loopback: LoopbackVenue, cloud: Cloud, monkeypatch: pytest.MonkeyPatch, override: str, why: str
) -> None:
    proof = run(monkeypatch, override)
    assert sends(loopback) == []
    assert [why in each for each in proof["rejections"]] == [True], proof
    stored = cloud.ledger.position(protected.instrument)
    assert stored is not None
    entry = stored.intent(Purpose.ENTRY)
    assert entry is not None
    assert (entry.state, why in entry.reason) == (IntentState.REJECTED, True)


def test_handler_sends_the_entry_under_wider_caps(
    protected: Position, loopback: LoopbackVenue, monkeypatch: pytest.MonkeyPatch
) -> None:
    proof = run(monkeypatch, WIDER)
    entry = protected.intent(Purpose.ENTRY)
    assert entry is not None
    assert (sends(loopback), proof["rejections"]) == ([entry.client_order_id], [])


@pytest.mark.parametrize(("override", "arrived"), [("", 0), (WIDER, 1), (WIDER_AND_SHORTER, 0)])
def test_opened_desk_has_the_caps_of_its_rules(
    protected: Position, loopback: LoopbackVenue, monkeypatch: pytest.MonkeyPatch, override: str, arrived: int
) -> None:
    venue = open_with(monkeypatch, override)
    order = bodies.order_request(quantity=Quantity("1.5"), process_before=NOW + timedelta(seconds=9))
    outcome = venue.place(order).outcome
    assert outcome is (SendOutcome.ACCEPTED if arrived else SendOutcome.REJECTED)
    assert len(sends(loopback)) == arrived
    assert venue.place(replace(order, reduce_only=True)).outcome is SendOutcome.ACCEPTED
