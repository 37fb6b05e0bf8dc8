"""The Ledger's positions, signals, trades and book, on `MemoryTables`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from shared.storage.codec import from_json
from shared.storage.ledger import Ledger, SignalState, StoredSignal
from shared.storage.risk_day import OPEN
from tests.simulation.memory.risk_day import stored_day
from tests.simulation.memory.tables import Archived, MemoryTables, Stored, millisecond, version_of
from trading.errors import CorruptRecord, StoreConflict
from trading.model.book import REMEMBERED, EntryBook, PlannedEntry
from trading.model.control import KillLevel, RiskDay
from trading.model.flat_stop import FlatStop
from trading.model.instruments import InstrumentId
from trading.model.positions import Position, Trade
from trading.model.signals import Signal
from trading.model.times import Timeframe

NORMAL = str(KillLevel.NORMAL.value)


class MemoryLedger(Ledger):
    """Each method is one step, as it is one call of the real store, except for: `signals_decided_since` (one Query an
    hour of the span), `open_position` (a Get of the switch's version, then the transaction), `trades` (one Query a
    month), `closed_positions` (two Queries a month) and `book` when it is damaged (one Get, then a Query for the open
    and two a month for the closed positions)."""

    def __init__(self, tables: MemoryTables) -> None:
        self._tables = tables

    # signals

    def add_signal(self, signal: Signal) -> bool:
        bar = millisecond(signal.decision_bar)
        known = self._tables.signals.get(bar, {})
        if signal.id in known:
            return False
        self._tables.signals[bar] = {**known, signal.id: StoredSignal(signal=signal, state=SignalState.NEW)}
        return True

    def signals_decided_since(self, since: datetime, now: datetime) -> tuple[StoredSignal, ...]:
        found: list[StoredSignal] = []
        bar = Timeframe.H1.floor(since)
        if bar < since:
            bar += Timeframe.H1.length
        while bar <= now:
            at_bar = self._tables.signals.get(bar)
            if at_bar:
                found += [at_bar[name] for name in sorted(at_bar)]
            bar += Timeframe.H1.length
        return tuple(found)

    def settle_signal(self, signal: Signal, state: SignalState) -> bool:
        if not self._is_new(signal):
            return False
        self._put_state(signal, state)
        return True

    def _is_new(self, signal: Signal) -> bool:
        found = self._tables.signals.get(millisecond(signal.decision_bar), {}).get(signal.id)
        return found is not None and found.state is SignalState.NEW

    def _put_state(self, signal: Signal, state: SignalState) -> None:
        # Only the state is written: what was recorded first stays, whatever the caller's signal says.
        bar = millisecond(signal.decision_bar)
        known = self._tables.signals[bar]
        self._tables.signals[bar] = {**known, signal.id: replace(known[signal.id], state=state)}

    # positions

    def open_positions(self) -> tuple[Position, ...]:
        stored = self._tables.positions
        return tuple(_position(stored[instrument]) for instrument in sorted(stored))

    def readable_positions(self) -> tuple[tuple[Position, ...], tuple[str, ...]]:
        positions, faults = [], []
        stored = self._tables.positions
        for instrument in sorted(stored):
            try:
                positions.append(_position(stored[instrument]))
            except CorruptRecord as error:
                faults.append(f"{instrument}: {error}"[:300])
        return tuple(positions), tuple(faults)

    def position(self, instrument: InstrumentId) -> Position | None:
        stored = self._tables.positions.get(instrument)
        return _position(stored) if stored is not None else None

    def book(self, now: datetime) -> EntryBook:
        stored = self._tables.book
        if stored is None:
            return EntryBook()
        if not isinstance(stored.value, str):
            return stored.value
        version = stored.version or 0
        try:
            return from_json(EntryBook, stored.value) if stored.value else EntryBook(version=version)
        except CorruptRecord:
            return EntryBook(version=version, entries=self._planned_since(now - REMEMBERED, now))

    def open_position(self, position: Position, signal: Signal, book: EntryBook) -> Position:
        known = position.control_version or version_of(self._tables.control) or 0
        stored = replace(position, version=1, control_version=known)
        free = position.instrument not in self._tables.positions
        unmoved = version_of(self._tables.book) == (book.version or None)
        if not (free and unmoved and self._is_new(signal) and self._entries_open(stored)):
            raise StoreConflict(
                f"position {position.id} was not opened: entries stopped, signal taken, "
                f"{position.instrument} occupied or another run planned meanwhile"
            )
        entry = PlannedEntry(instrument=position.instrument, side=position.side, at=position.planned_at)
        counted = book.with_entry(entry)
        self._put(stored)
        self._put_state(signal, SignalState.TAKEN)
        self._tables.book = Stored(counted, counted.version)
        return stored

    def save_entry_send(self, position: Position) -> Position:
        if not (self._unmoved(position) and self._entries_open(position)):
            raise StoreConflict(
                f"the entry of position {position.id} was not sent: entries stopped, or the switch or the record moved"
            )
        return self._put(replace(position, version=position.version + 1))

    def _entries_open(self, position: Position) -> bool:
        control, day = self._tables.control, self._tables.risk_day
        unchanged = control is not None and control.state == NORMAL and control.version == position.control_version
        return unchanged and (day is None or day.state == OPEN)

    def adopt_position(self, position: Position) -> Position:
        if position.instrument in self._tables.positions:
            raise StoreConflict(f"{position.instrument} already has a position record")
        return self._put(replace(position, version=1))

    def save_position(self, position: Position) -> Position:
        if position.version < 1:
            raise StoreConflict(f"position {position.id} was never recorded: it is opened or adopted, not saved")
        if not self._unmoved(position):
            raise StoreConflict(f"position {position.id} is no longer at version {position.version}")
        return self._put(replace(position, version=position.version + 1))

    def _unmoved(self, position: Position) -> bool:
        return version_of(self._tables.positions.get(position.instrument)) == position.version

    def _put(self, position: Position) -> Position:
        self._tables.positions[position.instrument] = Stored(position, position.version)
        return position

    def close_position(self, position: Position, trade: Trade | None, day: RiskDay | None = None) -> None:
        planned_at = millisecond(position.planned_at)
        month = _month("TRADE" if trade else "UNFILLED", planned_at)
        known, key = self._tables.archive.get(month, {}), (planned_at, str(position.id))
        counted = day is None or version_of(self._tables.risk_day) == day.version
        if not (self._unmoved(position) and key not in known and counted):
            raise StoreConflict(f"position {position.id} or the risk day moved meanwhile")
        del self._tables.positions[position.instrument]
        self._tables.archive[month] = {**known, key: Archived(position, trade)}
        if day is not None:
            self._tables.risk_day = stored_day(replace(day, version=day.version + 1))

    # what the venue answered

    def flat_stop(self) -> FlatStop | None:
        return self._tables.flat_stop

    def note_flat_stop(self, answer: FlatStop) -> None:
        millisecond(answer.at)
        self._tables.flat_stop = answer

    # ended positions

    def trades(self, months: Sequence[str]) -> tuple[Trade, ...]:
        return tuple(entry.trade for entry in self._entries("TRADE", months) if entry.trade is not None)

    def closed_positions(self, months: Sequence[str]) -> tuple[Position, ...]:
        return tuple(entry.position for kind in ("TRADE", "UNFILLED") for entry in self._entries(kind, months))

    def _entries(self, kind: str, months: Iterable[str]) -> list[Archived]:
        found: list[Archived] = []
        for month in months:
            kept = self._tables.archive.get(f"{kind}#{month}", {})
            found += [kept[key] for key in sorted(kept)]
        return found


def _position(stored: Stored[Position]) -> Position:
    """Raises CorruptRecord for a damaged one."""
    return from_json(Position, stored.value) if isinstance(stored.value, str) else stored.value


def _month(kind: str, planned_at: datetime) -> str:
    return f"{kind}#{planned_at.year:04d}-{planned_at.month:02d}"
