"""Which run may call the venue when, if one budget holds for all pairs: one item in the Ledger table.

The item says when the next call of the whole system is free. A run reserves the time of its calls before it makes
them, so that runs that overlap, in whatever Lambda instances, together stay within the budget.
"""

from __future__ import annotations

import logging
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from pynamodb.exceptions import DoesNotExist, PutError, UpdateError

from shared.storage.tables import LedgerItem, bind, lost_condition
from trading.errors import InvalidInput
from trading.model.times import from_text, require_utc, to_text

BUDGET, SPOT_CALLS = "BUDGET", "SPOT_CALLS"
AHEAD = timedelta(seconds=10)
"""A run that would have to wait longer than this for another's calls leaves the work to the next minute's run."""
LONGEST = timedelta(minutes=15)
"""No Lambda runs for longer, so no run can own time further ahead than this."""
READS = 4
MILLISECOND = timedelta(milliseconds=1)

logger = logging.getLogger(__name__)


def slots_before(until: datetime, start: datetime, count: int, spacing: timedelta) -> tuple[datetime, ...]:
    """At most `count` times from `start` on, `spacing` apart, all before `until`."""
    fitting = -((start - until) // spacing)
    return tuple(start + spacing * index for index in range(min(count, fitting)))


def first_start(now: datetime, free: datetime | None) -> datetime | None:
    """Start of a run's first call when the next call is free at `free`; None when another run owns the time."""
    if free is None or free <= now:
        return now
    return free if free - now <= AHEAD else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reservation:
    token: str
    slots: tuple[datetime, ...]


class CallBudget:
    """The budget of spot calls. An object remembers its latest reservation, so that it can give back the rest of it."""

    def __init__(self, ledger_table: str) -> None:
        self._item = bind(LedgerItem, ledger_table)
        self._held: _Reservation | None = None

    def reserve(self, now: datetime, count: int, spacing: timedelta, until: datetime) -> tuple[datetime, ...]:
        """Start times that this run owns: at most `count`, all before `until`; none when another run owns the time.

        Raises InvalidInput when `spacing` is not positive or `until` lies further ahead than a run can last.
        """
        if spacing <= timedelta(0):
            raise InvalidInput(f"spacing of calls is {spacing}; expected more than 0")
        if require_utc(until, "until") - require_utc(now, "now") > LONGEST:
            raise InvalidInput(f"calls are wanted until {until}; expected at most {LONGEST} after {now}")
        token = uuid.uuid4().hex
        for _ in range(READS):
            item = self._read()
            if item is not None and item.body == token:
                # The write that seemed lost was ours: it went through and only its answer did not arrive.
                return self._held.slots if self._held else ()
            start = first_start(now, _free(item, now))
            slots = slots_before(until, start, count, spacing) if start is not None else ()
            if not slots:
                return ()
            self._held = _Reservation(token=token, slots=slots)
            if self._write(item, token, slots[-1] + spacing):
                return slots
        self._held = None
        return ()

    def give_back(self, first_unused: datetime) -> None:
        """Free the reserved times from this one on. Nothing happens when somebody has reserved since."""
        held = self._held
        if held is None or not held.slots[0] <= first_unused <= held.slots[-1]:
            return
        try:
            self._item(BUDGET, SPOT_CALLS).update(
                [LedgerItem.at.set(_text(first_unused))], condition=LedgerItem.body == held.token
            )
        except UpdateError as error:
            if not lost_condition(error):
                raise

    def _read(self) -> LedgerItem | None:
        try:
            return self._item.get(BUDGET, SPOT_CALLS, consistent_read=True)
        except DoesNotExist:
            return None

    def _write(self, before: LedgerItem | None, token: str, free: datetime) -> bool:
        item = self._item(BUDGET, SPOT_CALLS)
        item.at, item.body = _text(free), token
        known = before.at if before is not None else None
        try:
            item.save(condition=LedgerItem.at.does_not_exist() if known is None else LedgerItem.at == known)
        except PutError as error:
            if lost_condition(error):
                return False
            raise
        return True


def _free(item: LedgerItem | None, now: datetime) -> datetime | None:
    """When the next call is free. A record that no run can have written binds nobody: refusing it would stop ingest."""
    if item is None:
        return None
    try:
        free = from_text(item.at or "")
    except InvalidInput as error:
        logger.warning("call budget is unreadable and counts as free: %s", error)
        return None
    if free - now > 2 * LONGEST:
        logger.warning("call budget is taken until %s, longer than a run can last, and counts as free", item.at)
        return None
    return free


def _text(moment: datetime) -> str:
    """Rounded up to the text's milliseconds: rounded down, the next run's first call would come too early."""
    return to_text(moment + MILLISECOND - timedelta(microseconds=1))
