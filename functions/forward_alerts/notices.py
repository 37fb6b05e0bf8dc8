"""What an event of the alerts' queue holds: one notice a message, always something that a person can read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.storage.codec import from_json
from trading.errors import CorruptRecord, InvalidInput
from trading.model.alerts import Alert, AlertKind, Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """An alert and the messages of the queue that it came in: more than one when the topic has delivered it twice.

    `id` is the topic's own: it stays the same when a message is redriven by hand.
    """

    record_ids: tuple[str, ...]
    id: str
    alert: Alert


class _Record(BaseModel):
    model_config = ConfigDict(extra="ignore")

    id: str = Field(alias="messageId")
    body: str


class _Event(BaseModel):
    model_config = ConfigDict(extra="ignore")

    records: tuple[_Record, ...] = Field(alias="Records")


class _Envelope(BaseModel):
    """What the topic puts around a message."""

    model_config = ConfigDict(extra="ignore")

    id: str = Field(alias="MessageId")
    text: str = Field(alias="Message")


def notices_of(event: dict[str, Any], now: datetime) -> tuple[Notice, ...]:
    """Raises InvalidInput for an event that is none of a queue."""
    try:
        records = _Event.model_validate(event).records
    except ValidationError as error:
        where = ".".join(map(str, error.errors()[0]["loc"]))
        raise InvalidInput(f"event has a wrong {where}; expected the records of a queue's event") from None
    found: dict[str, list[_Record]] = {}
    texts: dict[str, str] = {}
    for record in records:
        message_id, text = _unwrapped(record)
        texts[message_id] = text
        found.setdefault(message_id, []).append(record)
    return tuple(
        Notice(record_ids=tuple(each.id for each in same), id=message_id, alert=alert_of(texts[message_id], now))
        for message_id, same in found.items()
    )


def alert_of(text: str, now: datetime) -> Alert:
    """Ours, a CloudWatch alarm, or anything else that somebody published."""
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


def _unwrapped(record: _Record) -> tuple[str, str]:
    """The topic's message id and text. What was put into the queue by hand has no topic around it."""
    try:
        envelope = _Envelope.model_validate_json(record.body)
    except ValidationError:
        return record.id, record.body
    return envelope.id, envelope.text


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
