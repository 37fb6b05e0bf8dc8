"""The book of planned entries: what was sent lately, and the version that every new plan must be the next of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from trading.model.instruments import InstrumentId, Side

REMEMBERED = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedEntry:
    instrument: InstrumentId
    side: Side
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryBook:
    """`version` counts the entries ever planned; `entries` are those of the last 24 hours, oldest first."""

    version: int = 0
    entries: tuple[PlannedEntry, ...] = ()

    def with_entry(self, entry: PlannedEntry) -> EntryBook:
        """The book after this plan; what is older than a day is forgotten."""
        kept = tuple(each for each in self.entries if entry.at - each.at < REMEMBERED)
        return replace(self, version=self.version + 1, entries=(*kept, entry))

    def since(self, moment: datetime) -> tuple[PlannedEntry, ...]:
        return tuple(each for each in self.entries if each.at > moment)
