"""S1 to S6: what is held is covered, by stops that only ever tighten; only entries open."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from tests.simulation.invariants.seen import Place
from tests.simulation.judge import Invariant
from tests.simulation.workload import Workload
from tests.simulation.world import SimulatedWorld
from trading.matching import MarketStatus, Order, OrderType
from trading.model.orders import CLIENT_ORDER_ID_PREFIX, OrderIntent, Purpose
from trading.model.positions import Position

PROTECTED_WITHIN_S = 75.0
"""A reconcile period, its jitter, a run and the lag of the venue's views: one run that works must be enough."""

CORRECTED_WITHIN_MS = 6 * 60_000

FAULT_COSTS_S = 63.0
"""Each fault may cost the protective functions one period."""


@dataclass(slots=True)
class Naked:
    """A stretch without a full stop."""

    contract: str
    since: datetime
    size: Decimal
    ours: bool


def ours(order: Order) -> bool:
    return (order.client_order_id or "").startswith(CLIENT_ORDER_ID_PREFIX)


def records(world: SimulatedWorld) -> Iterator[Position]:
    """Open records that can be read."""
    for stored in world.tables.positions.values():
        if isinstance(stored.value, Position):
            yield stored.value


class CoveredInTime(Invariant):
    """S1. `stretches`: how many seconds each lasted in which venue and market could be reached, for the summary."""

    name = "S1"

    def __init__(self, world: SimulatedWorld, workload: Workload) -> None:
        super().__init__(world, workload)
        self.running: dict[str, Naked] = {}
        self.stretches: list[float] = []

    def changed(self) -> Iterable[str]:
        return self._look()

    def minute(self) -> Iterable[str]:
        return self._look()

    def _look(self) -> Iterator[str]:
        books, now = self.world.venue.engine.books, self.world.kernel.now()
        for contract, cover in books.covers.items():
            known = self.running.get(contract)
            if known is not None and cover.naked_since != known.since:
                lasted = (now - known.since).total_seconds()
                self.stretches.append(max(lasted - self._unreachable_s(known), 0.0))
                del self.running[contract]
            if cover.naked_since is None:
                continue
            self.examined += 1
            if contract not in self.running:
                self.running[contract] = Naked(
                    contract=contract,
                    since=cover.naked_since,
                    size=books.size_of(contract),
                    ours=any(each.contract == contract for each in records(self.world)),
                )
            lasted = (now - cover.naked_since).total_seconds()
            allowed = self._allowed(self.running[contract], now)
            if lasted > allowed:
                yield f"{contract} has stood without a full stop for {lasted:.0f} s, at most {allowed:.0f} s allowed"

    def _unreachable_s(self, naked: Naked) -> float:
        begin_ms = int((naked.since - self.world.kernel.start).total_seconds() * 1000)
        windows = (*self.world.faults.windows, *self.world.truth.halts.get(naked.contract, ()))
        overlaps = (min(each.end_ms, self.world.kernel.now_ms) - max(each.start_ms, begin_ms) for each in windows)
        return sum(max(each, 0) for each in overlaps) / 1000

    def _allowed(self, naked: Naked, now: datetime) -> float:
        """One working run of the guard, plus what outages, halts and faults have taken from it."""
        world = self.world
        begin_ms = int((naked.since - world.kernel.start).total_seconds() * 1000)
        end_ms = world.kernel.now_ms
        allowed = PROTECTED_WITHIN_S if naked.ours else 2 * PROTECTED_WITHIN_S
        lost = 0.0
        for window in (*world.faults.windows, *world.truth.halts.get(naked.contract, ())):
            overlap = min(window.end_ms, end_ms) - max(window.start_ms, begin_ms - 65_000)
            if overlap > 0:
                lost += overlap / 1000 + PROTECTED_WITHIN_S
        hits = sum(begin_ms - 65_000 <= each.at_ms <= end_ms for each in reversed(world.tape.faults[-200:]))
        if world.venue.engine.market(naked.contract).status is not MarketStatus.ONLINE:
            return float("inf")
        return allowed + lost + hits * FAULT_COSTS_S


class StopsStandWhereMeant(Invariant):
    """S2. A live stop of a position stands on the loss side of the mark at which it was accepted, at a level that the
    record has had."""

    name = "S2"

    def __init__(self, world: SimulatedWorld, workload: Workload) -> None:
        super().__init__(world, workload)
        self.levels: dict[str, set[Decimal]] = {}
        self.judged: set[str] = set()

    def changed(self) -> Iterable[str]:
        meant: dict[str, tuple[str, Decimal]] = {}
        for position in records(self.world):
            self.levels.setdefault(position.id, set()).add(Decimal(position.stop))
            for intent in position.intents:
                if intent.trigger_price is not None:
                    meant[intent.client_order_id] = (position.id, Decimal(intent.trigger_price))
        for order in self.world.venue.engine.books.live.values():
            if order.order_type is not OrderType.STOP or not ours(order) or order.order_id in self.judged:
                continue
            self.judged.add(order.order_id)
            found = meant.get(order.client_order_id or "")
            if found is None:
                continue
            self.examined += 1
            if order.stop_price not in self.levels[found[0]]:
                yield f"stop {order.client_order_id} stands at {order.stop_price}, a level its position never had"
            if not order.reduce_only:
                yield f"stop {order.client_order_id} is not reduce-only"


