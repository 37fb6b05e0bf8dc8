"""Positions, signals, trades and fills: the records that must never be lost.

A position is one item with its intents and fills inside; every save carries the version it was read with, so of two
concurrent writers exactly one wins and the other raises StoreConflict.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from pynamodb.exceptions import DoesNotExist, TransactWriteError, UpdateError
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from shared.storage.codec import from_json, to_json
from shared.storage.risk_day import OPEN, RISK_DAY, next_version, risk_day_item
from shared.storage.tables import LedgerItem, bind, connection, lost_condition, save_at_version, save_new
from trading.errors import CorruptRecord, StoreConflict
from trading.model.book import REMEMBERED, EntryBook, PlannedEntry
from trading.model.control import KillLevel, RiskDay
from trading.model.flat_stop import FlatStop
from trading.model.instruments import InstrumentId
from trading.model.positions import Position, Trade
from trading.model.signals import Signal
from trading.model.times import Timeframe, to_text

logger = logging.getLogger(__name__)

POSITION, CONTROL, BOOK, CURRENT = "POSITION", "CONTROL", "BOOK", "CURRENT"
VENUE_ANSWER, FLAT_STOP = "VENUE_ANSWER", "STOP_WHILE_FLAT"


class SignalState(StrEnum):
    NEW = "NEW"
    TAKEN = "TAKEN"
    REFUSED = "REFUSED"
    EXPIRED = "EXPIRED"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSignal:
    signal: Signal
    state: SignalState


class Ledger:
    """Reads are strong. Writes raise StoreConflict when somebody else was first."""

    def __init__(self, table_name: str) -> None:
        self._item = bind(LedgerItem, table_name)

    # signals

    def add_signal(self, signal: Signal) -> bool:
        """Record a new signal; False when it is already there (the same idea has the same id)."""
        item = self._item(_signal_partition(signal.decision_bar), signal.id)
        item.body, item.state = to_json(signal), SignalState.NEW
        item.expires_at = signal.decision_bar + timedelta(days=30)
        return save_new(item)

    def signals_decided_since(self, since: datetime, now: datetime) -> tuple[StoredSignal, ...]:
        """Signals of the decision bars that closed within [since, now], oldest first."""
        found: list[StoredSignal] = []
        bar = Timeframe.H1.floor(since)
        if bar < since:
            bar += Timeframe.H1.length
        while bar <= now:
            for item in self._item.query(_signal_partition(bar), consistent_read=True):
                try:
                    signal = from_json(Signal, item.body or "")
                    found.append(StoredSignal(signal=signal, state=SignalState(item.state or "")))
                except (CorruptRecord, ValueError) as error:
                    # One that cannot be read is not traded, and keeps no other from being traded.
                    logger.error("signal %s cannot be read: %s", item.sk, error)
            bar += Timeframe.H1.length
        return tuple(found)

    def settle_signal(self, signal: Signal, state: SignalState) -> bool:
        """NEW -> refused or expired; False when it was settled before."""
        item = self._item(_signal_partition(signal.decision_bar), signal.id)
        try:
            item.update([LedgerItem.state.set(state)], condition=LedgerItem.state == SignalState.NEW)
        except UpdateError as error:
            if lost_condition(error):
                return False
            raise
        return True

    # positions

    def open_positions(self) -> tuple[Position, ...]:
        items = self._item.query(POSITION, consistent_read=True)
        return tuple(from_json(Position, item.body or "") for item in items)

    def readable_positions(self) -> tuple[tuple[Position, ...], tuple[str, ...]]:
        """The open positions that decode, and a sentence for each that does not: one bad record must not leave the
        others without protection."""
        positions, faults = [], []
        for item in self._item.query(POSITION, consistent_read=True):
            try:
                positions.append(from_json(Position, item.body or ""))
            except CorruptRecord as error:
                faults.append(f"{item.sk}: {error}"[:300])
        return tuple(positions), tuple(faults)

    def position(self, instrument: InstrumentId) -> Position | None:
        try:
            item = self._item.get(POSITION, instrument, consistent_read=True)
        except DoesNotExist:
            return None
        return from_json(Position, item.body or "")

    def book(self, now: datetime) -> EntryBook:
        """The entries planned lately. Read it before the positions that limits are checked against.

        A book that does not decode is made again from the records of the positions: they know as much."""
        try:
            item = self._item.get(BOOK, CURRENT, consistent_read=True)
        except DoesNotExist:
            return EntryBook()
        version = int(item.version or 0)
        try:
            return from_json(EntryBook, item.body) if item.body else EntryBook(version=version)
        except CorruptRecord:
            return EntryBook(version=version, entries=self._planned_since(now - REMEMBERED, now))

    def _planned_since(self, since: datetime, now: datetime) -> tuple[PlannedEntry, ...]:
        months = sorted({to_text(since)[:7], to_text(now)[:7]})
        planned = [each for each in (*self.open_positions(), *self.closed_positions(months)) if each.planned_at > since]
        entries = [PlannedEntry(instrument=each.instrument, side=each.side, at=each.planned_at) for each in planned]
        return tuple(sorted(entries, key=lambda each: each.at))

    def open_position(self, position: Position, signal: Signal, book: EntryBook) -> Position:
        """Write plan and intents ahead of any send, in one transaction with the kill level and the signal.

        `book` is the one the limits were checked with: of two runs that plan at once, each for another coin, only one
        gets through, and the other checks its limits again with the first one counted. Raises StoreConflict
        then, and when entries are stopped, the signal was already taken or the instrument is occupied.

        The switch's version is recorded with the plan: its entry is sent only while the switch has not been changed.
        """
        stored = replace(position, version=1, control_version=position.control_version or self._control_version())
        item = self._position_item(stored)
        signal_item = self._item(_signal_partition(signal.decision_bar), signal.id)
        try:
            with TransactWrite(connection=connection(self._item).connection) as transaction:
                transaction.save(item, condition=LedgerItem.pk.does_not_exist())
                transaction.update(
                    signal_item,
                    [LedgerItem.state.set(SignalState.TAKEN)],
                    condition=LedgerItem.state == SignalState.NEW,
                )
                self._entries_allowed(transaction, stored.control_version)
                self._count_entry(transaction, position, book)
        except TransactWriteError as error:
            if lost_condition(error):
                raise StoreConflict(
                    f"position {position.id} was not opened: entries stopped, signal taken, "
                    f"{position.instrument} occupied or another run planned meanwhile"
                ) from error
            raise
        return stored

    def save_entry_send(self, position: Position) -> Position:
        """Like `save_position`, for the step that lets an entry out: refused in the same write when entries are stopped
        or were stopped since it was planned."""
        stored = replace(position, version=position.version + 1)
        try:
            with TransactWrite(connection=connection(self._item).connection) as transaction:
                transaction.save(self._position_item(stored), condition=LedgerItem.version == position.version)
                self._entries_allowed(transaction, position.control_version)
        except TransactWriteError as error:
            if lost_condition(error):
                raise StoreConflict(
                    f"the entry of position {position.id} was not sent: entries stopped, "
                    "or the switch or the record moved"
                ) from error
            raise
        return stored

    def _control_version(self) -> int:
        try:
            return int(self._item.get(CONTROL, CURRENT, consistent_read=True).version or 0)
        except DoesNotExist:
            return 0

    def _entries_allowed(self, transaction: TransactWrite, control_version: int) -> None:
        """A switch that went up and came down again since the plan counts as one that is up."""
        normal = (LedgerItem.state == str(KillLevel.NORMAL.value)) & (LedgerItem.version == control_version)
        transaction.condition_check(LedgerItem, CONTROL, CURRENT, condition=normal)
        unstopped = (LedgerItem.state == OPEN) | LedgerItem.pk.does_not_exist()
        transaction.condition_check(LedgerItem, RISK_DAY, CURRENT, condition=unstopped)

    def _count_entry(self, transaction: TransactWrite, position: Position, book: EntryBook) -> None:
        entry = PlannedEntry(instrument=position.instrument, side=position.side, at=position.planned_at)
        counted = book.with_entry(entry)
        unmoved = LedgerItem.version == book.version if book.version else LedgerItem.version.does_not_exist()
        changes: list[Action] = [LedgerItem.version.set(counted.version), LedgerItem.body.set(to_json(counted))]
        transaction.update(self._item(BOOK, CURRENT), changes, condition=unmoved)

    def adopt_position(self, position: Position) -> Position:
        """Record a position that the venue has and we did not; StoreConflict when the instrument has one."""
        stored = replace(position, version=1)
        if not save_new(self._position_item(stored)):
            raise StoreConflict(f"{position.instrument} already has a position record")
        return stored

    def save_position(self, position: Position) -> Position:
        """Save what was read and changed; returns it with its new version. StoreConflict when it moved meanwhile."""
        if position.version < 1:
            raise StoreConflict(f"position {position.id} was never recorded: it is opened or adopted, not saved")
        stored = replace(position, version=position.version + 1)
        save_at_version(self._position_item(stored), position.version, f"position {position.id}")
        return stored

    def close_position(self, position: Position, trade: Trade | None, day: RiskDay | None = None) -> None:
        """Take the position off the open ones and keep its whole record, with its trade if it ever held anything.

        `day` is the risk day with the trade counted: it is saved in the same transaction, so that a loss is counted
        exactly once. StoreConflict when either moved meanwhile; nothing was changed then.
        """
        planned_at = to_text(position.planned_at)
        archive = self._item(f"{'TRADE' if trade else 'UNFILLED'}#{planned_at[:7]}", f"{planned_at}#{position.id}")
        archive.body = to_json({"trade": trade, "position": position})
        try:
            with TransactWrite(connection=connection(self._item).connection) as transaction:
                transaction.delete(self._position_item(position), condition=LedgerItem.version == position.version)
                transaction.save(archive, condition=LedgerItem.pk.does_not_exist())
                if day is not None:
                    counted = risk_day_item(self._item, next_version(day))
                    transaction.save(counted, condition=LedgerItem.version == day.version)
        except TransactWriteError as error:
            if lost_condition(error):
                raise StoreConflict(f"position {position.id} or the risk day moved meanwhile") from error
            raise

    # what the venue answered

    def flat_stop(self) -> FlatStop | None:
        """Whether the venue takes a stop while flat, as it last answered; None before it was asked."""
        try:
            return from_json(FlatStop, self._item.get(VENUE_ANSWER, FLAT_STOP, consistent_read=True).body or "")
        except (DoesNotExist, CorruptRecord):
            return None

    def note_flat_stop(self, answer: FlatStop) -> None:
        item = self._item(VENUE_ANSWER, FLAT_STOP)
        item.body, item.at = to_json(answer), to_text(answer.at)
        item.save()

    # ended positions

    def trades(self, months: Sequence[str]) -> tuple[Trade, ...]:
        """Closed trades of positions planned in these months (`2024-05`), in the order they were planned."""
        return tuple(entry.trade for entry in self._archive("TRADE", months) if entry.trade is not None)

    def closed_positions(self, months: Sequence[str]) -> tuple[Position, ...]:
        """Full records of ended positions, filled or not, planned in these months."""
        return tuple(entry.position for kind in ("TRADE", "UNFILLED") for entry in self._archive(kind, months))

    def _archive(self, kind: str, months: Sequence[str]) -> list[_Archived]:
        return [
            from_json(_Archived, item.body or "")
            for month in months
            for item in self._item.query(f"{kind}#{month}", consistent_read=True)
        ]

    def _position_item(self, position: Position) -> LedgerItem:
        item = self._item(POSITION, position.instrument)
        item.body, item.version, item.state = to_json(position), position.version, position.state
        return item


@dataclass(frozen=True, slots=True, kw_only=True)
class _Archived:
    position: Position
    trade: Trade | None


def _signal_partition(decision_bar: datetime) -> str:
    return f"SIGNAL#{to_text(decision_bar)}"
