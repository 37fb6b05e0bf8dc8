"""Our stores and the alerts on the simulated services: what `tests.fakes.cloud.emulated` is on moto."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from shared.alerts import Alerts
from shared.storage.control import ControlStore
from shared.storage.decisions import DecisionStore
from shared.storage.ledger import Ledger
from shared.storage.market_data import MarketDataStore
from shared.storage.market_watch import MarketWatchStore
from tests.fakes.cloud import DECISIONS, LEDGER, MARKET, Cloud
from tests.simulation.transports.aws import SimulatedServices, installed_services
from tests.simulation.transports.dynamo import SimulatedDynamo, installed

TOPIC = "arn:aws:sns:us-east-1:123456789012:alerts"


@contextmanager
def simulated_cloud(dynamo: SimulatedDynamo | None = None) -> Iterator[Cloud]:
    """`dynamo` holds the three tables of `tests.fakes.cloud`."""
    with installed(dynamo or SimulatedDynamo(MARKET, DECISIONS, LEDGER)), installed_services(SimulatedServices()):
        control = ControlStore(LEDGER)
        yield Cloud(
            ledger=Ledger(LEDGER),
            control=control,
            decisions=DecisionStore(DECISIONS),
            market=MarketDataStore(MARKET, bars_kept=720),
            alerts=Alerts(TOPIC, control),
            watch=MarketWatchStore(LEDGER),
        )
