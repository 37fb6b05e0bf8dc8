"""What one run of the guard saw and did."""

from __future__ import annotations

from dataclasses import dataclass, field

from trading.model.alerts import Alert
from trading.model.control import KillLevel
from trading.model.positions import Position
from trading.reconciliation.view import Discrepancy


@dataclass(slots=True)
class GuardReport:
    """`discrepancies` are those left after the records were settled.

    `ended`: positions whose records ended in this run. `contradictions`: failures that must not be possible. `news`:
    told once every position had its turn, because an alert that is slow to publish must make no stop late.
    `log_silent`: why the account log did not answer, empty when it did or was not needed.
    """

    positions: int = 0
    level: KillLevel = KillLevel.NORMAL
    discrepancies: tuple[Discrepancy, ...] = ()
    repaired: list[str] = field(default_factory=list)
    booked: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    contradictions: list[str] = field(default_factory=list)
    ended: list[Position] = field(default_factory=list)
    news: list[Alert] = field(default_factory=list)
    log_silent: str = ""
    naked_seconds: float = 0.0
    unreadable: tuple[str, ...] = ()

    def proof(self) -> dict[str, list[str]]:
        """For the record of the run that did it."""
        return {
            "discrepancies": [f"{each.kind} {each.subject}: {each.detail}" for each in self.discrepancies],
            "repaired": self.repaired,
            "booked": self.booked,
            "contradictions": self.contradictions,
        }
