"""Bring one position record in step with what the venue shows: fills first, then orders, then the quantity."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from trading.model.orders import IntentState, OrderIntent, OrderSide, Purpose
from trading.model.positions import TAKEN_BY_OTHERS, Position, PositionState, RecordedFill
from trading.model.units import NOTHING, Quantity
from trading.model.venue import Fill, OpenOrder, OrderFate, OrderReport
from trading.reconciliation.belonging import explained, intent_of, stands_for
from trading.reconciliation.faults import semantic_faults
from trading.reconciliation.policy import POLICIES, Policies
from trading.reconciliation.view import DiscrepancyKind, VenueView
from trading.rules import ExecutionRules

_FATES = {
    OrderFate.FILLED: IntentState.FILLED,
    OrderFate.CANCELLED: IntentState.CANCELLED,
    OrderFate.REJECTED: IntentState.REJECTED,
}


def settle(position: Position, view: VenueView, rules: ExecutionRules, policies: Policies = POLICIES) -> Position:
    """Apply fills, move every intent to what is now known of its order, and take over the venue's quantity.

    Absence of an order proves nothing by itself: it ends only with a fill, a report, or repeated absence long after
    the venue was told to refuse it.
    """
    position = _without_plan(apply_fills(position, view.fills), view)
    for intent in position.intents:
        settled = _Settling(position, view, rules, policies).settled(intent)
        if settled is not intent:
            position = position.with_intent(settled)
    shown = view.position(position.contract)
    # What it does not stand for somebody else has bought: a record of its own covers that, no rule of ours closes it.
    quantity = shown.quantity if shown and stands_for(position, shown, view) else NOTHING
    if quantity and not position.adopted and not policies[DiscrepancyKind.QUANTITY_DRIFT].active:
        quantity = Quantity(max(position.entered - position.left, Decimal(0)))
    return _with_state(replace(position, quantity=quantity), view.at)


def _without_plan(position: Position, view: VenueView) -> Position:
    """A plan whose entry was never sent, by this version of the record, is given up where its contract is held, on
    either side: nothing of that can be ours, and no order of ours may close it."""
    entry = position.intent(Purpose.ENTRY)
    unsent = entry is not None and entry.state is IntentState.PLANNED and not entry.filled
    if not unsent or not view.fills_known or view.position(position.contract) is None:
        return position
    return position.given_up(TAKEN_BY_OTHERS)


def apply_fills(position: Position, fills: tuple[Fill, ...]) -> Position:
    """Record this contract's new fills once each. A closing fill that is not ours (liquidation, the owner's own
    order) is recorded too: the quantity is gone all the same."""
    known = {fill.id for fill in position.fills}
    for fill in fills:
        if fill.contract != position.contract or fill.id in known:
            continue
        intent = intent_of(position, fill)
        opens = fill.side is OrderSide.opening(position.side)
        # Our own fills are known by their order, whatever the venue's clock says; strangers' only by their time.
        if intent is None and (opens or _nothing_left(position) or fill.at < position.planned_at):
            continue
        known.add(fill.id)
        recorded = RecordedFill(
            id=fill.id,
            client_order_id=intent.client_order_id if intent else None,
            opens=opens,
            quantity=fill.quantity,
            price=fill.price,
            at=fill.at,
        )
        position = replace(position, fills=(*position.fills, recorded))
        if intent is not None:
            position = position.with_intent(_filled(intent, fill.quantity))
        position = _with_milestones(position, intent, fill)
    return position


def _nothing_left(position: Position) -> bool:
    """Nothing of it is left to be closed by a stranger: what he trades next is his own."""
    return position.left >= position.entered


def _filled(intent: OrderIntent, quantity: Quantity) -> OrderIntent:
    filled = Quantity(intent.filled + quantity)
    if intent.state is IntentState.PLANNED or intent.state.terminal:
        return replace(intent, filled=filled)
    if filled >= intent.quantity:
        return intent.moved(IntentState.FILLED, filled=filled)
    moving = intent.state in (IntentState.LIVE, IntentState.SENDING, IntentState.UNKNOWN)
    return intent.moved(IntentState.PARTIAL if moving else intent.state, filled=filled)


def _with_milestones(position: Position, intent: OrderIntent | None, fill: Fill) -> Position:
    if fill.side is OrderSide.opening(position.side) and position.opened_at is None:
        return replace(position, opened_at=fill.at)
    target = intent is not None and intent.purpose is Purpose.TARGET_1
    if target and position.first_target_at is None:
        return replace(position, first_target_at=fill.at)
    return position


@dataclass(frozen=True, slots=True)
class _Settling:
    """What the orders of one position are judged by."""

    position: Position
    view: VenueView
    rules: ExecutionRules
    policies: Policies

    def settled(self, intent: OrderIntent) -> OrderIntent:
        """One intent against working orders, reports and time."""
        view = self.view
        if intent.state.terminal:
            return intent
        if intent.state is IntentState.PLANNED:
            return _settle_planned(self.position, intent, view.at, self.rules)
        order = next((each for each in view.open_orders if _same(each, intent)), None)
        if order is not None:
            return _found(self._as_shown(intent, order), order.order_id, order.filled)
        if intent.purpose is Purpose.ENTRY and not view.fills_known:
            # Ended without its fills it would look like one that never filled, and its stop would be taken off.
            return _unproven(intent)
        reports = [each for each in view.reports if _same(each, intent)]
        report = next((each for each in reports if each.fate in _FATES), reports[0] if reports else None)
        if report is not None and _shows_unseen_fills(intent, report):
            return _found(intent, report.order_id, report.filled)
        if report is not None and report.fate in _FATES:
            return _settle_reported(intent, report)
        if report is not None and intent.state in (IntentState.SENDING, IntentState.UNKNOWN):
            return _found(intent, report.order_id, report.filled)
        return self._settle_absent(intent)

    def _as_shown(self, intent: OrderIntent, order: OpenOrder) -> OrderIntent:
        """The venue's own numbers of a stop are taken over: one that was changed there no longer covers what we meant,
        and a stop that is not what we sent (other side, not reduce-only, another trigger signal) covers nothing."""
        if intent.purpose is not Purpose.STOP or not self.policies[DiscrepancyKind.WRONG_ORDER].active:
            return intent
        sound = not semantic_faults(intent, self.position.contract, order)
        trigger = order.trigger_price or intent.trigger_price
        # The order's own figures: fills are read at another moment, and would count what is left twice.
        whole = order.open_quantity + order.filled if sound else intent.filled
        return replace(intent, trigger_price=trigger, quantity=Quantity(whole))

    def _settle_absent(self, intent: OrderIntent) -> OrderIntent:
        now = self.view.at
        if intent.state is IntentState.SENDING:
            if self._waits_for_its_sender(intent):
                return intent
            return intent.moved(IntentState.UNKNOWN, reason="no answer recorded")
        if intent.process_before is None:
            return intent
        unknown = intent.state is IntentState.UNKNOWN
        if unknown and not self._proves(intent):
            return _unproven(intent)
        # A protective order that was there and is not any more must be replaced, also when no look-up says why: two
        # of them only cover twice. An entry ends only with proof.
        visible_by = intent.process_before + timedelta(seconds=self.rules.absence_visibility_s)
        tells = now > visible_by if unknown else intent.purpose.protective
        spacing = timedelta(seconds=self.rules.absence_proof_spacing_s)
        if not tells or (intent.absences and now - intent.absences[-1] < spacing):
            return intent
        intent = replace(intent, absences=(*intent.absences, now))
        if len(intent.absences) < max(self.rules.absence_proofs, self.policies[DiscrepancyKind.UNKNOWN_INTENT].looks):
            return intent
        if unknown:
            return intent.moved(IntentState.NOT_PLACED, reason="absent everywhere after its deadline")
        return intent.moved(IntentState.CANCELLED, reason="gone from the working orders")

    def _waits_for_its_sender(self, intent: OrderIntent) -> bool:
        """The run that sends it may still be at work. Not for the stop of a position that stands: that run may be dead,
        nothing else may cover the position, and asked for again it is the same order by its id."""
        if intent.purpose is Purpose.STOP and self._stands():
            return False
        started = intent.sent_at or intent.planned_at
        return self.view.at - started <= timedelta(seconds=self.rules.answer_timeout_s)

    def _stands(self) -> bool:
        shown = self.view.position(self.position.contract)
        return shown is not None and shown.side is self.position.side and bool(shown.quantity)

    def _proves(self, intent: OrderIntent) -> bool:
        """This absence may count: every source has answered, and no change of the position stands unexplained."""
        if not self.policies[DiscrepancyKind.UNKNOWN_INTENT].active:
            return False
        if self.position.contract in self.view.not_looked_up:
            return False
        return intent.purpose.protective or explained(self.position, self.view)


def _unproven(intent: OrderIntent) -> OrderIntent:
    """Two absences with a failed look in between are no proof: counting begins anew."""
    return replace(intent, absences=())


def _same(order: OpenOrder | OrderReport, intent: OrderIntent) -> bool:
    if order.client_order_id is not None:
        return order.client_order_id == intent.client_order_id
    return order.order_id == intent.venue_order_id


def _settle_planned(position: Position, intent: OrderIntent, now: datetime, rules: ExecutionRules) -> OrderIntent:
    """A protective intent whose sender died before sending; the entry's own rules decide about OPENING ones."""
    opening = position.state is PositionState.OPENING and not position.quantity
    stale = now - intent.planned_at > timedelta(seconds=rules.answer_timeout_s)
    if opening or not stale:
        return intent
    return intent.moved(IntentState.ABANDONED, reason="never sent")


