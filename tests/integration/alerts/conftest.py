from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from moto import mock_aws

from shared import aws_clients, runtime, secrets
from shared.alerts import alerts_of
from shared.storage.control import ControlStore
from tests.integration.alerts.http_receiver import Receiver, running

REGION, LEDGER = "us-east-1", "alerts-test-ledger"


@dataclass
class Cloud:
    """What the emulator holds for one test."""

    topic_arn: str
    queue_url: str
    control: ControlStore

    def published(self) -> list[dict[str, Any]]:
        """SNS envelopes that arrived in a queue subscribed to the topic."""
        found = []
        queues = boto3.client("sqs", region_name=REGION)
        while batch := queues.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10).get("Messages"):
            for message in batch:
                found.append(json.loads(message["Body"]))
                queues.delete_message(QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"])
        return found

    def keep_secret(self, name: str, text: str) -> None:
        boto3.client("secretsmanager", region_name=REGION).create_secret(Name=name, SecretString=text)


@pytest.fixture(scope="module")
def emulator() -> Iterator[None]:
    """One emulator per module: making its clients costs more than most tests."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "test")
        patch.setenv("AWS_DEFAULT_REGION", REGION)
        patch.delenv("AWS_ENDPOINT_URL", raising=False)
        _forget()
        with mock_aws():
            yield
    _forget()


@pytest.fixture
def cloud(emulator: None) -> Iterator[Cloud]:
    create_table(LEDGER)
    topics, queues = boto3.client("sns", region_name=REGION), boto3.client("sqs", region_name=REGION)
    topic = topics.create_topic(Name="alerts")["TopicArn"]
    queue = queues.create_queue(QueueName="listener")["QueueUrl"]
    arn = queues.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    topics.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    secrets.secret_reader.cache_clear()
    yield Cloud(topic_arn=topic, queue_url=queue, control=ControlStore(LEDGER))
    boto3.client("dynamodb", region_name=REGION).delete_table(TableName=LEDGER)
    queues.delete_queue(QueueUrl=queue)
    topics.delete_topic(TopicArn=topic)
    store = boto3.client("secretsmanager", region_name=REGION)
    for secret in store.list_secrets()["SecretList"]:
        store.delete_secret(SecretId=secret["Name"], ForceDeleteWithoutRecovery=True)


def _forget() -> None:
    for cached in (aws_clients.topics_client, aws_clients.secrets_client, secrets.secret_reader, runtime.control_of):
        cached.cache_clear()
    alerts_of.cache_clear()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with running() as server:
        yield server


def create_table(name: str) -> None:
    boto3.client("dynamodb", region_name=REGION).create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": each, "AttributeType": "S"} for each in ("pk", "sk")],
        BillingMode="PAY_PER_REQUEST",
    )
