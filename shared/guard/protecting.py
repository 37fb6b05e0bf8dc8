"""One position's orders put right: the stop that is missing, the order that is wrong, the one that is too many."""

from __future__ import annotations

from dataclasses import dataclass

from shared.guard.look import Look
from shared.guard.telling import tell_naked
from trading.execution.protection import protective_steps
from trading.model.orders import IntentState, Purpose
from trading.model.positions import Position, PositionState
from trading.model.steps import Cancel, Step
from trading.model.units import Price
from trading.reconciliation.compare import working_stops, wrong_orders
from trading.reconciliation.view import DiscrepancyKind


def protect(look: Look, position: Position) -> Position:
    """People are told also when something went wrong on the way."""
    naked = position.state in (PositionState.UNPROTECTED, PositionState.FOREIGN)
    before, found = look.desk.orders.sent, position
    try:
        position = _covered(look, position, naked=naked)
    finally:
        if naked and look.desk.orders.sent > before:
            look.report.repaired.append(position.contract)
        if found.state is PositionState.UNPROTECTED:
            tell_naked(look.desk, found, look.report)
    position = _cancel_again(look, position)
    return _take_off(look, position)


def _covered(look: Look, position: Position, *, naked: bool) -> Position:
    if naked and not (look.desk.rules.reconciliation.repair_missing_stop and look.acts(DiscrepancyKind.NAKED_POSITION)):
        return position
    mark = look.quotes.mark(position.contract) if naked else None
    return look.desk.orders.carry_out(position, _Steps(look, mark).of)


@dataclass(frozen=True, slots=True)
class _Steps:
    look: Look
    mark: Price | None

    def of(self, position: Position) -> tuple[Step, ...]:
        """What protection asks for, less the cancelling of a second stop where the policy leaves it."""
        steps = protective_steps(position, self.mark, self.look.desk.rules, self.look.desk.now)
        if self.look.acts(DiscrepancyKind.DUPLICATE_STOP):
            return steps
        stops = {each.client_order_id for each in working_stops(position)}
        return tuple(each for each in steps if not (isinstance(each, Cancel) and each.client_order_id in stops))


def _cancel_again(look: Look, position: Position) -> Position:
    """A cancel whose request was lost: the order still works, so ask again (harmless when it is gone)."""
    working = {order.client_order_id for order in look.view.open_orders}
    for intent in position.intents:
        pending = intent.state is IntentState.CANCEL_PENDING and intent.purpose is not Purpose.ENTRY
        if pending and intent.client_order_id in working:
            position = look.desk.orders.cancel(position, intent)
    return position


def _take_off(look: Look, position: Position) -> Position:
    """Orders of ours that must not go on working: not what was meant, or an entry against somebody's position.

    A wrong stop is not among them: protection has placed the right one and takes it off itself.
    """
    wrong = [intent for intent, _ in wrong_orders(position, look.view) if intent.purpose is not Purpose.STOP]
    if not look.acts(DiscrepancyKind.WRONG_ORDER):
        wrong = []
    entry = position.intent(Purpose.ENTRY)
    if entry is not None and _against_a_stranger(look, position):
        wrong.append(entry)
    for intent in wrong:
        known = position.by_client_order_id(intent.client_order_id) or intent
        if known.state.works:
            position = look.desk.orders.cancel(position, known)
    return position


def _against_a_stranger(look: Look, position: Position) -> bool:
    """An entry that fills against the owner's own position would close it for him."""
    shown = look.view.position(position.contract)
    acts = look.acts(DiscrepancyKind.OPPOSITE_POSITION)
    return acts and shown is not None and shown.side is not position.side
