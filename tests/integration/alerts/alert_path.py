"""The way of an alert as it is deployed: topic, queue, event source, `forward_alerts`, dead-letter queue.

Topic and queues are the emulator's, with the template's own figures; what AWS does with time (a message that comes back
after its visibility timeout) happens on a timeline that only waits for real where a socket does.
"""

from __future__ import annotations

import importlib
import json
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from infra.local.deliveries import failed_items, queue_event
from shared.webhooks import WebhookSender
from tests.integration.alerts.conftest import REGION
from tests.integration.aws.template_reader import events, resources

START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
CONTEXT = SimpleNamespace(
    function_name="forward_alerts", memory_limit_in_mb=512, invoked_function_arn="arn", aws_request_id="request-1"
)


class Timeline:
    """Seconds since the start: the machine's, and those that were waited for without waiting."""

    def __init__(self) -> None:
        self._began, self._waited = time.monotonic(), 0.0

    def elapsed(self) -> float:
        return time.monotonic() - self._began + self._waited

    def wait(self, seconds: float) -> None:
        self._waited += seconds

    def move_to(self, seconds: float) -> None:
        self._waited += max(0.0, seconds - self.elapsed())

    def now(self) -> datetime:
        return START + timedelta(seconds=self.elapsed())


@dataclass
class AlertPath:
    """One reader. `seen` are the bodies of all messages as they lay in the queue."""

    topic_arn: str
    timeline: Timeline
    queue_url: str = ""
    dead_url: str = ""
    seen: set[str] = field(default_factory=set)
    runs: int = 0
    hidden: list[tuple[float, str]] = field(default_factory=list)

    def connect(self, patch: pytest.MonkeyPatch) -> AlertPath:
        """Create the queues, subscribe, and have the function live on the timeline."""
        deployed = resources("AWS::SQS::Queue")["AlertsQueue"]
        self.visible_after = float(deployed["VisibilityTimeout"])
        [self.batch] = [body["BatchSize"] for function, body in events("SQS") if function == "forward_alerts"]
        queues = boto3.client("sqs", region_name=REGION)
        self.dead_url = queues.create_queue(QueueName="dead-alerts")["QueueUrl"]
        receives = str(deployed["RedrivePolicy"]["maxReceiveCount"])
        policy = json.dumps({"deadLetterTargetArn": _arn(self.dead_url), "maxReceiveCount": receives})
        self.queue_url = queues.create_queue(
            QueueName="alerts", Attributes={"VisibilityTimeout": "3600", "RedrivePolicy": policy}
        )["QueueUrl"]
        topics = boto3.client("sns", region_name=REGION)
        topics.subscribe(TopicArn=self.topic_arn, Protocol="sqs", Endpoint=_arn(self.queue_url))
        module = importlib.import_module("functions.forward_alerts.handler")
        sender = WebhookSender(elapsed=self.timeline.elapsed, pause=self.timeline.wait)
        patch.setattr(module, "_sender", lambda: sender)
        self._handler = module.handler
        return self

    def run_once(self) -> bool:
        """Hand one batch to the function; False when no message is visible."""
        self._unhide()
        messages: list[dict[str, Any]] = []
        while len(messages) < self.batch and (batch := self._receive()):
            messages += batch
        if not messages:
            return False
        self.runs += 1
        self.seen |= {each["Body"] for each in messages}
        began = self.timeline.elapsed()
        failed = failed_items(self._handler(queue_event(_arn(self.queue_url), messages), CONTEXT))
        queues = boto3.client("sqs", region_name=REGION)
        for message in messages:
            if message["MessageId"] in failed:
                self.hidden.append((began + self.visible_after, message["ReceiptHandle"]))
            else:
                queues.delete_message(QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"])
        return True

    def run_until_empty(self, until: float) -> None:
        """Until nothing is left to be tried again, or the timeline stands at `until`."""
        while self.timeline.elapsed() < until:
            if self.run_once():
                continue
            if not self.hidden:
                return
            self.timeline.move_to(min(at for at, _ in self.hidden))

    def dead(self) -> list[str]:
        queues = boto3.client("sqs", region_name=REGION)
        found = queues.receive_message(QueueUrl=self.dead_url, MaxNumberOfMessages=10).get("Messages", [])
        return [each["Body"] for each in found]

    def _receive(self) -> list[dict[str, Any]]:
        queues = boto3.client("sqs", region_name=REGION)
        answer = queues.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10, AttributeNames=["All"])
        return [dict(each) for each in answer.get("Messages", [])]

    def _unhide(self) -> None:
        now = self.timeline.elapsed()
        queues = boto3.client("sqs", region_name=REGION)
        for at, handle in self.hidden:
            if at <= now:
                queues.change_message_visibility(QueueUrl=self.queue_url, ReceiptHandle=handle, VisibilityTimeout=0)
        self.hidden = [each for each in self.hidden if each[0] > now]


def _arn(url: str) -> str:
    queues = boto3.client("sqs", region_name=REGION)
    return queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
