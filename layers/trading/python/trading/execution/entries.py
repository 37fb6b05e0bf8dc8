"""The life of an entry: stop first, then the entry, cancelled when it is late, half done or its premise is gone.

Where the venue takes no stop while flat, no entry rests: its level is watched, and it goes out when the price is there.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from trading.execution.flattening import to_be_closed
from trading.execution.protection import beyond_stop
from trading.model.control import KillLevel
from trading.model.flat_stop import nothing_to_reduce
from trading.model.orders import IntentState, OrderIntent, Purpose, refused_for_price
from trading.model.positions import Position
from trading.model.steps import EntryStep, EntryStepKind
from trading.model.venue import Quote, refused_for_now
from trading.rules import Rules

_STOP_IMPOSSIBLE = frozenset(
    {IntentState.REJECTED, IntentState.NOT_PLACED, IntentState.ABANDONED, IntentState.CANCELLED, IntentState.FILLED}
)
WAIT = EntryStep(kind=EntryStepKind.WAIT)


@dataclass(frozen=True, slots=True, kw_only=True)
class EntrySight:
    """What is known when an entry is looked at. `level` is the kill level that holds for its contract, `last_close` the
    newest closed 15m spot bar's close; None for what was not read."""

    level: KillLevel
    control_version: int | None = None
    last_close: float | None = None
    quote: Quote | None = None


def next_entry_step(position: Position, sight: EntrySight, rules: Rules, now: datetime) -> EntryStep:
    """What the entry of this position needs now.

    From K1 on nothing new is sent, from K2 on what rests is cancelled. A plan that could not be sent soon is given up:
    the prices and limits it was checked against are old. One that is watched waits for its level until it expires.
    """
    entry = position.intent(Purpose.ENTRY)
    if entry is None:
        return WAIT
    if entry.state is IntentState.PLANNED:
        return _before_entry(position, sight, rules, now)
    if entry.state is IntentState.PARTIAL:
        return EntryStep(kind=EntryStepKind.CANCEL_ENTRY, why="partly filled: the rest is not chased")
    if entry.state is IntentState.LIVE and (over := _resting_is_over(position, sight, now)):
        return EntryStep(kind=EntryStepKind.CANCEL_ENTRY, why=over)
    if entry.state is IntentState.CANCEL_PENDING:
        return EntryStep(kind=EntryStepKind.CANCEL_ENTRY, why="cancel not confirmed yet")
    if entry.state.terminal and not position.quantity and not position.entered:
        return EntryStep(kind=EntryStepKind.FINISH, why=_ending(entry))
    return WAIT


def watched(position: Position) -> bool:
    """The venue took no stop for it while flat: its entry may not rest, its level is watched."""
    entry, stop = position.intent(Purpose.ENTRY), position.intent(Purpose.STOP)
    planned = entry is not None and entry.state is IntentState.PLANNED
    return planned and stop is not None and stop.state in _STOP_IMPOSSIBLE and nothing_to_reduce(stop.reason)


def stop_was_dropped(position: Position) -> bool:
    """The venue took its stop while flat and holds it no more, with nothing there that it could have closed."""
    entry, stop = position.intent(Purpose.ENTRY), position.intent(Purpose.STOP)
    unsent = entry is not None and entry.sent_at is None
    return unsent and stop is not None and stop.state is IntentState.CANCELLED and not stop.filled


def _before_entry(position: Position, sight: EntrySight, rules: Rules, now: datetime) -> EntryStep:
    if over := _not_to_be_sent(position, sight, now):
        return EntryStep(kind=EntryStepKind.ABANDON, why=over)
    if watched(position):
        return _at_its_level(position, sight.quote, rules, now)
    if now - position.planned_at > timedelta(seconds=rules.execution.plan_maximum_age_s):
        return EntryStep(kind=EntryStepKind.ABANDON, why="the plan is stale")
    stop = position.intent(Purpose.STOP)
    if stop is None or stop.state in _STOP_IMPOSSIBLE:
        return EntryStep(kind=EntryStepKind.ABANDON, why=_without_stop(position, stop))
    if stop.state is IntentState.PLANNED or stop.may_be_sent_again:
        return EntryStep(kind=EntryStepKind.SEND_STOP)
    return EntryStep(kind=EntryStepKind.SEND_ENTRY) if stop.state is IntentState.LIVE else WAIT


def _without_stop(position: Position, stop: OrderIntent | None) -> str:
    if stop_was_dropped(position):
        return "the venue took its stop and let it go again"
    return f"no stop could be placed ({stop.reason if stop else 'no stop planned'})"


def _at_its_level(position: Position, quote: Quote | None, rules: Rules, now: datetime) -> EntryStep:
    """It takes what is there once the mark has reached the entry and the book is within its limit; a send that could
    not execute would be wasted, because an entry is sent once."""
    if quote is None or now - quote.at > timedelta(seconds=rules.risk.quote_maximum_age_s):
        return WAIT
    if rules.risk.basis_guard and (quote.basis_pct is None or quote.basis_pct > rules.risk.basis_maximum_pct):
        # The gate saw the basis when it was planned, up to an hour ago.
        return WAIT
    if beyond_stop(position, quote.mark):
        return EntryStep(kind=EntryStepKind.ABANDON, why=f"the mark {quote.mark} is beyond the stop {position.stop}")
    sign, limit = position.side.sign, position.levels.entry
    offered = quote.ask if sign > 0 else quote.bid
    reached = (quote.mark - limit) * sign <= 0 and offered is not None and (offered - limit) * sign <= 0
    return EntryStep(kind=EntryStepKind.TAKE_ENTRY) if reached else WAIT


def _not_to_be_sent(position: Position, sight: EntrySight, now: datetime) -> str:
    if over := _over(position, sight.last_close, now):
        return over
    if sight.level >= KillLevel.NO_ENTRIES:
        return f"entries are stopped at K{sight.level.value}"
    if sight.control_version not in (None, position.control_version):
        return "the switch was changed after it was planned"
    return ""


def _resting_is_over(position: Position, sight: EntrySight, now: datetime) -> str:
    if over := _over(position, sight.last_close, now):
        return over
    if sight.level >= KillLevel.CANCEL_ENTRIES:
        return f"entries are cancelled at K{sight.level.value}"
    if to_be_closed(position):
        return "a person closes this instrument"
    stop = position.intent(Purpose.STOP)
    return "its stop is gone" if stop is None or stop.state.terminal else ""


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
    passing = refused_for_price(entry.reason) or refused_for_now(entry.reason)
    return entry.state is IntentState.REJECTED and not passing


def _ending(entry: OrderIntent) -> str:
    if entry.state is IntentState.REJECTED and refused_for_price(entry.reason):
        return f"the price had left the entry level {entry.limit_price} ({entry.reason}); it is not chased"
    return f"entry {entry.state}" + (f" ({entry.reason})" if entry.reason else "")
