"""An operator's desk over stores in memory, which pass the contract of the real ones, and a venue that takes orders."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest

import functions.control_trading.handler as control_trading
from functions.control_trading.closing import Reach, universe_reader
from functions.control_trading.desk import ControlDesk
from shared.observability import telemetry_for
from shared.order_desk import OrderDesk
from shared.settings import TradingSettings
from shared.trading_desk import TradingDesk
from tests.fakes.cloud import Cloud
from tests.integration.operations.venue_fake import VenueFake
from tests.simulation.memory.either import memory_stores
from tests.simulation.memory.tables import MemoryTables
from tests.unit.control.records import NOW, universe
from trading.model.alerts import Alert
from trading.model.control import Control, KillLevel
from trading.rules import load_rules

RULES = load_rules()
CONTROL_ARN = "arn:aws:lambda:us-east-1:123456789012:function:smc-trader-control_trading"
CONTEXT = SimpleNamespace(
    function_name="test", memory_limit_in_mb=512, invoked_function_arn=CONTROL_ARN, aws_request_id="request-7"
)
SETTINGS = TradingSettings(
    ledger_table="ledger",
    alerts_topic_arn="topic",
    market_data_table="market",
    decisions_table="decisions",
    spot_url="http://127.0.0.1:1",
    futures_url="http://127.0.0.1:1",
    trading_secret_id="none",
    mode="live",
)


@dataclass(frozen=True)
class Stopped:
    moment: datetime

    def now(self) -> datetime:
        return self.moment


class World:
    """The stores, the venue, and the time."""

    def __init__(self) -> None:
        self.tables = MemoryTables()
        self.cloud = cloud_of(self.tables)
        self.control, self.ledger = self.cloud.control, self.cloud.ledger
        self.venue = VenueFake()
        self.now = NOW
        self.cloud.market.save_universe(universe("BTC", "ETH", "SOL"), NOW, None)

    def set_level(self, level: KillLevel) -> None:
        current = self.control.control(self.now)
        wanted = Control(level=level, reason="test", changed_by="test", changed_at=self.now, version=current.version)
        self.control.set_control(wanted)

    def told(self) -> list[Alert]:
        """Taken off, as they are read."""
        told = list(self.tables.told)
        self.tables.told.clear()
        return told

    def everything(self) -> tuple[object, ...]:
        return self.tables.snapshot().contents

    def audit(self) -> list[Control]:
        return list(self.tables.control_audit.values())

    def trading_desk(self, after: timedelta = timedelta(0)) -> TradingDesk:
        clock = Stopped(self.now + after)
        return TradingDesk(
            venue=self.venue,  # type: ignore[arg-type]
            spot=None,  # type: ignore[arg-type]
            ledger=self.ledger,
            control=self.control,
            decisions=self.cloud.decisions,
            market=self.cloud.market,
            alerts=self.cloud.alerts,
            orders=OrderDesk(venue=self.venue, ledger=self.ledger, clock=clock, rules=RULES),  # type: ignore[arg-type]
            watch=self.cloud.watch,
            clock=clock,
            rules=RULES,
            telemetry=telemetry_for("control_trading"),
            now=clock.now(),
            code_version="test",
        )


def cloud_of(tables: MemoryTables) -> Cloud:
    stores = memory_stores(tables)
    return Cloud(
        ledger=stores.ledger,
        control=stores.control,
        decisions=stores.decisions,
        market=stores.market,
        alerts=stores.alerts,
        watch=stores.watch,
    )


def desk_of(world: World, after: timedelta = timedelta(0)) -> ControlDesk:
    reach = Reach(lambda: world.trading_desk(after))
    return ControlDesk(
        control=world.control,
        ledger=world.ledger,
        alerts=world.cloud.alerts,
        rules=RULES,
        now=world.now + after,
        request_id="request-7",
        universe=universe_reader(world.cloud.market),
        venue_positions=reach.positions,
        close=reach.close,
        cancel_entries=reach.cancel_entries,
    )


def handled(world: World, patch: pytest.MonkeyPatch, settings: TradingSettings = SETTINGS) -> None:
    """The handler composes its desk from this world while the test runs."""
    cloud = world.cloud
    for name, made in {
        "load_settings": lambda _kind: settings,
        "control_of": lambda table: {"ledger": cloud.control}[table],
        "ledger_of": lambda table: {"ledger": cloud.ledger}[table],
        "market_of": lambda table, bars: {("market", RULES.data.bars_kept): cloud.market}[table, bars],
        "alerts_of": lambda topic, control: {("topic", cloud.control): cloud.alerts}[topic, control],
        "open_desk": lambda *_: world.trading_desk(),
        "current_clock": lambda: Stopped(world.now),
    }.items():
        patch.setattr(control_trading, name, made)
