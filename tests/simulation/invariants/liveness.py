"""L1 - L9: what has come right by the end of the quiet phase, and whether people got what they asked for."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from shared.storage.ledger import SignalState
from tests.simulation.invariants.control import level_of
from tests.simulation.invariants.seen import Place, Write, at_ms, is_ours, records, seen_in
from tests.simulation.judge import Invariant
from tests.simulation.kernel import Process
from tests.simulation.options import MINUTE_MS
from tests.simulation.workload import IDLE_MINUTES, SCHEDULED, Workload
from tests.simulation.world import TIMEOUTS_S, SimulatedWorld
from trading.matching import MarketStatus
from trading.model.control import KillLevel
from trading.model.orders import IntentState, OrderIntent, Purpose
from trading.model.positions import Position, PositionState

SETTLING_MS = 2 * MINUTE_MS
"""2 R: what changed at the venue within this time may not have been looked at yet."""

MINUTES_TO_BE_TAKEN = 4
"""This long without a hindrance some run of execution has looked at every waiting signal."""

STUCK = frozenset({IntentState.PLANNED, IntentState.SENDING, IntentState.UNKNOWN, IntentState.CANCEL_PENDING})


class QuietRule(Invariant):
    """What the rules of the end have in common."""

    def __init__(self, world: SimulatedWorld, workload: Workload) -> None:
        super().__init__(world, workload)
        self.seen = seen_in(world)

    def moved_lately(self) -> set[str]:
        """Contracts on which something happened too short a time ago to have been looked at."""
        books, options = self.world.venue.engine.books, self.world.options
        lag = max(options.orders_lag_ms, options.positions_lag_ms, options.fills_lag_ms)
        since = self.world.kernel.now_ms - SETTLING_MS - lag
        found = {each.symbol for each in books.fills[-50:] if at_ms(each.time) > since}
        return found | {each.order.symbol for each in books.history[-100:] if at_ms(each.time) > since}

    def damaged(self) -> set[str]:
        return {each.contract for each in self.world.instruments if each.id in self.seen.damaged}

    def online(self, contract: str) -> bool:
        return self.world.venue.engine.market(contract).status is MarketStatus.ONLINE


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
            yield f"{intent.purpose} {intent.client_order_id} of {position.contract} is {intent.state}, not at the venue"
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
        books, left_out = self.world.venue.engine.books, self.moved_lately() | self.damaged()
        wanted = {
            each.client_order_id
            for position in records(self.world)
            for each in position.intents
            if not each.state.terminal
        }
        unreadable = len(records(self.world)) < len(self.world.tables.positions)
        for order in books.live.values():
            if not is_ours(order.client_order_id) or order.symbol in left_out or unreadable:
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
    """L4: no signal is new past its expiry. One whose end fell into a hindrance that lasted as long as it is looked at
    afterwards is left to the records' retention."""

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
                yield f"signal {signal.id} ended as {stored.state}, and nothing hindered anybody for {calm} ms of its life"


