"""Topics, queues and secrets in memory, below the real `shared.alerts`, `shared.queues` and `shared.secrets`.

    services = SimulatedServices()
    services.secrets["trading"] = '{"api_key": "...", "api_secret": "..."}'
    with installed_services(services, hook):
        ...
    services.published

`hook(service, operation, subject, run)` is called around each call, with `run()` as in `dynamo`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import boto3

from shared.aws_clients import secrets_client, topics_client
from shared.queues import queues_client
from shared.secrets import secret_reader
from tests.simulation.transports.dynamo_errors import refused

Run = Callable[[], dict[str, Any]]
Hook = Callable[[str, str, str, Run], dict[str, Any]]

SUBJECT_CHARACTERS, MESSAGE_BYTES = 100, 256 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What was published to a topic or sent to a queue (`target`: its ARN or URL). `subject` is empty for a queue."""

    target: str
    body: str
    subject: str = ""
    attributes: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class SimulatedServices:
    """`secrets` holds values by name; take one out and it is missing."""

    published: list[Message] = field(default_factory=list)
    sent: list[Message] = field(default_factory=list)
    secrets: dict[str, str] = field(default_factory=dict)

    def publish(self, topic: str, body: str, subject: str, attributes: tuple[tuple[str, str], ...]) -> dict[str, Any]:
        """Raises botocore's ClientError for what SNS refuses."""
        if subject and not (len(subject) <= SUBJECT_CHARACTERS and subject.isascii() and subject.isprintable()):
            raise refused("Publish", "InvalidParameter", "Invalid parameter: Subject")
        if not body or len(body.encode()) > MESSAGE_BYTES:
            raise refused("Publish", "InvalidParameter", "Invalid parameter: Message too long or empty")
        self.published.append(Message(target=topic, body=body, subject=subject, attributes=attributes))
        return {"MessageId": f"published-{len(self.published)}"}

    def send(self, queue: str, body: str) -> dict[str, Any]:
        if not body or len(body.encode()) > MESSAGE_BYTES:
            raise refused("SendMessage", "InvalidParameterValue", "One or more parameters are invalid")
        self.sent.append(Message(target=queue, body=body))
        return {"MessageId": f"sent-{len(self.sent)}"}

    def secret_value(self, name: str) -> dict[str, Any]:
        return {"Name": name, "SecretString": self._known(name, "GetSecretValue"), "VersionStages": ["AWSCURRENT"]}

    def secret_description(self, name: str) -> dict[str, Any]:
        self._known(name, "DescribeSecret")
        return {"Name": name, "VersionIdsToStages": {"simulated": ["AWSCURRENT"]}}

    def _known(self, name: str, operation: str) -> str:
        try:
            return self.secrets[name]
        except KeyError:
            message = "Secrets Manager can't find the specified secret."
            raise refused(operation, "ResourceNotFoundException", message) from None


def straight(service: str, operation: str, subject: str, run: Run) -> dict[str, Any]:
    """The hook that changes nothing."""
    return run()


class _Client:
    """The methods of boto3's clients that our code uses, by their own names and parameters."""

    def __init__(self, services: SimulatedServices, hook: Hook) -> None:
        self._services = services
        self._hook = hook

    def publish(self, **given: Any) -> dict[str, Any]:
        found = sorted(given.pop("MessageAttributes", {}).items())
        attributes = tuple((name, str(each["StringValue"])) for name, each in found)
        topic, body, subject = given.pop("TopicArn"), given.pop("Message"), given.pop("Subject", "")
        _nothing_left(given)
        return self._hook("sns", "Publish", topic, lambda: self._services.publish(topic, body, subject, attributes))

    def send_message(self, **given: Any) -> dict[str, Any]:
        queue, body = given.pop("QueueUrl"), given.pop("MessageBody")
        _nothing_left(given)
        return self._hook("sqs", "SendMessage", queue, lambda: self._services.send(queue, body))

    def get_secret_value(self, **given: Any) -> dict[str, Any]:
        name = given.pop("SecretId")
        _nothing_left(given)
        return self._hook("secretsmanager", "GetSecretValue", name, lambda: self._services.secret_value(name))

    def describe_secret(self, **given: Any) -> dict[str, Any]:
        name = given.pop("SecretId")
        _nothing_left(given)
        return self._hook("secretsmanager", "DescribeSecret", name, lambda: self._services.secret_description(name))


def _nothing_left(given: dict[str, Any]) -> None:
    if given:
        raise NotImplementedError(f"parameters {sorted(given)}: the simulated services do not know them")


@contextmanager
def installed_services(services: SimulatedServices, hook: Hook = straight) -> Iterator[SimulatedServices]:
    """Let the cached clients of `shared` be simulated ones until the block ends."""
    client = _Client(services, hook)

    def simulated_client(service: str, **_: Any) -> Any:
        if service not in ("sns", "sqs", "secretsmanager"):
            raise NotImplementedError(f"client of {service!r}: the simulated services are sns, sqs and secretsmanager")
        return client

    before: Any = boto3.client
    package: Any = boto3
    package.client = simulated_client
    _forget_clients()
    try:
        yield services
    finally:
        package.client = before
        _forget_clients()


def _forget_clients() -> None:
    for cached in (topics_client, secrets_client, queues_client, secret_reader):
        cached.cache_clear()
