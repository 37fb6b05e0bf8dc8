"""What one run of maintenance found, did and tells."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from functions.maintain_records.coverage import CoverageReport
from functions.maintain_records.day_books import DayReport
from functions.maintain_records.day_watch import TODAY, YESTERDAY, DayWatch
from functions.maintain_records.deployment import Deployment, StackEvent, deployment_alert
from functions.maintain_records.gaps import SHOWN, GapReport
from functions.maintain_records.joining import MEMBERS, Members
from functions.maintain_records.standstill import StandstillReport
from functions.maintain_records.summary import DaySummary
from trading.model.alerts import Alert, AlertKind, Severity
from trading.model.times import to_text


@dataclass(frozen=True, slots=True, kw_only=True)
class MaintenanceReport:
    """`covers_from`: traces are guaranteed from this bar on; `watermark`: up to this one (close times).

    `event` is what CloudFormation said, when it is news, `deployment` the last one known; `summary` of the day before
    while it is still to be told; `failures`: what this run could not do; `untold`: news of earlier runs.
    """

    at: datetime
    code_version: str
    covers_from: datetime
    watermark: datetime
    members: Members
    coverage: CoverageReport
    gaps: GapReport
    candles_refused: tuple[str, ...]
    day: DayReport
    today: DayWatch | None
    before: DayWatch | None
    standstill: StandstillReport | None
    failures: tuple[str, ...]
    event: StackEvent | None
    deployment: Deployment | None
    summary: DaySummary | None
    summary_status: str
    untold: tuple[Alert, ...] = ()

    def proof(self) -> dict[str, Any]:
        """The run record, and the memory of the next run."""
        return {
            "code_version": self.code_version,
            "covers_from": to_text(self.covers_from),
            "watermark": to_text(self.watermark),
            MEMBERS: self.members.shown(),
            **self.coverage.proof(),
            "candle_gaps": sum(self.gaps.missing.values()),
            "gaps_filled": sum(self.gaps.filled.values()),
            "gaps_absent": self.gaps.absent,
            "gaps_failed": self.gaps.failed,
            "candles_refused": len(self.candles_refused),
            "day_proof": self.day.proof,
            "signals": self.standstill.proof() if self.standstill else None,
            "deployment": self.deployment.shown() if self.deployment else None,
            TODAY: self.today.shown() if self.today else None,
            YESTERDAY: self.before.shown() if self.before else None,
            "failures": [*self.coverage.failures, *self.failures],
        }

    def alerts(self) -> tuple[Alert, ...]:
        """What was not as it should be, and the news; the summary of the day apart."""
        return (*self.news(), *self.standing())

    def news(self) -> tuple[Alert, ...]:
        """What no later run finds again: it has happened, or is put right."""
        told = (self._deployment_alert(), self.coverage.alert(self.at), self.gaps.alert(self.at))
        return tuple(alert for alert in told if alert is not None)

    def standing(self) -> tuple[Alert, ...]:
        """What every run tells while it holds."""
        standstill = self.standstill.alert(self.at) if self.standstill else None
        told = (self._unreadable_alert(), self.day.alert(self.at), standstill)
        return tuple(alert for alert in told if alert is not None)

    def _unreadable_alert(self) -> Alert | None:
        if not self.candles_refused:
            return None
        return Alert(
            kind=AlertKind.STALE_DATA,
            severity=Severity.WARNING,
            subject="unreadable candles",
            title=f"{len(self.candles_refused)} stored candle records cannot be read",
            text="Their coins get no entries meanwhile.\n" + "\n".join(self.candles_refused[:SHOWN]),
            at=self.at,
        )

    def _deployment_alert(self) -> Alert | None:
        if self.event is None or self.deployment is None:
            return None
        shown, written = self.coverage, self.coverage.written + self.coverage.joined
        traces = f"{shown.after} of {shown.expected} due traces are there, {written} of them written now"
        work = f"{shown.universe} coins; {traces if shown.bars else 'no decision is due yet'}."
        return deployment_alert(self.event, self.deployment, work, self.at)
