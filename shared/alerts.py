"""Tells people something: one alert per condition and window, published to the topic that `forward_alerts` reads."""

from __future__ import annotations

import logging
from datetime import timedelta
from functools import cache

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from shared.aws_clients import topics_client
from shared.storage.codec import to_json
from shared.storage.control import ControlStore
from trading.model.alerts import Alert, Severity

WINDOWS = {
    Severity.INFO: timedelta(minutes=10),
    Severity.WARNING: timedelta(minutes=10),
    Severity.CRITICAL: timedelta(minutes=5),
}
SUBJECT_CHARACTERS = 100
"""SNS refuses a longer subject, and anything in it that is not printable ASCII."""

logger = logging.getLogger(__name__)


class Alerts:
    """`published`, `muted` and `failed` count what became of the alerts told through this object."""

    def __init__(self, topic_arn: str, control_store: ControlStore) -> None:
        self._topic_arn = topic_arn
        self._store = control_store
        self.published = 0
        self.muted = 0
        self.failed = 0

    def tell(self, alert: Alert) -> bool:
        """Publish unless the same condition was told within its window; True when it was published.

        Never raises for the store or the topic: whoever tells is in the middle of something more important (a
        missing stop), and a broken topic has its own alarm. A failure is logged and counted in `failed`.
        """
        if not self._first_in_window(alert):
            self.muted += 1
            return False
        try:
            self._publish(alert)
        except (BotoCoreError, ClientError) as error:
            self.failed += 1
            logger.error("alert %s about %s was not published: %s", alert.kind, alert.subject, type(error).__name__)
            return False
        self.published += 1
        return True

    def _first_in_window(self, alert: Alert) -> bool:
        # The severity is part of the key: a warning of a minute ago must not mute the critical alert it grew into.
        key = f"{alert.kind}/{alert.severity}/{alert.subject}"
        try:
            return self._store.tell_once(key, alert.at, WINDOWS[alert.severity])
        except (PynamoDBException, BotoCoreError, ClientError) as error:
            logger.warning("alert window of %s is unknown (%s): published anyway", key, type(error).__name__)
            return True

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
