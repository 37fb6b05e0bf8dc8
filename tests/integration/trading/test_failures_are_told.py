"""What a run could not do reaches a person: real handlers, real records, the venue in memory, minute by minute."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from functions.check_health import handler as check_health
from functions.check_health.check import PERIODS
from functions.execute_signals import handler as execute_signals
from functions.manage_exits import handler as manage_exits
from functions.reconcile_positions import handler as reconcile_positions
from shared import aws_clients, queues, runtime, secrets
from shared.alerts import alerts_of
from shared.clock import SystemClock, install_clock
from tests.fakes import cloud as emulator
from tests.fakes.cloud import Cloud
from tests.integration.trading.risk_scene import pay_in, published
from tests.integration.trading.world import World, new_world
from trading.model.positions import PositionState

CONTEXT: Any = SimpleNamespace(
    function_name="test", memory_limit_in_mb=512, invoked_function_arn="arn", aws_request_id="request-7"
)
CACHES = (aws_clients.secrets_client, secrets.secret_reader, queues.queues_client, alerts_of)
STORES = (runtime.control_of, runtime.ledger_of, runtime.market_of, runtime.quality_of, runtime.decisions_of)
TRADING = (reconcile_positions, execute_signals, manage_exits)
OTHERS = [name for name in PERIODS if name not in {each.__name__.split(".")[1] for each in TRADING}]


@pytest.fixture
def world(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """The handlers' own composition, but for the venue's address."""
    for cached in (*CACHES, *STORES):
        cached.cache_clear()
    made = new_world(cloud)
    secret = boto3.client("secretsmanager").create_secret(Name="trading", SecretString="key")["Name"]
    topic = boto3.client("sns").create_topic(Name="alerts")["TopicArn"]
    names = {"LEDGER_TABLE": emulator.LEDGER, "MARKET_DATA_TABLE": emulator.MARKET, "MODE": "live"}
    names |= {"DECISIONS_TABLE": emulator.DECISIONS, "ALERTS_TOPIC_ARN": topic, "TRADING_SECRET_ID": secret}
    queue = boto3.client("sqs").create_queue(QueueName="queue")["QueueUrl"]
    names |= {"QUEUE_URLS": f"bars={queue}", "DEAD_LETTER_QUEUE_URLS": f"runs={queue}"}
    names |= {"WEBHOOKS_SECRET_ID": "webhooks", "SPOT_URL": "http://127.0.0.1:9", "FUTURES_URL": "http://127.0.0.1:9"}
    names |= {"ALERTS_BY_EMAIL": "yes"}
    for name, value in names.items():
        monkeypatch.setenv(f"SMC_{name}", value)
    for each in TRADING:
        monkeypatch.setattr(each, "open_desk", lambda settings, telemetry: made.desk())
    monkeypatch.setattr(check_health, "futures_of", lambda url: made.venue)
    install_clock(made.venue)
    yield made
    install_clock(SystemClock())
    for cached in (*CACHES, *STORES):
        cached.cache_clear()


def minute(world: World) -> list[str]:
    """The trading functions and health, everything else healthy. Returns the reasons that health names."""
    world.venue.advance(60)
    for name in OTHERS:
        world.cloud.control.record_run(name, world.venue.now(), {})
    for each in TRADING:
        each.handler({}, CONTEXT)
    reasons: list[str] = check_health.handler({}, CONTEXT)["reasons"]
    return reasons


def test_single_hiccup_is_shown_and_not_told(world: World) -> None:
    assert minute(world) == []
    world.venue.faults.reads.add("stress")
    (reason,) = minute(world)
    assert reason.startswith("execute_signals reports failures since 2024-05-")
    assert "market watch: " in reason
    world.venue.faults.reads.clear()
    assert minute(world) == []
    assert published("health") == []


def test_failure_that_lasts_is_told_in_its_third_run(world: World) -> None:
    minute(world)
    world.venue.faults.reads.add("stress")
    first = minute(world)
    assert (minute(world), published("health")) == (first, [])
    assert (minute(world), published("health")) == (first, ["System is degraded"])


def test_lasting_failure_is_told_again_every_ten_minutes(world: World) -> None:
    world.venue.faults.reads.add("stress")
    for _ in range(23):
        minute(world)
    assert published("health") == ["System is degraded"] * 3


def test_account_that_does_not_answer_is_told(world: World) -> None:
    world.venue.faults.reads.add("account")
    for _ in range(3):
        (reason,) = minute(world)
    assert reason.startswith("reconcile_positions reports failures since ")
    assert reason.endswith(": account: account does not answer")
    assert published("health") == ["System is degraded"]


def test_health_shows_the_loss_of_the_day(world: World) -> None:
    minute(world)
    pay_in(world, Decimal(-250))
    minute(world)
    stored = world.cloud.control.health()
    assert stored is not None
    shown = json.loads(stored[0])
    assert (shown["equity"], shown["day_loss_pct"]) == ("9750", "2.50")


def test_two_hiccups_apart_are_not_told(world: World) -> None:
    for failing in (True, True, False, True, True, False):
        (world.venue.faults.reads.add if failing else world.venue.faults.reads.discard)("stress")
        assert bool(minute(world)) is failing
    assert published("health") == []
    stored = world.cloud.control.health()
    assert stored is not None
    assert json.loads(stored[0])["failing_since"] == {}


def test_position_that_cannot_be_left_is_told(world: World) -> None:
    """Its stop still rests, so nothing is naked: without a word it would be held for as long as it is refused."""
    position = world.open_position()
    closing = position.moved(PositionState.CLOSING, close_reason="maximum_hold")
    world.cloud.ledger.save_position(closing)
    world.venue.faults.sends = ["marketSuspended"] * 20
    for _ in range(3):
        reasons = minute(world)
    assert any("exit" in each and "marketSuspended" in each for each in reasons)
    assert published("health") == ["System is degraded"]


def test_race_between_exit_and_stop_is_no_failure(world: World) -> None:
    position = world.open_position()
    world.cloud.ledger.save_position(position.moved(PositionState.CLOSING, close_reason="maximum_hold"))
    world.venue.faults.sends = ["wouldNotReducePosition"] * 2
    assert minute(world) == []
