"""S15 - S20: the switch, the flatten, the day's loss, and how much may be sent at all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

from tests.simulation.invariants.seen import ControlWrite, DayWrite, Place, Write, at_ms, is_ours, seen_in
from tests.simulation.invariants.traffic import BoundedTraffic
from tests.simulation.judge import Invariant
from tests.simulation.memory.tables import Stored
from tests.simulation.options import MINUTE_MS
from tests.simulation.workload import IDLE_MINUTES, Workload
from tests.simulation.world import SimulatedWorld
from trading import matching
from trading.matching import MarketStatus, MatchingEngine, Order
from trading.model.control import Control, KillLevel, RiskDay
from trading.model.orders import IntentState, Purpose
from trading.model.positions import Position

FLAT_WITHIN_MS = 120_000
"""N_flat of the reference: reachable time until entries are off, or positions gone."""

DAY_SEEN_WITHIN_MS = (IDLE_MINUTES + 1) * MINUTE_MS
MARKET_ORDER_REACHES = Decimal("0.01")
"""Share of the mark: more than the book of a simulated market is deep."""

LEFT_WITHIN_MS = FLAT_WITHIN_MS + IDLE_MINUTES * MINUTE_MS
"""A halt of the risk day changes nothing that the workload looks at: an idle slot may come this much later."""

OPERATED = "control_trading"


def level_of(stored: Stored[Control] | None) -> KillLevel:
    """A record that is missing or damaged stops entries."""
    if stored is None or isinstance(stored.value, str):
        return KillLevel.NO_ENTRIES
    return stored.value.level


def stops_entries(stored: Stored[RiskDay] | None) -> bool:
    """Halted, not believed, or not readable."""
    if stored is None:
        return False
    day = stored.value
    return isinstance(day, str) or day.halted or day.implausible is not None


def cannot_be_closed(engine: MatchingEngine, contract: str) -> bool:
    """The market is halted; or an order of the owner's rests where a market order would meet it, which the venue
    refuses as trading with oneself, and which is not ours to take off."""
    if engine.market(contract).status is not MarketStatus.ONLINE:
        return True
    position = engine.books.positions[contract]
    reach = engine.point(contract).mark * MARKET_ORDER_REACHES
    for order in engine.books.orders_of(contract):
        on_his_side = (order.side is matching.Side.BUY) is (position.size > 0)
        if is_ours(order.client_order_id) or not on_his_side or order.limit_price is None:
            continue
        if abs(order.limit_price - engine.point(contract).mark) <= reach:
            return True
    return False


def entry_goes_out(write: Write) -> bool:
    """This version is the one by which an entry is sent."""
    if not isinstance(write.after, Position):
        return False
    entry = write.after.intent(Purpose.ENTRY)
    if entry is None or entry.state is not IntentState.SENDING:
        return False
    before = write.before.intent(Purpose.ENTRY) if isinstance(write.before, Position) else None
    return before is None or before.state is not IntentState.SENDING


class KilledMeansNoEntry(Invariant):
    """S15: at K1 or above no entry is recorded as being sent, and none is accepted past its deadline."""

    name = "S15"

    def __init__(self, world: SimulatedWorld, workload: Workload) -> None:
        super().__init__(world, workload)
        self.seen = seen_in(world)
        self._writes, self._controls, self._orders = Place(), Place(), Place()
        self._since: int | None = None
        skew = max(world.options.clock_offset_ms, 0)
        self._in_flight_ms = world.rules.execution.process_before_s * 1000 + skew

    def changed(self) -> Iterator[str]:
        for write in self._controls.new(self.seen.controls):
            held = level_of(write.after) >= KillLevel.NO_ENTRIES
            self._since = (self._since if self._since is not None else write.at_ms) if held else None
        level = level_of(self.world.tables.control)
        for sent in self._writes.new(self.seen.writes):
            if entry_goes_out(sent):
                self.examined += 1
                if level >= KillLevel.NO_ENTRIES and isinstance(sent.after, Position):
                    yield f"an entry of {sent.after.contract} was recorded as being sent at K{level.value}"
        for order in self._orders.new(self.seen.orders):
            if order.reduce_only or not is_ours(order.client_order_id):
                continue
            self.examined += 1
            if self._since is not None and at_ms(order.received_at) > self._since + self._in_flight_ms:
                yield f"entry {order.client_order_id} was accepted {at_ms(order.received_at) - self._since} ms after K1"


class CancelledWhenStopped(Invariant):
    """S16: from K2 on, and when the day is halted, entries that rest are off within N_flat of reachable time."""

    name = "S16"

    def __init__(self, world: SimulatedWorld, workload: Workload) -> None:
        super().__init__(world, workload)
        self.seen = seen_in(world)
        self._controls, self._days = Place(), Place()
        self._switched_ms: int | None = None
        self._halted_ms: int | None = None

    def effect(self, what: str) -> Iterator[str]:
        """Counts the entries that rest when they are stopped: the switch itself may take them off within seconds."""
        switched = [level_of(each.after) for each in self._controls.new(self.seen.controls)]
        halted = [stops_entries(each.after) for each in self._days.new(self.seen.days)]
        if any(each >= KillLevel.CANCEL_ENTRIES for each in switched) or any(halted):
            self.examined += len(self._resting())
        return iter(())

    def _resting(self) -> list[Order]:
        live = self.world.venue.engine.books.live.values()
        return [each for each in live if not each.reduce_only and is_ours(each.client_order_id)]

    def minute(self) -> Iterator[str]:
        now = self.world.kernel.now_ms
        switched = level_of(self.world.tables.control) >= KillLevel.CANCEL_ENTRIES
        self._switched_ms = (self._switched_ms or now) if switched else None
        self._halted_ms = (self._halted_ms or now) if stops_entries(self.world.tables.risk_day) else None
        limits = [(self._switched_ms, FLAT_WITHIN_MS), (self._halted_ms, FLAT_WITHIN_MS + DAY_SEEN_WITHIN_MS)]
        for since, within in limits:
            if since is None:
                continue
            calm = self.seen.calm.since(now)
            for order in self._resting():
                self.examined += 1
                waited = now - max(since, calm, at_ms(order.received_at))
                if waited > within:
                    yield f"entry {order.client_order_id} still rests {waited} ms after entries were cancelled"

    def quiet(self) -> Iterator[str]:
        yield from self.minute()


class FlattenedIsFlat(Invariant):
    """S17: at K3 every position is gone within N_flat of reachable time, then nothing of ours is left working."""

    name = "S17"

    def __init__(self, world: SimulatedWorld, workload: Workload) -> None:
        super().__init__(world, workload)
        self.seen = seen_in(world)
        self._since: int | None = None
        self._held: dict[str, int] = {}
        self._flat: int | None = None

    def minute(self) -> Iterator[str]:
        now = self.world.kernel.now_ms
        if level_of(self.world.tables.control) < KillLevel.FLATTEN:
            self._since, self._flat, self._held = None, None, {}
            return
        self._since = self._since or now
        engine, calm = self.world.venue.engine, self.seen.calm.since(now)
        self._held = {each: self._held.get(each, now) for each in engine.books.positions}
        for contract in engine.books.positions:
            self.examined += 1
            if cannot_be_closed(engine, contract):
                self._held[contract] = now
            if now - max(calm, self._held[contract]) > FLAT_WITHIN_MS:
                yield f"{contract} is still held {now - self._held[contract]} ms after the flatten"
        self._flat = None if self._held else (self._flat or now)
        yield from self._left_working(now, calm)

    def _left_working(self, now: int, calm: int) -> Iterator[str]:
        """Counted from when the order came too: what a stranger opened and we closed between two minutes had a stop."""
        if self._flat is None or now - max(self._flat, calm) <= LEFT_WITHIN_MS:
            return
        self.examined += 1
        for order in self.world.venue.engine.books.live.values():
            waited = now - max(self._flat, calm, at_ms(order.received_at))
            if is_ours(order.client_order_id) and waited > LEFT_WITHIN_MS:
                yield f"order {order.client_order_id} still works {waited} ms after all was flat at K3"


class HaltedByLoss(Invariant):
    """S18: the day's loss limit stops entries in time, and only a person ends it, on a later day."""

    name = "S18"

    def __init__(self, world: SimulatedWorld, workload: Workload) -> None:
        super().__init__(world, workload)
        self.seen = seen_in(world)
        self._writes, self._days = Place(), Place()
        self._peak: tuple[object, Decimal] = (None, Decimal(0))
        self._lost_since: int | None = None

    def effect(self, what: str) -> Iterator[str]:
        for day in self._days.new(self.seen.days):
            yield from self._day(day)
        for write in self._writes.new(self.seen.writes):
            if entry_goes_out(write):
                self.examined += 1
                if stops_entries(self.world.tables.risk_day):
                    yield "an entry was recorded as being sent while the risk day stops entries"

    def _day(self, write: DayWrite) -> Iterator[str]:
        before = write.before.value if write.before else None
        after = write.after.value if write.after else None
        if not isinstance(before, RiskDay) or before.halted_on is None or isinstance(after, str):
            return
        self.examined += 1
        if after is not None and after.halted_on is not None:
            return
        function, today = write.process.invocation.function, self.world.kernel.now().date()
        if function != OPERATED:
            yield f"the halt of {before.halted_on} was ended by {function}, not by a person"
        elif before.halted_on >= today:
            yield f"the halt of {before.halted_on} was ended on {today}, not on a later day"

    def minute(self) -> Iterator[str]:
        """The true loss, with some room for what is between two readings of the account."""
        now, rules = self.world.kernel.now_ms, self.world.rules.risk
        today, equity = self.world.kernel.now().date(), self.world.venue.engine.equity()
        peak = max(self._peak[1], equity) if self._peak[0] == today else equity
        self._peak = (today, peak)
        limit = rules.daily_loss_pct + 1
        lost = (peak - equity) / peak * 100 if peak > 0 else Decimal(100)
        self._lost_since = (self._lost_since or now) if lost >= limit else None
        if self._lost_since is None:
            return
        self.examined += 1
        unseen = now - max(self._lost_since, self.seen.calm.since(now))
        if unseen > 2 * MINUTE_MS and not stops_entries(self.world.tables.risk_day):
            yield f"{lost:.2f} % of the day's peak are lost for {unseen} ms and entries are not halted"


