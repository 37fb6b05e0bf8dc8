"""The three tables and the alerts topic on the emulator, inside this process, for one test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3
import pytest
from moto import mock_aws

from shared import aws_clients
from shared.alerts import Alerts
from shared.storage.control import ControlStore
from shared.storage.decisions import DecisionStore
from shared.storage.ledger import Ledger
from shared.storage.market_data import MarketDataStore
from shared.storage.market_watch import MarketWatchStore

REGION = "us-east-1"
MARKET, DECISIONS, LEDGER = "trading-test-market", "trading-test-decisions", "trading-test-ledger"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cloud:
    ledger: Ledger
    control: ControlStore
    decisions: DecisionStore
    market: MarketDataStore
    alerts: Alerts
    watch: MarketWatchStore


@contextmanager
def emulated(monkeypatch: pytest.MonkeyPatch, bars_kept: int = 720) -> Iterator[Cloud]:
    for name, value in (
        ("AWS_DEFAULT_REGION", REGION),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("POWERTOOLS_TRACE_DISABLED", "1"),
    ):
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    aws_clients.topics_client.cache_clear()
    with mock_aws():
        # Reading the service models takes most of a short test: one session for all, as moto forgets its own.
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", _session())
        for name in (MARKET, DECISIONS, LEDGER):
            _create_table(name)
        topic = _topics().create_topic(Name="alerts")["TopicArn"]
        control = ControlStore(LEDGER)
        yield Cloud(
            ledger=Ledger(LEDGER),
            control=control,
            decisions=DecisionStore(DECISIONS),
            market=MarketDataStore(MARKET, bars_kept=bars_kept),
            alerts=Alerts(topic, control),
            watch=MarketWatchStore(LEDGER),
        )
    aws_clients.topics_client.cache_clear()


def write_raw(pk: str, sk: str, **fields: str) -> None:
    """Put an item into the ledger table as a broken writer or a person at the console would."""
    item = {"pk": {"S": pk}, "sk": {"S": sk}, **{name: {"S": text} for name, text in fields.items()}}
    _tables().put_item(TableName=LEDGER, Item=item)


@cache
def _session() -> boto3.Session:
    return boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION)


@cache
def _tables() -> Any:
    return _session().client("dynamodb")


@cache
def _topics() -> Any:
    return _session().client("sns")


def _create_table(name: str) -> None:
    _tables().create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": each, "AttributeType": "S"} for each in ("pk", "sk")],
        BillingMode="PAY_PER_REQUEST",
    )
