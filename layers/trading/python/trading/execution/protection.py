"""Keep what is open covered: a stop for the whole quantity, nothing left behind, and the way out when no stop is had.

Everything here loops over positions, never over the universe, and needs no price but the mark.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from trading.execution.plan import exit_intent, stop_intent
from trading.execution.targets import target_steps
from trading.model.flat_stop import nothing_to_reduce
from trading.model.orders import IntentState, OrderIntent, Purpose
from trading.model.positions import Position, PositionState
from trading.model.steps import Cancel, Leave, Send, Step
from trading.model.units import NOTHING, Price, Quantity
from trading.model.venue import refused_for_now
from trading.rules import Rules

STOP_REJECTIONS_BEFORE_EXIT = 3
FAILED_STOPS_BEFORE_EXIT = 2
BEYOND_STOP, STOPS_REFUSED, UNPROTECTED = "beyond_stop", "stops_refused", "unprotected"
_FAILED = frozenset({IntentState.REJECTED, IntentState.UNKNOWN, IntentState.NOT_PLACED})
_UNDER_WAY = frozenset(
    {
        IntentState.PLANNED,
        IntentState.SENDING,
        IntentState.LIVE,
        IntentState.PARTIAL,
        IntentState.CANCEL_PENDING,
    }
)
_TAKEN = frozenset({IntentState.LIVE, IntentState.PARTIAL, IntentState.FILLED})


def protective_steps(position: Position, mark: Price | None, rules: Rules, now: datetime) -> tuple[Step, ...]:
    """New stop before old cancels before targets, and these only once no stop is due. `mark` None (no quote) never
    delays the stop.

    Without a quantity nothing is due and nothing is taken off: one empty answer is no proof of flat.
    """
    if not position.quantity:
        return ()
    why = _no_stop_to_be_had(position, mark, rules, now)
    if why and position.state is not PositionState.CLOSING:
        return (Leave(reason=why),)
    steps = [] if why else _stop_steps(position, now)
    if position.state is PositionState.CLOSING:
        steps += _exit_steps(position, rules, now)
    elif position.state is not PositionState.FOREIGN and not position.entry_open and not _sends(steps):
        steps += target_steps(position, rules, now)
    return tuple(steps)


def below_minimum(position: Position) -> bool:
    """Less is held than the venue takes as an order: such an order is tried once, to close all of it, and never to
    move a stop. What the venue does not take is left: asked again every minute, it would refuse for ever."""
    return position.quantity < position.market.minimum


def clearing_steps(position: Position) -> tuple[Step, ...]:
    """Only for a position that is proven flat: whatever of ours still rests would wait for the wrong position."""
    return tuple(_cancel(each, "the position is flat") for each in position.intents if each.state.works)


def beyond_stop(position: Position, mark: Price) -> bool:
    """The mark has already passed the stop: a new stop would trigger at once or be refused."""
    return (mark - position.stop) * position.side.sign <= 0


def _no_stop_to_be_had(position: Position, mark: Price | None, rules: Rules, now: datetime) -> str:
    """Why this position must go instead of waiting for a stop, or nothing. One that is not ours goes only where its
    stop would have closed it."""
    working = any(each.state.works for each in position.of(Purpose.STOP))
    passed = mark is not None and beyond_stop(position, mark) and rules.reconciliation.stop_beyond_mark_exit
    if passed and not working and not _being_sent(position):
        return BEYOND_STOP
    if position.adopted:
        return ""
    if not working and _refused_in_a_row(position):
        return STOPS_REFUSED
    return UNPROTECTED if _unprotected_too_long(position, rules, now) else ""


def _refused_in_a_row(position: Position) -> bool:
    """The venue refused the newest stops for what they are, not because it did not see the position yet."""
    newest = sorted(position.of(Purpose.STOP), key=lambda each: each.generation)[-STOP_REJECTIONS_BEFORE_EXIT:]
    refused = [each.state is IntentState.REJECTED and not _passing(each.reason) for each in newest]
    return len(refused) == STOP_REJECTIONS_BEFORE_EXIT and all(refused)


def _passing(reason: str) -> bool:
    return refused_for_now(reason) or nothing_to_reduce(reason)


def _unprotected_too_long(position: Position, rules: Rules, now: datetime) -> bool:
    """Stops are tried and none comes to be. Time alone says nothing: after an outage the next try may work."""
    since = position.unprotected_since
    if since is None or now - since <= timedelta(seconds=rules.execution.unprotected_maximum_s):
        return False
    tried = [each for each in position.of(Purpose.STOP) if each.planned_at >= since]
    return sum(each.state in _FAILED for each in tried) >= FAILED_STOPS_BEFORE_EXIT


def _stop_steps(position: Position, now: datetime) -> list[Step]:
    wanted = _to_be_covered(position)
    live = [each for each in position.of(Purpose.STOP) if each.state.works]
    right = [each for each in live if each.trigger_price == position.stop and each.open_quantity == wanted]
    if right:
        return [_cancel(each, "replaced by a newer stop") for each in live if each is not right[-1]]
    if below_minimum(position) and any(each.open_quantity >= wanted for each in live):
        return []
    if _being_sent(position):
        return []
    meant = stop_intent(position, Quantity(wanted), now)
    doubtful = position.intent(Purpose.STOP)
    if doubtful and doubtful.may_be_sent_again and doubtful.trigger_price == position.stop:
        # The same order again, by the same id: if the venue has it, it says so; two stops would cover twice.
        meant = doubtful if doubtful.quantity == wanted else meant
    return [Send(intent=meant)]


def _to_be_covered(position: Position) -> Quantity:
    """The most that may be held: what is shown, what the fills say, while the entry works all that it may bring.

    The venue's views of positions and fills lag, each by itself; too large a stop only reduces what there is."""
    if position.entry_open:
        return Quantity(max(position.quantity, position.planned))
    by_fills = NOTHING if position.adopted else Quantity(position.entered - position.left)
    return max(position.quantity, by_fills)