def _found(intent: OrderIntent, order_id: str, filled: Quantity) -> OrderIntent:
    """The order exists, so the venue took it; what becomes of it is for its fills or an end to say."""
    intent = replace(intent, absences=())
    if intent.state is IntentState.CANCEL_PENDING:
        return replace(intent, venue_order_id=order_id)
    partial = intent.state is IntentState.PARTIAL or max(intent.filled, filled) > 0
    return intent.moved(IntentState.PARTIAL if partial else IntentState.LIVE, venue_order_id=order_id)


def _shows_unseen_fills(intent: OrderIntent, report: OrderReport) -> bool:
    """An entry that ended with fills we have not read yet: ended now, it would look like one that never filled, and
    its stop would be taken off."""
    filled = report.fate is OrderFate.FILLED or report.filled > intent.filled
    return intent.purpose is Purpose.ENTRY and filled


def _settle_reported(intent: OrderIntent, report: OrderReport) -> OrderIntent:
    state = _FATES[report.fate]
    if state is IntentState.REJECTED and intent.state is not IntentState.UNKNOWN:
        state = IntentState.CANCELLED
    if intent.state is IntentState.SENDING:
        intent = intent.moved(IntentState.UNKNOWN)
    return intent.moved(state, venue_order_id=report.order_id, reason=intent.reason or f"venue: {report.fate}")


def in_doubt(position: Position, open_orders: tuple[OpenOrder, ...]) -> tuple[OrderIntent, ...]:
    """Intents that may rest but are not among the working orders: their fate must be looked up."""
    return tuple(
        intent
        for intent in position.intents
        if intent.state.may_rest and not any(_same(order, intent) for order in open_orders)
    )


def _with_state(position: Position, now: datetime) -> Position:
    if position.state in (PositionState.CLOSING, PositionState.FOREIGN) or not position.quantity:
        return replace(position, unprotected_since=None)
    stops = [each for each in position.intents if each.purpose is Purpose.STOP and each.state.works]
    cover = sum((each.open_quantity for each in stops), Decimal(0))
    if cover >= position.quantity:
        return position.moved(PositionState.PROTECTED, unprotected_since=None)
    return position.moved(PositionState.UNPROTECTED, unprotected_since=position.unprotected_since or now)
