"""Deployments of the local stack: which statuses of it a function listens for, and the event it is then given.

Shape of the event: AWS CloudFormation user guide, "Stack Status Change event detail".
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from trading.errors import InvalidInput
from trading.model.times import to_text

SOURCE, DETAIL_TYPE = "aws.cloudformation", "CloudFormation Stack Status Change"
CREATED = "CREATE_COMPLETE"


def statuses_of(pattern: Any, where: str) -> tuple[str, ...]:
    """The statuses of its own stack that a rule lets through. Raises InvalidInput for a rule about anything else."""
    foreign = InvalidInput(f"{where} is a rule about something else than the status of its own stack")
    try:
        found = tuple(map(str, pattern["detail"]["status-details"]["status"]))
        stacks = [each.value for each in pattern["detail"]["stack-id"]]
        about = (pattern["source"], pattern["detail-type"], stacks)
    except (AttributeError, LookupError, TypeError) as error:
        raise foreign from error
    if not found or about != ([SOURCE], [DETAIL_TYPE], ["AWS::StackId"]):
        raise foreign
    return found


def stack_event(stack: str, status: str, at: datetime, account: str, region: str) -> Mapping[str, Any]:
    """What EventBridge delivers when this stack comes to `status`. The same stack, status and time: the same id."""
    arn = f"arn:aws:cloudformation:{region}:{account}:stack/{stack}/{uuid.uuid5(uuid.NAMESPACE_OID, stack)}"
    return {
        "version": "0",
        "id": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{arn}|{status}|{to_text(at)}")),
        "detail-type": DETAIL_TYPE,
        "source": SOURCE,
        "account": account,
        "time": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        "region": region,
        "resources": [arn],
        "detail": {
            "stack-id": arn,
            "status-details": {"status": status, "status-reason": ""},
            "client-request-token": "local",
        },
    }
