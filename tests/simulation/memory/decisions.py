"""Decision traces and the records later stages add, on `MemoryTables`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from shared.storage.decisions import (
    BarTraces,
    DecisionStore,
    RefusedTrace,
    StageRecord,
    TraceListing,
    decode_trace,
    encode_trace,
    judged,
)
from tests.simulation.memory.tables import MemoryTables, StoredDecision, millisecond
from trading.errors import CorruptRecord
from trading.model.decisions import Decision, Outcome
from trading.model.instruments import InstrumentId
from trading.model.times import to_text


class MemoryDecisions(DecisionStore):
    """Each method is one step, as it is one call of the real store, except for: `add` (one conditional Put a trace,
    several at a time), `add_in_place_of` (two conditional Puts a trace; nobody reads what is kept aside), `newest`,
    `traces_of` and `listing_of` (one BatchGet a hundred bars)."""

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

    def add_in_place_of(self, decisions: Sequence[tuple[Decision, RefusedTrace]]) -> int:
        return sum(self._replace(decision, refused) for decision, refused in decisions)

    def _replace(self, decision: Decision, refused: RefusedTrace) -> bool:
        bar, coin = millisecond(decision.decision_bar), decision.instrument
        known = self._tables.traces.get(bar, {})
        if coin not in known or _bytes(known[coin]) != refused.data:
            return False
        self._tables.traces[bar] = {**known, coin: StoredDecision(decision.outcome, decision)}
        return True

    def add_stage(self, record: StageRecord) -> None:
        bar, key = millisecond(record.decision_bar), record.key
        known = self._tables.stages.get(bar, {})
        if key not in known:
            self._tables.stages[bar] = {**known, key: record}

    def decided(self, decision_bar: datetime) -> dict[InstrumentId, Outcome]:
        return {instrument: stored.outcome for instrument, stored in self._at(decision_bar)}

    def outcomes(self, decision_bar: datetime) -> tuple[Counter[Outcome], Counter[Outcome]]:
        decided = Counter(stored.outcome for _, stored in self._at(decision_bar))
        return decided, Counter(stage.outcome for stage in self.stages(decision_bar))

    def inspect(self, decision_bar: datetime) -> BarTraces:
        found = {coin: judged(coin, decision_bar, _bytes(stored), None) for coin, stored in self._at(decision_bar)}
        return BarTraces(
            readable={coin: each for coin, each in found.items() if isinstance(each, Decision)},
            refused={coin: each for coin, each in found.items() if isinstance(each, RefusedTrace)},
        )

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

    def newest(self, instruments: Iterable[InstrumentId], bars: Sequence[datetime]) -> dict[InstrumentId, Decision]:
        found: dict[InstrumentId, Decision] = {}
        for instrument in instruments:
            stored = [self._tables.traces.get(millisecond(bar), {}).get(instrument) for bar in sorted(bars)]
            last = next((each.trace for each in reversed(stored) if each is not None), None)
            try:
                trace = decode_trace(last) if isinstance(last, bytes) else last
            except CorruptRecord:
                continue
            if trace is not None:
                found[instrument] = trace
        return found

    def _at(self, decision_bar: datetime) -> list[tuple[InstrumentId, StoredDecision]]:
        return sorted(self._tables.traces.get(millisecond(decision_bar), {}).items(), key=lambda each: each[0])


def _bytes(stored: StoredDecision) -> bytes:
    return stored.trace if isinstance(stored.trace, bytes) else encode_trace(stored.trace)


def _listing(found: Iterable[tuple[datetime, InstrumentId, StoredDecision]]) -> TraceListing:
    decisions: list[Decision] = []
    refused: list[str] = []
    for bar, instrument, stored in found:
        try:
            decisions.append(decode_trace(stored.trace) if isinstance(stored.trace, bytes) else stored.trace)
        except CorruptRecord as error:
            refused.append(f"the trace of {instrument} at {to_text(bar)} cannot be read: {error}")
    return TraceListing(decisions=tuple(decisions), refused=tuple(refused))
