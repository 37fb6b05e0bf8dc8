from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from shared import aws_clients, runtime, secrets
from shared.alerts import Alerts, alerts_of
from shared.clock import SystemClock, install_clock
from shared.order_desk import OrderDesk
from shared.storage.control import ControlStore
from shared.storage.decisions import DecisionStore
from shared.storage.ledger import Ledger
from shared.storage.market_data import MarketDataStore
from tests.integration.operations.venue_fake import VenueFake
from tests.unit.control.records import NOW, universe
from trading.model.control import Control, KillLevel
from trading.rules import load_rules

REGION = "us-east-1"
MARKET, DECISIONS, LEDGER = "operations-market", "operations-decisions", "operations-ledger"
CONTROL_ARN = "arn:aws:lambda:us-east-1:123456789012:function:smc-trader-control_trading"
RULES = load_rules()
CONTEXT = SimpleNamespace(
    function_name="test", memory_limit_in_mb=512, invoked_function_arn="arn", aws_request_id="request-7"
)


@dataclass
class World:
    """The stores on the emulator, a venue in memory, and the time."""

    control: ControlStore
    ledger: Ledger
    decisions: DecisionStore
    market: MarketDataStore
    topic_arn: str
    queue_url: str
    venue: VenueFake
    now: datetime = NOW

    @property
    def alerts(self) -> Alerts:
        return Alerts(self.topic_arn, self.control)

    def orders(self) -> OrderDesk:
        return OrderDesk(venue=self.venue, ledger=self.ledger, clock=StoppedClock(self.now), rules=RULES)

    def set_level(self, level: KillLevel) -> None:
        current = self.control.control(self.now)
        wanted = Control(level=level, reason="test", changed_by="test", changed_at=self.now, version=current.version)
        self.control.set_control(wanted)

    def published(self) -> list[dict[str, Any]]:
        queues = boto3.client("sqs", region_name=REGION)
        return queues.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10).get("Messages", [])


class StoppedClock:
    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now


@pytest.fixture(scope="module")
def emulator() -> Iterator[None]:
    """One emulator per module: making its clients costs more than most tests."""
    settings = {
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "POWERTOOLS_TRACE_DISABLED": "1",
        "SMC_LEDGER_TABLE": LEDGER,
        "SMC_DECISIONS_TABLE": DECISIONS,
        "SMC_MARKET_DATA_TABLE": MARKET,
        "SMC_CONTROL_FUNCTION_ARN": CONTROL_ARN,
        "SMC_SPOT_URL": "http://127.0.0.1:9",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in settings.items():
            patch.setenv(name, value)
        patch.delenv("AWS_ENDPOINT_URL", raising=False)
        _forget()
        with mock_aws():
            yield
    _forget()


@pytest.fixture
def world(emulator: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    for name in (MARKET, DECISIONS, LEDGER):
        _create_table(name)
    topic, queue = _create_topic()
    monkeypatch.setenv("SMC_ALERTS_TOPIC_ARN", topic)
    market = MarketDataStore(MARKET, bars_kept=RULES.data.bars_kept)
    market.save_universe(universe("BTC", "ETH", "SOL"), NOW, None)
    install_clock(StoppedClock(NOW))
    yield World(
        control=ControlStore(LEDGER),
        ledger=Ledger(LEDGER),
        decisions=DecisionStore(DECISIONS),
        market=market,
        topic_arn=topic,
        queue_url=queue,
        venue=VenueFake(),
    )
    install_clock(SystemClock())
    for name in (MARKET, DECISIONS, LEDGER):
        boto3.client("dynamodb", region_name=REGION).delete_table(TableName=name)
    boto3.client("sqs", region_name=REGION).delete_queue(QueueUrl=queue)
    boto3.client("sns", region_name=REGION).delete_topic(TopicArn=topic)


def _forget() -> None:
    cached = (aws_clients.topics_client, aws_clients.secrets_client, secrets.secret_reader, alerts_of)
    for each in (*cached, runtime.control_of, runtime.ledger_of, runtime.decisions_of, runtime.market_of):
        each.cache_clear()


def _create_table(name: str) -> None:
    boto3.client("dynamodb", region_name=REGION).create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": each, "AttributeType": "S"} for each in ("pk", "sk")],
        BillingMode="PAY_PER_REQUEST",
    )


def _create_topic() -> tuple[str, str]:
    topics, queues = boto3.client("sns", region_name=REGION), boto3.client("sqs", region_name=REGION)
    topic = topics.create_topic(Name="alerts")["TopicArn"]
    queue = queues.create_queue(QueueName="listener")["QueueUrl"]
    arn = queues.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    topics.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    return topic, queue
