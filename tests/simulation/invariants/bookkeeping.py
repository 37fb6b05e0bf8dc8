"""S22 - S24 and S27: money, fills, versions and edges of the records, held against the venue's own books."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import chain

from tests.simulation.invariants.seen import Ending, Place, Write, archived, at_ms, is_ours, records, seen_in
from tests.simulation.judge import Invariant
from tests.simulation.options import MINUTE_MS
from tests.simulation.workload import Workload
from tests.simulation.world import SimulatedWorld
from trading.matching import LogRow
from trading.model.orders import INTENT_TRANSITIONS, IntentState, OrderIntent
from trading.model.positions import POSITION_TRANSITIONS, Position, PositionState, Trade

CENT_FRACTION = Decimal("0.000001")
EDGES_IN_ONE_WRITE = 2
"""One look at the venue may prove two edges at once: that an order arrived, and that it ended."""

BORN = frozenset({PositionState.OPENING, PositionState.FOREIGN})
NEVER_CHANGES = ("purpose", "generation", "side", "reduce_only", "planned_at")
ONCE_SENT = ("type", "limit_price", "sent_at")
"""A plan that only watches its level is told how to go out when it does."""


class MoneyIsConserved(Invariant):
    """S22: every trade's money is its rows of the account log, and all rows of our contracts belong to some record.

    Contracts on which the owner traded, or whose record was damaged or restored, are left out of the second part.
    """

    name = "S22"

    def __init__(self, world: SimulatedWorld, workload: Workload) -> None:
        super().__init__(world, workload)
        self.seen = seen_in(world)
        self._endings = Place()

    def effect(self, what: str) -> Iterator[str]:
        for ending in self._endings.new(self.seen.endings):
            if ending.archived is not None and ending.archived.trade is not None:
                self.examined += 1
                yield from self._trade(ending.archived.position, ending.archived.trade)

    def _trade(self, position: Position, trade: Trade) -> Iterator[str]:
        if abs(trade.gross - trade.fees + trade.funding - trade.net) > CENT_FRACTION:
            yield f"trade {trade.id}: net {trade.net} is not gross - fees + funding"
        if position.contract in self.world.truth.owner_traded or position.entered != position.left:
            return
        true = sum((_cash(each) for each in _rows_of(position, self._rows(position.contract))), Decimal(0))
        if abs(true - trade.net) > CENT_FRACTION:
            yield f"trade {trade.id} is booked with {trade.net} USD, the account log says {true}"

    def _rows(self, contract: str) -> list[LogRow]:
        return [
            each for each in self.world.venue.engine.books.log if each.is_cash and each.contract.upper() == contract
        ]

    def quiet(self) -> Iterator[str]:
        books = self.world.venue.engine.books
        strange = self.world.truth.owner_traded | {
            each.contract for each in self.world.instruments if each.id in self.seen.damaged
        }
        if self.seen.restores:
            return
        for instrument in self.world.instruments:
            contract = instrument.contract
            if contract in strange:
                continue
            self.examined += 1
            moved = sum((_cash(each) for each in self._rows(contract)), Decimal(0))
            booked = sum(
                (each.trade.net for each in archived(self.world) if each.trade and each.position.contract == contract),
                Decimal(0),
            )
            open_rows = [
                row
                for each in records(self.world)
                if each.contract == contract
                for row in _rows_of(each, self._rows(contract))
            ]
            known = booked + sum((_cash(each) for each in open_rows), Decimal(0))
            recent = any(
                each.symbol == contract and at_ms(each.time) > self.world.kernel.now_ms - 3 * MINUTE_MS
                for each in books.fills[-20:]
            )
            if abs(moved - known) > CENT_FRACTION and not recent:
                yield f"{contract}: the account log moved {moved} USD, our records know of {known}"


def _cash(row: LogRow) -> Decimal:
    return row.new_balance - row.old_balance


def _rows_of(position: Position, rows: list[LogRow]) -> list[LogRow]:
    """Its executions, and the funding between its first fill and its last one."""
    own = {each.id for each in position.fills}
    opened = position.opened_at or position.planned_at
    over = position.state is PositionState.CLOSED
    last = max((each.at for each in position.fills), default=opened) if over else None
    return [
        each
        for each in rows
        if each.execution in own
        or (each.execution is None and each.time >= opened and (last is None or each.time <= last))
    ]


class FillsAreRecordedOnce(Invariant):
    """S23: a fill belongs to one record and is what the venue executed; what is filled only grows, up to the order."""

    name = "S23"

    def __init__(self, world: SimulatedWorld, workload: Workload) -> None:
        super().__init__(world, workload)
        self.seen = seen_in(world)
        self._writes = Place()
        self._owner: dict[str, str] = {}
        self._true: dict[str, Decimal] = {}

    def changed(self) -> Iterator[str]:
        for write in self._writes.new(self.seen.writes):
            if isinstance(write.after, Position):
                before = write.before if isinstance(write.before, Position) else None
                yield from self._fills(write.after, before)
                yield from self._quantities(write.after, before)

    def _fills(self, after: Position, before: Position | None) -> Iterator[str]:
        if before is not None and after.fills is before.fills:
            return
        if len({each.id for each in after.fills}) != len(after.fills):
            yield f"position {after.id} holds one fill twice"
        if before is not None and after.fills[: len(before.fills)] != before.fills:
            yield f"position {after.id} lost or changed a recorded fill"
        for fill in after.fills[len(before.fills) if before else 0 :]:
            self.examined += 1
            owner = self._owner.setdefault(fill.id, after.id)
            # A position under a record that cannot be read gets a second one beside it, which sees the same fills.
            if owner != after.id and not self.seen.restores and not self._damaged(after.contract):
                yield f"fill {fill.id} belongs to {owner} and to {after.id}"
            if fill.quantity != self._executed(fill.id):
                yield f"fill {fill.id} is recorded with {fill.quantity}, executed were {self._executed(fill.id)}"

    def _damaged(self, contract: str) -> bool:
        return any(each.contract == contract and each.id in self.seen.damaged for each in self.world.instruments)

    def _executed(self, name: str) -> Decimal | None:
        fills = self.world.venue.engine.books.fills
        for each in fills[len(self._true) :]:
            self._true[each.fill_id] = each.size
        return self._true.get(name)

    def _quantities(self, after: Position, before: Position | None) -> Iterator[str]:
        for intent in after.intents:
            known = before.by_client_order_id(intent.client_order_id) if before else None
            if known is not None and intent.filled < known.filled:
                yield f"{intent.client_order_id} was filled {known.filled} and then {intent.filled}"
            if intent.filled > intent.quantity:
                yield f"{intent.client_order_id} is filled {intent.filled} of {intent.quantity}"


def _two_steps(state: PositionState) -> set[PositionState]:
    """One write may settle a position and then close it."""
    near = POSITION_TRANSITIONS[state]
    return {*near, *(further for each in near for further in POSITION_TRANSITIONS[each])}


class OnlyListedEdges(Invariant):
    """S24: records move along the tables of the model, by one version a write; what has ended stays as it is."""

    name = "S24"

    def __init__(self, world: SimulatedWorld, workload: Workload) -> None:
        super().__init__(world, workload)
        self.seen = seen_in(world)
        self._writes, self._endings = Place(), Place()
        self._reach = {each: _reachable(each) for each in IntentState}

    def changed(self) -> Iterator[str]:
        for write in self._writes.new(self.seen.writes):
            if isinstance(write.after, Position):
                self.examined += 1
                yield from self._write(write, write.after)
        for ending in self._endings.new(self.seen.endings):
            self.examined += 1
            yield from self._ending(ending)

    def _write(self, write: Write, after: Position) -> Iterator[str]:
        before = write.before
        if before is None:
            if after.version != 1 or after.state not in BORN:
                yield f"position {after.id} began as {after.state} at version {after.version}"
            return
        if isinstance(before, str):
            return
        if before.id != after.id:
            yield f"the record of {before.id} was overwritten by {after.id}"
            return
        if after.version != before.version + 1:
            yield f"position {after.id} went from version {before.version} to {after.version}"
        if after.state is not before.state and after.state not in _two_steps(before.state):
            yield f"position {after.id} went from {before.state} to {after.state}"
        for intent in before.intents:
            yield from self._intent(intent, after.by_client_order_id(intent.client_order_id))
        for intent in after.intents[len(before.intents) :] if len(after.intents) > len(before.intents) else ():
            if before.by_client_order_id(intent.client_order_id) is None and intent.state is not IntentState.PLANNED:
                yield f"{intent.client_order_id} began as {intent.state}, not as a plan"

    def _intent(self, before: OrderIntent, after: OrderIntent | None) -> Iterator[str]:
        if after is before:
            return
        if after is None:
            yield f"{before.client_order_id} vanished from its record"
            return
        if after.state is not before.state and after.state not in self._reach[before.state]:
            yield f"{before.client_order_id} went from {before.state} to {after.state}"
        sent = before.state is not IntentState.PLANNED
        for name in (*NEVER_CHANGES, *ONCE_SENT) if sent else NEVER_CHANGES:
            if getattr(before, name) != getattr(after, name):
                yield f"{name} of {before.client_order_id} changed"

    def _ending(self, ending: Ending) -> Iterator[str]:
        closed = ending.archived
        if closed is None:
            yield f"the record of {ending.before.id} was removed and is not in the archive"
        elif closed.position.state is not PositionState.CLOSED:
            yield f"{closed.position.id} was archived as {closed.position.state}"
        elif any(each.state.may_rest for each in closed.position.intents):
            yield f"{closed.position.id} was archived while orders of it may rest"


def _reachable(state: IntentState) -> frozenset[IntentState]:
    """By one write. What was never sent moves by one edge: the write before the send is never left out."""
    found = set(INTENT_TRANSITIONS[state])
    if state is not IntentState.PLANNED:
        for _ in range(EDGES_IN_ONE_WRITE - 1):
            found |= set(chain.from_iterable(INTENT_TRANSITIONS[each] for each in tuple(found)))
    return frozenset(found)


class NothingIsLost(Invariant):
    """S27: at the end every accepted order of ours and every fill of one is in a record."""

    name = "S27"

    def __init__(self, world: SimulatedWorld, workload: Workload) -> None:
        super().__init__(world, workload)
        self.seen = seen_in(world)

    def quiet(self) -> Iterator[str]:
        if self.seen.restores:
            return
        damaged = {each.contract for each in self.world.instruments if each.id in self.seen.damaged}
        kept = [*records(self.world), *(each.position for each in archived(self.world))]
        intents = {each.client_order_id for position in kept for each in position.intents}
        fills = {each.id for position in kept for each in position.fills}
        books, settled_ms = self.world.venue.engine.books, self.world.kernel.now_ms - 3 * MINUTE_MS
        for name, order_id in books.client_ids.items():
            order = books.live.get(order_id) or books.closed.get(order_id)
            if order is None or not is_ours(name) or order.symbol in damaged:
                continue
            self.examined += 1
            if name not in intents:
                yield f"order {name} on {order.symbol} was accepted and is in no record"
        for fill in books.fills:
            if is_ours(fill.client_order_id) and fill.symbol not in damaged and at_ms(fill.time) < settled_ms:
                self.examined += 1
                if fill.fill_id not in fills:
                    yield f"fill {fill.fill_id} of {fill.client_order_id} is in no record"


BOOKKEEPING: tuple[type[Invariant], ...] = (MoneyIsConserved, FillsAreRecordedOnce, OnlyListedEdges, NothingIsLost)
