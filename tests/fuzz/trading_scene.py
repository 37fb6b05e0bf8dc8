"""One account with an open position and a pending signal: real adapters, real use cases, stores in memory."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from functions.execute_signals.execute import execute_signals
from functions.manage_exits.exit import manage_exits
from functions.reconcile_positions.reconcile import reconcile_positions
from infra.local.sandbox.wire import Request
from shared.observability import Telemetry, telemetry_for
from shared.order_desk import OrderDesk
from shared.trading_desk import TradingDesk
from shared.venue import KrakenRestVenue, KrakenSpot
from shared.venue.last_line import LastLine
from tests.fakes.records import NOW, RULES, coin, control, signal
from tests.fuzz.quiet_exchange import CAPS, COINS, KEY, SECRET, is_send, open_exchange
from tests.fuzz.wire import Given, connect
from tests.simulation.memory.either import memory_stores
from tests.simulation.memory.tables import MemoryTables, Snapshot
from trading.matching import Books, MatchingEngine
from trading.model.instruments import InstrumentId, Universe
from trading.model.positions import PositionState

RUNS: dict[str, Callable[[TradingDesk], Any]] = {
    "reconcile": reconcile_positions,
    "execute": execute_signals,
    "manage": manage_exits,
}
"""One minute of the schedule, in this order."""

Changing = Callable[[str, Request, Given], Given | None]
"""Given the run, the request and the true answer: what is answered instead."""


@dataclass(frozen=True, slots=True)
class Sent:
    """An order as it went over the wire, without its names and times: two that are alike do the same."""

    symbol: str
    side: str
    kind: str
    size: str
    reduce_only: bool
    limit: str
    trigger: str


def sent_order(request: Request) -> Sent:
    told = {name: values[-1] for name, values in request.parameters().items()}
    return Sent(
        symbol=told["symbol"],
        side=told["side"],
        kind=told["orderType"],
        size=told["size"],
        reduce_only=told["reduceOnly"] == "true",
        limit=told.get("limitPrice", ""),
        trigger=told.get("stopPrice", ""),
    )


@dataclass(slots=True)
class Scene:
    """`sent`: orders in the order in which they went out since the last restore, of which run."""

    sent: list[tuple[str, Sent]] = field(default_factory=list)
    change: Changing | None = None
    run: str = ""
    tables: MemoryTables = field(default_factory=MemoryTables)
    base: tuple[Snapshot, Books] | None = None

    application: Any = None
    market: Any = None
    account: Any = None
    spot: Any = None
    stores: Any = None
    telemetry: Telemetry = field(default_factory=lambda: telemetry_for("fuzz"))

    def __post_init__(self) -> None:
        self.application, self.market = open_exchange()
        self.account = KrakenRestVenue(key=KEY, secret=SECRET, base_url="http://127.0.0.1:9")
        self.spot = KrakenSpot(clock=self, base_url="http://127.0.0.1:9")
        for wire in (self.account.wire, self.spot.wire):
            connect(wire, self._answer)
        self.stores = memory_stores(self.tables)

    def __hash__(self) -> int:
        return id(self)

    def now(self) -> datetime:
        found: datetime = self.application.venue.engine.now
        return found

    def _answer(self, request: Request) -> Given | None:
        if is_send(request):
            self.sent.append((self.run, sent_order(request)))
        response = self.application(request)
        truth = Given(body=response.body, status=response.status)
        return self.change(self.run, request, truth) if self.change else truth

    def desk(self) -> TradingDesk:
        return TradingDesk(
            venue=self.account,
            spot=self.spot,
            ledger=self.stores.ledger,
            control=self.stores.control,
            decisions=self.stores.decisions,
            market=self.stores.market,
            alerts=self.stores.alerts,
            orders=OrderDesk(venue=self.account, ledger=self.stores.ledger, clock=self, rules=RULES),
            watch=self.stores.watch,
            clock=self,
            rules=RULES,
            telemetry=self.telemetry,
            now=self.now(),
            code_version="fuzz",
        )

    def invoke(self, run: str) -> Any:
        self.run = run
        return RUNS[run](self.desk())

    def pass_time(self, seconds: int, **prices: str) -> None:
        engine = self.application.venue.engine
        until = engine.now + timedelta(seconds=seconds)
        moved = {coin(name).contract: price for name, price in prices.items()}
        if moved:
            self.market.extend(until, {contract: Decimal(price) for contract, price in moved.items()})
        engine.advance(until)

    def open(self) -> None:
        """COIN is entered and protected with its targets, NEXT has a signal that nobody has looked at."""
        self._spend_anew()
        instruments = tuple(map(coin, COINS))
        self.stores.control.set_control(control())
        self.stores.market.save_universe(Universe(instruments=instruments), NOW, None)
        self.stores.market.set_closes(NOW, {InstrumentId(name): 100.0 for name in COINS})
        assert self.stores.ledger.add_signal(signal("COIN"))
        for run in ("reconcile", "execute"):
            self.invoke(run)
        for price in ("99.5", "100.2"):
            self.pass_time(60, COIN=price)
            for run in RUNS:
                self.invoke(run)
        held = self.stores.ledger.position(InstrumentId("COIN"))
        assert held is not None
        assert held.state is PositionState.PROTECTED, held.state
        assert self.stores.ledger.add_signal(signal("NEXT"))
        self.pass_time(60)
        self.base = (self.tables.snapshot(), copy.deepcopy(self.application.venue.engine.books))

    def _spend_anew(self) -> None:
        self.account._last_line = LastLine(caps=CAPS, clock=self)

    def restore(self) -> None:
        """Back to where `open` ended, with nothing sent and a client that has spent nothing."""
        assert self.base is not None
        self.tables.restore(self.base[0])
        self.tables.told.clear()
        before = self.application.venue.engine
        self.application.venue.engine = MatchingEngine(copy.deepcopy(self.base[1]), before.markets, self.market)
        self._spend_anew()
        self.telemetry.metrics.clear_metrics()
        self.sent.clear()
        self.change = None