class StopOnlyTightens(Invariant):
    """S3."""

    name = "S3"

    def __init__(self, world: SimulatedWorld, workload: Workload) -> None:
        super().__init__(world, workload)
        self.best: dict[str, Decimal] = {}

    def changed(self) -> Iterable[str]:
        for position in records(self.world):
            sign = position.side.sign
            before = self.best.get(position.id)
            level = Decimal(position.stop)
            if before is not None:
                self.examined += 1
                if (level - before) * sign < 0 and position.quantity:
                    yield f"{position.instrument}'s stop moved from {before} back to {level}"
            self.best[position.id] = level


class ReplacingKeepsCover(Invariant):
    """S4. No cancel of ours leaves a position with less stop than it has quantity."""

    name = "S4"

    def __init__(self, world: SimulatedWorld, workload: Workload) -> None:
        super().__init__(world, workload)
        self.sizes: dict[str, Decimal] = {}
        self.cover: dict[str, Decimal] = {}

    def effect(self, what: str) -> Iterable[str]:
        books = self.world.venue.engine.books
        sizes = {contract: each.size for contract, each in books.positions.items()}
        cover = {contract: _cover(self.world, contract, size) for contract, size in sizes.items()}
        if what in ("venue.cancel", "venue.cancel_order"):
            for contract, size in sizes.items():
                if self.sizes.get(contract) != size or cover[contract] >= self.cover[contract]:
                    continue
                self.examined += 1
                if cover[contract] < abs(size) and self._held_by_us(contract):
                    yield f"a cancel left {contract} with {cover[contract]} of stop for {abs(size)}"
        self.sizes, self.cover = sizes, cover

    def _held_by_us(self, contract: str) -> bool:
        return contract not in self.world.truth.owner_traded


def _cover(world: SimulatedWorld, contract: str, size: Decimal) -> Decimal:
    return sum(
        (
            each.remaining
            for each in world.venue.engine.books.orders_of(contract)
            if each.order_type is OrderType.STOP and each.reduce_only and each.side.sign * size < 0
        ),
        Decimal(0),
    )


@dataclass(slots=True)
class _Excess:
    since_ms: int = 0
    faults: int = 0


class NeverMoreOrdersThanPosition(Invariant):
    """S5. More targets than position, or more stop than position and entry need, is corrected within some runs: all of
    them only reduce, so an excess is harmless while it lasts."""

    name = "S5"

    def __init__(self, world: SimulatedWorld, workload: Workload) -> None:
        super().__init__(world, workload)
        self.excess: dict[str, _Excess] = {}
        self._faults = Place()
        self._damaged = False

    def minute(self) -> Iterable[str]:
        new = self._faults.new(self.world.tape.faults)
        self._damaged = self._damaged or any(each.kind == "damaged record" for each in new)
        if self._damaged:
            # A position whose record cannot be read is covered a second time, beside it.
            return
        books = self.world.venue.engine.books
        for contract in {each.symbol for each in books.live.values()}:
            live = [each for each in books.orders_of(contract) if ours(each)]
            size = abs(books.size_of(contract))
            entry = sum((each.remaining for each in live if not each.reduce_only), Decimal(0))
            targets = sum((each.remaining for each in live if each.reduce_only and each.limit_price), Decimal(0))
            stops = sum((each.remaining for each in live if each.order_type is OrderType.STOP), Decimal(0))
            if not live:
                continue
            self.examined += 1
            if targets <= size and (stops <= size + entry or not size):
                self.excess.pop(contract, None)
                continue
            now_ms = self.world.kernel.now_ms
            out = any(each.holds(now_ms) for each in self.world.faults.windows)
            faults = -now_ms if out else len(self.world.tape.faults)
            known = self.excess.setdefault(contract, _Excess(self.world.kernel.now_ms, faults))
            if faults != known.faults:
                self.excess[contract] = _Excess(self.world.kernel.now_ms, faults)
            elif self.world.kernel.now_ms - known.since_ms > CORRECTED_WITHIN_MS:
                yield f"stops of {contract} sum to {stops}, targets to {targets} over {size} and an entry of {entry}"


class OnlyEntriesOpen(Invariant):
    """S6. Whatever is not an entry is reduce-only, and a position of ours never turns over without passing flat."""

    name = "S6"

    def __init__(self, world: SimulatedWorld, workload: Workload) -> None:
        super().__init__(world, workload)
        self.sides: dict[str, int] = {}
        self.placed = 0

    def effect(self, what: str) -> Iterable[str]:
        books = self.world.venue.engine.books
        for contract, held in books.positions.items():
            sign = 1 if held.size > 0 else -1
            before = self.sides.get(contract)
            if before == -sign and contract not in self.world.truth.owner_traded:
                yield f"{contract} turned over from {before} to {held.size}"
        self.sides = {contract: 1 if each.size > 0 else -1 for contract, each in books.positions.items()}
        for request in self.world.venue.placed[self.placed :]:
            self.examined += 1
            if request.reduce_only or self.world.venue.engine.find(client_order_id=request.client_order_id) is None:
                continue
            known = self._intent(request.client_order_id)
            if known is not None and known.purpose is not Purpose.ENTRY:
                yield f"the {known.purpose} {request.client_order_id} in {request.contract} may open"
        self.placed = len(self.world.venue.placed)

    def _intent(self, client_order_id: str) -> OrderIntent | None:
        found = (each.by_client_order_id(client_order_id) for each in records(self.world))
        return next((each for each in found if each is not None), None)


PROTECTION: tuple[type[Invariant], ...] = (
    CoveredInTime,
    StopsStandWhereMeant,
    StopOnlyTightens,
    ReplacingKeepsCover,
    NeverMoreOrdersThanPosition,
    OnlyEntriesOpen,
)
