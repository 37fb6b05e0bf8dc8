"""L1 - L5: what has come right by the end of the quiet phase. L6 - L9 are in `service`."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from shared.storage.ledger import SignalState
from tests.simulation.invariants.quiet import SETTLING_MS, QuietRule
from tests.simulation.invariants.seen import Place, Write, at_ms, is_ours, records
from tests.simulation.invariants.service import SERVICE
from tests.simulation.judge import Invariant
from tests.simulation.options import MINUTE_MS
from tests.simulation.workload import IDLE_MINUTES, Workload
from tests.simulation.world import SimulatedWorld
from trading.model.orders import IntentState, OrderIntent, Purpose
from trading.model.positions import Position

MINUTES_TO_BE_TAKEN = 4
"""This long without a hindrance some run of execution has looked at every waiting signal."""

STUCK = frozenset({IntentState.PLANNED, IntentState.SENDING, IntentState.UNKNOWN, IntentState.CANCEL_PENDING})


class BooksAgree(QuietRule):
    """L1: every position and every working order of ours is in a record with the same size, and the other way round."""

    name = "L1"

    def quiet(self) -> Iterator[str]:
        books, left_out = self.world.venue.engine.books, self.moved_lately() | self.damaged()
        kept = [each for each in records(self.world) if each.contract not in left_out]
        held = {each: abs(found.size) for each, found in books.positions.items() if each not in left_out}
        recorded: dict[str, Decimal] = {}
        for position in kept:
            if position.quantity:
                recorded[position.contract] = recorded.get(position.contract, Decimal(0)) + position.quantity
        for contract in sorted(held.keys() | recorded.keys()):
            self.examined += 1
            if held.get(contract) != recorded.get(contract):
                yield f"{contract}: the venue holds {held.get(contract)}, our records say {recorded.get(contract)}"
        for position in kept:
            for intent in position.intents:
                if intent.state.works:
                    yield from self._order(intent, position)

    def _order(self, intent: OrderIntent, position: Position) -> Iterator[str]:
        self.examined += 1
        order = self.world.venue.engine.find(client_order_id=intent.client_order_id)
        if order is None or not order.state.is_live:
            what = f"{intent.purpose} {intent.client_order_id} of {position.contract}"
            yield f"{what} is {intent.state}, not at the venue"
        elif order.remaining != intent.open_quantity:
            yield f"{intent.client_order_id} works for {order.remaining}, recorded are {intent.open_quantity}"


class NothingStaysInDoubt(QuietRule):
    """L2: no intent stays planned, being sent, unknown or being cancelled for longer than its deadline and 2 R."""

    name = "L2"

    def __init__(self, world: SimulatedWorld, workload: Workload) -> None:
        super().__init__(world, workload)
        self._writes = Place()
        self._since: dict[str, tuple[IntentState, int]] = {}

    def changed(self) -> Iterator[str]:
        for write in self._writes.new(self.seen.writes):
            self._follow(write)
        return iter(())

    def _follow(self, write: Write) -> None:
        if not isinstance(write.after, Position):
            return
        for intent in write.after.intents:
            known = self._since.get(intent.client_order_id)
            if intent.state in STUCK and (known is None or known[0] is not intent.state):
                self._since[intent.client_order_id] = (intent.state, write.at_ms)

    def quiet(self) -> Iterator[str]:
        for position in records(self.world):
            for intent in position.intents:
                if intent.state in STUCK and self.online(position.contract):
                    self.examined += 1
                    yield from self._stuck(position, intent)
        self.examined += len(self._since)

    def _stuck(self, position: Position, intent: OrderIntent) -> Iterator[str]:
        now, rules = self.world.kernel.now_ms, self.world.rules.execution
        _, since = self._since.get(intent.client_order_id, (intent.state, at_ms(intent.planned_at)))
        deadline = since + rules.absence_visibility_s * 1000
        if intent.state is IntentState.UNKNOWN and intent.process_before is not None:
            deadline = max(deadline, at_ms(intent.process_before) + rules.absence_visibility_s * 1000)
        if intent.state is IntentState.PLANNED:
            watches = intent.purpose is Purpose.ENTRY
            deadline = at_ms(position.entry_expires_at) if watches else since + rules.answer_timeout_s * 1000
        quiet = max(deadline, self.world.faults.quiet_from_ms)
        if now - quiet > SETTLING_MS + IDLE_MINUTES * MINUTE_MS * (intent.state is IntentState.PLANNED):
            yield f"{intent.purpose} {intent.client_order_id} is {intent.state} since {since} ms"


class NoOrphanNoGhost(QuietRule):
    """L3: no order of ours works without a record that wants it; no record stays open with nothing behind it."""

    name = "L3"

    def quiet(self) -> Iterator[str]:
        books, moved = self.world.venue.engine.books, self.moved_lately()
        left_out = moved | self.damaged()
        wanted = {
            each.client_order_id
            for position in records(self.world)
            for each in position.intents
            if not each.state.terminal
        }
        unreadable = len(records(self.world)) < len(self.world.tables.positions)
        for order in books.live.values():
            may_cover = order.reduce_only and (order.symbol in left_out or unreadable)
            if not is_ours(order.client_order_id) or order.symbol in moved or may_cover:
                continue
            self.examined += 1
            if order.client_order_id not in wanted:
                yield f"order {order.client_order_id} on {order.symbol} works and no record wants it"
        for position in records(self.world):
            if position.contract in left_out or position.entry_open:
                continue
            self.examined += 1
            since = self._last_write_ms(position)
            if position.contract not in books.positions and self.world.kernel.now_ms - since > 3 * MINUTE_MS:
                yield f"record {position.id} ({position.state}) is open and the venue holds nothing"

    def _last_write_ms(self, position: Position) -> int:
        found = (
            each.at_ms
            for each in reversed(self.seen.writes)
            if isinstance(each.after, Position) and each.after.id == position.id
        )
        return next(found, 0)


class NoSignalWaitsForEver(QuietRule):
    """L4: no signal is new past its expiry, also when its end fell into an outage."""

    name = "L4"

    def quiet(self) -> Iterator[str]:
        now = self.world.kernel.now_ms
        for signals in self.world.tables.signals.values():
            for stored in signals.values():
                self.examined += 1
                over = at_ms(stored.signal.expires_at)
                if stored.state is SignalState.NEW and now - over > SETTLING_MS + IDLE_MINUTES * MINUTE_MS:
                    yield f"signal {stored.signal.id} is still new {now - over} ms after its end"


class SignalsAreTakenUp(QuietRule):
    """L5: a signal that lives through some minutes without a hindrance is taken, or refused with a reason.

    One that is not looked at while nothing stands in the way is a halt that nobody was told of.
    """

    name = "L5"

    def quiet(self) -> Iterator[str]:
        if self.seen.restores or self.seen.damaged:
            return
        for signal in self.workload.signals:
            stored = self.world.tables.signals.get(signal.decision_bar, {}).get(signal.id)
            if stored is None or self.world.kernel.now_ms < at_ms(signal.expires_at):
                continue
            self.examined += 1
            if stored.state not in (SignalState.NEW, SignalState.EXPIRED):
                continue
            start, end = at_ms(signal.decision_bar) + MINUTE_MS, at_ms(signal.expires_at)
            calm = self.seen.calm.longest(start, end)
            if calm > MINUTES_TO_BE_TAKEN * MINUTE_MS:
                yield f"signal {signal.id} is {stored.state}, and nothing hindered anybody for {calm} ms of its life"


LIVENESS: tuple[type[Invariant], ...] = (
    BooksAgree,
    NothingStaysInDoubt,
    NoOrphanNoGhost,
    NoSignalWaitsForEver,
    SignalsAreTakenUp,
    *SERVICE,
)
