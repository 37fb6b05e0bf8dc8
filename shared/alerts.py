"""Tells people something: one alert per condition and window, published to the topic that `forward_alerts` reads.

A window is claimed for `LEASE` before the alert is published, and is kept for its whole length after it: a run that
dies in between mutes the next ones for no longer than the lease, and a publishing that fails gives the claim back.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from functools import cache

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from shared.aws_clients import topics_client
from shared.redaction import scrubbed_alert
from shared.secrets import secret_reader
from shared.storage.codec import to_json
from shared.storage.control import ControlStore, claimed_mark
from trading.model.alerts import Alert, Severity

WINDOWS = {
    Severity.INFO: timedelta(minutes=10),
    Severity.WARNING: timedelta(minutes=10),
    Severity.CRITICAL: timedelta(minutes=5),
}
LEASE = timedelta(seconds=45)
"""Shorter than the minute between two runs that see the same condition: the next one tells what this one could not."""

SUBJECT_CHARACTERS = 100
"""SNS refuses a longer subject, and anything in it that is not printable ASCII."""

logger = logging.getLogger(__name__)


class Alerts:
    """`published`, `muted` and `failed` count what became of the alerts told through this object."""

    def __init__(self, topic_arn: str, control_store: ControlStore) -> None:
        self._topic_arn = topic_arn
        self._store = control_store
        self._failed_at: datetime | None = None
        self.published = 0
        self.muted = 0
        self.failed = 0

    def tell(self, alert: Alert) -> bool:
        """Publish unless the same condition was told within its window; True when it was published.

        Never raises for the store or the topic: whoever tells is in the middle of something more important (a
        missing stop), and a broken topic has its own alarm. A failure is logged and counted in `failed`. Whatever
        this process has read as a secret is taken out first.
        """
        alert = scrubbed_alert(alert, secret_reader().values())
        if self._given_up(alert):
            return self._not_published(alert, "the topic has failed in this run")
        # The severity is part of the key: a warning of a minute ago must not mute the critical alert it grew into.
        key = f"{alert.kind}/{alert.severity}/{alert.subject}"
        if not self._claimed(key, alert):
            self.muted += 1
            return False
        try:
            self._publish(alert)
        except (BotoCoreError, ClientError) as error:
            self._failed_at = alert.at
            self._settle(key, alert, alert.at - WINDOWS[alert.severity])
            return self._not_published(alert, type(error).__name__)
        self.published += 1
        self._settle(key, alert, alert.at)
        return True

    def _given_up(self, alert: Alert) -> bool:
        """Each try of a broken topic takes seconds of a run that has more important things to do: after the first
        one that failed, only critical alerts of the same run are tried."""
        return alert.at == self._failed_at and alert.severity is not Severity.CRITICAL

    def _not_published(self, alert: Alert, why: str) -> bool:
        self.failed += 1
        logger.error("alert %s about %s was not published: %s", alert.kind, alert.subject, why)
        return False

    def _claimed(self, key: str, alert: Alert) -> bool:
        try:
            return self._store.tell_once(key, alert.at, WINDOWS[alert.severity], LEASE)
        except (PynamoDBException, BotoCoreError, ClientError) as error:
            logger.warning("alert window of %s is unknown (%s): published anyway", key, type(error).__name__)
            return True

    def _settle(self, key: str, alert: Alert, mark: datetime) -> None:
        try:
            self._store.tell_once_settle(key, claimed_mark(alert.at, WINDOWS[alert.severity], LEASE), mark)
        except (PynamoDBException, BotoCoreError, ClientError) as error:
            logger.warning("alert window of %s ends with its lease (%s)", key, type(error).__name__)

    def _publish(self, alert: Alert) -> None:
        topics_client().publish(
            TopicArn=self._topic_arn,
            Message=to_json(alert),
            Subject=_subject(f"{alert.severity.upper()}: {alert.title}"),
            MessageAttributes={
                "severity": {"DataType": "String", "StringValue": str(alert.severity)},
                "kind": {"DataType": "String", "StringValue": str(alert.kind)},
            },
        )


@cache
def alerts_of(topic_arn: str, control_store: ControlStore) -> Alerts:
    """One `Alerts` per topic and store in this process, so that its counts cover the whole process."""
    return Alerts(topic_arn, control_store)


def _subject(text: str) -> str:
    printable = "".join(character if " " <= character <= "~" else "?" for character in text)
    return printable[:SUBJECT_CHARACTERS]
