"""Delivers each alert of an event to every service that has an address for it, once.

Critical alerts go first and each by itself. The others, when an address has more to get than fits a run, are named
together in digests: a storm must not take the minute's messages from the alert that matters. The addresses take turns,
so that the pause of one is for a post to another. What is not delivered is reported, so that the queue
hands it out again, and after two hours of that to its dead-letter queue; what only found no time is no failure.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PutError, PynamoDBException

from functions.forward_alerts.digest import digest_of, packs
from functions.forward_alerts.notices import Notice, notices_of
from shared.chat_messages import discord_body, slack_body
from shared.failures import CONTRADICTIONS
from shared.redaction import scrubbed_alert
from shared.secrets import Webhooks
from shared.storage.control import RunRecord
from shared.storage.tables import lost_condition
from shared.webhooks import Delivery
from trading.model.alerts import Alert, Severity
from trading.model.times import to_text

FUNCTION = "forward_alerts"
RECEIPT_KEPT = timedelta(days=28)
"""Twice as long as a message can lie in the dead-letter queue, to be redriven from there."""
RETURNS_WITHIN = timedelta(minutes=10)
"""The queue hands an undelivered message out again after three minutes; one that is not back after this long is given
up, and is the dead letters' to tell."""

BODIES: dict[str, Callable[[Alert], dict[str, Any]]] = {"slack": slack_body, "discord": discord_body}

logger = logging.getLogger(__name__)


class Run(Protocol):
    @property
    def alone(self) -> int: ...

    def post(self, url: str, body: Mapping[str, Any]) -> Delivery: ...


class Sender(Protocol):
    """`run` begins the posts of one event to so many addresses. `WebhookSender` is one."""

    def run(self, addresses: int) -> Run: ...


class Receipts(Protocol):
    """Remembers what was delivered of a message. `ControlStore` is one."""

    def add_token(self, token: str, body: str, expires_at: datetime) -> None: ...

    def read_token(self, token: str) -> tuple[str, datetime] | None: ...


