"""One run of the function: how its time is shared, what is on record after it, and what two runs make of each other."""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError
from pynamodb.exceptions import PutError

from functions.forward_alerts import forward as use_case
from functions.forward_alerts.forward import Way
from shared.secrets import Webhooks
from shared.storage.codec import to_json
from shared.webhooks import Delivery, WebhookSender
from tests.integration.alerts.conftest import LEDGER, Cloud
from tests.integration.alerts.http_receiver import Answer, Receiver
from tests.integration.alerts.test_forward_alerts import ALERT, CONTEXT, DISCORD, NOW, SLACK, batch, event_of, returned
from trading.model.alerts import Alert, Severity


class Seconds:
    """The machine does not count: time passes by waiting and while a service answers."""

    def __init__(self, receiver: Receiver) -> None:
        self.passed = 0.0
        receiver.on_post = lambda: self.wait(0.15)

    def wait(self, seconds: float) -> None:
        self.passed += seconds

    def sender(self) -> WebhookSender:
        return WebhookSender(elapsed=lambda: self.passed, pause=self.wait)


def way_of(cloud: Cloud, sender: use_case.Sender, addresses: Webhooks, now: datetime = NOW) -> Way:
    return Way(addresses=addresses, secrets=(), sender=sender, receipts=cloud.control, now=now)


def critical(count: int) -> tuple[Alert, ...]:
    return tuple(replace(ALERT, subject=f"COIN{number:02d}") for number in range(count))


def test_addresses_take_turns_in_their_pauses(cloud: Cloud, receiver: Receiver) -> None:
    seconds = Seconds(receiver)
    both = Webhooks(
        slack=receiver.url + SLACK, discord=receiver.url + DISCORD, discord_info=receiver.url + "/discord/i"
    )
    report = use_case.forward(batch(*critical(8)), way_of(cloud, seconds.sender(), both))
    assert (report.delivered, report.failures, dict(report.postponed)) == (16, (), {})
    assert [path for path, _ in receiver.posts] == [SLACK, DISCORD] * 8
    assert seconds.passed < 9


def test_alert_without_time_comes_back_but_is_no_failure(cloud: Cloud, receiver: Receiver) -> None:
    event, slack = batch(*critical(14)), Webhooks(slack=receiver.url + SLACK, discord="")
    first = use_case.forward(event, way_of(cloud, Seconds(receiver).sender(), slack))
    assert (first.delivered, first.failures, first.proof()["postponed"]) == (10, (), 4)
    assert returned(first.answer()) == ["record-10", "record-11", "record-12", "record-13"]
    second = use_case.forward(event, way_of(cloud, Seconds(receiver).sender(), slack))
    assert (second.delivered, returned(second.answer()), receiver.taken(SLACK)) == (4, [], 14)


def test_share_is_of_the_addresses_that_get_something(cloud: Cloud, receiver: Receiver) -> None:
    slack, other = receiver.url + SLACK, receiver.url + "/slack/other"
    three = Webhooks(slack=slack, discord="", slack_warning=other, slack_info=other + "2")
    receiver.will_answer(SLACK, Answer(429, {"Retry-After": "8"}))
    report = use_case.forward(batch(ALERT), way_of(cloud, Seconds(receiver).sender(), three))
    assert (report.delivered, report.failures) == (1, ())


def test_single_alert_among_critical_ones_stays_whole(cloud: Cloud, receiver: Receiver) -> None:
    info, slack = (
        replace(ALERT, severity=Severity.INFO, title="by itself"),
        Webhooks(slack=receiver.url + SLACK, discord=""),
    )
    report = use_case.forward(batch(info, *critical(8)), way_of(cloud, Seconds(receiver).sender(), slack))
    assert (report.delivered, report.posts) == (9, 9)
    assert "by itself" in json.dumps(receiver.posts[-1])
    assert "at once" not in json.dumps(receiver.posts[-1])


class QuickOther:
    """Another run delivers the first message, while this one does."""

    alone = 10

    def __init__(self, cloud: Cloud) -> None:
        self._cloud, self.posts = cloud, 0

    def run(self, addresses: int) -> QuickOther:
        return self

    def post(self, url: str, body: Mapping[str, Any]) -> Delivery:
        if not self.posts:
            self._cloud.control.add_token("delivered/m-0/slack", "delivered", NOW + timedelta(days=1))
        self.posts += 1
        return Delivery(delivered=True, detail="200", attempts=1)


def test_receipt_of_another_run_ends_no_receipts(cloud: Cloud) -> None:
    event, sender, slack = batch(*critical(3)), QuickOther(cloud), Webhooks(slack="https://slack.invalid/1", discord="")
    report = use_case.forward(event, way_of(cloud, sender, slack))
    use_case.record(cloud.control, NOW, report)
    assert (report.posts, report.store_answers, cloud.control.last_run("forward_alerts") is None) == (3, True, False)
    assert use_case.forward(event, way_of(cloud, sender, slack)).posts == 0