class PeopleGetWhatTheyAsk(QuietRule):
    """L6: what an operator asks for without a hindrance happens: pause, flatten, and a resume of a flat account."""

    name = "L6"

    def ended(self, process: Process) -> Iterator[str]:
        if process.invocation.function != "control_trading" or process.failure is not None or process.faults:
            return
        self.examined += 1
        answer, action = process.answer, process.invocation.name.split(" ", 1)[0]
        level = level_of(self.world.tables.control)
        if not answer.get("ok"):
            yield from self._refused(process, action, str(answer.get("error")))
        elif action == "pause" and level < KillLevel.NO_ENTRIES:
            yield f"{process.invocation.name} was answered with ok and the level is K{level.value}"
        elif process.invocation.name.endswith("confirmed") and level < KillLevel.FLATTEN:
            yield f"{process.invocation.name} was answered with ok and the level is K{level.value}"

    def _refused(self, process: Process, action: str, error: str) -> Iterator[str]:
        held = self.world.tables.positions or self.world.venue.engine.books.positions
        raised = level_of(self.world.tables.control) >= KillLevel.FLATTEN
        token = action == "flatten" and "token" in error or "positions have changed" in error
        seen_earlier = self.seen.endings and self.world.kernel.now_ms - self.seen.endings[-1].at_ms < MINUTE_MS
        if token or (action == "resume" and raised and (held or seen_earlier or self._just_flat())):
            return
        yield f"{process.invocation.name} was refused: {error}"

    def _just_flat(self) -> bool:
        """The venue's view may still show what is gone."""
        fills = self.world.venue.engine.books.fills
        return bool(fills) and self.world.kernel.now_ms - at_ms(fills[-1].time) < MINUTE_MS

    def quiet(self) -> Iterator[str]:
        if level_of(self.world.tables.control) < KillLevel.FLATTEN:
            return
        moved = self.moved_lately() | self.damaged()
        for position in records(self.world):
            if position.contract in moved or not self.online(position.contract) or not position.quantity:
                continue
            self.examined += 1
            leaving = [each for each in position.of(Purpose.EXIT) if each.state.may_rest]
            if position.state is not PositionState.CLOSING or not leaving:
                yield f"{position.contract} is {position.state} at K3 with {len(leaving)} exits under way"


class EverybodyRuns(QuietRule):
    """L7: each scheduled function has proven a run lately; idle slots are thinned to one in some minutes."""

    name = "L7"

    def quiet(self) -> Iterator[str]:
        now = self.world.kernel.now_ms
        for function in SCHEDULED:
            self.examined += 1
            run = self.world.tables.runs.get(function)
            if run is None or now - at_ms(run.at) > (IDLE_MINUTES + 3) * MINUTE_MS:
                yield f"the newest run of {function} is of {run.at if run else 'never'}"


class PoisonStaysAlone(QuietRule):
    """L8: one record that cannot be read keeps no other from being protected."""

    name = "L8"

    def quiet(self) -> Iterator[str]:
        if len(records(self.world)) == len(self.world.tables.positions):
            return
        moved = self.moved_lately()
        for position in records(self.world):
            if position.contract in moved or not self.online(position.contract):
                continue
            self.examined += 1
            if position.quantity and position.state is PositionState.UNPROTECTED:
                yield f"{position.contract} stands without a stop while the record of another coin cannot be read"
        run = self.world.tables.runs.get("reconcile_positions")
        since = at_ms(run.at) if run else 0
        self.examined += 1
        if self.world.kernel.now_ms - since > (IDLE_MINUTES + 3) * MINUTE_MS:
            yield f"reconcile last proved a run at {since} ms, with a record that cannot be read"


class QuietRunsAreShort(QuietRule):
    """L9: 95 % of the invocations of the quiet phase end before half of their timeout."""

    name = "L9"

    def __init__(self, world: SimulatedWorld, workload: Workload) -> None:
        super().__init__(world, workload)
        self._long: list[str] = []

    def ended(self, process: Process) -> Iterator[str]:
        quiet_from = self.world.faults.quiet_from_ms
        if process.started_ms >= quiet_from:
            self.examined += 1
            took = self.world.kernel.now_ms - process.started_ms
            if took >= TIMEOUTS_S[process.invocation.function] * 500:
                self._long.append(f"{process.invocation.name} ({took} ms)")
        return iter(())

    def quiet(self) -> Iterator[str]:
        if len(self._long) * 20 > self.examined:
            yield f"{len(self._long)} of {self.examined} quiet runs took half of their timeout: {self._long[0]}"


LIVENESS: tuple[type[Invariant], ...] = (
    BooksAgree,
    NothingStaysInDoubt,
    NoOrphanNoGhost,
    NoSignalWaitsForEver,
    SignalsAreTakenUp,
    PeopleGetWhatTheyAsk,
    EverybodyRuns,
    PoisonStaysAlone,
    QuietRunsAreShort,
)
