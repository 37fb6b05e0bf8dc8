"""What has happened in a run so far, noticed once for all invariants: each keeps its own place in these lists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import NamedTuple, TypeVar

from shared.storage.ledger import SignalState, StoredSignal
from tests.simulation.faults import Verdict
from tests.simulation.invariants.calm import Calm
from tests.simulation.kernel import Call, Process
from tests.simulation.memory.tables import Archived, Stored
from tests.simulation.world import START, SimulatedWorld
from trading.matching import Order
from trading.model.control import Control, RiskDay
from trading.model.instruments import InstrumentId
from trading.model.orders import CLIENT_ORDER_ID_PREFIX
from trading.model.positions import Position

Kind = TypeVar("Kind")


class Write(NamedTuple):
    """One new version of a position record; `before` is None for a new one, a text is a damaged one."""

    at_ms: int
    process: Process
    before: Position | str | None
    after: Position | str


class Ending(NamedTuple):
    """One record that left the open ones."""

    at_ms: int
    process: Process
    before: Position
    archived: Archived | None


class ControlWrite(NamedTuple):
    at_ms: int
    process: Process
    before: Stored[Control] | None
    after: Stored[Control] | None


class DayWrite(NamedTuple):
    at_ms: int
    process: Process
    before: Stored[RiskDay] | None
    after: Stored[RiskDay] | None


class Settled(NamedTuple):
    at_ms: int
    process: Process
    signal: StoredSignal


class VenueCall(NamedTuple):
    """A request that reached the venue to place or cancel something. `subject` is the id it names."""

    at_ms: int
    process: Process
    name: str
    subject: str


@dataclass
class Seen:
    """`restores` are the times at which tables were put back; what was noticed before stays noticed."""

    world: SimulatedWorld
    writes: list[Write] = field(default_factory=list)
    endings: list[Ending] = field(default_factory=list)
    controls: list[ControlWrite] = field(default_factory=list)
    days: list[DayWrite] = field(default_factory=list)
    settled: list[Settled] = field(default_factory=list)
    calls: list[VenueCall] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    sending_ms: dict[str, int] = field(default_factory=dict)
    damaged: set[InstrumentId] = field(default_factory=set)
    restores: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        tables = self.world.tables
        self._inner = self.world.kernel.observe
        self.calm = Calm(self.world)
        self._table = tables.positions
        self._positions: dict[InstrumentId, Stored[Position]] = dict(tables.positions)
        self._control, self._day = tables.control, tables.risk_day
        self._signals: dict[datetime, object] = dict(tables.signals)
        self._known_ids = 0

    def notice(self, process: Process, call: Call, verdict: Verdict) -> None:
        """In the place of `kernel.observe`: look at what this effect may have changed, then let the others look."""
        if call.writes:
            if call.kind == "store":
                self._look_at_tables(process, call.name)
            elif call.kind == "venue":
                self._look_at_venue(process, call)
        self._inner(process, call, verdict)

    def _look_at_venue(self, process: Process, call: Call) -> None:
        self.calls.append(VenueCall(self.world.kernel.now_ms, process, call.name, call.subject))
        engine = self.world.venue.engine
        known = engine.books.client_ids
        if len(known) > self._known_ids:
            for name in islice(known, self._known_ids, None):
                if order := engine.find(client_order_id=name):
                    self.orders.append(order)
            self._known_ids = len(known)

    def _look_at_tables(self, process: Process, name: str) -> None:
        tables, now = self.world.tables, self.world.kernel.now_ms
        if tables.positions is not self._table:
            self._forget(now)
        if name.startswith("ledger."):
            self._look_at_positions(process, now)
            if name in _SETTLING:
                self._look_at_signals(process, now)
        if tables.control is not self._control:
            self.controls.append(ControlWrite(now, process, self._control, tables.control))
            self._control = tables.control
        if tables.risk_day is not self._day:
            self.days.append(DayWrite(now, process, self._day, tables.risk_day))
            self._day = tables.risk_day

    def _look_at_positions(self, process: Process, now: int) -> None:
        stored, known = self.world.tables.positions, self._positions
        for instrument, item in stored.items():
            before = known.get(instrument)
            if before is not item:
                known[instrument] = item
                self._note_write(Write(now, process, before.value if before else None, item.value), instrument)
        if len(known) > len(stored):
            for instrument in [each for each in known if each not in stored]:
                gone = known.pop(instrument).value
                if isinstance(gone, Position):
                    self.endings.append(Ending(now, process, gone, _archived(self.world, gone)))

    def _note_write(self, write: Write, instrument: InstrumentId) -> None:
        self.writes.append(write)
        if isinstance(write.after, str):
            self.damaged.add(instrument)
            return
        for intent in write.after.intents:
            if intent.sent_at is not None:
                self.sending_ms.setdefault(intent.client_order_id, write.at_ms)

    def _look_at_signals(self, process: Process, now: int) -> None:
        for bar, signals in self.world.tables.signals.items():
            before = self._signals.get(bar)
            if before is signals:
                continue
            self._signals[bar] = signals
            for name, item in signals.items():
                was = before.get(name) if isinstance(before, dict) else None
                if item.state is not SignalState.NEW and (was is None or was.state is SignalState.NEW):
                    self.settled.append(Settled(now, process, item))

    def _forget(self, now: int) -> None:
        """The tables were restored: an older version is no step back of anybody."""
        tables = self.world.tables
        self.restores.append(now)
        self._table, self._positions = tables.positions, {}
        self._control, self._day = tables.control, tables.risk_day
        self._signals = dict(tables.signals)


_SETTLING = frozenset({"ledger.settle_signal", "ledger.open_position"})


def seen_in(world: SimulatedWorld) -> Seen:
    """The one of this run; the first who asks lets it begin to look."""
    owner = getattr(world.kernel.observe, "__self__", None)
    if isinstance(owner, Seen):
        return owner
    found = Seen(world)
    world.kernel.observe = found.notice
    return found


@dataclass(slots=True)
class Place:
    """How far one invariant has read one of the lists."""

    at: int = 0

    def new(self, items: Sequence[Kind]) -> Sequence[Kind]:
        """What was added since the last time."""
        if len(items) == self.at:
            return ()
        found = items[self.at :]
        self.at = len(items)
        return found


def is_ours(client_order_id: str | None) -> bool:
    return client_order_id is not None and client_order_id.startswith(CLIENT_ORDER_ID_PREFIX)


def at_ms(moment: datetime) -> int:
    """The simulated millisecond of a time."""
    return int((moment - START).total_seconds() * 1000)


def records(world: SimulatedWorld) -> list[Position]:
    """The open records that can be read."""
    return [each.value for each in world.tables.positions.values() if isinstance(each.value, Position)]


def archived(world: SimulatedWorld) -> list[Archived]:
    return [entry for month in world.tables.archive.values() for entry in month.values()]


def _archived(world: SimulatedWorld, position: Position) -> Archived | None:
    for entry in archived(world):
        if entry.position.id == position.id:
            return entry
    return None
