"""Tier A of a simulated day: the real handlers over stores and a venue in memory, every call through the kernel."""

from __future__ import annotations

import inspect
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import ModuleType, SimpleNamespace
from typing import Any, cast

import functions.control_trading.handler as control_trading
import functions.execute_signals.handler as execute_signals
import functions.manage_exits.handler as manage_exits
import functions.reconcile_positions.handler as reconcile_positions
from shared import clock as clock_module
from shared.order_desk import OrderDesk
from shared.trading_desk import TradingDesk
from tests.fakes.records import control
from tests.simulation.coins import drawn_instruments
from tests.simulation.fault_model import FaultModel, Window
from tests.simulation.faults import Tape
from tests.simulation.kernel import Invocation, Kernel, Process
from tests.simulation.market import SimulatedPrices
from tests.simulation.memory.control import MemoryControlStore
from tests.simulation.memory.decisions import MemoryDecisions
from tests.simulation.memory.ledger import MemoryLedger
from tests.simulation.memory.market import MemoryMarketData
from tests.simulation.memory.tables import MemoryTables
from tests.simulation.memory.watch import MemoryWatch
from tests.simulation.options import DAY_MS, MINUTE_MS, Options
from tests.simulation.ports import AlertsThroughKernel, SpotThroughKernel, StoreThroughKernel, VenueThroughKernel
from tests.simulation.venue import SimulatedVenue
from trading.model.candles import CandleSeries
from trading.model.instruments import Universe
from trading.model.orders import IntentState
from trading.model.times import Timeframe
from trading.model.units import Price
from trading.model.venue import ListedPair, SpotQuote
from trading.rules import Rules, load_rules

SIMULATED_RULES = load_rules('{"risk": {"maximum_positions": 3, "risk_per_trade_pct": 1.5}}')
"""As shipped, but for limits that a day's few coins and trades can reach."""

OTHER_RULES = load_rules(
    '{"risk": {"maximum_positions": 3, "risk_per_trade_pct": 1.5}, "execution": {"process_before_s": 8}}'
)
"""Of the version that is deployed during a day."""

START = datetime(2024, 5, 1, tzinfo=UTC)
QUIET_MS = 10 * MINUTE_MS
"""The quiet phase after the day: ten reconcile periods without a fault."""

IN_FLIGHT = frozenset(
    {IntentState.PLANNED, IntentState.SENDING, IntentState.UNKNOWN, IntentState.PARTIAL, IntentState.CANCEL_PENDING}
)

HANDLERS: dict[str, ModuleType] = {
    "execute_signals": execute_signals,
    "manage_exits": manage_exits,
    "reconcile_positions": reconcile_positions,
    "control_trading": control_trading,
}
TIMEOUTS_S = {"execute_signals": 20.0, "manage_exits": 20.0, "reconcile_positions": 20.0, "control_trading": 60.0}
"""As in template.yaml; a test compares them."""


@dataclass
class QuietTelemetry:
    """`shared.observability.Telemetry` that only counts."""

    counted: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.logger = SimpleNamespace(get_current_keys=lambda: {"function_request_id": "simulated"})

    def count(self, name: str, value: float = 1) -> None:
        self.counted[name] += int(value)

    def seconds(self, name: str, value: float) -> None:
        pass

    def note(self, name: str, value: object) -> None:
        pass


@dataclass(frozen=True, eq=False)
class ProcessClock:
    """The clock as the running process has it: right in the simulation itself, off by the environment's error else."""

    kernel: Kernel

    def now(self) -> datetime:
        process = self.kernel.current()
        offset = process.invocation.clock_offset_ms if process else 0
        return self.kernel.now() + timedelta(milliseconds=offset)


@dataclass
class SimulatedSpot:
    """Spot trades at the index of the contract."""

    venue: SimulatedVenue

    def pairs(self) -> tuple[ListedPair, ...]:
        return ()

    def quotes(self, pairs: Sequence[str]) -> dict[str, SpotQuote]:
        found = {}
        for each in self.venue.instruments.values():
            index = self.venue.engine.point(each.contract).index
            found[each.spot_pair] = SpotQuote(
                pair=each.spot_pair, bid=Price(index), ask=Price(index), at=self.venue.engine.now
            )
        return {pair: found[pair] for pair in pairs}

    def candles(self, pair: str, timeframe: Timeframe, since: datetime | None) -> CandleSeries:
        return CandleSeries(timeframe)


@dataclass
class Truth:
    """What really happened that neither venue nor ledger says: whose doing something was."""

    owner_cancelled: set[str] = field(default_factory=set)
    owner_traded: set[str] = field(default_factory=set)
    halts: dict[str, list[Window]] = field(default_factory=dict)


