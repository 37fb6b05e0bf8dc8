"""S25, S26, S28 and S29: who may write and send, what was written first, whose things these are, what is proven."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from shared.storage.ledger import SignalState
from tests.simulation.invariants.control import entry_goes_out, level_of
from tests.simulation.invariants.seen import Ending, Place, Write, at_ms, is_ours, seen_in
from tests.simulation.judge import Invariant
from tests.simulation.memory.tables import millisecond
from tests.simulation.workload import Workload
from tests.simulation.world import SimulatedWorld
from trading import matching
from trading.matching import Order
from trading.model.control import KillLevel
from trading.model.orders import IntentState, OrderIntent, OrderSide, OrderType, Purpose
from trading.model.positions import Position

KINDS = {
    OrderType.POST: matching.OrderType.POST,
    OrderType.LIMIT: matching.OrderType.LIMIT,
    OrderType.IMMEDIATE: matching.OrderType.IMMEDIATE,
    OrderType.MARKET: matching.OrderType.MARKET,
    OrderType.STOP: matching.OrderType.STOP,
}
SIDES = {OrderSide.BUY: matching.Side.BUY, OrderSide.SELL: matching.Side.SELL}
TAKES_PROFIT_OR_LEAVES = frozenset({Purpose.TARGET_1, Purpose.TARGET_2, Purpose.EXIT})


class FencedOut(Invariant):
    """S25: an entry goes out only under the very version of the switch that it was planned under."""

    name = "S25"

    def __init__(self, world: SimulatedWorld, workload: Workload) -> None:
        super().__init__(world, workload)
        self.seen = seen_in(world)
        self._writes = Place()

    def changed(self) -> Iterator[str]:
        for write in self._writes.new(self.seen.writes):
            if not entry_goes_out(write) or not isinstance(write.after, Position):
                continue
            self.examined += 1
            stored = self.world.tables.control
            version = stored.version if stored else None
            if write.after.control_version != version:
                planned = write.after.control_version
                yield f"an entry planned under version {planned} of the switch was sent under version {version}"


class EveryActionIsRecorded(Invariant):
    """S26: an accepted order is the one that was recorded as being sent before; a judged signal has its stage.

    The stage follows the signal's state in a second write: it is missed only where nothing hindered its invocation.
    """

    name = "S26"

    def __init__(self, world: SimulatedWorld, workload: Workload) -> None:
        super().__init__(world, workload)
        self.seen = seen_in(world)
        self._orders, self._settled = Place(), Place()

    def changed(self) -> Iterator[str]:
        for order in self._orders.new(self.seen.orders):
            if is_ours(order.client_order_id):
                self.examined += 1
                yield from self._order(order, str(order.client_order_id))

    def _order(self, order: Order, name: str) -> Iterator[str]:
        written = self.seen.sending_ms.get(name)
        if written is None or written > at_ms(order.received_at):
            yield f"order {name} was accepted before any record said that it is sent"
            return
        intent = self._intent(name)
        if intent is None:
            return
        meant = (SIDES[intent.side], KINDS[intent.type], intent.reduce_only, intent.limit_price, intent.trigger_price)
        sent = (order.side, order.order_type, order.reduce_only, order.limit_price, order.stop_price)
        if intent.type is OrderType.MARKET and order.order_type is matching.OrderType.IMMEDIATE:
            # The venue's own price protection makes a market order one that takes what is within a limit.
            sent = (order.side, matching.OrderType.MARKET, order.reduce_only, None, order.stop_price)
        if intent.type is OrderType.STOP and order.activated_at is not None:
            # Already triggered when it is first looked at: it executes as one that takes what is within a limit.
            sent = (order.side, matching.OrderType.STOP, order.reduce_only, None, order.stop_price)
        if meant != sent or order.size > intent.quantity:
            yield f"order {name} is {sent} {order.size}, recorded was {meant} {intent.quantity}"

    def _intent(self, name: str) -> OrderIntent | None:
        for write in reversed(self.seen.writes):
            intent = write.after.by_client_order_id(name) if isinstance(write.after, Position) else None
            if intent is not None:
                return intent
        return None

    def quiet(self) -> Iterator[str]:
        stages = self.world.tables.stages
        for each in self._settled.new(self.seen.settled):
            signal, process = each.signal.signal, each.process
            hindered = process.failure is not None or process.faults
            if each.signal.state is SignalState.EXPIRED or hindered or self.seen.restores:
                continue
            self.examined += 1
            told = stages.get(millisecond(signal.decision_bar), {})
            if not any(record.instrument == signal.instrument for record in told.values()):
                yield f"signal {signal.id} was {each.signal.state} and no stage says why"


class HandsOffWhatIsNotOurs(Invariant):
    """S28: we cancel nothing that is not ours; an adopted position gets a stop and, below K3, nothing that takes it
    off unless its stop could not be placed."""

    name = "S28"

    def __init__(self, world: SimulatedWorld, workload: Workload) -> None:
        super().__init__(world, workload)
        self.seen = seen_in(world)
        self._calls, self._orders, self._writes = Place(), Place(), Place()
        self._flattened = False

    def effect(self, what: str) -> Iterator[str]:
        for call in self._calls.new(self.seen.calls):
            if call.name == "place":
                continue
            self.examined += 1
            engine = self.world.venue.engine
            order = engine.find(order_id=call.subject) or engine.find(client_order_id=call.subject)
            if order is not None and not is_ours(order.client_order_id):
                yield f"{call.process.invocation.name} cancelled order {order.order_id}, which is not ours"
        for write in self._writes.new(self.seen.writes):
            if isinstance(write.after, Position) and write.after.adopted:
                self.examined += 1
                yield from self._adopted(write, write.after)

    def _adopted(self, write: Write, after: Position) -> Iterator[str]:
        known = {each.client_order_id for each in write.before.intents} if isinstance(write.before, Position) else set()
        for intent in after.intents:
            if intent.client_order_id in known or intent.purpose not in TAKES_PROFIT_OR_LEAVES:
                continue
            flattening = level_of(self.world.tables.control) >= KillLevel.FLATTEN
            asked = after.close_reason == "flatten" or flattening
            if not asked and after.close_reason != "beyond_stop":
                yield f"{intent.purpose} for {after.contract}, which is not ours, because of {after.close_reason!r}"


class MissingIsProven(Invariant):
    """S29: a record ends as missing, or an order as never placed, only after two looks at least 15 s apart."""

    name = "S29"

    def __init__(self, world: SimulatedWorld, workload: Workload) -> None:
        super().__init__(world, workload)
        self.seen = seen_in(world)
        self._endings, self._writes = Place(), Place()

    def changed(self) -> Iterator[str]:
        for ending in self._endings.new(self.seen.endings):
            yield from self._ending(ending)
        for write in self._writes.new(self.seen.writes):
            if isinstance(write.after, Position) and isinstance(write.before, Position):
                yield from self._absences(write.before, write.after)

    def _ending(self, ending: Ending) -> Iterator[str]:
        position = ending.before
        held = position.entered > position.left or position.adopted
        if not held:
            return
        self.examined += 1
        spacing = self.world.rules.reconciliation.confirm_after_s
        first = self._first_missing(position, ending.at_ms)
        # Both looks are as old as the invocations that made them.
        looked = ending.process.started_ms
        if first is None or looked - first < spacing * 1000:
            yield f"{position.id} ended as missing at {looked} ms, first missed at {first} ms"

    def _first_missing(self, position: Position, before_ms: int) -> int | None:
        """When an earlier invocation wrote that the venue shows nothing any more."""
        first: int | None = None
        for write in self.seen.writes:
            if not isinstance(write.after, Position) or write.after.id != position.id or write.at_ms >= before_ms:
                continue
            if write.after.missing_since is None:
                first = None
            elif first is None:
                first = write.process.started_ms
        return first

    def _absences(self, before: Position, after: Position) -> Iterator[str]:
        rules = self.world.rules.execution
        spacing = timedelta(seconds=rules.absence_proof_spacing_s)
        for intent in after.intents:
            known = before.by_client_order_id(intent.client_order_id)
            ended = intent.state is IntentState.NOT_PLACED and known is not None and known is not intent
            if not ended or (known is not None and known.state is IntentState.NOT_PLACED):
                continue
            self.examined += 1
            seen = intent.absences
            apart = len(seen) >= rules.absence_proofs and seen[-1] - seen[0] >= spacing
            if not apart:
                yield f"{intent.client_order_id} ended as never placed after looks at {[str(each) for each in seen]}"


PROVENANCE: tuple[type[Invariant], ...] = (FencedOut, EveryActionIsRecorded, HandsOffWhatIsNotOurs, MissingIsProven)
