from __future__ import annotations

import importlib
import json
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from functions.forward_alerts.forward import DeliveryFailed
from infra.local.receiver import check_post
from shared.alerts import Alerts
from tests.integration.alerts.conftest import LEDGER, Cloud
from tests.integration.alerts.http_receiver import Answer, Receiver
from trading.model.alerts import Alert, AlertKind, Severity

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SLACK, DISCORD = "/slack/canary-credential", "/discord/canary-credential"
CONTEXT = SimpleNamespace(
    function_name="forward_alerts", memory_limit_in_mb=512, invoked_function_arn="arn", aws_request_id="request-1"
)
ALERT = Alert(
    kind=AlertKind.NAKED_POSITION,
    severity=Severity.CRITICAL,
    subject="BTC",
    title="BTC stands without a stop",
    text="The stop of 0.5 BTC is gone.",
    at=NOW,
    fields=(("quantity", "0.5"),),
)


@pytest.fixture(autouse=True)
def environment(cloud: Cloud, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMC_LEDGER_TABLE", LEDGER)
    monkeypatch.setenv("SMC_WEBHOOKS_SECRET_ID", "hooks")
    monkeypatch.setenv("POWERTOOLS_TRACE_DISABLED", "1")
    cloud.keep_secret("hooks", json.dumps({"slack": receiver.url + SLACK, "discord": receiver.url + DISCORD}))


def event_of(envelope: dict[str, Any]) -> dict[str, Any]:
    return {"Records": [{"EventSource": "aws:sns", "Sns": envelope}]}


def published(cloud: Cloud) -> dict[str, Any]:
    assert Alerts(cloud.topic_arn, cloud.control).tell(ALERT)
    (envelope,) = cloud.published()
    return event_of(envelope)


def forward(event: dict[str, Any]) -> dict[str, Any]:
    handler = importlib.import_module("functions.forward_alerts.handler").handler
    return dict(handler(event, CONTEXT))


def test_alert_travels_from_topic_to_both_services(cloud: Cloud, receiver: Receiver) -> None:
    answer = forward(published(cloud))
    assert answer == {"alerts": 1, "delivered": 2, "skipped": []}
    bodies = {path: body for path, body in receiver.posts}
    check_post("slack", json.dumps(bodies[SLACK]))
    check_post("discord", json.dumps(bodies[DISCORD]))
    assert "0.5 BTC is gone" in json.dumps(bodies[SLACK])
    assert "0.5 BTC is gone" in json.dumps(bodies[DISCORD])
    run = cloud.control.last_run("forward_alerts")
    assert run is not None
    assert run.proof["delivered"] == 2


def test_failing_service_raises_and_the_other_still_gets_it(cloud: Cloud, receiver: Receiver) -> None:
    receiver.will_answer(DISCORD, Answer(404))
    with pytest.raises(DeliveryFailed, match="discord: refused with status 404") as caught:
        forward(published(cloud))
    assert receiver.taken(SLACK) == 1
    assert "canary" not in repr(caught.value)


def test_repeated_event_reaches_only_who_missed_it(cloud: Cloud, receiver: Receiver) -> None:
    receiver.will_answer(DISCORD, Answer(404), Answer(404))
    event = published(cloud)
    for _ in range(2):
        with pytest.raises(DeliveryFailed):
            forward(event)
    assert forward(event)["delivered"] == 1
    assert (receiver.taken(SLACK), receiver.taken(DISCORD)) == (1, 1)


def test_delivery_is_counted_in_metrics(cloud: Cloud, receiver: Receiver, capsys: pytest.CaptureFixture[str]) -> None:
    receiver.will_answer(DISCORD, Answer(403))
    with pytest.raises(DeliveryFailed):
        forward(published(cloud))
    output = capsys.readouterr().out
    metrics = next(json.loads(line) for line in output.splitlines() if '"_aws"' in line)
    assert (metrics["AlertsDelivered"], metrics["AlertDeliveryFailures"]) == ([1.0], [1.0])
    assert "canary" not in output


def test_service_without_address_is_skipped_and_named(cloud: Cloud, receiver: Receiver) -> None:
    cloud.keep_secret("slack-only", json.dumps({"slack": receiver.url + SLACK, "discord": ""}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SMC_WEBHOOKS_SECRET_ID", "slack-only")
        assert forward(published(cloud)) == {"alerts": 1, "delivered": 1, "skipped": ["discord"]}
    assert receiver.taken(DISCORD) == 0


def test_alert_about_lost_store_is_delivered_without_it(
    cloud: Cloud, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = published(cloud)
    monkeypatch.setenv("SMC_LEDGER_TABLE", "table-that-is-not-there")
    assert forward(event)["delivered"] == 2
