"""Shows the proof of yesterday's books, and tells when it is missing or does not add up. Asks no venue: the proof is
made by reconcile_positions, which has the key."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any

from shared.storage.day_proofs import DayProofStore
from trading.model.alerts import Alert, AlertKind, Severity

MISSING_AFTER = timedelta(hours=8)
SHOWN = 10
FIGURES = ("fees", "funding", "transfers", "unexplained")


@dataclass(frozen=True, slots=True, kw_only=True)
class DayReport:
    """`proof` for the run proof: yesterday's, as it is stored, or why there is none yet."""

    proof: dict[str, Any] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    def alert(self, now: datetime) -> Alert | None:
        if not self.problems:
            return None
        return Alert(
            kind=AlertKind.DISCREPANCY,
            severity=Severity.CRITICAL,
            subject=f"day proof {self.proof['day']}",
            title=f"The books of {self.proof['day']} do not add up",
            text="\n".join(self.problems[:SHOWN]),
            at=now,
            fields=tuple((name, str(self.proof[name])) for name in FIGURES if name in self.proof),
        )


def shown_yesterday(proofs: DayProofStore, since: datetime, now: datetime) -> DayReport:
    """Told by every run of the day: one of them may die before it tells. `since`: when we began."""
    midnight = datetime.combine(now.date(), time(), UTC)
    day = (midnight - timedelta(days=1)).date()
    if since >= midnight:
        return DayReport(proof={"day": day.isoformat(), "status": "not due"})
    stored = proofs.of(day)
    if stored is not None:
        return DayReport(proof=stored, problems=(*stored["faults"], *stored["waiting"]))
    late = now >= midnight + MISSING_AFTER
    problems = (f"nothing was proven until {now - midnight} after midnight: the account log did not answer",)
    return DayReport(proof={"day": day.isoformat(), "status": "not proven yet"}, problems=problems if late else ())
