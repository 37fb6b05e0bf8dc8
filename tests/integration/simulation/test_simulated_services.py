"""Alerts, queues and secrets on the simulated services, and faults around their calls."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from shared import queues
from shared.alerts import Alerts
from shared.aws_clients import topics_client
from shared.secrets import trading_keys
from shared.storage.control import ControlStore
from tests.fakes.cloud import LEDGER
from tests.fakes.records import NOW
from tests.simulation.transports.aws import Run, SimulatedServices, installed_services
from tests.simulation.transports.dynamo import SimulatedDynamo, installed
from tests.simulation.transports.dynamo_errors import throttled
from trading.errors import InvalidInput
from trading.model.alerts import Alert, AlertKind, Severity


@pytest.fixture
def services() -> Iterator[SimulatedServices]:
    with installed(SimulatedDynamo(LEDGER)), installed_services(SimulatedServices()) as found:
        yield found


def alert(title: str = "a stop is missing") -> Alert:
    kind = next(iter(AlertKind))
    return Alert(kind=kind, severity=Severity.CRITICAL, subject="COIN", title=title, text="x", at=NOW)


def test_alert_is_published_once_in_its_window(services: SimulatedServices) -> None:
    alerts = Alerts("topic", ControlStore(LEDGER))
    assert [alerts.tell(alert()), alerts.tell(alert("told é twice"))] == [True, False]
    (message,) = services.published
    assert (message.target, message.subject) == ("topic", "CRITICAL: a stop is missing")
    assert dict(message.attributes)["severity"] == "critical"


def test_refusing_topic_fails_no_run(services: SimulatedServices) -> None:
    def refusing(service: str, operation: str, subject: str, run: Run) -> dict[str, Any]:
        assert (service, operation, subject) == ("sns", "Publish", "topic")
        raise throttled(operation)

    alerts = Alerts("topic", ControlStore(LEDGER))
    with installed_services(services, refusing):
        assert alerts.tell(alert()) is False
    assert (alerts.failed, services.published) == (1, [])


def test_queue_takes_messages_as_json(services: SimulatedServices) -> None:
    assert queues.send("queue", {"b": 1, "a": "x"})
    assert not queues.send("queue", {"large": "x" * 300_000})
    assert [(each.target, each.body) for each in services.sent] == [("queue", '{"a": "x", "b": 1}')]


def test_secret_is_read_and_its_absence_told(services: SimulatedServices) -> None:
    with pytest.raises(InvalidInput, match="has no value"):
        trading_keys("trading")
    services.secrets["trading"] = '{"api_key": "key", "api_secret": "secret"}'
    assert trading_keys("trading").api_key == "key"


def test_other_service_or_parameter_is_refused(services: SimulatedServices) -> None:
    with pytest.raises(NotImplementedError, match="dynamodb"):
        boto3.client("dynamodb")
    with pytest.raises(NotImplementedError, match="PhoneNumber"):
        topics_client().publish(TopicArn="topic", Message="x", PhoneNumber="1")
