"""The life of an entry: stop first, then the entry, cancelled when it is late, half done or its premise is gone."""

from __future__ import annotations

from datetime import datetime, timedelta

from trading.model.control import KillLevel
from trading.model.orders import IntentState, OrderIntent, Purpose
from trading.model.positions import Position
from trading.model.steps import EntryStep, EntryStepKind
from trading.model.venue import refused_for_now
from trading.rules import Rules

_STOP_IMPOSSIBLE = frozenset(
    {IntentState.REJECTED, IntentState.NOT_PLACED, IntentState.ABANDONED, IntentState.CANCELLED, IntentState.FILLED}
)


def next_entry_step(
    position: Position, last_close: float | None, level: KillLevel, rules: Rules, now: datetime
) -> EntryStep:
    """What the entry of this position needs now. `last_close` is the newest closed 15m spot bar's close, if known.

    From K1 on nothing new is sent, from K2 on what rests is cancelled. A plan that could not be sent soon is given up:
    the prices and limits it was checked against are old.
    """
    entry = position.intent(Purpose.ENTRY)
    if entry is None:
        return EntryStep(kind=EntryStepKind.WAIT)
    over = _over(position, last_close, now)
    if entry.state is IntentState.PLANNED:
        stopped = f"entries are stopped at K{level.value}" if level >= KillLevel.NO_ENTRIES else ""
        stale = now - position.planned_at > timedelta(seconds=rules.execution.plan_maximum_age_s)
        return _before_entry(position, over or stopped or ("the plan is stale" if stale else ""))
    if entry.state is IntentState.PARTIAL:
        return EntryStep(kind=EntryStepKind.CANCEL_ENTRY, why="partly filled: the rest is not chased")
    if level >= KillLevel.CANCEL_ENTRIES:
        over = over or f"entries are cancelled at K{level.value}"
    stop = position.intent(Purpose.STOP)
    if stop is None or stop.state.terminal:
        over = over or "its stop is gone"
    if entry.state is IntentState.LIVE and over:
        return EntryStep(kind=EntryStepKind.CANCEL_ENTRY, why=over)
    if entry.state is IntentState.CANCEL_PENDING:
        return EntryStep(kind=EntryStepKind.CANCEL_ENTRY, why="cancel not confirmed yet")
    if entry.state.terminal and not position.quantity and not position.entered:
        return EntryStep(kind=EntryStepKind.FINISH, why=_ending(entry))
    return EntryStep(kind=EntryStepKind.WAIT)


def _before_entry(position: Position, over: str) -> EntryStep:
    stop = position.intent(Purpose.STOP)
    if over:
        return EntryStep(kind=EntryStepKind.ABANDON, why=over)
    if stop is None or stop.state in _STOP_IMPOSSIBLE:
        why = stop.reason if stop else "no stop planned"
        return EntryStep(kind=EntryStepKind.ABANDON, why=f"no stop could be placed ({why})")
    if stop.state is IntentState.PLANNED:
        return EntryStep(kind=EntryStepKind.SEND_STOP)
    if stop.state is IntentState.LIVE:
        return EntryStep(kind=EntryStepKind.SEND_ENTRY)
    return EntryStep(kind=EntryStepKind.WAIT)


def _over(position: Position, last_close: float | None, now: datetime) -> str:
    """Why the idea is dead, or nothing."""
    if now >= position.entry_expires_at:
        return "entry expired"
    if last_close is not None and premise_broken(position, last_close):
        return f"closed at {last_close} beyond the invalidation {position.spot_invalidation}"
    return ""


def premise_broken(position: Position, last_close: float) -> bool:
    """A spot close strictly beyond the invalidation, against the side."""
    return (last_close - float(position.spot_invalidation)) * position.side.sign < 0


def counts_as_refused(entry: OrderIntent) -> bool:
    """The entry was refused for what it is. A price that moved on and a venue that is busy do not count."""
    moved_on = "postWouldExecute" in entry.reason
    return entry.state is IntentState.REJECTED and not moved_on and not refused_for_now(entry.reason)


def _ending(entry: OrderIntent) -> str:
    return f"entry {entry.state}" + (f" ({entry.reason})" if entry.reason else "")