def test_looking_at_a_receipt_never_takes_it(cloud: Cloud) -> None:
    slack = Webhooks(slack="https://slack.invalid/1", discord="")
    cloud.control.add_token("delivered/m-0/slack", "delivered", NOW)
    assert use_case.forward(batch(ALERT), way_of(cloud, QuickOther(cloud), slack)).posts == 0
    found = cloud.control.read_token("delivered/m-0/slack")
    assert found == ("delivered", NOW)


def run_at(cloud: Cloud, receiver: Receiver, minutes: float, event: dict[str, Any]) -> dict[str, Any]:
    """What is on record after a run."""
    now, slack = NOW + timedelta(minutes=minutes), Webhooks(slack=receiver.url + SLACK, discord="")
    report = use_case.forward(event, way_of(cloud, Seconds(receiver).sender(), slack, now))
    use_case.record(cloud.control, now, report)
    run = cloud.control.last_run("forward_alerts")
    assert run is not None
    return dict(run.proof)


def test_good_run_in_between_keeps_the_failure_on_record(cloud: Cloud, receiver: Receiver) -> None:
    bad, good = batch(ALERT), event_of({"MessageId": "good", "Message": to_json(ALERT)})
    receiver.will_answer(SLACK, Answer(400), Answer(200), Answer(400), Answer(200))
    assert run_at(cloud, receiver, 0, bad)["undelivered"] == {"m-0": "2026-11-22T12:00:00.000Z"}
    assert run_at(cloud, receiver, 1, good)["failures"] == 1
    assert run_at(cloud, receiver, 3, bad)["undelivered"] == {"m-0": "2026-11-22T12:03:00.000Z"}
    assert run_at(cloud, receiver, 6, bad)["failures"] == 0


def test_failure_that_never_came_back_leaves_the_record(cloud: Cloud, receiver: Receiver) -> None:
    receiver.will_answer(SLACK, Answer(400))
    good = event_of({"MessageId": "good", "Message": to_json(ALERT)})
    assert run_at(cloud, receiver, 0, batch(ALERT))["failures"] == 1
    assert run_at(cloud, receiver, 11, good)["failures"] == 0


def test_unreadable_list_of_failures_is_begun_anew(cloud: Cloud, receiver: Receiver) -> None:
    cloud.control.record_run("forward_alerts", NOW, {"undelivered": "nonsense"})
    assert run_at(cloud, receiver, 1, batch(ALERT))["failures"] == 0
    odd = {"undelivered": {"m-7": 12, "m-8": "2026-11-22T12:01:00.000Z"}}
    cloud.control.record_run("forward_alerts", NOW + timedelta(seconds=90), odd)
    receiver.will_answer(SLACK, Answer(400))
    found = run_at(cloud, receiver, 2, event_of({"MessageId": "m-9", "Message": to_json(ALERT)}))
    assert (found["failures"], sorted(found["undelivered"])) == (2, ["m-8", "m-9"])


class FullStore:
    """Reads, and refuses every receipt for a reason of its own."""

    asked = 0

    def read_token(self, token: str) -> tuple[str, datetime] | None:
        return None

    def add_token(self, token: str, body: str, expires_at: datetime) -> None:
        self.asked += 1
        raise PutError("no receipt", ReadTimeoutError(endpoint_url="dynamodb"))


def test_store_that_takes_no_receipt_is_asked_once(cloud: Cloud) -> None:
    store, slack = FullStore(), Webhooks(slack="https://slack.invalid/1", discord="")
    way = replace(way_of(cloud, QuickOther(cloud), slack), receipts=store)
    report = use_case.forward(batch(*critical(3)), way)
    assert (report.posts, report.store_answers, store.asked) == (3, False, 1)


def test_log_says_that_alerts_come_back(
    cloud: Cloud, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("SMC_LEDGER_TABLE", LEDGER)
    monkeypatch.setenv("SMC_WEBHOOKS_SECRET_ID", "hooks")
    monkeypatch.setenv("POWERTOOLS_TRACE_DISABLED", "1")
    cloud.keep_secret("hooks", json.dumps({"slack": receiver.url + SLACK}))
    module, seconds = importlib.import_module("functions.forward_alerts.handler"), Seconds(receiver)
    monkeypatch.setattr(module, "_sender", seconds.sender)
    answer = module.handler(batch(*critical(14)), CONTEXT)
    assert (answer["delivered"], answer["failures"], answer["postponed"]) == (10, 0, 4)
    assert "4 alerts found no time in this run and come back" in caplog.text
