"""What one reconcile run saw and did."""

from __future__ import annotations

from dataclasses import dataclass

from shared.guard.report import GuardReport
from trading.model.control import RiskDay
from trading.risk.day import lost_share


@dataclass(slots=True)
class ReconcileReport(GuardReport):
    """The guard's, and what the account looked like."""

    equity: str = ""
    day_loss_pct: str | None = None

    def saw_account(self, day: RiskDay) -> None:
        """The equity as the venue says it, believed or not; the day's loss in percent by the one that is believed."""
        self.equity = str(day.last_equity if day.implausible is None else day.implausible)
        self.day_loss_pct = str(round(lost_share(day.peak_equity, day.last_equity), 2))
