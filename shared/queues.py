"""Queues are the fast path beside the schedules: a message that is lost costs at most a minute."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from shared.aws_clients import LIMITS
from trading.errors import InvalidInput

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueDepth:
    """Messages as SQS counts them, approximately: `waiting` for a reader, `taken` by one and not deleted yet."""

    waiting: int
    taken: int


@cache
def queues_client() -> SQSClient:
    import boto3

    return boto3.client("sqs", config=LIMITS)


def send(queue_url: str, message: Mapping[str, object]) -> bool:
    """Send one JSON message; False when the queue did not take it (logged: the schedule will do the work)."""
    try:
        queues_client().send_message(QueueUrl=queue_url, MessageBody=json.dumps(message, sort_keys=True))
    except (BotoCoreError, ClientError) as error:
        logger.warning("message was not sent, the next scheduled run does the work: %s", type(error).__name__)
        return False
    return True


def depth(queue_url: str) -> QueueDepth:
    """One request. Raises botocore's ClientError or BotoCoreError when the queue does not answer."""
    answer = queues_client().get_queue_attributes(
        QueueUrl=queue_url, AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    )
    found = answer["Attributes"]
    return QueueDepth(
        waiting=int(found["ApproximateNumberOfMessages"]), taken=int(found["ApproximateNumberOfMessagesNotVisible"])
    )


def named_queues(text: str) -> dict[str, str]:
    """Queue URLs by name from `name=url,name=url`. Raises InvalidInput for anything else."""
    found = {}
    for part in text.split(","):
        name, equals, url = part.strip().partition("=")
        if not name or not equals or not url:
            raise InvalidInput(f"queue list has {part!r}; expected name=url, separated by commas")
        found[name] = url
    return found


def message(record: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON object that one record of an SQS event carries. Raises InvalidInput for any other body."""
    try:
        body = json.loads(record["body"])
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise InvalidInput(f"queue message has an unreadable body ({error!r}); expected a JSON object") from None
    if not isinstance(body, dict):
        raise InvalidInput(f"queue message is {body!r}; expected a JSON object")
    return body
