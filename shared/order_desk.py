"""Carries out what was decided about orders: record, send, record what came of it. Decides nothing.

The safety of a send rests on three things together: the versioned save to SENDING (one winner), the client order id
that means the same for ever (the venue refuses a second), and `process_before` (the venue refuses a late one).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from shared.storage.ledger import Ledger
from trading.errors import StoreConflict
from trading.model.orders import IntentState, OrderIntent, Purpose
from trading.model.positions import Position
from trading.model.steps import Send, Step
from trading.model.venue import SendAnswer, SendOutcome, refused_for_now
from trading.ports import Clock, Venue
from trading.rules import Rules

ATTEMPTS = 3
ROUNDS = 4
_AFTER_SEND = {
    SendOutcome.ACCEPTED: IntentState.LIVE,
    SendOutcome.REJECTED: IntentState.REJECTED,
    SendOutcome.UNKNOWN: IntentState.UNKNOWN,
}


class OrderDesk:
    """One desk per run. Every method returns the position as it is now recorded."""

    def __init__(self, *, venue: Venue, ledger: Ledger, clock: Clock, rules: Rules) -> None:
        self._venue = venue
        self._ledger = ledger
        self._clock = clock
        self._rules = rules
        self.sent = 0
        self.unknown = 0
        self.rejections: list[str] = []

    def send(self, position: Position, intent: OrderIntent) -> Position:
        """Send one planned intent of this position, once.

        Raises StoreConflict when another run changed the record first: nothing was sent then.
        """
        now = self._clock.now()
        deadline = now + timedelta(seconds=self._rules.execution.process_before_s)
        recorded = position.by_client_order_id(intent.client_order_id)
        if recorded is None:
            position = self._ledger.save_position(position.with_intent(intent))
        # What is recorded decides: an intent that is past PLANNED raises here instead of being sent again.
        sending = (recorded or intent).moved(IntentState.SENDING, sent_at=now, process_before=deadline)
        save = self._ledger.save_position if intent.purpose.protective else self._ledger.save_entry_send
        position = save(position.with_intent(sending))
        answer = self._venue.place(sending.request(position.contract, deadline))
        self._count(sending, answer)
        return self._record(position, sending, lambda known: _answered(known, answer))

    def carry_out(self, position: Position, decide: Callable[[Position], tuple[Step, ...]]) -> Position:
        """Ask for the due steps, do them, and ask again with what is recorded then, until nothing is due.

        A replacement stop and the cancel of the old one are thus two rounds: the cover never falls between them.
        What failed waits for the next run; only a refused stop is tried again at once, because without one the
        position must go.
        """
        failed: set[Purpose] = set()
        for _ in range(ROUNDS):
            steps = [
                each for each in decide(position) if not (isinstance(each, Send) and each.intent.purpose in failed)
            ]
            if not steps:
                break
            for step in steps:
                position = self._do(position, step)
                if isinstance(step, Send) and _failed(position, step.intent):
                    failed.add(step.intent.purpose)
        return position

    def _do(self, position: Position, step: Step) -> Position:
        if isinstance(step, Send):
            return self.send(position, step.intent)
        intent = position.by_client_order_id(step.client_order_id)
        return self.cancel(position, intent) if intent else position

    def cancel(self, position: Position, intent: OrderIntent) -> Position:
        """Ask the venue to take the order off. The intent ends only when the next reconcile run has proof."""
        if intent.state is not IntentState.CANCEL_PENDING:
            intent = intent.moved(IntentState.CANCEL_PENDING)
            position = self._ledger.save_position(position.with_intent(intent))
        self._venue.cancel(intent.client_order_id)
        return position

    def abandon(self, position: Position, why: str) -> Position:
        """Give up every intent that was never sent."""
        for intent in position.intents:
            if intent.state is IntentState.PLANNED:
                position = position.with_intent(intent.moved(IntentState.ABANDONED, reason=why))
        return self._ledger.save_position(position)

    def _count(self, intent: OrderIntent, answer: SendAnswer) -> None:
        self.sent += 1
        if answer.outcome is SendOutcome.UNKNOWN:
            self.unknown += 1
        if answer.outcome is SendOutcome.REJECTED:
            self.rejections.append(f"{intent.purpose} {intent.client_order_id}: {answer.detail}")

    def _record(self, position: Position, sent: OrderIntent, update: Callable[[OrderIntent], OrderIntent]) -> Position:
        """Save the answer; when another run moved the record meanwhile, apply the answer to what it is now."""
        for _ in range(ATTEMPTS):
            known = position.by_client_order_id(sent.client_order_id) or sent
            try:
                return self._ledger.save_position(position.with_intent(update(known)))
            except StoreConflict:
                fresh = self._ledger.position(position.instrument)
                if fresh is None or fresh.id != position.id:
                    raise
                position = fresh
        raise StoreConflict(f"the answer for {sent.client_order_id} could not be recorded in {ATTEMPTS} attempts")


def _failed(position: Position, intent: OrderIntent) -> bool:
    """Not to be repeated in this run: its fate is unknown, or it was refused and is no stop that may yet be taken."""
    known = position.by_client_order_id(intent.client_order_id) or intent
    again = known.purpose is Purpose.STOP and not refused_for_now(known.reason)
    return known.state is IntentState.UNKNOWN or (known.state is IntentState.REJECTED and not again)


def _answered(known: OrderIntent, answer: SendAnswer) -> OrderIntent:
    """A run that looked meanwhile may know more than this answer: what it recorded then stands."""
    if known.state not in (IntentState.SENDING, IntentState.UNKNOWN):
        return known
    if known.state is IntentState.UNKNOWN and answer.outcome is SendOutcome.UNKNOWN:
        return known
    return known.moved(_AFTER_SEND[answer.outcome], venue_order_id=answer.order_id, reason=answer.detail)
