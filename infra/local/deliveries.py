"""Carries queue messages and alerts to the functions that read them, as Lambda's event sources do.

A message is deleted when its function succeeds; failed ones come back on the next step until their queue's redrive
policy moves them to its dead-letter queue. Queues are polled only after something was sent.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3

from infra.local.invoker import Invoker, Tally
from infra.local.provision import client
from infra.local.template import REGION, FunctionSpec, LocalTemplate
from trading.errors import InvalidInput

SENDING_CALLS = ("sqs.SendMessage", "sqs.SendMessageBatch", "sns.Publish", "sns.PublishBatch")
ROUNDS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A queue and its reader. `alerts`: a topic feeds the queue."""

    function: FunctionSpec
    queue: str
    batch_size: int
    alerts: bool


class Deliveries:
    def __init__(self, template: LocalTemplate, invoker: Invoker, tally: Tally) -> None:
        self._names = template.names
        self._tally = tally
        self._invoker = invoker
        self._routes = tuple(_routes(template))
        self._queues = client("sqs", template.names.endpoint)
        self._returned: list[tuple[str, str]] = []
        # Something may be waiting from before a restart.
        self._sent = True
        _watch_sends(self._mark)

    def _mark(self, **_: object) -> None:
        self._sent = True

    def retry_returned(self) -> None:
        """Make the messages of failed deliveries visible again, once a step."""
        for url, handle in self._returned:
            self._queues.change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=0)
            self._sent = True
        self._returned.clear()

    def drain(self) -> None:
        """Deliver until every queue is empty. What a reader sends is delivered too."""
        for _ in range(ROUNDS):
            if not self._sent:
                return
            self._sent = False
            for route in self._routes:
                self._drain(route)
        raise InvalidInput(f"the queues were not empty after {ROUNDS} rounds: functions feed each other without end")

    def failed(self, function: FunctionSpec, error: str) -> None:
        """Hand a failed asynchronous invocation to the function's failure queue."""
        if function.on_failure is not None:
            body = json.dumps({"requestContext": {"functionName": function.name}, "responsePayload": error})
            self._queues.send_message(QueueUrl=self._names.queue_url(function.on_failure), MessageBody=body)

    def waiting(self) -> dict[str, int]:
        """Messages that nobody has taken, by queue: what a finished run must not have."""
        found = {}
        for route in self._routes:
            url = self._names.queue_url(route.queue)
            answer = self._queues.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
            found[route.queue] = int(answer["Attributes"]["ApproximateNumberOfMessages"])
        return found

    def _drain(self, route: Route) -> None:
        url = self._names.queue_url(route.queue)
        while messages := self._receive(url, route.batch_size):
            if route.alerts:
                self._tally.alerts += sum(each["Attributes"]["ApproximateReceiveCount"] == "1" for each in messages)
            self._deliver(route, url, messages, queue_event(self._names.queue_arn(route.queue), messages))

    def _receive(self, url: str, batch_size: int) -> list[dict[str, Any]]:
        answer = self._queues.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=min(batch_size, 10),
            WaitTimeSeconds=0,
            AttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        return list(answer.get("Messages", []))

    def _deliver(self, route: Route, url: str, messages: list[dict[str, Any]], event: dict[str, Any]) -> None:
        result = self._invoker.invoke(route.function.name, event)
        failed = {each["MessageId"] for each in messages} if result.error else failed_items(result.response)
        for message in messages:
            if message["MessageId"] in failed:
                self._returned.append((url, message["ReceiptHandle"]))
            else:
                self._queues.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


def failed_items(response: Any) -> set[str]:
    """Message ids that the function reports as failed (`batchItemFailures`)."""
    failures = response.get("batchItemFailures", []) if isinstance(response, dict) else []
    return {str(each["itemIdentifier"]) for each in failures}


def _routes(template: LocalTemplate) -> Iterator[Route]:
    fed = {queue for topic in template.topics for queue in topic.queues}
    for function in template.functions:
        for source in function.queues:
            batch, alerts = source.batch_size, source.queue in fed
            yield Route(function=function, queue=source.queue, batch_size=batch, alerts=alerts)


def _watch_sends(mark: Any) -> None:
    """Have every client that handlers create from here on tell when it sends a message."""
    session = boto3.session.Session(region_name=REGION)
    for call in SENDING_CALLS:
        session.events.register(f"before-call.{call}", mark)
    boto3.DEFAULT_SESSION = session


def queue_event(arn: str, messages: list[dict[str, Any]]) -> dict[str, Any]:
    """What Lambda's event source makes of received messages."""
    return {
        "Records": [
            {
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "attributes": message.get("Attributes", {}),
                "messageAttributes": message.get("MessageAttributes", {}),
                "md5OfBody": message["MD5OfBody"],
                "eventSource": "aws:sqs",
                "eventSourceARN": arn,
                "awsRegion": REGION,
            }
            for message in messages
        ]
    }
