"""The trade path of one account: real use cases, stores on the emulator, the venue in memory, one shared clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from functions.execute_signals.execute import ExecutionReport, execute_signals
from functions.manage_exits.exit import ExitReport, manage_exits
from functions.reconcile_positions.reconcile import reconcile_positions
from functions.reconcile_positions.report import ReconcileReport
from shared.observability import telemetry_for
from shared.order_desk import OrderDesk
from shared.trading_desk import TradingDesk
from tests.fakes.cloud import Cloud
from tests.fakes.records import BAR, NOW, RULES, coin, control, signal
from tests.fakes.venue import VenueInMemory
from trading.model.candles import CandleSeries
from trading.model.control import KillLevel
from trading.model.instruments import Universe
from trading.model.orders import OrderIntent, Purpose
from trading.model.positions import Position, Trade
from trading.model.signals import Signal
from trading.model.times import Timeframe
from trading.model.venue import ListedPair, SpotQuote
from trading.rules import Rules

TELEMETRY = telemetry_for("trading-tests")


@dataclass
class SpotOfVenue:
    """Spot trades at the contract's mark; candles are not asked for on the trade path."""

    venue: VenueInMemory

    def pairs(self) -> tuple[ListedPair, ...]:
        return ()

    def quotes(self, pairs: Sequence[str]) -> dict[str, SpotQuote]:
        found = {}
        for instrument in self.venue.instruments.values():
            quote = self.venue.quotes()[instrument.contract]
            assert quote.bid is not None
            assert quote.ask is not None
            found[instrument.spot_pair] = SpotQuote(
                pair=instrument.spot_pair, bid=quote.bid, ask=quote.ask, at=quote.at
            )
        return {pair: found[pair] for pair in pairs}

    def candles(self, pair: str, timeframe: Timeframe, since: datetime | None) -> CandleSeries:
        return CandleSeries(timeframe)


@dataclass
class World:
    cloud: Cloud
    venue: VenueInMemory
    rules: Rules = RULES
    runs: list[Any] = field(default_factory=list)

    def desk(self, venue: Any = None) -> TradingDesk:
        """What one run of one function works with, as `open_desk` builds it."""
        used = venue or self.venue
        return TradingDesk(
            venue=used,
            spot=SpotOfVenue(self.venue),
            ledger=self.cloud.ledger,
            control=self.cloud.control,
            decisions=self.cloud.decisions,
            market=self.cloud.market,
            alerts=self.cloud.alerts,
            orders=OrderDesk(venue=used, ledger=self.cloud.ledger, clock=self.venue, rules=self.rules),
            watch=self.cloud.watch,
            clock=self.venue,
            rules=self.rules,
            telemetry=TELEMETRY,
            now=self.venue.now(),
            code_version="test",
        )

    def execute(self) -> ExecutionReport:
        return execute_signals(self.desk())

    def reconcile(self) -> ReconcileReport:
        return reconcile_positions(self.desk())

    def manage(self) -> ExitReport:
        return manage_exits(self.desk())

    def minute(self, **prices: object) -> None:
        """One minute of the schedule: the price moves, then the three functions run."""
        self.venue.advance(60, **prices)
        self.runs.append((self.reconcile(), self.execute(), self.manage()))

    def minutes(self, count: int) -> None:
        for _ in range(count):
            self.minute()

    def add_signal(self, name: str = "COIN", **changes: Any) -> Signal:
        found = signal(name, **changes)
        assert self.cloud.ledger.add_signal(found)
        return found

    def set_level(self, level: KillLevel) -> None:
        version = self.cloud.control.control(NOW).version
        self.cloud.control.set_control(control(level, version=version))

    def position(self, name: str = "COIN") -> Position:
        found = self.cloud.ledger.position(coin(name).id)
        assert found is not None, f"no open record for {name}"
        return found

    def intent(self, purpose: Purpose, name: str = "COIN") -> OrderIntent:
        found = self.position(name).intent(purpose)
        assert found is not None, f"no {purpose} intent"
        return found

    def trades(self) -> tuple[Trade, ...]:
        return self.cloud.ledger.trades(["2024-05"])

    def entries_placed(self) -> int:
        """Accepted orders that were not reduce-only, over the whole life of the venue."""
        books = self.venue.engine.books
        return sum(not each.reduce_only for each in (*books.live.values(), *books.closed.values()))

    def open_position(self, name: str = "COIN") -> Position:
        """A filled and protected position with its targets resting."""
        self.add_signal(name)
        self.execute()
        self.minute(**{name: "99.5"})
        self.minute(**{name: "100.2"})
        return self.position(name)


def new_world(cloud: Cloud, names: Sequence[str] = ("COIN",), rules: Rules = RULES) -> World:
    instruments = tuple(coin(name) for name in names)
    cloud.control.set_control(control())
    cloud.market.save_universe(Universe(instruments=tuple(sorted(instruments, key=lambda each: each.id))), NOW, None)
    assert BAR <= NOW < BAR + timedelta(hours=1)
    return World(cloud=cloud, venue=VenueInMemory(instruments, NOW), rules=rules)
