"""The risk day as maintenance sees it every hour, remembered from run to run in the run proof: the risk day itself
keeps no worst moment, and is gone at midnight."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from trading.errors import CorruptRecord, InvalidInput
from trading.model.control import RiskDay
from trading.model.times import from_text, to_text
from trading.risk.day import lost_share

TODAY, YESTERDAY = "day_watch", "day_watch_before"


@dataclass(frozen=True, slots=True, kw_only=True)
class DayWatch:
    """One UTC day in `readings` looks at it. `worst_pct` of the day's highest equity was lost at `worst_at`; equity in
    USD."""

    day: date
    start_equity: Decimal
    last_equity: Decimal
    worst_pct: Decimal
    worst_at: datetime
    readings: int

    def shown(self) -> dict[str, Any]:
        return {
            "day": self.day.isoformat(),
            "start_equity": str(self.start_equity),
            "last_equity": str(self.last_equity),
            "worst_pct": str(self.worst_pct),
            "worst_at": to_text(self.worst_at),
            "readings": self.readings,
        }


def read_watch(shown: object) -> DayWatch | None:
    """What `shown` gave; None for nothing. Raises CorruptRecord for anything else."""
    if shown is None:
        return None
    try:
        assert isinstance(shown, dict), f"it is a {type(shown).__name__}"
        return DayWatch(
            day=date.fromisoformat(shown["day"]),
            start_equity=Decimal(shown["start_equity"]),
            last_equity=Decimal(shown["last_equity"]),
            worst_pct=Decimal(shown["worst_pct"]),
            worst_at=from_text(shown["worst_at"]),
            readings=int(shown["readings"]),
        )
    except (AssertionError, LookupError, TypeError, ValueError, InvalidOperation, InvalidInput) as error:
        raise CorruptRecord(f"the remembered day does not decode: {error!r}") from None


def watched(proof: dict[str, Any], day: RiskDay | None, now: datetime) -> tuple[DayWatch | None, DayWatch | None]:
    """(today, the day before it) after one more look, from what the last run's `proof` remembers. A memory that does
    not decode is begun anew."""
    today, before = _remembered(proof, TODAY), _remembered(proof, YESTERDAY)
    if day is None or day.unreadable:
        return today, before
    if today is not None and today.day < day.day:
        today, before = None, today
    lost = lost_share(day.peak_equity, day.last_equity)
    worse = today is None or lost > today.worst_pct
    return DayWatch(
        day=day.day,
        start_equity=day.start_equity,
        last_equity=day.last_equity,
        worst_pct=lost if today is None or worse else today.worst_pct,
        worst_at=now if today is None or worse else today.worst_at,
        readings=(today.readings if today else 0) + 1,
    ), before


def _remembered(proof: dict[str, Any], name: str) -> DayWatch | None:
    try:
        return read_watch(proof.get(name))
    except CorruptRecord:
        return None