@dataclass
class SimulatedWorld:
    """Everything of one run. `on_handler_end` is told of every invocation that ended or was killed."""

    options: Options
    tape: Tape
    rules: Rules = SIMULATED_RULES
    day_ms: int = DAY_MS
    observers: list[Callable[[str], None]] = field(default_factory=list)
    telemetry: QuietTelemetry = field(default_factory=QuietTelemetry)
    invocations: Counter[str] = field(default_factory=Counter)
    endings: list[Callable[[Process], None]] = field(default_factory=list)
    versions: list[int] = field(default_factory=list)
    truth: Truth = field(default_factory=lambda: Truth())

    def __post_init__(self) -> None:
        options = self.options
        self.instruments = drawn_instruments(options)
        minutes = (self.day_ms + QUIET_MS) // MINUTE_MS + 5
        contracts = [each.contract for each in self.instruments]
        self.prices = SimulatedPrices(options, contracts, START, minutes)
        self.venue = SimulatedVenue(options, self.instruments, self.prices, START)
        self.tables = MemoryTables()
        self.faults = FaultModel(options, self.tape, quiet_from_ms=self.day_ms)
        self.kernel = Kernel(seed=options.seed, start=START, decide=self.faults.decide)
        self.kernel.observe = lambda _process, call, _verdict: self.observe(f"{call.kind}.{call.name}")
        self.kernel.on_end = self._ended
        self.clock = ProcessClock(self.kernel)
        self._build_stores()
        self.control_truth.set_control(control())
        universe = Universe(instruments=tuple(sorted(self.instruments, key=lambda each: each.id)))
        self.market_truth.save_universe(universe, START, None)

    def _build_stores(self) -> None:
        tables, kernel, venue = self.tables, self.kernel, self.venue
        self.ledger_truth = MemoryLedger(tables)
        self.control_truth = MemoryControlStore(tables)
        self.market_truth = MemoryMarketData(tables)
        stores = {
            "ledger": self.ledger_truth,
            "control": self.control_truth,
            "decisions": MemoryDecisions(tables),
            "market": self.market_truth,
            "watch": MemoryWatch(tables),
        }
        self.stores = {name: StoreThroughKernel(kernel, store, name) for name, store in stores.items()}
        self.alerts = AlertsThroughKernel(kernel, tables, self.stores["control"])
        self.account = VenueThroughKernel(kernel, venue, lambda: self.faults.holding("key revoked", kernel.now_ms))
        self.spot = SpotThroughKernel(kernel, SimulatedSpot(venue), lambda: venue.catch_up(kernel.now()))

    def deploy(self, overlap_ms: int) -> None:
        """Another version with other rules; for a while both answer, each invocation one of them."""
        self.versions.append(self.kernel.now_ms + overlap_ms)

    def _version(self) -> int:
        """Which version the running process is of."""
        process = self.kernel.current()
        newest = len(self.versions)
        overlapping = newest and self.kernel.now_ms < self.versions[-1]
        return newest - 1 if overlapping and process and process.random.random() < 0.5 else newest

    def told(self) -> str:
        """Everything that was drawn for this run, in one line."""
        return self.options.told()

    def observe(self, what: str) -> None:
        for observer in self.observers:
            observer(what)

    def unsettled(self) -> bool:
        """Some order is under way, or some record cannot be read: every slot counts."""
        return any(
            isinstance(each.value, str) or any(intent.state in IN_FLIGHT for intent in each.value.intents)
            for each in self.tables.positions.values()
        )

    # what handlers are given

    def open_desk(self, *_: object) -> TradingDesk:
        stores: dict[str, Any] = dict(self.stores)
        version = self._version()
        rules = self.rules if version % 2 == 0 else OTHER_RULES
        return TradingDesk(
            venue=cast(Any, self.account),
            spot=cast(Any, self.spot),
            ledger=stores["ledger"],
            control=stores["control"],
            decisions=stores["decisions"],
            market=stores["market"],
            alerts=cast(Any, self.alerts),
            orders=OrderDesk(
                venue=cast(Any, self.account), ledger=stores["ledger"], clock=self.clock, rules=self.rules
            ),
            watch=stores["watch"],
            clock=self.clock,
            rules=rules,
            telemetry=cast(Any, self.telemetry),
            now=self.clock.now(),
            code_version=f"version {version}",
        )

    # running

    def invoke(
        self, function: str, name: str, event: dict[str, Any] | None = None, slow_factor: float = 1.0
    ) -> Process:
        """Start one invocation of a real handler now."""
        self.invocations[function] += 1
        work = _WORK[function]
        invocation = Invocation(
            function=function,
            name=name,
            timeout_s=TIMEOUTS_S[function],
            clock_offset_ms=self.options.clock_offset_ms,
            slow_factor=slow_factor,
        )
        return self.kernel.spawn(invocation, lambda: work(event or {}, self.telemetry))

    def _ended(self, process: Process) -> None:
        for ending in self.endings:
            ending(process)

    def installed(self) -> Any:
        return _in_memory(self)


_WORK: dict[str, Callable[..., Any]] = {name: inspect.unwrap(module.handler) for name, module in HANDLERS.items()}


def installed(world: SimulatedWorld) -> Any:
    """While this context holds, handlers compose their desk from this world; everything is put back afterwards."""
    return world.installed()


@contextmanager
def _in_memory(world: SimulatedWorld) -> Any:
    settings = SimpleNamespace(
        mode="live", ledger_table="", market_data_table="", alerts_topic_arn="", rules_override="", code_version="one"
    )
    replaced: dict[str, Any] = {
        "open_desk": world.open_desk,
        "load_settings": lambda _kind: settings,
        "control_of": lambda _name: world.stores["control"],
        "ledger_of": lambda _name: world.stores["ledger"],
        "market_of": lambda _name, _bars: world.stores["market"],
        "alerts_of": lambda _arn, _control: world.alerts,
        "rules_for": lambda _settings: world.rules,
        "current_clock": lambda: world.clock,
    }
    before = [
        (module, name, getattr(module, name))
        for module in HANDLERS.values()
        for name in replaced
        if hasattr(module, name)
    ]
    clock, wait = clock_module.current_clock(), clock_module.current_wait()
    level = logging.root.manager.disable
    for module, name, _ in before:
        setattr(module, name, replaced[name])
    clock_module.install_clock(world.clock)
    logging.disable(logging.CRITICAL)
    try:
        yield world
    finally:
        for module, name, original in before:
            setattr(module, name, original)
        clock_module.install_clock(clock, wait)
        logging.disable(level)
