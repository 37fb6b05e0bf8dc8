"""DynamoDB in this process (moto), empty for every test, and the stores on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import boto3
import pytest
from moto import mock_aws

from shared.alerts import Alerts
from shared.aws_clients import topics_client
from shared.storage import tables
from shared.storage.codec import from_json
from shared.storage.control import ControlStore
from shared.storage.ledger import Ledger
from shared.storage.market_data import MarketDataStore
from tests.integration.market_data.ingest_scene import Scene, open_scene
from trading.model.alerts import Alert

MARKET, DECISIONS, LEDGER = "test-market-data", "test-decisions", "test-ledger"
BARS_KEPT = 120


@pytest.fixture(scope="module")
def amazon() -> Iterator[Amazon]:
    """One emulator and one set of clients for each file: making clients costs more than most of the tests."""
    with pytest.MonkeyPatch.context() as environment:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            environment.setenv(name, "testing")
        environment.setenv("AWS_DEFAULT_REGION", "eu-central-1")
        environment.delenv("AWS_ENDPOINT_URL", raising=False)
        with mock_aws():
            _forget_clients()
            yield Amazon()
            _forget_clients()


def _forget_clients() -> None:
    topics_client.cache_clear()
    for model in (tables.MarketDataItem, tables.DecisionItem, tables.LedgerItem):
        model._connection = None


@pytest.fixture(autouse=True)
def empty_tables(amazon: Amazon) -> Iterator[None]:
    for name in (MARKET, DECISIONS, LEDGER):
        create_table(amazon.tables, name)
    yield
    for name in (MARKET, DECISIONS, LEDGER):
        amazon.tables.delete_table(TableName=name)


def create_table(client: object, name: str) -> None:
    client.create_table(  # type: ignore[attr-defined]
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("pk", "sk")],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
    )


@pytest.fixture
def store() -> MarketDataStore:
    return MarketDataStore(MARKET, bars_kept=BARS_KEPT)


@contextmanager
def listening(model: type[tables.Item], event: str, handler: Callable[..., None]) -> Iterator[None]:
    """Hear what the client of a model's store does; it lives longer than one test."""
    events = tables.connection(model).connection.client.meta.events
    events.register(event, handler)
    try:
        yield
    finally:
        events.unregister(event, handler)


class Amazon:
    """Clients of the emulator, and a queue that hears every alert of the topic."""

    def __init__(self) -> None:
        self.tables, self.queues, topics = boto3.client("dynamodb"), boto3.client("sqs"), boto3.client("sns")
        self.topic_arn = topics.create_topic(Name="alerts")["TopicArn"]
        self.queue_url = self.queues.create_queue(QueueName="told")["QueueUrl"]
        answer = self.queues.get_queue_attributes(QueueUrl=self.queue_url, AttributeNames=["QueueArn"])
        topics.subscribe(
            TopicArn=self.topic_arn,
            Protocol="sqs",
            Endpoint=answer["Attributes"]["QueueArn"],
            Attributes={"RawMessageDelivery": "true"},
        )


@dataclass(slots=True)
class Told:
    """Alerts as a subscriber of the topic receives them."""

    amazon: Amazon

    def take(self) -> list[Alert]:
        answer = self.amazon.queues.receive_message(QueueUrl=self.amazon.queue_url, MaxNumberOfMessages=10)
        for message in answer.get("Messages", ()):
            self.amazon.queues.delete_message(QueueUrl=self.amazon.queue_url, ReceiptHandle=message["ReceiptHandle"])
        return [from_json(Alert, message["Body"]) for message in answer.get("Messages", ())]


@pytest.fixture
def told(amazon: Amazon) -> Told:
    told = Told(amazon)
    told.take()
    return told


@pytest.fixture
def control() -> ControlStore:
    return ControlStore(LEDGER)


@pytest.fixture
def ledger() -> Ledger:
    return Ledger(LEDGER)


@pytest.fixture
def alerts(told: Told, control: ControlStore) -> Alerts:
    return Alerts(told.amazon.topic_arn, control)


@pytest.fixture
def scene(control: ControlStore, alerts: Alerts) -> Scene:
    return open_scene(MARKET, control, alerts)
