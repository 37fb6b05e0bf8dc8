"""Decision traces and the records later stages add, on `MemoryTables`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from shared.storage.decisions import DecisionStore, StageRecord, TraceListing, decode_trace
from tests.simulation.memory.tables import MemoryTables, StoredDecision, millisecond
from trading.errors import CorruptRecord
from trading.model.decisions import Decision, Outcome
from trading.model.instruments import InstrumentId
from trading.model.times import to_text


class MemoryDecisions(DecisionStore):
    """Each method is one step, as it is one call of the real store, except for: `add` (one conditional Put a trace,
    several at a time), `traces_of` and `listing_of` (one BatchGet a hundred bars)."""

    def __init__(self, tables: MemoryTables) -> None:
        self._tables = tables

    def add(self, decisions: Sequence[Decision]) -> int:
        return sum(self._add_new(each) for each in decisions)

    def _add_new(self, decision: Decision) -> bool:
        bar = millisecond(decision.decision_bar)
        known = self._tables.traces.get(bar, {})
        if decision.instrument in known:
            return False
        self._tables.traces[bar] = {**known, decision.instrument: StoredDecision(decision.outcome, decision)}
        return True

    def add_stage(self, record: StageRecord) -> None:
        bar, key = millisecond(record.decision_bar), f"{record.instrument}#{record.outcome}"
        known = self._tables.stages.get(bar, {})
        if key not in known:
            self._tables.stages[bar] = {**known, key: record}

    def decided(self, decision_bar: datetime) -> dict[InstrumentId, Outcome]:
        return {instrument: stored.outcome for instrument, stored in self._at(decision_bar)}

    def traces(self, decision_bar: datetime) -> tuple[Decision, ...]:
        return self.listing(decision_bar).whole()

    def listing(self, decision_bar: datetime) -> TraceListing:
        bar = millisecond(decision_bar)
        return _listing((bar, instrument, stored) for instrument, stored in self._at(bar))

    def all_of(self, decision_bar: datetime) -> tuple[TraceListing, tuple[StageRecord, ...]]:
        return self.listing(decision_bar), self.stages(decision_bar)

    def stages(self, decision_bar: datetime) -> tuple[StageRecord, ...]:
        found = self._tables.stages.get(millisecond(decision_bar), {})
        return tuple(found[key] for key in sorted(found))

    def traces_of(self, instrument: InstrumentId, bars: Iterable[datetime]) -> tuple[Decision, ...]:
        return self.listing_of(instrument, bars).whole()

    def listing_of(self, instrument: InstrumentId, bars: Iterable[datetime]) -> TraceListing:
        asked = sorted({millisecond(bar) for bar in bars})
        found = ((bar, self._tables.traces.get(bar, {}).get(instrument)) for bar in asked)
        return _listing((bar, instrument, stored) for bar, stored in found if stored is not None)

    def _at(self, decision_bar: datetime) -> list[tuple[InstrumentId, StoredDecision]]:
        return sorted(self._tables.traces.get(millisecond(decision_bar), {}).items(), key=lambda each: each[0])


def _listing(found: Iterable[tuple[datetime, InstrumentId, StoredDecision]]) -> TraceListing:
    decisions: list[Decision] = []
    refused: list[str] = []
    for bar, instrument, stored in found:
        try:
            decisions.append(decode_trace(stored.trace) if isinstance(stored.trace, bytes) else stored.trace)
        except CorruptRecord as error:
            refused.append(f"the trace of {instrument} at {to_text(bar)} cannot be read: {error}")
    return TraceListing(decisions=tuple(decisions), refused=tuple(refused))
