"""The function by itself: what it makes of a batch of messages, over real HTTP."""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from functions.forward_alerts import forward as use_case
from functions.forward_alerts.forward import Way
from infra.local.receiver import check_post
from shared.alerts import Alerts
from shared.secrets import Webhooks
from shared.storage.codec import to_json
from shared.storage.control import RunRecord
from shared.webhooks import Delivery, WebhookSender
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


def event_of(*envelopes: dict[str, Any]) -> dict[str, Any]:
    return {
        "Records": [
            {"messageId": f"record-{number}", "body": json.dumps(envelope)} for number, envelope in enumerate(envelopes)
        ]
    }


def published(cloud: Cloud) -> dict[str, Any]:
    assert Alerts(cloud.topic_arn, cloud.control).tell(ALERT)
    return event_of(*cloud.published())


def batch(*alerts: Alert) -> dict[str, Any]:
    return event_of(*({"MessageId": f"m-{at}", "Message": to_json(each)} for at, each in enumerate(alerts)))


def returned(answer: dict[str, Any]) -> list[str]:
    return [each["itemIdentifier"] for each in answer["batchItemFailures"]]


def forward(event: dict[str, Any]) -> dict[str, Any]:
    handler = importlib.import_module("functions.forward_alerts.handler").handler
    return dict(handler(event, CONTEXT))


def test_alert_travels_from_topic_to_both_services(cloud: Cloud, receiver: Receiver) -> None:
    answer = forward(published(cloud))
    assert (answer["alerts"], answer["delivered"], answer["skipped"], returned(answer)) == (1, 2, [], [])
    bodies = {path: body for path, body in receiver.posts}
    check_post("slack", json.dumps(bodies[SLACK]))
    check_post("discord", json.dumps(bodies[DISCORD]))
    assert "0.5 BTC is gone" in json.dumps(bodies[SLACK])
    assert "0.5 BTC is gone" in json.dumps(bodies[DISCORD])
    run = cloud.control.last_run("forward_alerts")
    assert run is not None
    assert run.proof["delivered"] == 2