def _being_sent(position: Position) -> bool:
    """A stop at this level is on its way right now."""
    stops = position.of(Purpose.STOP)
    return any(each.state is IntentState.SENDING and each.trigger_price == position.stop for each in stops)


def exits_under_way(position: Position, rules: Rules, now: datetime) -> bool:
    """An exit that was sent just now. A market order never rests: one that was sent longer ago is over, whatever is
    recorded of it, also where nobody is at work who would settle it."""
    exits = position.of(Purpose.EXIT)
    return any(each.state in _UNDER_WAY and not _sent_long_ago(each, rules, now) for each in exits)


def proven_gone(position: Position, rules: Rules, now: datetime) -> bool:
    """Where the venue shows nothing of it: that an exit of ours was taken, or had nothing to reduce, says the same. One
    empty answer alone, or so soon after an exit that the view may lag, is no proof."""
    answered = [each for each in position.of(Purpose.EXIT) if each.state in _TAKEN or nothing_to_reduce(each.reason)]
    proven = any(_sent_long_ago(each, rules, now) for each in answered)
    return proven and not position.entry_open and not exits_under_way(position, rules, now)


def _sent_long_ago(intent: OrderIntent, rules: Rules, now: datetime) -> bool:
    last = intent.resent_at or intent.sent_at or intent.planned_at
    return now - last > timedelta(seconds=rules.execution.answer_timeout_s)


def _exit_steps(position: Position, rules: Rules, now: datetime) -> list[Step]:
    """One exit order at a time; the next generation goes out when the last one is over and something is left.

    One whose fate is unknown is sent once more as it was, then not waited for: a second one only reduces, and the
    position may have no other way out.
    """
    newest = position.intent(Purpose.EXIT)
    if exits_under_way(position, rules, now) or (newest and _left_as_dust(position, newest)):
        return []
    again = newest if newest and newest.may_be_sent_again else exit_intent(position, now)
    return [Send(intent=again)]


def _left_as_dust(position: Position, newest: OrderIntent) -> bool:
    """The venue has refused to close so little, for what the order is."""
    refused = newest.state is IntentState.REJECTED and not _passing(newest.reason)
    return below_minimum(position) and refused and newest.quantity == position.quantity


def _sends(steps: list[Step]) -> bool:
    return any(isinstance(each, Send) for each in steps)


def _cancel(intent: OrderIntent, why: str) -> Cancel:
    return Cancel(client_order_id=intent.client_order_id, why=why)
