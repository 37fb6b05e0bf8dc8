"""The switch, the risk day, run records and small single-use records, on `MemoryTables`."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError
from pynamodb.exceptions import PutError

from shared.storage.codec import from_json
from shared.storage.control import (
    HEALTH_FUNCTION,
    REASON_CHARACTERS,
    ControlStore,
    RunRecord,
    claimed_mark,
    run_of,
    unreadable_control,
)
from tests.simulation.memory.risk_day import stored_day
from tests.simulation.memory.tables import MemoryTables, Stored, StoredRun, millisecond, version_of
from trading.errors import CorruptRecord, StoreConflict
from trading.model.control import Control, RiskDay

FLAT = frozenset({str, int, float, bool, type(None)})


class MemoryControlStore(ControlStore):
    """Each method is one step, as it is one call of the real store, except for: `forget_unreadable_day` (Get,
    transaction), `first_observed` (Put, then a Get where it was seen before), `spend_token` (Get, Delete: one winner)
    and `note_entry_answer` (`risk_day` and `save_risk_day`, up to three times).

    `note_entry_answer` is the real one, on the methods of this class.
    """

    def __init__(self, tables: MemoryTables) -> None:
        self._tables = tables

    def control(self, now: datetime) -> Control:
        stored = self._tables.control
        if stored is None:
            return Control.unknown(now, "no control record yet: an operator must resume")
        if not isinstance(stored.value, str):
            return stored.value
        try:
            return from_json(Control, stored.value)
        except CorruptRecord as error:
            return unreadable_control(now, error, version=stored.version, state=stored.state)

    def set_control(self, control: Control) -> Control:
        stored = replace(control, version=control.version + 1)
        audited = millisecond(control.changed_at), stored.version, ""
        unmoved = version_of(self._tables.control) == (control.version or None)
        if not unmoved or audited in self._tables.control_audit:
            raise StoreConflict(f"control record is no longer at version {control.version}")
        self._tables.control = Stored(stored, stored.version, str(stored.level.value))
        self._tables.control_audit[audited] = stored
        return stored

    def add_audit(self, done: Control, request_id: str) -> None:
        self._tables.control_audit[millisecond(done.changed_at), done.version, request_id] = done

    # the risk day

    def risk_day(self) -> RiskDay | None:
        stored = self._tables.risk_day
        if stored is None:
            return None
        if not isinstance(stored.value, str):
            return stored.value
        try:
            return from_json(RiskDay, stored.value)
        except CorruptRecord as error:
            return RiskDay.unknown(str(error)[:REASON_CHARACTERS], version=stored.version or 0)

    def save_risk_day(self, day: RiskDay) -> RiskDay:
        if version_of(self._tables.risk_day) != (day.version or None):
            raise StoreConflict(f"risk day is no longer at version {day.version}")
        stored = replace(day, version=day.version + 1)
        self._tables.risk_day = stored_day(stored)
        return stored

    def forget_unreadable_day(self, day: RiskDay, now: datetime) -> None:
        item, at = self._tables.risk_day, millisecond(now)
        if version_of(item) != (day.version or None) or at in self._tables.unreadable_days:
            raise StoreConflict(f"risk day is no longer at version {day.version}")
        self._tables.unreadable_days[at] = item.value if item else None
        self._tables.risk_day = None

    def note_entry_answer(self, accepted: bool, limit: int) -> None:
        super().note_entry_answer(accepted, limit)

    # runs

    def record_run(self, function: str, at: datetime, proof: dict[str, Any]) -> None:
        moment = millisecond(at)
        if self._newest(function, moment):
            self._tables.runs[function] = _run_of(moment, proof)

    def _newest(self, function: str, at: datetime) -> bool:
        before = self._tables.runs.get(function)
        return before is None or before.at <= at

    def last_runs(self) -> dict[str, RunRecord]:
        runs = self._tables.runs
        return {function: _record(function, runs[function]) for function in sorted(runs)}

    def last_run(self, function: str) -> RunRecord | None:
        stored = self._tables.runs.get(function)
        return _record(function, stored) if stored else None

    def save_health(self, body: str, at: datetime) -> None:
        moment = millisecond(at)
        if not self._newest(HEALTH_FUNCTION, moment):
            raise _refused_put()
        self._tables.runs[HEALTH_FUNCTION] = StoredRun(moment, body, None)

    def health(self) -> tuple[str, datetime] | None:
        stored = self._tables.runs.get(HEALTH_FUNCTION)
        return (_body(stored), stored.at) if stored else None

    # small records

    def first_observed(self, key: str, now: datetime) -> datetime:
        stored = self._tables.observed.get(key)
        if stored is not None:
            return stored
        self._tables.observed[key] = millisecond(now)
        return now

    def forget_observation(self, key: str) -> None:
        self._tables.observed.pop(key, None)

    def observations(self) -> dict[str, datetime]:
        return dict(sorted(self._tables.observed.items()))

    def add_token(self, token: str, body: str, expires_at: datetime) -> None:
        moment = millisecond(expires_at)
        if token in self._tables.tokens:
            raise _refused_put()
        self._tables.tokens[token] = body, moment

    def read_token(self, token: str) -> tuple[str, datetime] | None:
        return self._tables.tokens.get(token)

    def spend_token(self, token: str) -> tuple[str, datetime] | None:
        return self._tables.tokens.pop(token, None)

    def tell_once(self, key: str, now: datetime, window: timedelta, lease: timedelta | None = None) -> bool:
        told = self._tables.windows.get(key)
        if told is not None and told > millisecond(now - window):
            return False
        self._tables.windows[key] = millisecond(now if lease is None else claimed_mark(now, window, lease))
        return True

    def tell_once_settle(self, key: str, claimed: datetime, mark: datetime) -> None:
        if self._tables.windows.get(key) == millisecond(claimed):
            self._tables.windows[key] = millisecond(mark)


def _run_of(at: datetime, proof: dict[str, Any]) -> StoredRun:
    if all(type(each) in FLAT for each in proof.values()) and all(type(name) is str for name in proof):
        return StoredRun(at, None, dict(sorted(proof.items())))
    return StoredRun(at, json.dumps(proof, sort_keys=True, default=str), None)


def _body(stored: StoredRun) -> str:
    return stored.body if stored.body is not None else json.dumps(stored.proof, sort_keys=True, default=str)


def _record(function: str, stored: StoredRun) -> RunRecord:
    if stored.proof is None:
        return run_of(function, stored.at, stored.body or "{}")
    return RunRecord(function=function, at=stored.at, proof=dict(stored.proof))


def _refused_put() -> PutError:
    """What PynamoDB raises for a plain write whose condition did not hold: here the real store lets it through."""
    answer: Any = {"Error": {"Code": "ConditionalCheckFailedException", "Message": "The conditional request failed"}}
    cause = ClientError(answer, "PutItem")
    return PutError(f"Failed to put item: {cause}", cause)
