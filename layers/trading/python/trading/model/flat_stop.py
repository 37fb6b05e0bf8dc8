"""Whether the venue takes a reduce-only stop while there is no position: its own answer, remembered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

REFUSED_WHILE_FLAT = "wouldNotReducePosition"
"""The venue's word for a reduce-only order that has nothing to reduce."""


def nothing_to_reduce(detail: str) -> bool:
    return REFUSED_WHILE_FLAT in detail


@dataclass(frozen=True, slots=True, kw_only=True)
class FlatStop:
    """The last answer to a stop that was sent before its entry. `source` names the order it was given to."""

    accepted: bool
    at: datetime
    source: str

    def believed(self, now: datetime, for_hours: int) -> bool:
        return now - self.at < timedelta(hours=for_hours)

    def sentence(self) -> str:
        does = "takes" if self.accepted else "refuses"
        return f"The venue {does} a stop while flat, seen at {self.at:%Y-%m-%d %H:%M} UTC with {self.source}."
