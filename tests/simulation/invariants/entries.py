"""S7 to S14 and S21: one entry for each idea, recorded before it is sent, within every limit, on fresh inputs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from tests.simulation.invariants.protection import ours, records
from tests.simulation.judge import Invariant
from tests.simulation.workload import Workload
from tests.simulation.world import SimulatedWorld
from trading.matching import Order
from trading.model.orders import IntentState, OrderIntent, OrderRequest
from trading.model.positions import Position

ROOM = Decimal("1.02")
"""Prices move a little between the gate's look and the acceptance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A request that reached the venue, with the order it became, if any."""

    request: OrderRequest
    order: Order | None
    at: datetime


class WatchesOrders(Invariant):
    """Looks at every request once, at the moment it reached the venue."""

    def __init__(self, world: SimulatedWorld, workload: Workload) -> None:
        super().__init__(world, workload)
        self._judged = 0

    def effect(self, what: str) -> Iterable[str]:
        placed = self.world.venue.placed
        if len(placed) == self._judged:
            return
        for request in placed[self._judged :]:
            order = self.world.venue.engine.find(client_order_id=request.client_order_id)
            yield from self.judge(Placed(request=request, order=order, at=self.world.venue.engine.now))
        self._judged = len(placed)

    def judge(self, placed: Placed) -> Iterator[str]:
        raise NotImplementedError

    def recorded(self, client_order_id: str) -> tuple[Position, OrderIntent] | None:
        for position in records(self.world):
            intent = position.by_client_order_id(client_order_id)
            if intent is not None:
                return position, intent
        return None

    def accepted_now(self, placed: Placed) -> bool:
        order = placed.order
        return order is not None and order.received_at == placed.at


class OneEntryForEachIdea(WatchesOrders):
    """S7. Counted by coin, side and levels, not by any id of ours."""

    name = "S7"

    def __init__(self, world: SimulatedWorld, workload: Workload) -> None:
        super().__init__(world, workload)
        self.entries: Counter[str] = Counter()
        self.orders: set[str] = set()

    def judge(self, placed: Placed) -> Iterator[str]:
        order = placed.order
        if placed.request.reduce_only or order is None or order.order_id in self.orders:
            return
        self.orders.add(order.order_id)
        self.examined += 1
        found = self.recorded(placed.request.client_order_id)
        idea = _idea(found[0]) if found else f"nothing on record ({placed.request.client_order_id})"
        self.entries[idea] += 1
        if self.entries[idea] > 1:
            yield f"{self.entries[idea]} entries were accepted for {idea}"


def _idea(position: Position) -> str:
    levels = position.levels
    return f"{position.instrument} {position.side} {levels.entry} {levels.stop} {levels.target_1}"


DOUBLED = timedelta(seconds=3)
"""A request that comes to the venue twice comes within this time; the simulation takes 2 s at most."""

LOOK_TAKES = timedelta(seconds=10)
"""Between the answer of the history and the record that is written by it."""

NEVER_THERE = frozenset({IntentState.REJECTED, IntentState.NOT_PLACED, IntentState.ABANDONED})


class RecordedBeforeSent(WatchesOrders):
    """S8. Whatever reaches the venue stands as being sent in a record that can be read, and no order that the venue
    has taken is ever recorded as one that it never had.

    Not one that it has refused first and taken when the same request came to it a second time, doubled on the way: only
    the refusal was heard. It is an orphan, and ends as one. Later than `DOUBLED` we have sent it ourselves. Nor one
    that was gone again without a fill before anybody saw it, while the venue's history does not tell it yet: NOT_PLACED
    says that it is nowhere, and history may come at any later time."""

    name = "S8"

    def __init__(self, world: SimulatedWorld, workload: Workload) -> None:
        super().__init__(world, workload)
        self._refused: dict[str, datetime] = {}
        self._untold: set[str] = set()

    def changed(self) -> Iterable[str]:
        for position in records(self.world):
            for intent in position.intents:
                if intent.state not in NEVER_THERE:
                    continue
                self.examined += 1
                taken = self.world.venue.engine.find(client_order_id=intent.client_order_id)
                if taken is not None and not (self._refused_first(taken) or self._gone_untold(intent, taken)):
                    yield f"{intent.purpose} {intent.client_order_id} is {intent.state} on record, and the venue has it"

    def judge(self, placed: Placed) -> Iterator[str]:
        if placed.order is None:
            self._refused[placed.request.client_order_id] = placed.at
        if placed.order is None or not self.accepted_now(placed):
            return
        self.examined += 1
        if any(isinstance(each.value, str) for each in self.world.tables.positions.values()):
            return
        found = self.recorded(placed.request.client_order_id)
        if found is None:
            yield f"{placed.request.client_order_id} was accepted and no record knows it"
        elif found[1].state is IntentState.PLANNED:
            yield f"{placed.request.client_order_id} was accepted while its record says PLANNED"

    def _refused_first(self, taken: Order) -> bool:
        refused = self._refused.get(taken.client_order_id or "")
        return refused is not None and taken.received_at - refused <= DOUBLED

    def _gone_untold(self, intent: OrderIntent, taken: Order) -> bool:
        """Judged by when the record began to say so."""
        told = taken.updated_at + timedelta(milliseconds=self.world.options.history_lag_ms) + LOOK_TAKES
        gone = not taken.state.is_live and not taken.filled
        if intent.state is IntentState.NOT_PLACED and gone and self.world.kernel.now() <= told:
            self._untold.add(intent.client_order_id)
        return intent.client_order_id in self._untold


