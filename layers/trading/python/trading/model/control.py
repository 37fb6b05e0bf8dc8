"""Kill levels and the risk day: what may be done now, remembered across restarts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import IntEnum

from trading.model.signals import Regime
from trading.model.units import Money


class KillLevel(IntEnum):
    """Each level includes the ones below. Stops are never cancelled before the position is flat."""

    NORMAL = 0
    NO_ENTRIES = 1
    CANCEL_ENTRIES = 2
    FLATTEN = 3
    LOCK = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """The switch. An unreadable or missing record is `unknown()`, which stops entries."""

    level: KillLevel
    reason: str
    changed_by: str
    changed_at: datetime
    version: int

    @classmethod
    def unknown(cls, now: datetime, why: str) -> Control:
        return cls(level=KillLevel.NO_ENTRIES, reason=why, changed_by="system", changed_at=now, version=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class LossStreak:
    """Consecutive counted losses of one regime; no entries of that regime before `paused_until`."""

    regime: Regime
    losses: int
    paused_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskDay:
    """One UTC day of the account. Equity in USD; a halt stays until a person resumes on a day after `halted_on`."""

    day: date
    start_equity: Money
    peak_equity: Money
    last_equity: Money
    halted_on: date | None
    streaks: tuple[LossStreak, ...] = ()
    version: int = 0

    @property
    def halted(self) -> bool:
        return self.halted_on is not None

    def streak(self, regime: Regime) -> LossStreak:
        return next((each for each in self.streaks if each.regime is regime), LossStreak(regime=regime, losses=0))
