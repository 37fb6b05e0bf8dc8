"""What the functions on the trade path share: their adapters for one run, built from their settings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shared.alerts import Alerts, alerts_of
from shared.clock import current_clock
from shared.observability import Telemetry
from shared.order_desk import OrderDesk
from shared.runtime import control_of, decisions_of, ledger_of, market_of, rules_for, watch_of
from shared.secrets import trading_keys
from shared.settings import TradingSettings
from shared.storage.control import ControlStore
from shared.storage.decisions import DecisionStore
from shared.storage.ledger import Ledger
from shared.storage.market_data import MarketDataStore
from shared.storage.market_watch import MarketWatchStore
from shared.venue.last_line import caps_of
from shared.venues import account_of, paper_of, spot_of
from trading.model.instruments import Universe
from trading.ports import Clock, SpotMarket, Venue
from trading.rules import Rules


@dataclass(frozen=True, slots=True, kw_only=True)
class TradingDesk:
    """One run of one function: stores, venue, rules and the time it runs at."""

    venue: Venue
    spot: SpotMarket
    ledger: Ledger
    control: ControlStore
    decisions: DecisionStore
    market: MarketDataStore
    alerts: Alerts
    orders: OrderDesk
    watch: MarketWatchStore
    clock: Clock
    rules: Rules
    telemetry: Telemetry
    now: datetime
    code_version: str

    def universe(self) -> Universe:
        """The stored universe; empty before the first discovery."""
        stored = self.market.universe()
        return stored.universe if stored else Universe(instruments=())


def open_desk(settings: TradingSettings, telemetry: Telemetry) -> TradingDesk:
    """Build the desk of one run. Adapters live as long as the process, the paper account for one run."""
    rules, clock = rules_for(settings), current_clock()
    control, ledger = control_of(settings.ledger_table), ledger_of(settings.ledger_table)
    venue = _venue_of(settings, rules, clock)
    return TradingDesk(
        venue=venue,
        spot=spot_of(settings.spot_url, clock),
        ledger=ledger,
        control=control,
        decisions=decisions_of(settings.decisions_table),
        market=market_of(settings.market_data_table, rules.data.bars_kept),
        alerts=alerts_of(settings.alerts_topic_arn, control),
        orders=OrderDesk(venue=venue, ledger=ledger, clock=clock, rules=rules),
        watch=watch_of(settings.ledger_table),
        clock=clock,
        rules=rules,
        telemetry=telemetry,
        now=clock.now(),
        code_version=settings.code_version,
    )


def _venue_of(settings: TradingSettings, rules: Rules, clock: Clock) -> Venue:
    """The mode is which implementation of the port this is, and nothing else. On paper no key is read.

    A live key is looked up again when it ages."""
    caps = caps_of(rules)
    if settings.mode == "paper":
        return paper_of(settings.futures_url, settings.ledger_table, caps, clock)
    keys = trading_keys(settings.trading_secret_id)
    return account_of(settings.futures_url, keys.api_key, keys.api_secret, caps, clock)
