"""The handler of health, and what it tells, on the emulator."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import boto3
import pytest

from functions.check_health import handler as health_handler
from functions.check_health.handler import handler
from shared.clock import install_clock
from shared.queues import queues_client
from shared.secrets import secret_reader
from tests.integration.operations.conftest import CONTEXT, REGION, StoppedClock, World
from tests.integration.operations.health_scene import made_well
from tests.unit.control.records import NOW


@pytest.fixture
def well(world: World) -> World:
    return made_well(world)


SETTINGS = {
    "SMC_SPOT_URL": "http://127.0.0.1:1",
    "SMC_FUTURES_URL": "http://127.0.0.1:1",
    "SMC_TRADING_SECRET_ID": "trading",
    "SMC_WEBHOOKS_SECRET_ID": "webhooks",
    "SMC_MODE": "live",
}


@pytest.fixture
def deployed(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """The handler's environment; its queues by name."""
    client = boto3.client("sqs", region_name=REGION)
    urls = {name: client.create_queue(QueueName=name)["QueueUrl"] for name in ("bars", "given-up")}
    listed = {"SMC_QUEUE_URLS": f"bars={urls['bars']}", "SMC_DEAD_LETTER_QUEUE_URLS": f"runs={urls['given-up']}"}
    for name, value in (SETTINGS | listed).items():
        monkeypatch.setenv(name, value)
    queues_client.cache_clear()
    secret_reader.cache_clear()
    yield urls
    for url in urls.values():
        client.delete_queue(QueueUrl=url)
    queues_client.cache_clear()


def invoked() -> dict[str, Any]:
    answer: dict[str, Any] = handler({}, CONTEXT)  # type: ignore[arg-type]
    return answer


def record_of(world: World) -> dict[str, Any]:
    saved = world.control.health()
    assert saved is not None
    found: dict[str, Any] = json.loads(saved[0])
    return found


def test_handler_saves_alerts_and_measures(
    world: World, deployed: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    boto3.client("secretsmanager", region_name=REGION).create_secret(Name="trading", SecretString="canary-credential")
    assert invoked()["status"] == "down"
    output = capsys.readouterr().out
    metrics = next(json.loads(line) for line in output.splitlines() if '"_aws"' in line)
    assert (metrics["KillLevel"], metrics["NakedPositions"], metrics["Heartbeat"]) == ([1.0], [0.0], [1.0])
    record = record_of(world)
    assert record["secrets"] == {"trading": True, "webhooks": False}
    assert record["told_at"] == record["at"]
    (message,) = world.published()
    assert "System is degraded" in message["Body"]
    install_clock(StoppedClock(NOW + timedelta(minutes=1)))
    assert invoked()["status"] == "down"
    assert "System is down" in world.published()[0]["Body"]
    assert "canary" not in output + json.dumps(record) + message["Body"]
    boto3.client("secretsmanager", region_name=REGION).delete_secret(
        SecretId="trading", ForceDeleteWithoutRecovery=True
    )


@pytest.mark.parametrize("mode", ["live", "paper"])
def test_missing_trading_key_matters_only_when_live(
    world: World, deployed: dict[str, str], monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    monkeypatch.setenv("SMC_MODE", mode)
    told = any("trading key" in reason for reason in invoked()["reasons"])
    assert told is (mode == "live")
    assert record_of(world)["secrets"] == ({"trading": False} if mode == "live" else {}) | {"webhooks": False}
    assert record_of(world)["mode"] == mode


@pytest.mark.parametrize("emailed", ["yes", "no"])
def test_stack_without_any_address_says_so(
    world: World, deployed: dict[str, str], monkeypatch: pytest.MonkeyPatch, emailed: str
) -> None:
    monkeypatch.setenv("SMC_ALERTS_BY_EMAIL", emailed)
    said = [reason for reason in invoked()["reasons"] if reason.endswith("alerts reach nobody")]
    assert len(said) == (emailed == "no")


def test_messages_of_every_queue_are_counted(world: World, deployed: dict[str, str]) -> None:
    client = boto3.client("sqs", region_name=REGION)
    for queue, count in (("bars", 2), ("given-up", 3)):
        for _ in range(count):
            client.send_message(QueueUrl=deployed[queue], MessageBody="{}")
    client.receive_message(QueueUrl=deployed["bars"])
    assert "3 messages were given up (dead letters: runs 3)" in invoked()["reasons"]
    record = record_of(world)
    assert record["queues"] == {"bars": {"waiting": 1, "taken": 1, "busy_seconds": 0.0}}
    assert (record["dlq_messages"], record["dead_letters"]) == (3, {"runs": 3})


def test_queue_that_does_not_answer_is_unknown(world: World, deployed: dict[str, str]) -> None:
    boto3.client("sqs", region_name=REGION).delete_queue(QueueUrl=deployed["given-up"])
    reasons = invoked()["reasons"]
    assert any(reason.startswith("the state of the queues is unknown: QueueDoesNotExist: ") for reason in reasons)
    assert record_of(world)["dlq_messages"] is None
    boto3.client("sqs", region_name=REGION).create_queue(QueueName="given-up")


def test_healthy_run_tells_nobody_and_measures(
    well: World, deployed: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(health_handler, "futures_of", lambda url: well.venue)
    monkeypatch.setenv("SMC_MODE", "paper")
    assert invoked() == {"status": "ok", "reasons": []}
    metrics = next(json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line)
    assert metrics["VenueSeconds"][0] >= 0
    assert record_of(well)["told_at"] is None
    assert well.published() == []
