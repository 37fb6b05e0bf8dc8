"""Keep what is open covered: a stop for the whole quantity, targets that never exceed it, nothing left behind.

Everything here loops over positions, never over the universe, and needs no price but the mark.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from trading.execution.plan import exit_intent, stop_intent, target_intent
from trading.model.orders import IntentState, OrderIntent, Purpose
from trading.model.positions import Position, PositionState
from trading.model.steps import Cancel, Send, Step
from trading.model.units import Price, Quantity
from trading.model.venue import refused_for_now
from trading.rules import Rules

TARGETS = (Purpose.TARGET_1, Purpose.TARGET_2)
STOP_REJECTIONS_BEFORE_EXIT = 3
_WORKING = frozenset({IntentState.LIVE, IntentState.PARTIAL})
_NEVER_PLACED = frozenset({IntentState.ABANDONED, IntentState.NOT_PLACED})
_UNDER_WAY = _WORKING | {IntentState.PLANNED, IntentState.SENDING, IntentState.CANCEL_PENDING}


def protective_steps(position: Position, mark: Price | None, rules: Rules, now: datetime) -> tuple[Step, ...]:
    """New stop before old cancels before targets. `mark` None (no quote) never delays the stop.

    Without a quantity nothing is due and nothing is taken off: one empty answer is no proof of flat.
    """
    if not position.quantity:
        return ()
    steps = _stop_steps(position, mark, rules, now)
    if position.state in (PositionState.PROTECTED, PositionState.UNPROTECTED) and not position.entry_open:
        steps += _target_steps(position, rules, now)
    if position.state is PositionState.CLOSING:
        steps += [each for each in _exit_steps(position, now) if each not in steps]
    return tuple(steps)


def clearing_steps(position: Position) -> tuple[Step, ...]:
    """Only for a position that is proven flat: whatever of ours still rests would wait for the wrong position."""
    return tuple(_cancel(each, "the position is flat") for each in position.intents if each.state in _WORKING)


def beyond_stop(position: Position, mark: Price) -> bool:
    """The mark has already passed the stop: a new stop would trigger at once or be refused."""
    return (mark - position.stop) * position.side.sign <= 0


def _working(position: Position, purpose: Purpose) -> list[OrderIntent]:
    return [each for each in position.intents if each.purpose is purpose and each.state in _WORKING]


def _stop_steps(position: Position, mark: Price | None, rules: Rules, now: datetime) -> list[Step]:
    wanted = max(position.quantity, position.planned) if position.entry_open else position.quantity
    live = _working(position, Purpose.STOP)
    right = [each for each in live if each.trigger_price == position.stop and each.open_quantity == wanted]
    if right:
        return [_cancel(each, "replaced by a newer stop") for each in live if each is not right[-1]]
    if any(_in_flight(each) and each.trigger_price == position.stop for each in position.resting(Purpose.STOP)):
        return []
    passed = mark is not None and beyond_stop(position, mark) and rules.reconciliation.stop_beyond_mark_exit
    if not live and (passed or _stop_refused(position)):
        return _exit_steps(position, now)
    return [Send(intent=stop_intent(position, Quantity(wanted), now))]


def _stop_refused(position: Position) -> bool:
    """The venue refused the newest stops in a row: no stop can be had, so the position must go."""
    newest = sorted(_of(position, Purpose.STOP), key=lambda each: each.generation)[-STOP_REJECTIONS_BEFORE_EXIT:]
    refused = [each.state is IntentState.REJECTED and not refused_for_now(each.reason) for each in newest]
    return len(refused) == STOP_REJECTIONS_BEFORE_EXIT and all(refused)


def _in_flight(intent: OrderIntent) -> bool:
    """Being sent right now. An UNKNOWN stop is not waited for: a second one only covers twice."""
    return intent.state is IntentState.SENDING


def _target_steps(position: Position, rules: Rules, now: datetime) -> list[Step]:
    """Place each target once; together they never exceed what is open."""
    levels, market = rules.levels, position.market
    plan = (
        (Purpose.TARGET_1, levels.target_1_share, position.levels.target_1),
        (Purpose.TARGET_2, levels.target_2_share, position.levels.target_2),
    )
    room = position.quantity - sum((each.open_quantity for each in _all_targets(position)), Decimal(0))
    steps: list[Step] = []
    for purpose, share, price in plan:
        newest = position.intent(purpose)
        if newest is not None and newest.state not in _NEVER_PLACED:
            continue
        quantity = market.quantity_down(min(position.entered * share, room))
        if quantity < max(market.minimum, market.step):
            continue
        room -= quantity
        steps.append(Send(intent=target_intent(position, purpose, quantity, price, now)))
    return steps


def _all_targets(position: Position) -> list[OrderIntent]:
    return [each for purpose in TARGETS for each in position.resting(purpose)]


def _exit_steps(position: Position, now: datetime) -> list[Step]:
    """One exit order at a time; the next generation goes out when the last one is over and something is left.

    An UNKNOWN exit is not waited for: a second one only reduces, and the position may have no other way out.
    """
    if any(each.state in _UNDER_WAY for each in _of(position, Purpose.EXIT)):
        return []
    return [Send(intent=exit_intent(position, now))]


def _of(position: Position, purpose: Purpose) -> list[OrderIntent]:
    return [each for each in position.intents if each.purpose is purpose]


def _cancel(intent: OrderIntent, why: str) -> Cancel:
    return Cancel(client_order_id=intent.client_order_id, why=why)