class LoweredByPeople(Invariant):
    """S19: the level falls only by a resume that says who and why, with an audit record; K3 only people order."""

    name = "S19"

    def __init__(self, world: SimulatedWorld, workload: Workload) -> None:
        super().__init__(world, workload)
        self.seen = seen_in(world)
        self._controls = Place()

    def changed(self) -> Iterator[str]:
        for write in self._controls.new(self.seen.controls):
            self.examined += 1
            yield from self._judge(write)

    def _judge(self, write: ControlWrite) -> Iterable[str]:
        after = write.after.value if write.after else None
        if not isinstance(after, Control):
            yield "the switch was left without a record that can be read"
            return
        before, function = level_of(write.before), write.process.invocation.function
        known = write.before.version if write.before else None
        if after.version != (known or 0) + 1:
            yield f"the switch went from version {known} to {after.version}"
        if not any(each == after for each in self.world.tables.control_audit.values()):
            yield f"version {after.version} of the switch has no audit record"
        resumed = function == OPERATED and write.process.invocation.name.startswith("resume")
        if after.level < before and not (resumed and after.reason and "(request " in after.changed_by):
            yield f"the level fell from K{before.value} to K{after.level.value} by {after.changed_by!r} in {function}"
        one_step = before > KillLevel.NO_ENTRIES and not write.process.invocation.name.endswith("confirmed")
        unlocked = before is KillLevel.LOCK and after.level < KillLevel.NO_ENTRIES
        if after.level < before and (one_step or unlocked):
            yield f"the level fell from K{before.value} to K{after.level.value} in too few steps"
        if after.level >= KillLevel.FLATTEN and after.level > before and function != OPERATED:
            yield f"{function} raised the level to K{after.level.value} by itself"


CONTROL: tuple[type[Invariant], ...] = (
    KilledMeansNoEntry,
    CancelledWhenStopped,
    FlattenedIsFlat,
    HaltedByLoss,
    LoweredByPeople,
    BoundedTraffic,
)