class OneMeaningForEachId(WatchesOrders):
    """S9."""

    name = "S9"

    def __init__(self, world: SimulatedWorld, workload: Workload) -> None:
        super().__init__(world, workload)
        self.meanings: dict[str, object] = {}

    def judge(self, placed: Placed) -> Iterator[str]:
        self.examined += 1
        request = placed.request
        meaning = (
            request.contract,
            request.side,
            request.type,
            request.quantity,
            request.limit_price,
            request.trigger_price,
            request.reduce_only,
        )
        if self.meanings.setdefault(request.client_order_id, meaning) != meaning:
            yield f"{request.client_order_id} was sent with two meanings"


class PositionsWithinTheirNumber(Invariant):
    """S10. Symbols held or being entered by us, and one entry a symbol; none on top of a position is HELD."""

    name = "S10"

    def changed(self) -> Iterable[str]:
        books = self.world.venue.engine.books
        entries = [each for each in books.live.values() if ours(each) and not each.reduce_only]
        strangers = self.world.truth.owner_traded
        occupied = {each.symbol for each in entries} | {each for each in books.positions if each not in strangers}
        self.examined += bool(occupied)
        if len(occupied) > self.world.rules.risk.maximum_positions:
            yield f"{len(occupied)} symbols are held or being entered: {', '.join(sorted(occupied))}"
        for symbol, count in Counter(each.symbol for each in entries).items():
            if count > 1:
                yield f"{count} entries rest in {symbol}"


class WithinEverySizeLimit(WatchesOrders):
    """S11. Notional of the order and gross of everything, entries at rest counted as filled."""

    name = "S11"

    def judge(self, placed: Placed) -> Iterator[str]:
        if placed.request.reduce_only or not self.accepted_now(placed):
            return
        self.examined += 1
        engine, risk = self.world.venue.engine, self.world.rules.risk
        equity = engine.equity()
        mark = engine.point(placed.request.contract).mark
        notional = placed.request.quantity * mark
        if notional > min(equity * risk.notional_pct_tier_a / 100, Decimal(risk.notional_usd_tier_a)) * ROOM:
            yield f"{placed.request.client_order_id} is worth {notional:.0f} USD with an equity of {equity:.0f}"
        held = sum(abs(each.size) * engine.point(symbol).mark for symbol, each in engine.books.positions.items())
        waiting = sum(
            each.remaining * engine.point(each.symbol).mark
            for each in engine.books.live.values()
            if not each.reduce_only
        )
        if held + waiting > equity * risk.gross_notional_pct / 100 * ROOM:
            yield f"gross {held + waiting:.0f} USD with an equity of {equity:.0f}"


class OnGridAndNearTheMark(WatchesOrders):
    """S12."""

    name = "S12"

    def judge(self, placed: Placed) -> Iterator[str]:
        request = placed.request
        instrument = self.world.venue.instruments[request.contract]
        self.examined += 1
        if request.quantity % instrument.step or request.quantity < instrument.minimum:
            yield f"{request.client_order_id}: quantity {request.quantity} is off the grid of {instrument.step}"
        for price in (request.limit_price, request.trigger_price):
            if price is not None and price % instrument.tick:
                yield f"{request.client_order_id}: price {price} is off the grid of {instrument.tick}"
        found = self.recorded(request.client_order_id)
        if request.reduce_only or request.limit_price is None or found is None:
            return
        now, before = self._mark(request.contract, placed.at), self._mark(request.contract, found[0].planned_at)
        moved = abs(now / before - 1)
        allowed = Decimal(self.world.rules.execution.price_collar_pct) / 100 + moved
        if abs(request.limit_price / now - 1) > allowed * ROOM:
            yield f"{request.client_order_id}: entry at {request.limit_price} with a mark of {now}"

    def _mark(self, contract: str, at: datetime) -> Decimal:
        return self.world.prices.quote(contract, at).mark


class FreshAtSending(WatchesOrders):
    """S13 and S14. An entry goes out while its plan and signal live, and the venue takes none after its deadline."""

    name = "S13"

    def judge(self, placed: Placed) -> Iterator[str]:
        if placed.request.reduce_only or not self.accepted_now(placed):
            return
        found = self.recorded(placed.request.client_order_id)
        if found is None:
            return
        self.examined += 1
        position, intent = found
        rules = self.world.rules.execution
        offset = timedelta(seconds=abs(self.world.options.clock_offset_ms) / 1000)
        if placed.at > position.entry_expires_at + offset + timedelta(seconds=rules.process_before_s):
            late = placed.at - position.entry_expires_at
            yield f"{position.instrument}'s entry was taken {late} after its signal's end"
        if placed.at > placed.request.process_before:
            yield f"{position.instrument}'s entry was taken after {placed.request.process_before}"
        sent = intent.sent_at or position.planned_at
        if placed.at > sent + offset * 2 + timedelta(seconds=rules.process_before_s):
            yield f"{position.instrument}'s entry was taken {placed.at - sent} after it was sent"


class NeverMeetsItself(Invariant):
    """S21."""

    name = "S21"

    def changed(self) -> Iterable[str]:
        live = [each for each in self.world.venue.engine.books.live.values() if ours(each) and each.limit_price]
        for buy in live:
            for sell in live:
                if buy.symbol != sell.symbol or buy.side.sign != 1 or sell.side.sign != -1:
                    continue
                self.examined += 1
                if buy.limit_price >= sell.limit_price:  # type: ignore[operator]
                    yield f"{buy.client_order_id} and {sell.client_order_id} would trade with each other"


ENTRIES: tuple[type[Invariant], ...] = (
    OneEntryForEachIdea,
    RecordedBeforeSent,
    OneMeaningForEachId,
    PositionsWithinTheirNumber,
    WithinEverySizeLimit,
    OnGridAndNearTheMark,
    FreshAtSending,
    NeverMeetsItself,
)
