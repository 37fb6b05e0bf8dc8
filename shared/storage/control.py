"""The kill switch, the risk day, run records and small single-use records, all in the Ledger table."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from pynamodb.exceptions import DeleteError, DoesNotExist, PutError, TransactWriteError, UpdateError
from pynamodb.transactions import TransactWrite

from shared.storage.codec import from_json, object_from_json, to_json
from shared.storage.risk_day import RISK_DAY, next_version, risk_day_item
from shared.storage.tables import LedgerItem, bind, connection, lost_condition, save_at_version, save_new
from trading.errors import CorruptRecord, InvalidInput, StoreConflict
from trading.model.control import Control, KillLevel, RiskDay, count_rejection
from trading.model.times import from_epoch, from_text, to_text

CONTROL, CURRENT = "CONTROL", "CURRENT"
UNREADABLE_DAY = "RISK_DAY_UNREADABLE"
RUN = "RUN"
OBSERVED, TOKEN, TOLD = "OBSERVED", "TOKEN", "TOLD"
HEALTH_FUNCTION = "check_health"
ATTEMPTS = 3
REASON_CHARACTERS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """Proof that a function ran to its end: when, and what it evaluated and did.

    `unreadable`: why the stored record does not decode, empty when it does; its proof is empty then, and its time the
    epoch when that is what does not.
    """

    function: str
    at: datetime
    proof: dict[str, Any]
    unreadable: str = ""


class ControlStore:
    """The switch and everything else that is one small record."""

    def __init__(self, table_name: str) -> None:
        self._item = bind(LedgerItem, table_name)

    def control(self, now: datetime) -> Control:
        """The switch as stored; missing or unreadable reads as "no entries", or as the higher level that still stands
        beside its text: a flatten or a lock is not lifted by damage."""
        item = self._get(CONTROL, CURRENT)
        if item is None:
            return Control.unknown(now, "no control record yet: an operator must resume")
        try:
            return from_json(Control, item.body or "")
        except CorruptRecord as error:
            return unreadable_control(now, error, version=item.version, state=item.state)

    def set_control(self, control: Control) -> Control:
        """Replace the switch read at `control.version`, and add its audit record in the same transaction.

        StoreConflict when it moved meanwhile; nothing was changed then.
        """
        stored = replace(control, version=control.version + 1)
        item = self._item(CONTROL, CURRENT)
        item.body, item.state, item.version = to_json(stored), str(stored.level.value), stored.version
        audit = self._item("CONTROL_AUDIT", f"{to_text(control.changed_at)}#{stored.version:06d}")
        audit.body = item.body
        unmoved = LedgerItem.version == control.version if control.version else LedgerItem.version.does_not_exist()
        try:
            with TransactWrite(connection=connection(self._item).connection) as transaction:
                transaction.save(item, condition=unmoved)
                transaction.save(audit, condition=LedgerItem.pk.does_not_exist())
        except TransactWriteError as error:
            if lost_condition(error):
                raise StoreConflict(f"control record is no longer at version {control.version}") from error
            raise
        return stored

    def add_audit(self, done: Control, request_id: str) -> None:
        """Record what a person did that left the switch as it is: `done` is the switch with who, when and why."""
        audit = self._item("CONTROL_AUDIT", f"{to_text(done.changed_at)}#{done.version:06d}#{request_id}")
        audit.body = to_json(done)
        audit.save()

    def risk_day(self) -> RiskDay | None:
        """The newest recorded risk day, whatever its date; None before the first.

        One that does not decode comes back as `unreadable`: raising would stop the switch, the booking of trades and
        all entries for good, as nothing but a resume can mend the item.
        """
        item = self._get(RISK_DAY, CURRENT)
        if item is None:
            return None
        try:
            return from_json(RiskDay, item.body or "")
        except CorruptRecord as error:
            return RiskDay.unknown(str(error)[:REASON_CHARACTERS], version=int(item.version or 0))

    def save_risk_day(self, day: RiskDay) -> RiskDay:
        stored = next_version(day)
        save_at_version(risk_day_item(self._item, stored), day.version, "risk day")
        return stored

    def forget_unreadable_day(self, day: RiskDay, now: datetime) -> None:
        """Take off a day that does not decode, so that the next marking opens a new one; its text is kept aside.

        StoreConflict when it moved meanwhile; nothing was changed then.
        """
        item = self._get(RISK_DAY, CURRENT)
        kept = self._item(UNREADABLE_DAY, to_text(now))
        kept.body = item.body if item else None
        unmoved = LedgerItem.version == day.version if day.version else LedgerItem.version.does_not_exist()
        try:
            with TransactWrite(connection=connection(self._item).connection) as transaction:
                transaction.save(kept, condition=LedgerItem.pk.does_not_exist())
                transaction.delete(self._item(RISK_DAY, CURRENT), condition=unmoved)
        except TransactWriteError as error:
            if lost_condition(error):
                raise StoreConflict(f"risk day is no longer at version {day.version}") from error
            raise

    def note_entry_answer(self, accepted: bool, limit: int) -> None:
        """Count an entry that the venue refused for good, or end the row with one that it took. At `limit` in a row
        it is kept that the limit was reached.

        Nothing is counted before the first risk day, or on one that cannot be read. StoreConflict when others changed
        the day in every attempt.
        """
        for _ in range(ATTEMPTS):
            day = self.risk_day()
            if day is None or day.unreadable:
                return
            counted = count_rejection(day, not accepted, limit)
            if counted == day:
                return
            try:
                self.save_risk_day(counted)
            except StoreConflict:
                continue
            return
        raise StoreConflict(f"the risk day changed {ATTEMPTS} times meanwhile; the entry's answer was not counted")

    def record_run(self, function: str, at: datetime, proof: dict[str, Any]) -> None:
        """Written at the end of a successful run. An older run never overwrites a newer one."""
        try:
            self._save_run(function, at, json.dumps(proof, sort_keys=True, default=str))
        except PutError as error:
            if not lost_condition(error):
                raise

    def _save_run(self, function: str, at: datetime, body: str) -> None:
        item = self._item(RUN, function)
        item.at, item.body = to_text(at), body
        item.save(condition=LedgerItem.at.does_not_exist() | (LedgerItem.at <= to_text(at)))

    def last_runs(self) -> dict[str, RunRecord]:
        """By function. One record that does not decode must not hide the others: see `RunRecord.unreadable`."""
        return {item.sk: _run(item) for item in self._item.query(RUN, consistent_read=True)}

    def last_run(self, function: str) -> RunRecord | None:
        item = self._get(RUN, function)
        return _run(item) if item else None

    def first_observed(self, key: str, now: datetime) -> datetime:
        """When this condition was first seen; remembers `now` when it is new."""
        item = self._item(OBSERVED, key)
        item.at = to_text(now)
        item.expires_at = now + timedelta(days=7)
        if save_new(item):
            return now
        stored = self._get(OBSERVED, key)
        return from_text(stored.at) if stored and stored.at else now

    def forget_observation(self, key: str) -> None:
        self._item(OBSERVED, key).delete()

    def observations(self) -> dict[str, datetime]:
        return {item.sk: from_text(item.at) for item in self._item.query(OBSERVED, consistent_read=True) if item.at}

    def add_token(self, token: str, body: str, expires_at: datetime) -> None:
        item = self._item(TOKEN, token)
        item.body, item.at, item.expires_at = body, to_text(expires_at), expires_at + timedelta(days=1)
        item.save(condition=LedgerItem.pk.does_not_exist())

    def read_token(self, token: str) -> tuple[str, datetime] | None:
        """A token's body and expiry without taking it, None when it never was or is spent."""
        item = self._get(TOKEN, token)
        return (item.body or "", from_text(item.at or "")) if item else None

    def spend_token(self, token: str) -> tuple[str, datetime] | None:
        """Take a single-use token: its body and expiry, or None when it never was or is spent."""
        item = self._get(TOKEN, token)
        if item is None:
            return None
        try:
            item.delete(condition=LedgerItem.pk.exists())
        except DeleteError as error:
            if lost_condition(error):
                return None
            raise
        return item.body or "", from_text(item.at or "")

    def tell_once(self, key: str, now: datetime, window: timedelta, lease: timedelta | None = None) -> bool:
        """True for the first caller with this key in the window: the others stay silent.

        With a `lease` the window is only claimed, for that long, and `tell_once_settle` says what became of it: a
        caller that dies in between mutes the others for no longer than the lease.
        """
        item = self._item(TOLD, key)
        mark = now if lease is None else claimed_mark(now, window, lease)
        try:
            item.update(
                [LedgerItem.at.set(to_text(mark)), LedgerItem.expires_at.set(now + window + timedelta(days=1))],
                condition=LedgerItem.at.does_not_exist() | (LedgerItem.at <= to_text(now - window)),
            )
        except UpdateError as error:
            if lost_condition(error):
                return False
            raise
        return True

    def tell_once_settle(self, key: str, claimed: datetime, mark: datetime) -> None:
        """Move the mark of a window from `claimed` (`claimed_mark`) to `mark`: the time it was told at, or one that
        lies a window before it to give the claim back. Nothing changes when another caller has the window by now."""
        try:
            self._item(TOLD, key).update(
                [LedgerItem.at.set(to_text(mark))], condition=LedgerItem.at == to_text(claimed)
            )
        except UpdateError as error:
            if not lost_condition(error):
                raise

    def save_health(self, body: str, at: datetime) -> None:
        """The health record is the run record of `check_health`: one write a minute says both."""
        self._save_run(HEALTH_FUNCTION, at, body)

    def health(self) -> tuple[str, datetime] | None:
        item = self._get(RUN, HEALTH_FUNCTION)
        return (item.body or "", from_text(item.at or "")) if item else None

    def _get(self, pk: str, sk: str) -> LedgerItem | None:
        try:
            return self._item.get(pk, sk, consistent_read=True)
        except DoesNotExist:
            return None


def unreadable_control(now: datetime, error: CorruptRecord, *, version: float | None, state: str | None) -> Control:
    """What stands for a switch whose text does not decode: its version, and the level that is kept beside the text."""
    unknown = Control.unknown(now, f"control record unreadable: {error}")
    kept = next((each for each in KillLevel if str(each.value) == state), KillLevel.NO_ENTRIES)
    return replace(unknown, level=max(unknown.level, kept), version=int(version or 0))


def claimed_mark(now: datetime, window: timedelta, lease: timedelta) -> datetime:
    """What a window that is only claimed is marked with: a window that ends after the lease."""
    return now - window + lease


def _run(item: LedgerItem) -> RunRecord:
    try:
        at = from_text(item.at or "")
    except InvalidInput as error:
        return RunRecord(function=item.sk, at=from_epoch(0), proof={}, unreadable=str(error))
    return run_of(item.sk, at, item.body or "{}")


def run_of(function: str, at: datetime, body: str) -> RunRecord:
    try:
        return RunRecord(function=function, at=at, proof=object_from_json(body, "run proof"))
    except CorruptRecord as error:
        return RunRecord(function=function, at=at, proof={}, unreadable=str(error))
