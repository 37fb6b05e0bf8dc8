"""Kill levels and the risk day: what may be done now, remembered across restarts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import IntEnum, StrEnum

from trading.errors import InvalidInput
from trading.model.signals import Regime
from trading.model.units import Money


class KillLevel(IntEnum):
    """Each level includes the ones below. Stops are never cancelled before the position is flat."""

    NORMAL = 0
    NO_ENTRIES = 1
    CANCEL_ENTRIES = 2
    FLATTEN = 3
    LOCK = 4


class Guard(StrEnum):
    """What raises the kill level by itself. Its name opens the reason in the control record."""

    WEEKLY_LOSS = "WEEKLY_LOSS"
    DRAWDOWN = "DRAWDOWN"
    REJECTIONS = "REJECTIONS"


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
    """One UTC day of the account. Equity in USD; a halt stays until a person resumes on a day after `halted_on`.

    `week` is the Monday of the UTC week and `week_peak_equity` the highest equity in it; `highest_equity` is kept
    across days and weeks. `rejections` counts entries that the venue refused in a row. `reached` names the guards
    that came to their bound since the last resume. `implausible` is an equity reading that was not believed.
    `unreadable` says why a stored day does not decode: what it said is lost, and it may have been anything.
    """

    day: date
    start_equity: Money
    peak_equity: Money
    last_equity: Money
    halted_on: date | None
    streaks: tuple[LossStreak, ...] = ()
    week: date | None = None
    week_peak_equity: Money | None = None
    highest_equity: Money | None = None
    rejections: int = 0
    reached: tuple[Guard, ...] = ()
    implausible: Money | None = None
    unreadable: str = ""
    version: int = 0

    def __post_init__(self) -> None:
        if self.rejections < 0:
            raise InvalidInput(f"rejections is {self.rejections}; expected 0 or more")

    @classmethod
    def unknown(cls, why: str, version: int) -> RiskDay:
        """Stands for a stored day that does not decode: it stops entries, and nothing in it is a measure."""
        none = Money(0)
        return cls(
            day=date.min,
            start_equity=none,
            peak_equity=none,
            last_equity=none,
            halted_on=None,
            unreadable=why,
            version=version,
        )

    @property
    def halted(self) -> bool:
        """Also when it cannot be read: its halt may be among what is lost."""
        return self.halted_on is not None or bool(self.unreadable)

    def streak(self, regime: Regime) -> LossStreak:
        return next((each for each in self.streaks if each.regime is regime), LossStreak(regime=regime, losses=0))


def count_rejection(day: RiskDay, rejected: bool, limit: int) -> RiskDay:
    """One more entry that the venue refused; an accepted one ends the row.

    A row that came to `limit` stays among what was reached: an entry that is accepted later does not excuse it.
    """
    rejections = day.rejections + 1 if rejected else 0
    if rejections < limit or Guard.REJECTIONS in day.reached:
        return replace(day, rejections=rejections)
    return replace(day, rejections=rejections, reached=(*day.reached, Guard.REJECTIONS))
