"""Tier B of a simulated day: the real decorated handlers on the real stores and adapters, below them no socket.

Everything above the transports is that of tier A: kernel, faults, workload, people, judge and invariants.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

from shared import clock as clock_module
from shared import trading_desk, venues
from shared.alerts import Alerts
from shared.secrets import SecretReader
from shared.storage.control import ControlStore
from shared.storage.ledger import Ledger
from shared.storage.market_data import MarketDataStore
from tests.fakes.cloud import LEDGER, MARKET
from tests.fakes.records import control
from tests.simulation.coins import drawn_instruments
from tests.simulation.fault_model import FaultModel
from tests.simulation.kernel import Gone, Invocation, Kernel, Process
from tests.simulation.market import SimulatedPrices
from tests.simulation.options import MINUTE_MS
from tests.simulation.tier_b.calls import KernelCalls
from tests.simulation.tier_b.environments import Environments
from tests.simulation.tier_b.output import Output, captured
from tests.simulation.tier_b.rules_text import override_of
from tests.simulation.tier_b.tables import TablesInDynamo, hours_between
from tests.simulation.tier_b.venue import VenueOverHttp
from tests.simulation.transports import http
from tests.simulation.transports.cloud import TOPIC
from tests.simulation.transports.stack import SimulatedStack, StackHooks, forget_process, installed_stack
from tests.simulation.world import (
    HANDLERS,
    OTHER_RULES,
    QUIET_MS,
    START,
    TIMEOUTS_S,
    ProcessClock,
    SimulatedWorld,
)
from trading.model.candles import Candle, CandleSeries
from trading.model.instruments import InstrumentId, Universe
from trading.model.times import Timeframe
from trading.rules import Rules

COLD_START_MS = (300.0, 2_500.0)


class MarketDataOfWorld(MarketDataStore):
    """The real store, with closes written as ingestion writes them."""

    def set_closes(self, at: datetime, closes: Mapping[InstrumentId, float]) -> None:
        """The closes (spot USD) of the 15m bar that is the newest closed one at `at`."""
        opened = int(Timeframe.M15.floor(at).timestamp()) - Timeframe.M15.seconds
        bars = {
            (instrument, Timeframe.M15): CandleSeries(
                Timeframe.M15,
                [Candle(open_time=opened, open=close, high=close, low=close, close=close, volume=1.0)],
            )
            for instrument, close in closes.items()
        }
        self.add(bars, at)


@dataclass
class WorldB(SimulatedWorld):
    """A `SimulatedWorld` by its surface. `prices` in place of the drawn ones, over the whole run; see `installed`."""

    prices: Any = None

    def __post_init__(self) -> None:
        options, span_ms = self.options, self.day_ms + QUIET_MS
        self.instruments = drawn_instruments(options)
        minutes = span_ms // MINUTE_MS + 5
        end = START + timedelta(minutes=minutes)
        if self.prices is None:
            self.prices = SimulatedPrices(options, [each.contract for each in self.instruments], START, minutes)
        venue = VenueOverHttp(options, self.instruments, self.prices, (START, end))
        self.venue = cast(Any, venue)
        self.stack = SimulatedStack(venue.wire)
        self.tables = cast(
            Any, TablesInDynamo(self.stack.dynamo, self.stack.services, tuple(hours_between(START, end)))
        )
        self.faults = FaultModel(options, self.tape, quiet_from_ms=self.day_ms)
        venue.revoked = lambda: self.faults.holding("key revoked", self.kernel.now_ms)
        self.kernel = Kernel(seed=options.seed, start=START, decide=self.faults.decide)
        self.kernel.observe = lambda _process, call, _verdict: self.observe(f"{call.kind}.{call.name}")
        self.kernel.on_end = self._ended
        self.clock = ProcessClock(self.kernel)
        self.calls = KernelCalls(self.kernel, venue)
        venue.wire.hook = self.calls.over_http
        self.environments = Environments(self.kernel, lambda: len(self.versions), self._two_versions)
        self.output = Output((http.KEY, http.SECRET))
        with installed_stack(self.stack):
            self._build_stores()
            self.control_truth.set_control(control())
            universe = Universe(instruments=tuple(sorted(self.instruments, key=lambda each: each.id)))
            self.market_truth.save_universe(universe, START, None)

    def _build_stores(self) -> None:
        self.ledger_truth = cast(Any, Ledger(LEDGER))
        self.control_truth = cast(Any, ControlStore(LEDGER))
        self.market_truth = cast(Any, MarketDataOfWorld(MARKET, bars_kept=self.rules.data.bars_kept))
        self.stores = cast(Any, {"ledger": self.ledger_truth, "control": self.control_truth})
        self.alerts = cast(Any, Alerts(TOPIC, self.control_truth))

    def told(self) -> str:
        changed = " ".join(f"{name}={value}" for name, value in sorted(cast(Any, self.venue).dialect.items()))
        return f"{self.options.told()} {changed}"

    def _two_versions(self) -> bool:
        return bool(self.versions) and self.kernel.now_ms < self.versions[-1]

    # running

    def invoke(
        self, function: str, name: str, event: dict[str, Any] | None = None, slow_factor: float = 1.0
    ) -> Process:
        """Start one invocation of a real decorated handler now, in a warm environment or a new one."""
        self.invocations[function] += 1
        invocation = Invocation(
            function=function,
            name=name,
            timeout_s=TIMEOUTS_S[function],
            clock_offset_ms=self.options.clock_offset_ms,
            slow_factor=slow_factor,
        )
        return self.kernel.spawn(invocation, lambda: self._handle(function, name, event or {}))

    def _handle(self, function: str, name: str, event: dict[str, Any]) -> Any:
        process = self.kernel.current()
        assert process is not None, "a handler runs in a process"
        environment, cold = self.environments.take(process)
        if cold:
            forget_process()
            self._pause(process, COLD_START_MS[0] + process.random.random() * (COLD_START_MS[1] - COLD_START_MS[0]))
        context = SimpleNamespace(
            function_name=function, memory_limit_in_mb=512, invoked_function_arn=f"arn:{function}", aws_request_id=name
        )
        rules = self.rules if environment.version % 2 == 0 else OTHER_RULES
        os.environ["SMC_RULES_OVERRIDE"] = self._override(rules)
        os.environ["SMC_CODE_VERSION"] = f"version {environment.version}"
        return HANDLERS[function].handler(event, context)

    def _pause(self, process: Process, milliseconds: float) -> None:
        self.kernel.after(milliseconds, lambda: self.kernel._switch(process))
        self.kernel.hub.switch()
        if process.over:
            raise Gone("cold start")

    def _override(self, rules: Rules) -> str:
        text: str = self.environments.outside.once(("rules", rules.fingerprint), lambda: override_of(rules))
        return text

    def _ended(self, process: Process) -> None:
        self.environments.give_back(process)
        super()._ended(process)

    @contextmanager
    def installed(self) -> Iterator[WorldB]:
        """This operating-system process is Lambda over the simulated stack until the block ends."""
        clock, wait = clock_module.current_clock(), clock_module.current_wait()
        hooks = StackHooks(dynamo=self.calls.store, services=self.calls.service)
        with captured(self.output, HANDLERS), installed_stack(self.stack, hooks), self._own_clients():
            clock_module.install_clock(self.clock)
            try:
                yield self
            finally:
                clock_module.install_clock(clock, wait)
                # What was killed runs its last lines when Python collects it: here, where nobody sees them.
                self.kernel.forget_dead()
                gc.collect()

    @contextmanager
    def _own_clients(self) -> Iterator[None]:
        """Each environment has clients and keys of its own, as a process has."""
        desk: Any = trading_desk
        before = {name: getattr(desk, name) for name in ("account_of", "spot_of", "trading_keys")}
        environments = self.environments
        desk.account_of = _made_once(environments, venues.account_of)
        desk.spot_of = _made_once(environments, venues.spot_of)
        desk.trading_keys = lambda secret: environments.current().once("keys", self._reader).trading_keys(secret)
        try:
            yield
        finally:
            for name, each in before.items():
                setattr(desk, name, each)

    def _reader(self) -> SecretReader:
        return SecretReader(lambda: self.kernel.now_ms / 1000)


def _made_once(environments: Environments, cached: Any) -> Callable[..., Any]:
    make = cached.__wrapped__

    def made(*given: Any) -> Any:
        return environments.current().once((make.__name__, *given), lambda: make(*given))

    return made
