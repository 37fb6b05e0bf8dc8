"""What CloudFormation says about this very stack: a deployment begins, ends, or is taken back.

The event is EventBridge's "CloudFormation Stack Status Change"; nothing waits for it, so it can hold up no deployment.
Source: AWS CloudFormation user guide, "Stack Status Change event detail".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from trading.errors import InvalidInput
from trading.model.alerts import Alert, AlertKind, Severity
from trading.model.times import from_text, to_text

SOURCE, DETAIL_TYPE = "aws.cloudformation", "CloudFormation Stack Status Change"
REASON_CHARACTERS = 200


class Phase(StrEnum):
    STARTED = "started"
    FINISHED = "finished"
    ROLLING_BACK = "rolling back"
    ROLLED_BACK = "rolled back"
    FAILED = "failed"


PHASES = {
    "UPDATE_IN_PROGRESS": Phase.STARTED,
    "CREATE_COMPLETE": Phase.FINISHED,
    "UPDATE_COMPLETE": Phase.FINISHED,
    "UPDATE_ROLLBACK_IN_PROGRESS": Phase.ROLLING_BACK,
    "UPDATE_ROLLBACK_COMPLETE": Phase.ROLLED_BACK,
    "UPDATE_FAILED": Phase.FAILED,
    "UPDATE_ROLLBACK_FAILED": Phase.FAILED,
}
"""The statuses that the rule in template.yaml lets through. A stack that is being created has no rule yet."""
UNDER_WAY = (Phase.STARTED, Phase.ROLLING_BACK)
SEVERITIES = {
    Phase.STARTED: Severity.INFO,
    Phase.FINISHED: Severity.INFO,
    Phase.ROLLING_BACK: Severity.WARNING,
    Phase.ROLLED_BACK: Severity.WARNING,
    Phase.FAILED: Severity.CRITICAL,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StackEvent:
    id: str
    stack: str
    phase: Phase
    status: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """The last one that is known. `version_before` is the code that ran when it began, `version` the one now."""

    event: str
    phase: Phase
    at: datetime
    version_before: str
    version: str

    def shown(self) -> dict[str, str]:
        return {
            "event": self.event,
            "phase": str(self.phase),
            "at": to_text(self.at),
            "version_before": self.version_before,
            "version": self.version,
        }


def parse_event(event: object) -> StackEvent | None:
    """The stack event in what Lambda was given, None for a schedule. Raises InvalidInput with one sentence for what
    claims to be an event and is none of this stack's statuses."""
    if not isinstance(event, dict) or not {"source", "detail-type", "detail"} & event.keys():
        return None
    if event.get("source") != SOURCE or event.get("detail-type") != DETAIL_TYPE:
        found = f"{event.get('source')!r} / {event.get('detail-type')!r}"[:REASON_CHARACTERS]
        raise InvalidInput(f"event is of {found}; expected {SOURCE!r} / {DETAIL_TYPE!r}")
    detail = event.get("detail")
    details = detail.get("status-details") if isinstance(detail, dict) else None
    status = details.get("status") if isinstance(details, dict) else None
    if not isinstance(detail, dict) or not isinstance(details, dict) or not isinstance(status, str):
        raise InvalidInput("deployment event has no detail.status-details.status; expected the status of the stack")
    if status not in PHASES:
        raise InvalidInput(f"deployment event has the status {status[:60]!r}; expected one of {sorted(PHASES)}")
    return StackEvent(
        id=_text(event, "id"),
        stack=_text(detail, "stack-id"),
        phase=PHASES[status],
        status=status,
        reason=str(details.get("status-reason") or "")[:REASON_CHARACTERS],
        at=_time(event),
    )


def _text(values: dict[str, Any], name: str) -> str:
    found = values.get(name)
    if not isinstance(found, str) or not found:
        raise InvalidInput(f"deployment event has {name} {str(found)[:60]!r}; expected a text")
    return found


def _time(event: dict[str, Any]) -> datetime:
    text = _text(event, "time")
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise InvalidInput(f"deployment event has the time {text[:60]!r}; expected one such as 2026-11-22T12:00:00Z")
    return found.astimezone(UTC)


def known_deployment(proof: dict[str, Any]) -> Deployment | None:
    """The last deployment, as the proof of the last run remembers it; None when it remembers none that decodes."""
    shown = proof.get("deployment")
    if not isinstance(shown, dict):
        return None
    try:
        return Deployment(
            event=str(shown["event"]),
            phase=Phase(shown["phase"]),
            at=from_text(shown["at"]),
            version_before=str(shown["version_before"]),
            version=str(shown["version"]),
        )
    except (LookupError, ValueError, InvalidInput):
        return None


def deployed(event: StackEvent, known: Deployment | None, last_version: str, version: str) -> Deployment | None:
    """The deployment that this event makes of the known one; None when it says nothing new (told again, or late).

    `last_version` ran last, `version` runs now.
    """
    if known is not None and (event.id == known.event or event.at < known.at):
        return None
    began = known is not None and known.phase in UNDER_WAY and event.phase is not Phase.STARTED
    before = known.version_before if known is not None and began else last_version
    return Deployment(event=event.id, phase=event.phase, at=event.at, version_before=before, version=version)


def deployment_alert(event: StackEvent, now_known: Deployment, work: str, now: datetime) -> Alert:
    """`work`: what maintenance did about the records meanwhile, in words."""
    name = event.stack.split("/")[1] if event.stack.count("/") else event.stack
    versions = f"{now_known.version_before} -> {now_known.version}"
    said = {
        Phase.STARTED: f"Version {now_known.version} is being replaced.",
        Phase.FINISHED: f"Version {versions}. {work}",
        Phase.ROLLING_BACK: f"The deployment failed and is being taken back; version {now_known.version} answers.",
        Phase.ROLLED_BACK: f"The deployment was taken back; version {now_known.version} runs. {work}",
        Phase.FAILED: f"The stack is between two versions ({event.status}); version {now_known.version} answers.",
    }[event.phase]
    reason = f" Reason: {event.reason}." if event.reason else ""
    return Alert(
        kind=AlertKind.DEPLOYMENT,
        severity=SEVERITIES[event.phase],
        subject=f"{name} {event.status} {to_text(event.at)}",
        title=f"Deployment of {name} {event.phase}",
        text=f"{said}{reason}",
        at=now,
        fields=(("status", event.status), ("version", versions)),
    )
