"""Delivers each alert of an event to every service that has an address, once."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pynamodb.exceptions import PynamoDBException

from shared.chat_messages import discord_body, slack_body
from shared.secrets import Webhooks
from shared.storage.codec import from_json
from shared.webhooks import Delivery
from trading.errors import CorruptRecord, InvalidInput, TradingError
from trading.model.alerts import Alert, AlertKind, Severity

RECEIPT_KEPT = timedelta(hours=6)
"""SNS and Lambda try again within the hour."""

BODIES: dict[str, Callable[[Alert], dict[str, Any]]] = {"slack": slack_body, "discord": discord_body}

logger = logging.getLogger(__name__)


class DeliveryFailed(TradingError):
    """An alert did not reach a service: the event must be tried again, and then lie in the dead-letter queue."""


class Sender(Protocol):
    def post(self, url: str, body: Mapping[str, Any]) -> Delivery: ...


class Receipts(Protocol):
    """Remembers what was delivered when only a part was. `ControlStore` is one."""

    def add_token(self, token: str, body: str, expires_at: datetime) -> None: ...

    def spend_token(self, token: str) -> tuple[str, datetime] | None: ...


class RunRecords(Protocol):
    def record_run(self, function: str, at: datetime, proof: dict[str, Any]) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Forwarded:
    """What became of an event: posts delivered, services without an address, and failures in words."""

    alerts: int
    delivered: int
    skipped: tuple[str, ...]
    failures: tuple[str, ...]

    def proof(self) -> dict[str, Any]:
        return {"alerts": self.alerts, "delivered": self.delivered, "skipped": list(self.skipped)}

    def raise_failures(self) -> None:
        if self.failures:
            raise DeliveryFailed("; ".join(self.failures))


class _Message(BaseModel):
    model_config = ConfigDict(extra="ignore")

    id: str = Field(alias="MessageId")
    text: str = Field(alias="Message")


class _Record(BaseModel):
    model_config = ConfigDict(extra="ignore")

    message: _Message = Field(alias="Sns")


class _Event(BaseModel):
    model_config = ConfigDict(extra="ignore")

    records: tuple[_Record, ...] = Field(alias="Records")


def forward(event: dict[str, Any], addresses: Webhooks, sender: Sender, receipts: Receipts, now: datetime) -> Forwarded:
    """Try every service for every alert; one that fails does not keep the others from theirs."""
    used = {name: url for name, url in (("slack", addresses.slack), ("discord", addresses.discord)) if url}
    delivered, failures = 0, []
    messages = _messages(event)
    for message in messages:
        alert = alert_of(message.text, now)
        done, problems = _deliver(message.id, alert, used, sender, receipts)
        delivered += done
        failures += problems
        if problems:
            _remember(receipts, message.id, set(used) - {name for name, _ in problems}, now)
    return Forwarded(
        alerts=len(messages),
        delivered=delivered,
        skipped=tuple(name for name in BODIES if name not in used),
        failures=tuple(f"{name}: {why}" for name, why in failures),
    )


def alert_of(text: str, now: datetime) -> Alert:
    """Ours, a CloudWatch alarm, or anything else that somebody published: always something a person can read."""
    try:
        return from_json(Alert, text)
    except CorruptRecord:
        return _alarm(text, now) or Alert(
            kind=AlertKind.HEALTH,
            severity=Severity.WARNING,
            subject="alerts topic",
            title="Message that is no alert of this system",
            text=text,
            at=now,
        )


def record(control: RunRecords, now: datetime, report: Forwarded) -> None:
    """The proof of the run. An alert that was delivered must not be sent again because this could not be written."""
    try:
        control.record_run("forward_alerts", now, report.proof())
    except (PynamoDBException, BotoCoreError, ClientError) as error:
        logger.warning("run was not recorded: %s", type(error).__name__)


def _messages(event: dict[str, Any]) -> tuple[_Message, ...]:
    try:
        return tuple(record.message for record in _Event.model_validate(event).records)
    except ValidationError as error:
        where = ".".join(map(str, error.errors()[0]["loc"]))
        raise InvalidInput(f"event has a wrong {where}; expected the records of an SNS event") from None


def _alarm(text: str, now: datetime) -> Alert | None:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict) or "AlarmName" not in document:
        return None
    name, state = str(document["AlarmName"]), str(document.get("NewStateValue", "unknown"))
    return Alert(
        kind=AlertKind.HEALTH,
        severity=Severity.INFO if state == "OK" else Severity.CRITICAL,
        subject=name,
        title=f"Alarm {name}: {state}",
        text=f"{document.get('AlarmDescription') or ''}\n{document.get('NewStateReason') or ''}",
        at=now,
    )


def _deliver(
    message_id: str, alert: Alert, used: dict[str, str], sender: Sender, receipts: Receipts
) -> tuple[int, list[tuple[str, str]]]:
    delivered, problems = 0, []
    for name, url in used.items():
        if _was_delivered(receipts, message_id, name):
            continue
        delivery = sender.post(url, BODIES[name](alert))
        if delivery.delivered:
            delivered += 1
        else:
            problems.append((name, delivery.detail))
    return delivered, problems


def _was_delivered(receipts: Receipts, message_id: str, service: str) -> bool:
    """A receipt of an earlier try of the same message. Without the store: rather sent twice than not at all."""
    try:
        return receipts.spend_token(_receipt(message_id, service)) is not None
    except (PynamoDBException, BotoCoreError, ClientError) as error:
        logger.warning("receipts cannot be read: %s", type(error).__name__)
        return False


def _remember(receipts: Receipts, message_id: str, services: set[str], now: datetime) -> None:
    for service in sorted(services):
        try:
            receipts.add_token(_receipt(message_id, service), "delivered", now + RECEIPT_KEPT)
        except (PynamoDBException, BotoCoreError, ClientError) as error:
            logger.warning("receipt for %s was not kept: %s", service, type(error).__name__)


def _receipt(message_id: str, service: str) -> str:
    return f"delivered/{message_id}/{service}"
