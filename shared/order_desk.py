"""Carries out what was decided about orders: record, send, record what came of it. Decides nothing.

The safety of a send rests on three things together: the versioned save to SENDING (one winner), the client order id
that means the same for ever (the venue refuses a second), and `process_before` (the venue refuses a late one).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from shared.storage.ledger import Ledger
from trading.errors import StoreConflict, VenueUnavailable
from trading.model.flat_stop import nothing_to_reduce
from trading.model.orders import IntentState, OrderIntent, PositionId, Purpose, refused_for_price
from trading.model.positions import Position, PositionState
from trading.model.steps import Cancel, Leave, Send, Step
from trading.model.venue import SendAnswer, SendOutcome, refused_for_now
from trading.ports import Clock, Venue
from trading.rules import Rules

ATTEMPTS = 3
ROUNDS = 6
KNOWN_ALREADY = "clientOrderIdAlreadyExist"
NOT_EVEN_LOOKED_AT = "wouldProcessAfterSpecifiedTime"
_AFTER_SEND = {
    SendOutcome.ACCEPTED: IntentState.LIVE,
    SendOutcome.REJECTED: IntentState.REJECTED,
    SendOutcome.UNKNOWN: IntentState.UNKNOWN,
}


class OrderDesk:
    """One desk per run. Every method returns the position as it is now recorded.

    `rejections`: what the venue refused in this run; `refused_protection`: of these the stops and exits that are still
    needed. One that had nothing to reduce any more was only overtaken."""

    def __init__(self, *, venue: Venue, ledger: Ledger, clock: Clock, rules: Rules) -> None:
        self._venue = venue
        self._ledger = ledger
        self._clock = clock
        self._rules = rules
        self.sent = 0
        self.unknown = 0
        self.rejections: list[str] = []
        self.refused_protection: list[str] = []
        self._lost: dict[PositionId, set[Purpose]] = {}

    def send(self, position: Position, intent: OrderIntent) -> Position:
        """Send one planned intent of this position, once; a protective one whose fate is unknown a second time.

        Raises StoreConflict when another run changed the record first: nothing was sent then.
        """
        now = self._clock.now()
        deadline = now + timedelta(seconds=self._rules.execution.process_before_s)
        recorded = position.by_client_order_id(intent.client_order_id)
        if recorded is None:
            position = self._ledger.save_position(position.without_old_refusals().with_intent(intent))
        sending = _sending(recorded or intent, now, deadline)
        save = self._ledger.save_position if intent.purpose.protective else self._ledger.save_entry_send
        position = save(position.with_intent(sending))
        answer = self._explained(sending, self._venue.place(sending.request(position.contract, deadline)))
        self._count(sending, answer)
        return self._record(position, sending, answer)

    def carry_out(self, position: Position, decide: Callable[[Position], tuple[Step, ...]]) -> Position:
        """Ask for the due steps, do them, and ask again with what is recorded then, until nothing is due.

        A replacement stop and the cancel of the old one are thus two rounds: the cover never falls between them.
        What failed waits for the next run; only a refused stop is tried again at once where no other works, because
        without one the position must go, and an order whose fate is unknown once more as it was.
        """
        failed = set(self._lost.get(position.id, ()))
        for _ in range(ROUNDS):
            steps = [
                each for each in decide(position) if not (isinstance(each, Send) and each.intent.purpose in failed)
            ]
            if not steps:
                break
            for step in steps:
                position = self._do(position, step)
                if isinstance(step, Send) and self._failed(position, step.intent):
                    failed.add(step.intent.purpose)
        return position

    def _failed(self, position: Position, intent: OrderIntent) -> bool:
        """Not to be repeated now: its fate stays unknown (only the next run may use a new id), or it was refused and is
        no stop to try anew."""
        known = position.by_client_order_id(intent.client_order_id) or intent
        if known.state is IntentState.UNKNOWN and not known.may_be_sent_again:
            self._lost.setdefault(position.id, set()).add(intent.purpose)
            return True
        passing = refused_for_now(known.reason) or nothing_to_reduce(known.reason)
        stands = any(each.state.works for each in position.of(Purpose.STOP))
        again = known.purpose is Purpose.STOP and not passing and not stands
        return known.state is IntentState.REJECTED and not again

    def _do(self, position: Position, step: Step) -> Position:
        if isinstance(step, Send):
            return self.send(position, step.intent)
        if isinstance(step, Leave):
            reason = position.close_reason or step.reason
            return self._ledger.save_position(position.moved(PositionState.CLOSING, close_reason=reason))
        return self._take_off(position, step)

    def _take_off(self, position: Position, step: Cancel) -> Position:
        intent = position.by_client_order_id(step.client_order_id)
        return self.cancel(position, intent, step.why) if intent else position

    def cancel(self, position: Position, intent: OrderIntent, why: str = "") -> Position:
        """Ask the venue to take the order off. The intent ends only when the next reconcile run has proof."""
        if intent.state is not IntentState.CANCEL_PENDING:
            intent = intent.moved(IntentState.CANCEL_PENDING, reason=why or intent.reason)
            position = self._ledger.save_position(position.with_intent(intent))
        self._venue.cancel(intent.client_order_id)
        return position

    def abandon(self, position: Position, why: str) -> Position:
        """Give up every intent that was never sent, and say why the record ends."""
        return self._ledger.save_position(position.given_up(why))

    def _explained(self, sent: OrderIntent, answer: SendAnswer) -> SendAnswer:
        """A second send that the venue knows already proves that the first arrived. If its order works, that is what
        was wanted; otherwise its look-ups must say what became of it."""
        if answer.outcome is not SendOutcome.UNKNOWN or sent.resent_at is None or KNOWN_ALREADY not in answer.detail:
            return answer
        try:
            orders = self._venue.open_orders()
        except VenueUnavailable:
            return answer
        found = next((each for each in orders if each.client_order_id == sent.client_order_id), None)
        if found is None:
            return answer
        return SendAnswer(outcome=SendOutcome.ACCEPTED, detail=answer.detail, order_id=found.order_id)

    def _count(self, intent: OrderIntent, answer: SendAnswer) -> None:
        self.sent += 1
        if answer.outcome is SendOutcome.UNKNOWN:
            self.unknown += 1
        if answer.outcome is SendOutcome.REJECTED:
            refused = f"{intent.purpose} {intent.client_order_id}: {answer.detail}"
            self.rejections.append(refused)
            if intent.purpose in (Purpose.STOP, Purpose.EXIT) and not nothing_to_reduce(answer.detail):
                self.refused_protection.append(refused)

    def _record(self, position: Position, sent: OrderIntent, answer: SendAnswer) -> Position:
        """Save the answer; when another run moved the record meanwhile, apply the answer to what it is now."""
        for _ in range(ATTEMPTS):
            known = position.by_client_order_id(sent.client_order_id) or sent
            told = position.with_intent(_answered(known, answer))
            try:
                return self._ledger.save_position(_with_level_reached(told, sent, self._clock.now()))
            except StoreConflict:
                fresh = self._ledger.position(position.instrument)
                if fresh is None or fresh.id != position.id:
                    raise
                position = fresh
        raise StoreConflict(f"the answer for {sent.client_order_id} could not be recorded in {ATTEMPTS} attempts")


def _sending(known: OrderIntent, now: datetime, deadline: datetime) -> OrderIntent:
    """What is recorded decides: an order that another run has sent meanwhile is not sent again (StoreConflict)."""
    if known.may_be_sent_again:
        return replace(known, resent_at=now, process_before=deadline, absences=())
    if known.state is not IntentState.PLANNED:
        raise StoreConflict(f"{known.purpose} {known.client_order_id} is {known.state} by now: another run has sent it")
    return known.moved(IntentState.SENDING, sent_at=now, process_before=deadline)


def _answered(known: OrderIntent, answer: SendAnswer) -> OrderIntent:
    """A run that looked meanwhile may know more than this answer: what it recorded then stands."""
    if known.state not in (IntentState.SENDING, IntentState.UNKNOWN):
        return known
    if known.state is IntentState.UNKNOWN and not _tells_of_both(known, answer):
        return replace(known, reason=answer.detail)
    return known.moved(_AFTER_SEND[answer.outcome], venue_order_id=answer.order_id, reason=answer.detail)


def _tells_of_both(known: OrderIntent, answer: SendAnswer) -> bool:
    """A refusal of the second send that the venue gives before it looks at the id says nothing about the first."""
    if answer.outcome is SendOutcome.REJECTED and known.resent_at is not None:
        return not refused_for_now(answer.detail) and NOT_EVEN_LOOKED_AT not in answer.detail
    return answer.outcome is not SendOutcome.UNKNOWN


def _with_level_reached(position: Position, sent: OrderIntent, now: datetime) -> Position:
    """A first target that was refused because its level is passed: the level is reached, though nothing was sold."""
    known = position.by_client_order_id(sent.client_order_id) or sent
    passed = known.state is IntentState.REJECTED and refused_for_price(known.reason)
    if known.purpose is not Purpose.TARGET_1 or not passed or position.first_target_at is not None:
        return position
    return replace(position, first_target_at=now)
