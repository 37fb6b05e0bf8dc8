"""Mutated payloads and messages through the code that reads them: a valid request, or one clear sentence."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from functions.control_trading.payloads import (
    AnyRequest,
    FlattenRequest,
    StatusRequest,
    parse_request,
    without_widget,
)
from functions.forward_alerts.forward import Way, forward
from functions.forward_alerts.notices import alert_of
from functions.ingest_candles.sharding import shard_message
from shared.chat_messages import discord_body, slack_body
from shared.queues import message
from shared.secrets import Webhooks
from shared.webhooks import Delivery
from tests.fakes.records import NOW
from tests.fuzz.corpus import require
from tests.fuzz.mutations import Mutated
from trading.errors import InvalidInput

EVENTS = Path(__file__).parent.parent / "events"
NOT_JSON = "refused by the platform"
"""Lambda gives a handler nothing that is no JSON."""

SIGNED = {"action", "operator", "reason"}
FIELDS = {
    "status": {"action"},
    "pause": {*SIGNED, "level"},
    "resume": {*SIGNED, "token"},
    "flatten": {*SIGNED, "scope", "token"},
    "lock": {*SIGNED, "token"},
}


def payload_of(body: bytes) -> Any:
    """Raises ValueError where the platform would refuse the payload."""
    try:
        return json.loads(body)
    except RecursionError:
        raise ValueError("nested too deep") from None


def require_sentence(error: Exception) -> None:
    text = str(error)
    require("\n" not in text and 10 < len(text) < 600, f"no clear sentence: {text[:700]!r}")


def _control(body: bytes) -> str:
    payload = payload_of(body)
    try:
        request = parse_request(payload)
    except InvalidInput as error:
        require_sentence(error)
        return "one sentence"
    _require_asked_for(payload, request)
    return f"valid {request.action}"


def _require_asked_for(payload: Any, request: AnyRequest) -> None:
    """Judged apart from the schema: exactly the fields of the action, all of them text that was given."""
    require(isinstance(payload, dict) and payload["action"] in FIELDS, "an action that is none was taken")
    require(payload["action"] == request.action, f"asked for {payload['action']!r}, taken for {request.action}")
    # What CloudWatch puts beside the payload of a button; its form says who asks and why where the payload does not.
    payload = without_widget(payload)
    require(set(payload) <= FIELDS[request.action], f"unknown fields were taken: {sorted(payload)}"[:200])
    if isinstance(request, StatusRequest):
        return
    for name in ("operator", "reason"):
        require(isinstance(payload[name], str) and payload[name].strip() != "", f"{name} is {payload[name]!r}")
    if isinstance(request, FlattenRequest):
        require(
            isinstance(payload["scope"], str) and payload["scope"].replace("_", "a").isalnum(),
            f"scope is {payload['scope']!r}",
        )


def _shard(body: bytes) -> str:
    try:
        number, coins = shard_message(message({"body": body.decode("utf-8", errors="replace")}))
    except InvalidInput as error:
        require_sentence(InvalidInput(str(error)[:500]))
        return "one sentence"
    require(1 <= number <= 98 and all(isinstance(each, str) for each in coins), f"shard {number} of {coins!r}"[:200])
    return "valid shard"


class _Posted:
    """Takes every post; what could not be sent as JSON would have raised."""

    alone = 10

    def run(self, addresses: int) -> _Posted:
        return self

    def post(self, url: str, body: Mapping[str, Any]) -> Delivery:
        json.dumps(body)
        return Delivery(delivered=True, detail="", attempts=1)


class _NoReceipts:
    def add_token(self, token: str, body: str, expires_at: datetime) -> None:
        """Kept nowhere: every message is new."""

    def read_token(self, token: str) -> tuple[str, datetime] | None:
        return None


def _notification(body: bytes) -> str:
    event = payload_of(body)
    addresses = Webhooks(slack="https://slack.invalid/1", discord="https://discord.invalid/1")
    try:
        way = Way(addresses=addresses, secrets=(), sender=_Posted(), receipts=_NoReceipts(), now=NOW)
        told = forward(event, way)
    except InvalidInput as error:
        require_sentence(error)
        return "one sentence"
    require(told.delivered == 2 * told.alerts and not told.failures, f"{told}"[:200])
    return "delivered"


def _alert_text(body: bytes) -> str:
    """The inner text of a notification: whatever it is, something a person can read comes of it."""
    alert = alert_of(body.decode("utf-8", errors="replace"), NOW)
    for shown in (slack_body(alert), discord_body(alert)):
        require(len(json.dumps(shown)) > 2, "nothing to show")
    return f"{alert.severity} {'alert' if alert.at == NOW else 'ours'}"


@cache
def _corpus() -> dict[str, tuple[bytes, Callable[[bytes], str]]]:
    found: dict[str, tuple[bytes, Callable[[bytes], str]]] = {}
    for path in sorted(EVENTS.glob("control_trading*.json")):
        found[path.stem] = (path.read_bytes(), _control)
    shard = {"shard": 1, "close": "2024-05-01T10:00:00.000Z", "instruments": ["COIN", "NEXT"]}
    found["shard"] = (json.dumps(shard).encode(), _shard)
    for path in sorted(EVENTS.glob("forward_alerts*.json")):
        event = json.loads(path.read_bytes())
        found[path.stem] = (path.read_bytes(), _notification)
        envelope = json.loads(event["Records"][0]["body"])
        found[f"{path.stem} text"] = (envelope["Message"].encode(), _alert_text)
    return found


class Events:
    name = "events"
    http = False

    def entries(self) -> tuple[str, ...]:
        return tuple(_corpus())

    def body(self, entry: str) -> bytes:
        return _corpus()[entry][0]

    def judge(self, entry: str, given: Mutated) -> str:
        read = _corpus()[entry][1]
        if read in (_control, _notification):
            try:
                payload_of(given.body)
            except ValueError:
                return NOT_JSON
        return read(given.body)