class ReceiptBook:
    """Receipts of one run. A store that does not answer is asked no more in it: each try takes seconds, and a run that
    ends for want of time would send everything again. Without the store: rather sent twice than not at all."""

    def __init__(self, store: Receipts, now: datetime) -> None:
        self._store = store
        self._expires_at = now + RECEIPT_KEPT
        self.usable = True

    def has(self, notice: Notice, service: str) -> bool:
        """Whether an earlier run, or another one at this moment, has delivered it."""
        return self._tried(lambda: self._store.read_token(_receipt(notice, service)) is not None)

    def add(self, notice: Notice, service: str) -> None:
        self._tried(lambda: self._add(_receipt(notice, service)))

    def _add(self, token: str) -> None:
        try:
            self._store.add_token(token, "delivered", self._expires_at)
        except PutError as error:
            # The queue may hand a message to two runs: both have delivered it, and the other was first to say so.
            if not lost_condition(error):
                raise

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
    def last_run(self, function: str) -> RunRecord | None: ...

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
    the queue's message id. By the topic's id: `undelivered` are the alerts of those failures, `postponed` (with the
    queue's ids) found no time, `settled` are the event's other ones.
    """

    alerts: int
    skipped: tuple[str, ...]
    delivered: int = 0
    posts: int = 0
    switched_off: int = 0
    failed: dict[str, list[str]] = field(default_factory=dict)
    undelivered: set[str] = field(default_factory=set)
    postponed: dict[str, tuple[str, ...]] = field(default_factory=dict)
    settled: frozenset[str] = frozenset()
    store_answers: bool = True

    def add(self, post: Post, delivery: Delivery) -> None:
        if delivery.delivered:
            self.posts += 1
            self.delivered += len(post.notices)
            return
        for notice in post.notices:
            if delivery.postponed:
                self.postponed[notice.id] = notice.record_ids
            else:
                self._add_failure(notice, f"{post.service}: {delivery.detail}")

    def _add_failure(self, notice: Notice, why: str) -> None:
        self.undelivered.add(notice.id)
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
            "postponed": len(self.postponed),
            "failures": len(self.failures),
        }

    def answer(self) -> dict[str, Any]:
        """For the queue: the messages that it must hand out again."""
        back = {*self.failed, *(each for record_ids in self.postponed.values() for each in record_ids)}
        return {**self.proof(), "batchItemFailures": [{"itemIdentifier": each} for each in sorted(back)]}


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
    due = _due(notices, way.addresses, receipts)
    run = way.sender.run(len({url for _, url in due}))
    posts = [post for (service, url), several in due.items() for post in _posts(service, url, several, run.alone)]
    for post in _in_turn(posts):
        delivery = _delivered(post, run)
        report.add(post, delivery)
        for notice in post.notices if delivery.delivered else ():
            receipts.add(notice, post.service)
    report.settled = frozenset({each.id for each in notices} - report.undelivered - report.postponed.keys())
    report.store_answers = receipts.usable
    return report


def record(control: RunRecords, now: datetime, report: Forwarded) -> None:
    """The proof of the run. An alert that was delivered must not be sent again because this could not be written.

    `undelivered` are the messages that are due to come back, with the time of their last try, and `failures` counts
    those of earlier runs too: a good run in between is no sign that they were delivered.
    """
    if not report.store_answers:
        return
    try:
        known = _undelivered(control, to_text(now - RETURNS_WITHIN))
        before = {each: at for each, at in known.items() if each not in report.settled | report.undelivered}
        undelivered = before | {each: to_text(now) for each in sorted(report.undelivered)}
        proof = report.proof() | {"failures": len(report.failures) + len(before), "undelivered": undelivered}
        control.record_run(FUNCTION, now, proof)
    except (PynamoDBException, BotoCoreError, ClientError) as error:
        logger.warning("run was not recorded: %s", type(error).__name__)


def _undelivered(control: RunRecords, oldest: str) -> dict[str, str]:
    """What the run before could not deliver, tried at `oldest` or later."""
    run = control.last_run(FUNCTION)
    known = run.proof.get("undelivered") if run else None
    if not isinstance(known, dict):
        return {}
    return {str(each): at for each, at in known.items() if isinstance(at, str) and at >= oldest}


def _goes_anywhere(alert: Alert, addresses: Webhooks) -> bool:
    return not any(map(addresses.uses, BODIES)) or any(addresses.address(name, alert.severity) for name in BODIES)


def _due(notices: Sequence[Notice], addresses: Webhooks, receipts: ReceiptBook) -> dict[tuple[str, str], list[Notice]]:
    """What is still to be sent, by service and address, in the order of the event."""
    found: dict[tuple[str, str], list[Notice]] = {}
    for service in BODIES:
        for notice in notices:
            url = addresses.address(service, notice.alert.severity)
            if url and not receipts.has(notice, service):
                found.setdefault((service, url), []).append(notice)
    return found


def _posts(service: str, url: str, notices: Sequence[Notice], alone: int) -> list[Post]:
    """More than `alone` of one address, and those that are not critical are put together."""
    critical = [each for each in notices if each.alert.severity is Severity.CRITICAL]
    others = [each for each in notices if each.alert.severity is not Severity.CRITICAL]
    found = [Post(service=service, url=url, alert=each.alert, notices=(each,)) for each in critical]
    together = packs([each.alert for each in others]) if len(notices) > alone else [(each.alert,) for each in others]
    rest = iter(others)
    for pack in together:
        alert = digest_of(pack) if len(pack) > 1 else pack[0]
        found.append(Post(service=service, url=url, alert=alert, notices=tuple(next(rest) for _ in pack)))
    return found


def _in_turn(posts: Sequence[Post]) -> list[Post]:
    """Critical ones first; then the first of each address, the second of each, and so on."""
    turns: Counter[tuple[bool, str]] = Counter()
    ranks = []
    for post in posts:
        calm = post.alert.severity is not Severity.CRITICAL
        ranks.append((calm, turns[calm, post.url]))
        turns[calm, post.url] += 1
    return [posts[each] for each in sorted(range(len(posts)), key=ranks.__getitem__)]


def _delivered(post: Post, run: Run) -> Delivery:
    try:
        return run.post(post.url, BODIES[post.service](post.alert))
    except CONTRADICTIONS as error:
        # An alert that cannot be shown must not take the others of its event with it to the dead letters.
        return Delivery(delivered=False, detail=f"cannot be sent ({type(error).__name__})", attempts=0)
