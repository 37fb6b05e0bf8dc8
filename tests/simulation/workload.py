"""What a simulated day is made of besides faults and people: schedules, signals and closes of bars."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from functools import partial
from random import Random

from tests.fakes.records import signal
from tests.simulation.kernel import Process
from tests.simulation.options import MINUTE_MS
from tests.simulation.sights import Sights
from tests.simulation.world import START, SimulatedWorld
from trading.errors import InvalidInput
from trading.model.instruments import Instrument, Side
from trading.model.signals import Levels, Setup, Signal
from trading.model.units import Price

HOUR_MS = 60 * MINUTE_MS
SCHEDULED = ("reconcile_positions", "execute_signals", "manage_exits")
AHEAD = timedelta(minutes=40)
"""An unlucky day's signals point against where the price is going in this time: limits of loss are reached."""

EQUITY_STEP = Decimal("0.003")
IDLE_MINUTES = 5
"""Slots in which nothing can be due are run this often; in all others nothing is skipped."""


@dataclass
class Workload:
    """`signals` are those that were offered; of the `slots` that were due `thinned` were idle and not run."""

    world: SimulatedWorld
    signals: list[Signal] = field(default_factory=list)
    slots: int = 0
    thinned: int = 0
    _last_run: dict[str, tuple[object, int, Decimal]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        options = self.world.options
        self._random = Random(f"{options.seed}:workload")
        self._slots = Random(f"{options.seed}:slots")
        self._failed: set[str] = set()
        self.world.endings.append(self._remember_end)
        self._offsets = {name: self._slots.randint(0, 45_000) for name in SCHEDULED}

    def prepare(self, until_ms: int) -> None:
        """Put the whole day on the kernel's heap."""
        self._closes(until_ms)
        self._minutes(until_ms)
        self._offer_signals()

    # schedules

    def _remember_end(self, process: Process) -> None:
        function = process.invocation.function
        if process.failure is None:
            self._failed.discard(function)
        else:
            self._failed.add(function)

    def _minutes(self, until_ms: int) -> None:
        kernel = self.world.kernel
        for minute in range(until_ms // MINUTE_MS):
            for function in SCHEDULED:
                at = minute * MINUTE_MS + self._offsets[function] + self._slots.randint(0, 3000)
                kernel.at(at, self._slot(function, minute, at))

    def _slot(self, function: str, minute: int, at_ms: int) -> Callable[[], None]:
        def fire() -> None:
            self.slots += 1
            if self._idle(function, minute):
                self.thinned += 1
                return
            self._fire(function, f"{function} {minute}", at_ms)

        return fire

    def _fire(self, function: str, name: str, at_ms: int) -> None:
        """One slot, as the scheduler delivers it: not at all, late, or twice."""
        world, options = self.world, self.world.options
        random = Random(f"{options.seed}:{name}")
        roll = random.random()
        if at_ms < world.faults.quiet_from_ms:
            if roll < options.slot_skipped and world.tape.admit(f"{name} skipped", "slot skipped", at_ms):
                return
            roll -= options.slot_skipped
            if 0 <= roll < options.slot_doubled and world.tape.admit(f"{name} doubled", "slot doubled", at_ms):
                copy_in = random.randint(0, 30_000)
                world.kernel.after(copy_in, lambda: self._start(function, f"{name} copy"))
            roll -= options.slot_doubled
            if 0 <= roll < options.slot_late and world.tape.admit(f"{name} late", "slot late", at_ms):
                world.kernel.after(random.randint(1000, 58_000), lambda: self._start(function, name))
                return
        self._start(function, name)

    def _start(self, function: str, name: str) -> None:
        self._last_run[function] = (self._situation(), self.world.kernel.now_ms, self.world.venue.engine.equity())
        self.world.invoke(function, name)

    def _situation(self) -> object:
        """What a run looks at, without what every run writes itself."""
        world = self.world
        tables = world.tables
        versions = tuple(each.version for each in tables.positions.values())
        control = tables.control.version if tables.control else 0
        day = tables.risk_day.state if tables.risk_day else ""
        # The end of an outage is no fault, and yet what waited for it is due.
        reached = sum(each.end_ms <= world.kernel.now_ms for each in world.faults.windows)
        seen = (world.venue.engine.books.counter, len(self.signals), len(world.tape.faults), reached)
        return (day, versions, control, *seen)

    def _idle(self, function: str, minute: int) -> bool:
        """Nothing has changed since the last run of this function, no order is in flight, the equity stands still."""
        last = self._last_run.get(function)
        world = self.world
        if last is None or minute % IDLE_MINUTES == 0 or world.kernel.running or function in self._failed:
            return False
        world.venue.catch_up(world.kernel.now())
        if world.venue.engine.naked_seconds():
            return False
        equity = world.venue.engine.equity()
        moved = abs(equity - last[2]) > last[2] * EQUITY_STEP
        return last[0] == self._situation() and not moved and not world.unsettled()

    # market data

    def _closes(self, until_ms: int) -> None:
        seen = Sights(self.world)
        seen.remember()
        for quarter in range(1, until_ms // (15 * MINUTE_MS) + 1):
            self.world.kernel.at(quarter * 15 * MINUTE_MS + 8000, self._close_bar(quarter))
        for hour in range(1, until_ms // HOUR_MS + 1):
            self.world.kernel.at(hour * HOUR_MS + 9000, partial(seen.close_hour, hour))

    def _close_bar(self, quarter: int) -> Callable[[], None]:
        def close() -> None:
            at = START + quarter * timedelta(minutes=15)
            world = self.world
            closes = {each.id: world.prices.close(each.contract, at) for each in world.instruments}
            world.market_truth.set_closes(at, closes)

        return close

    # signals

    def _offer_signals(self) -> None:
        kernel, random = self.world.kernel, self._random
        hours = self.world.day_ms // HOUR_MS
        for number in range(self.world.options.signals):
            at = random.randrange(0, max(hours - 1, 1)) * HOUR_MS + 20_000 + random.randint(0, 20_000)
            kernel.at(at, self._signal(number, random.random(), random.random(), random.random()))

    def _signal(self, number: int, coin_roll: float, depth: float, width: float) -> Callable[[], None]:
        def offer() -> None:
            world = self.world
            instrument = world.instruments[int(coin_roll * len(world.instruments))]
            try:
                offered = self._make(instrument, number, depth, width)
            except InvalidInput:
                # After a crash the price may be too low for the contract's tick to hold a ladder.
                return
            self.signals.append(offered)
            if world.ledger_truth.add_signal(offered):
                self._deliver(f"signal {number}")

        return offer

    def _make(self, instrument: Instrument, number: int, depth: float, width: float) -> Signal:
        world = self.world
        mark = world.prices.quote(instrument.contract, world.kernel.now()).mark
        side = Side.LONG if number % 2 == 0 else Side.SHORT
        if world.options.unlucky:
            soon = world.prices.quote(instrument.contract, world.kernel.now() + AHEAD).mark
            side = Side.LONG if soon < mark else Side.SHORT
        # Most entries are near and fill soon; some lie a percent away and rest until they expire.
        away = depth * 0.0015 if number % 4 else 0.005 + depth * 0.008
        entry = mark * (1 - Decimal(str(round(away, 6))) * side.sign)
        distance = entry * Decimal(str(round(0.008 + width * 0.012, 6)))
        bar = world.kernel.now().replace(minute=0, second=0, microsecond=0)
        tick = instrument.tick

        def on_grid(price: Decimal) -> Price:
            return Price((price / tick).to_integral_value() * tick)

        sign = side.sign
        levels = Levels(
            side=side,
            entry=on_grid(entry),
            stop=on_grid(entry - distance * sign),
            invalidation=on_grid(entry - distance * sign * Decimal("0.8")),
            target_1=on_grid(entry + distance * sign),
            target_2=on_grid(entry + distance * sign * 2),
        )
        setups = list(Setup)
        return signal(
            instrument.id,
            setups[number % len(setups)],
            decision_bar=bar,
            structure_id=f"s{number}",
            levels=levels,
            atr=distance,
            score=60 + number,
        )

    def _deliver(self, name: str) -> None:
        """The queue's message: soon, again, or days later from the dead-letter queue."""
        world, options = self.world, self.world.options
        random = Random(f"{options.seed}:{name}")
        now = world.kernel.now_ms
        world.kernel.after(random.randint(500, 3000), lambda: self._start("execute_signals", name))
        if random.random() < options.message_doubled and world.tape.admit(f"{name} doubled", "message doubled", now):
            world.kernel.after(random.randint(0, 60_000), lambda: self._start("execute_signals", f"{name} copy"))
        if random.random() < options.message_redriven and world.tape.admit(f"{name} redriven", "message redriven", now):
            later = random.randint(HOUR_MS, 12 * HOUR_MS)
            world.kernel.after(later, lambda: self._start("execute_signals", f"{name} redriven"))
