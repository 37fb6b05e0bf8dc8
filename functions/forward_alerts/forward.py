"""Delivers each alert of an event to every service that has an address for it, once.

Critical alerts go first and each by itself. Of the others, more than `ALONE` for one address are named together in
digests: a storm must not take the minute's messages from the alert that matters. What is not delivered is reported, so
that the queue hands it out again, and after two hours of that to its dead-letter queue.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from functions.forward_alerts.digest import digest_of, packs
from functions.forward_alerts.notices import Notice, notices_of
from shared.chat_messages import discord_body, slack_body
from shared.failures import CONTRADICTIONS
from shared.redaction import scrubbed_alert
from shared.secrets import Webhooks
from shared.webhooks import Delivery
from trading.model.alerts import Alert, Severity

RECEIPT_KEPT = timedelta(days=14)
"""As long as a message can lie in the dead-letter queue, to be redriven from there."""
ALONE = 10
"""More alerts than this for one address, in one event, that are not critical are put together."""

BODIES: dict[str, Callable[[Alert], dict[str, Any]]] = {"slack": slack_body, "discord": discord_body}

logger = logging.getLogger(__name__)


class Sender(Protocol):
    def post(self, url: str, body: Mapping[str, Any]) -> Delivery: ...


class Receipts(Protocol):
    """Remembers what was delivered of a message. `ControlStore` is one."""

    def add_token(self, token: str, body: str, expires_at: datetime) -> None: ...

    def spend_token(self, token: str) -> tuple[str, datetime] | None: ...


class ReceiptBook:
    """Receipts of one run. A store that does not answer is asked no more in it: each try takes seconds, and a run that
    ends for want of time would send everything again. Without the store: rather sent twice than not at all."""

    def __init__(self, store: Receipts, now: datetime) -> None:
        self._store = store
        self._expires_at = now + RECEIPT_KEPT
        self.usable = True

    def has(self, notice: Notice, service: str) -> bool:
        """Whether an earlier run has delivered it. The receipt is kept on."""
        if not self._tried(lambda: self._store.spend_token(_receipt(notice, service)) is not None):
            return False
        self.add(notice, service)
        return True

    def add(self, notice: Notice, service: str) -> None:
        self._tried(lambda: self._store.add_token(_receipt(notice, service), "delivered", self._expires_at))

    def _tried(self, work: Callable[[], bool | None]) -> bool:
        if not self.usable:
            return False
        try:
            return bool(work())
        except (PynamoDBException, BotoCoreError, ClientError) as error:
            logger.warning("receipts cannot be read or kept: %s", type(error).__name__)
            self.usable = False
            return False


def _receipt(notice: Notice, service: str) -> str:
    return f"delivered/{notice.id}/{service}"


class RunRecords(Protocol):
    def record_run(self, function: str, at: datetime, proof: dict[str, Any]) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One message to one address; `notices` are those it delivers."""

    service: str
    url: str = field(repr=False)
    alert: Alert
    notices: tuple[Notice, ...]


@dataclass(slots=True)
class Forwarded:
    """What became of an event. `delivered` counts alerts by service (a digest delivers many), `posts` the messages.

    `skipped`: services without any address; `switched_off`: alerts that the settings send nowhere; `failed`: why, by
    the queue's message id.
    """

    alerts: int
    skipped: tuple[str, ...]
    delivered: int = 0
    posts: int = 0
    switched_off: int = 0
    failed: dict[str, list[str]] = field(default_factory=dict)
    store_answers: bool = True

    def add_failure(self, notice: Notice, why: str) -> None:
        for record_id in notice.record_ids:
            self.failed.setdefault(record_id, []).append(why)

    @property
    def failures(self) -> tuple[str, ...]:
        return tuple(why for reasons in self.failed.values() for why in reasons)

    def proof(self) -> dict[str, Any]:
        return {
            "alerts": self.alerts,
            "delivered": self.delivered,
            "posts": self.posts,
            "skipped": list(self.skipped),
            "switched_off": self.switched_off,
            "failures": len(self.failures),
        }

    def answer(self) -> dict[str, Any]:
        """For the queue: the messages that it must hand out again."""
        return {**self.proof(), "batchItemFailures": [{"itemIdentifier": each} for each in sorted(self.failed)]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """Where alerts go, what must not be in them, how they are sent and how it is remembered."""

    addresses: Webhooks
    secrets: Collection[str]
    sender: Sender
    receipts: Receipts
    now: datetime


def forward(event: dict[str, Any], way: Way) -> Forwarded:
    """Try every service for every alert; one that fails does not keep the others from theirs."""
    notices = tuple(replace(each, alert=scrubbed_alert(each.alert, way.secrets)) for each in notices_of(event, way.now))
    receipts = ReceiptBook(way.receipts, way.now)
    report = Forwarded(alerts=len(notices), skipped=tuple(name for name in BODIES if not way.addresses.uses(name)))
    report.switched_off = sum(not _goes_anywhere(each.alert, way.addresses) for each in notices)
    posts = [post for service in BODIES for post in _posts(service, notices, way.addresses, receipts)]
    for post in sorted(posts, key=lambda each: each.alert.severity is not Severity.CRITICAL):
        delivery = _delivered(post, way.sender)
        if delivery.delivered:
            report.posts += 1
            report.delivered += len(post.notices)
        for notice in post.notices:
            if delivery.delivered:
                receipts.add(notice, post.service)
            else:
                report.add_failure(notice, f"{post.service}: {delivery.detail}")
    report.store_answers = receipts.usable
    return report


def record(control: RunRecords, now: datetime, report: Forwarded) -> None:
    """The proof of the run. An alert that was delivered must not be sent again because this could not be written."""
    if not report.store_answers:
        return
    try:
        control.record_run("forward_alerts", now, report.proof())
    except (PynamoDBException, BotoCoreError, ClientError) as error:
        logger.warning("run was not recorded: %s", type(error).__name__)


def _goes_anywhere(alert: Alert, addresses: Webhooks) -> bool:
    return not any(map(addresses.uses, BODIES)) or any(addresses.address(name, alert.severity) for name in BODIES)


def _posts(service: str, notices: Sequence[Notice], addresses: Webhooks, receipts: ReceiptBook) -> list[Post]:
    """What is still to be sent to a service, in the order of the event."""
    critical: list[Post] = []
    others: dict[str, list[Notice]] = {}
    for notice in notices:
        url = addresses.address(service, notice.alert.severity)
        if not url or receipts.has(notice, service):
            continue
        if notice.alert.severity is Severity.CRITICAL:
            critical.append(Post(service=service, url=url, alert=notice.alert, notices=(notice,)))
        else:
            others.setdefault(url, []).append(notice)
    return critical + [post for url, several in others.items() for post in _together(service, url, several)]


def _together(service: str, url: str, notices: list[Notice]) -> list[Post]:
    if len(notices) <= ALONE:
        return [Post(service=service, url=url, alert=each.alert, notices=(each,)) for each in notices]
    found, rest = [], iter(notices)
    for pack in packs([each.alert for each in notices]):
        named = tuple(next(rest) for _ in pack)
        found.append(Post(service=service, url=url, alert=digest_of(pack), notices=named))
    return found


def _delivered(post: Post, sender: Sender) -> Delivery:
    try:
        return sender.post(post.url, BODIES[post.service](post.alert))
    except CONTRADICTIONS as error:
        # An alert that cannot be shown must not take the others of its event with it to the dead letters.
        return Delivery(delivered=False, detail=f"cannot be sent ({type(error).__name__})", attempts=0)
