"""The local stack in one process: the sandbox behind a real socket, the real adapter, stores on the emulator, and the
real handlers with their environment. The sandbox's time is everybody's time."""

from __future__ import annotations

import importlib
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, cast

import boto3
import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext

from infra.local.invoker import Context
from infra.local.sandbox.__main__ import key_ring
from infra.local.sandbox.application import Application
from infra.local.sandbox.control_api import manual
from infra.local.sandbox.venue import SandboxVenue, VenueSettings, open_venue
from infra.local.stack import TRADING_KEY
from shared import aws_clients, secrets
from shared.clock import SystemClock, install_clock
from shared.settings import PREFIX
from shared.storage.ledger import SignalState
from shared.venues import account_of
from tests.fakes.cloud import DECISIONS, LEDGER, MARKET, REGION, Cloud, emulated
from tests.integration.limits.quiet_market import QuietMarket
from tests.integration.limits.wire import Wire
from trading.matching import Market
from trading.model.instruments import InstrumentId, Side
from trading.model.orders import OrderIntent, Purpose
from trading.model.signals import Levels, Setup, Signal, signal_id
from trading.model.times import Timeframe, to_text
from trading.model.units import Price

Rules = Mapping[str, Mapping[str, Any]]
START = datetime(2024, 5, 1, 10, 0, 30, tzinfo=UTC)
BALANCE = Decimal(10_000)
SECRET_ID = "trading-key"


@dataclass(slots=True, eq=False)
class StackTime:
    """What every handler reads as the time; `ahead`: seconds that our clock runs ahead of the venue's."""

    wire: Wire | None = None
    ahead: float = 0.0

    def now(self) -> datetime:
        assert self.wire is not None, "no stack is open"
        return self.wire.application.venue.now + timedelta(seconds=self.ahead)


TIME = StackTime()
"""One for the process: adapters keep the clock they were made with."""


@dataclass(slots=True)
class LocalStack:
    """What a scenario does to the world, and what it may look at afterwards."""

    wire: Wire
    market: QuietMarket
    cloud: Cloud
    environment: dict[str, str]
    ideas: list[Signal] = field(default_factory=list)

    # time and venue

    @property
    def venue(self) -> SandboxVenue:
        return self.wire.application.venue

    def now(self) -> datetime:
        return self.venue.now

    def wait(self, **length: float) -> None:
        self.venue.advance(self.now() + timedelta(**length))

    def run_ahead(self, seconds: float) -> None:
        """Our clock shows a later time than the venue's."""
        TIME.ahead = seconds

    def price(self, coin: str) -> Decimal:
        return self.market.spot(coin, self.now())

    def move(self, coin: str, by_pct: str, torn_pct: str = "0", seconds: float = 30) -> None:
        """The coin's price moves by so much within the time, its mark away from its index by the tear."""
        index = self.price(coin) * (1 + Decimal(by_pct) / 100)
        ends = self.now() + timedelta(seconds=seconds)
        self.market.move(coin, self.now(), ends, (index, index * (1 + Decimal(torn_pct) / 100)))
        self.venue.advance(ends)

    def contract(self, coin: str) -> str:
        return next(each.contract for each in self.market.listings() if each.base == coin and each.contract)

    def change_terms(self, coin: str, **terms: Any) -> None:
        """The venue changes its contract: tick, step, largest position."""
        markets = cast(dict[str, Market], self.venue.engine.markets)
        markets[self.contract(coin)] = replace(markets[self.contract(coin)], **terms)

    def widen_spread(self, coin: str, half_bps: str) -> None:
        market = self.venue.engine.market(self.contract(coin))
        self.change_terms(coin, liquidity=replace(market.liquidity, half_spread=Decimal(half_bps) / 10_000))

    def by_hand(self, coin: str, side: str, dollars: str, **order: str) -> dict[str, Any]:
        """The owner's own order, at the market unless told otherwise."""
        step = self.venue.engine.market(self.contract(coin)).size_step
        size = (Decimal(dollars) / self.price(coin) / step).to_integral_value() * step
        asked = {"action": "order", "symbol": self.contract(coin), "side": side, "size": str(size)}
        answer = manual(self.venue, {"orderType": "mkt", **asked, **order})
        assert answer["status"] == "placed", answer
        return answer

    # functions

    def discover(self) -> dict[str, Any]:
        return self._invoke("discover_markets", {})

    def reconcile(self) -> dict[str, Any]:
        return self._invoke("reconcile_positions", {})

    def execute(self) -> dict[str, Any]:
        return self._invoke("execute_signals", {})

    def operate(self, action: str) -> None:
        """A person pauses or resumes."""
        answer = self._invoke("control_trading", {"action": action, "operator": "anna", "reason": "looked at it"})
        assert answer["ok"], answer

    def _invoke(self, function: str, event: dict[str, Any]) -> dict[str, Any]:
        module = importlib.import_module(f"functions.{function}.handler")
        context = Context(
            function_name=function,
            memory_limit_in_mb=512,
            aws_request_id=f"{function}-{to_text(self.now())}",
            deadline=time.monotonic() + 30,
        )
        response: dict[str, Any] = module.handler(event, cast(LambdaContext, context))
        assert not response.get("failures"), response
        return response

    # signals and records

    def propose(
        self,
        coin: str,
        side: Side = Side.LONG,
        setup: Setup = Setup.ORDER_BLOCK,
        *,
        away: str = "0.3",
        stop: str = "2",
        score: int = 80,
        life: timedelta | None = None,
    ) -> Signal:
        """An idea of the last full hour, as scoring leaves it in the Ledger. `away`: the entry's distance from the
        price in percent, towards the passive side; `stop`: its stop distance in percent."""
        levels = levels_at(self.price(coin), side, Decimal(away), Decimal(stop))
        bar, structure = Timeframe.H1.floor(self.now()), f"structure-{len(self.ideas)}"
        idea = Signal(
            id=signal_id(InstrumentId(coin), bar, setup, structure),
            instrument=InstrumentId(coin),
            decision_bar=bar,
            expires_at=bar + timedelta(hours=1) if life is None else self.now() + life,
            setup=setup,
            structure_id=structure,
            score=score,
            aligned=True,
            levels=levels,
            atr=levels.stop_distance,
            rules_fingerprint="scenario",
            code_version="scenario",
        )
        assert self.cloud.ledger.add_signal(idea)
        self.ideas.append(idea)
        return idea

    def state_of(self, signal: Signal) -> SignalState:
        stored = self.cloud.ledger.signals_decided_since(signal.decision_bar, signal.decision_bar)
        return next(each.state for each in stored if each.signal.id == signal.id)

    def entry_of(self, signal: Signal) -> OrderIntent:
        position = self.cloud.ledger.position(signal.instrument)
        assert position is not None, f"no record of {signal.instrument}"
        assert str(position.id) == str(signal.id)
        entry = position.intent(Purpose.ENTRY)
        assert entry is not None
        return entry

    def sent_since(self, count: int, coin: str) -> list[dict[str, str]]:
        """Orders in this coin that reached the venue after the first `count` of all."""
        return [each for each in self.wire.sent[count:] if each["symbol"] == self.contract(coin)]