def test_failing_service_returns_the_message_alone(
    cloud: Cloud, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.will_answer(DISCORD, Answer(404))
    answer = forward(batch(ALERT, replace(ALERT, subject="ETH")))
    assert returned(answer) == ["record-0"]
    assert (receiver.taken(SLACK), receiver.taken(DISCORD)) == (2, 1)
    assert "discord: refused with status 404" in caplog.text
    assert "canary" not in caplog.text


def test_repeated_message_reaches_only_who_missed_it(cloud: Cloud, receiver: Receiver) -> None:
    receiver.will_answer(DISCORD, Answer(404), Answer(404), Answer(404))
    event = published(cloud)
    assert returned(forward(event)) == ["record-0"]
    for _ in range(2):
        assert returned(forward(event)) == ["record-0"]
    answer = forward(event)
    assert (answer["delivered"], returned(answer)) == (1, [])
    assert forward(event)["delivered"] == 0
    assert (receiver.taken(SLACK), receiver.taken(DISCORD)) == (1, 1)


def test_message_redriven_by_hand_is_not_sent_twice(cloud: Cloud, receiver: Receiver) -> None:
    event = published(cloud)
    forward(event)
    event["Records"][0]["messageId"] = "a new one"
    assert forward(event)["delivered"] == 0
    assert (receiver.taken(SLACK), receiver.taken(DISCORD)) == (1, 1)


def test_delivery_is_counted_in_metrics(cloud: Cloud, receiver: Receiver, capsys: pytest.CaptureFixture[str]) -> None:
    receiver.will_answer(DISCORD, Answer(403))
    forward(published(cloud))
    output = capsys.readouterr().out
    metrics = next(json.loads(line) for line in output.splitlines() if '"_aws"' in line)
    assert (metrics["AlertsDelivered"], metrics["AlertDeliveryFailures"]) == ([1.0], [1.0])
    assert "canary" not in output


def test_service_without_address_is_skipped_and_named(cloud: Cloud, receiver: Receiver) -> None:
    cloud.keep_secret("slack-only", json.dumps({"slack": receiver.url + SLACK, "discord": ""}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SMC_WEBHOOKS_SECRET_ID", "slack-only")
        answer = forward(published(cloud))
    assert (answer["delivered"], answer["skipped"]) == (1, ["discord"])
    assert receiver.taken(DISCORD) == 0


def test_alert_about_lost_store_is_delivered_without_it(
    cloud: Cloud, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = published(cloud)
    monkeypatch.setenv("SMC_LEDGER_TABLE", "table-that-is-not-there")
    assert forward(event)["delivered"] == 2


class SilentStore:
    """Counts how often it is asked in vain."""

    asked = 0

    def read_token(self, token: str) -> tuple[str, datetime] | None:
        self.asked += 1
        raise ReadTimeoutError(endpoint_url="dynamodb")

    def add_token(self, token: str, body: str, expires_at: datetime) -> None:
        self.read_token(token)

    def last_run(self, function: str) -> RunRecord | None:
        self.read_token(function)
        return None

    def record_run(self, function: str, at: datetime, proof: dict[str, Any]) -> None:
        """Never asked: the record before is read first."""


def test_silent_store_is_asked_once_a_run(receiver: Receiver) -> None:
    store, addresses = SilentStore(), Webhooks(slack=receiver.url + SLACK, discord="")
    sender = WebhookSender(pause=lambda _: None)
    way = Way(addresses=addresses, secrets=(), sender=sender, receipts=store, now=NOW)
    report = use_case.forward(batch(*(replace(ALERT, subject=f"COIN{number}") for number in range(5))), way)
    use_case.record(store, NOW, report)
    assert (report.delivered, store.asked, receiver.taken(SLACK)) == (5, 1, 5)


def test_run_that_cannot_be_recorded_has_still_delivered(receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    store = SilentStore()
    use_case.record(store, NOW, use_case.Forwarded(alerts=1, skipped=()))
    assert "run was not recorded: ReadTimeoutError" in caplog.text


def test_critical_goes_first_and_the_others_together(cloud: Cloud, receiver: Receiver) -> None:
    others = [replace(ALERT, severity=Severity.INFO, subject=f"COIN{number:02d}") for number in range(11)]
    cloud.keep_secret("slack-only", json.dumps({"slack": receiver.url + SLACK}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SMC_WEBHOOKS_SECRET_ID", "slack-only")
        answer = forward(batch(*others, replace(ALERT, subject="the one")))
    assert (answer["alerts"], answer["posts"], answer["delivered"]) == (12, 2, 12)
    first, second = (json.dumps(body) for _, body in receiver.posts)
    assert "the one" in first
    assert all(f"COIN{number:02d}" in second for number in range(11))


def test_failed_digest_is_tried_again_and_then_never(cloud: Cloud, receiver: Receiver) -> None:
    event = batch(*(replace(ALERT, severity=Severity.INFO, subject=f"COIN{number:02d}") for number in range(11)))
    receiver.will_answer(SLACK, Answer(404))
    assert len(returned(forward(event))) == 11
    assert returned(forward(event)) == []
    assert forward(event)["posts"] == 0
    assert (receiver.taken(SLACK), receiver.taken(DISCORD)) == (1, 1)


class OddSender:
    """Cannot make a message of what is about BTC."""

    alone = 10

    def run(self, addresses: int) -> OddSender:
        return self

    def post(self, url: str, body: Mapping[str, Any]) -> Delivery:
        if "BTC" in json.dumps(body):
            raise ValueError("no such character")
        return Delivery(delivered=True, detail="200", attempts=1)


def test_alert_that_cannot_be_shown_fails_alone(cloud: Cloud) -> None:
    addresses = Webhooks(slack="https://slack.invalid/1", discord="")
    way = Way(addresses=addresses, secrets=(), sender=OddSender(), receipts=cloud.control, now=NOW)
    report = use_case.forward(batch(replace(ALERT, subject="ETH", title="t", text="t"), ALERT), way)
    assert (report.delivered, list(report.failed)) == (1, ["record-1"])
    assert report.failures == ("slack: cannot be sent (ValueError)",)


def test_severities_go_to_their_own_addresses(cloud: Cloud, receiver: Receiver) -> None:
    base = receiver.url
    routes = {"slack": f"{base}/slack/all", "slack_critical": f"{base}/slack/on-call", "info": False}
    cloud.keep_secret("routes", json.dumps(routes))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SMC_WEBHOOKS_SECRET_ID", "routes")
        answer = forward(batch(*(replace(ALERT, severity=each) for each in Severity)))
    assert (answer["delivered"], answer["switched_off"], returned(answer)) == (2, 1, [])
    assert sorted(path for path, _ in receiver.posts) == ["/slack/all", "/slack/on-call"]


def test_secret_of_an_alarm_never_reaches_people(cloud: Cloud, receiver: Receiver) -> None:
    leaked = replace(ALERT, text=f"posting to {receiver.url}{SLACK} failed", title="canary-credential")
    assert forward(batch(leaked))["delivered"] == 2
    assert "canary" not in json.dumps([body for _, body in receiver.posts])
