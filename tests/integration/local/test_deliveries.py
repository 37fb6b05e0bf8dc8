"""Messages and alerts reach their functions, and what fails ends in the dead-letter queue."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from infra.local.deliveries import Deliveries, failed_items
from infra.local.invoker import Invoker, StackClock, Tally
from infra.local.provision import client, provision
from infra.local.receiver import count_posts
from infra.local.template import LocalTemplate, Names, read_template
from shared.clock import install_clock
from shared.storage.codec import to_json
from trading.model.alerts import Alert, AlertKind, Severity

NOW = datetime(2024, 5, 1, 10, tzinfo=UTC)
DEAD, DEAD_ALERTS = "InvocationDeadLetterQueue", "AlertsDeadLetterQueue"


@dataclass
class Cloud:
    template: LocalTemplate
    invoker: Invoker
    deliveries: Deliveries
    tally: Tally

    def publish(self) -> None:
        alert = Alert(
            kind=AlertKind.HEALTH, severity=Severity.INFO, subject="test", title="A test", text="It is one.", at=NOW
        )
        topic = self.template.names.topic_arn("AlertsTopic")
        client("sns", self.template.names.endpoint).publish(TopicArn=topic, Message=to_json(alert))
        # This client is the test's own: a handler's would have told the deliveries by itself.
        self.deliveries._mark()

    def waiting(self, queue: str) -> list[dict[str, Any]]:
        queues = client("sqs", self.template.names.endpoint)
        answer = queues.receive_message(QueueUrl=self.template.names.queue_url(queue), MaxNumberOfMessages=10)
        return list(answer.get("Messages", []))


@pytest.fixture
def build(emulator_url: str, own_process: None, tmp_path: Path) -> Iterator[Any]:
    logs = (tmp_path / "logs.jsonl").open("w", encoding="utf-8")

    def make(webhook: str) -> Cloud:
        names = Names(stack=tmp_path.name.replace("_", "-"), endpoint=emulator_url)
        parameters = {"SpotUrl": "http://127.0.0.1:9", "FuturesUrl": "http://127.0.0.1:9", "Mode": "live"}
        template = read_template(names, parameters)
        clock, tally = StackClock(NOW), Tally()
        install_clock(clock)
        invoker = Invoker(template, clock, logs, tally)
        deliveries = Deliveries(template, invoker, tally)
        key = {"api_key": "k", "api_secret": "cw=="}
        provision(template, {"TradingSecret": key, "WebhooksSecret": {"slack": webhook}})
        return Cloud(template, invoker, deliveries, tally)

    yield make
    logs.close()


def test_alert_reaches_the_receiver_through_its_function(build: Any, receiver: tuple[str, Path]) -> None:
    cloud = build(receiver[0] + "/slack")
    cloud.publish()
    cloud.deliveries.drain()

    assert count_posts(receiver[1]) == {"slack": 1, "discord": 0, "rejected": 0}
    assert (cloud.tally.alerts, cloud.tally.runs) == (1, {"forward_alerts": 1})
    assert not any(cloud.deliveries.waiting().values())


def test_alert_that_always_fails_is_dead_in_the_end(build: Any, receiver: tuple[str, Path]) -> None:
    cloud = build(receiver[0] + "/nowhere")
    cloud.publish()
    [receives] = [each.receives for each in cloud.template.queues if each.logical_id == "AlertsQueue"]
    for _ in range(receives + 2):
        cloud.deliveries.drain()
        cloud.deliveries.retry_returned()

    assert cloud.tally.runs == {"forward_alerts": receives}
    assert len(cloud.waiting(DEAD_ALERTS)) == 1
    assert cloud.tally.alerts == 1


def test_failed_message_waits_for_the_next_step(build: Any, receiver: tuple[str, Path]) -> None:
    cloud = build(receiver[0] + "/nowhere")
    cloud.publish()
    cloud.deliveries.drain()
    cloud.deliveries.drain()

    assert cloud.tally.runs == {"forward_alerts": 1}


def test_message_of_a_function_wakes_its_reader(build: Any, receiver: tuple[str, Path]) -> None:
    cloud = build(receiver[0] + "/slack")
    result = cloud.invoker.invoke("control_trading", {"action": "resume", "operator": "me", "reason": "a test"})
    cloud.deliveries.drain()

    assert result.response["ok"]
    assert cloud.tally.runs == {"control_trading": 1, "forward_alerts": 1}


def test_failed_run_goes_to_the_failure_queue(build: Any, receiver: tuple[str, Path]) -> None:
    cloud = build(receiver[0] + "/slack")
    function = cloud.template.function("forward_alerts")
    result = cloud.invoker.invoke(function.name, {"Records": "none"})
    cloud.deliveries.failed(function, result.error)

    assert result.error.startswith("forward_alerts at 2024-05-01T10:00:00.000Z: InvalidInput: event has a wrong")
    assert "forward_alerts" in cloud.waiting(DEAD)[0]["Body"]


def test_only_reported_messages_count_as_failed() -> None:
    assert failed_items({"batchItemFailures": [{"itemIdentifier": "b"}]}) == {"b"}
    assert failed_items({"batchItemFailures": []}) == set()
    assert failed_items(None) == set()