def levels_at(price: Decimal, side: Side, away: Decimal, stop: Decimal) -> Levels:
    entry = price * (1 - side.sign * away / 100)
    distance = entry * stop / 100 * side.sign
    return Levels(
        side=side,
        entry=Price(entry),
        stop=Price(entry - distance),
        invalidation=Price(entry - distance * Decimal("0.75")),
        target_1=Price(entry + distance),
        target_2=Price(entry + distance * Decimal("2.5")),
    )


def new_application(market: QuietMarket, balance: Decimal) -> Application:
    keys = key_ring(TRADING_KEY["api_key"], TRADING_KEY["api_secret"])
    return Application(open_venue(market, keys, VenueSettings(start=START, balance=balance)))


@contextmanager
def opened(wire: Wire, url: str, monkeypatch: pytest.MonkeyPatch, rules: Rules) -> Iterator[LocalStack]:
    """A new venue behind the served socket, empty tables, trading resumed, the universe discovered.

    `rules`: overrides by section, the starting values where empty."""
    market = QuietMarket(START)
    wire.application = new_application(market, BALANCE)
    wire.late, wire.bent, wire.sent = {}, {}, []
    TIME.wire, TIME.ahead = wire, 0.0
    install_clock(TIME, lambda seconds: None)
    try:
        with emulated(monkeypatch) as cloud:
            account_of.cache_clear()
            yield _started(LocalStack(wire, market, cloud, _environment(url, cloud, rules)), monkeypatch)
    finally:
        install_clock(SystemClock())
        aws_clients.secrets_client.cache_clear()
        secrets.secret_reader.cache_clear()


def _environment(url: str, cloud: Cloud, rules: Rules) -> dict[str, str]:
    fields = {
        "ledger_table": LEDGER,
        "decisions_table": DECISIONS,
        "market_data_table": MARKET,
        "alerts_topic_arn": cloud.alerts._topic_arn,
        "trading_secret_id": SECRET_ID,
        "spot_url": url,
        "futures_url": url,
        "rules_override": json.dumps(rules) if rules else "",
        "mode": "live",
    }
    return {PREFIX + name.upper(): value for name, value in fields.items()}


def _started(stack: LocalStack, monkeypatch: pytest.MonkeyPatch) -> LocalStack:
    for name, value in stack.environment.items():
        monkeypatch.setenv(name, value)
    secret = json.dumps(TRADING_KEY)
    boto3.client("secretsmanager", region_name=REGION).create_secret(Name=SECRET_ID, SecretString=secret)
    stack.operate("resume")
    assert stack.discover()["markets"] == len(stack.market.listings())
    return stack
