"""The real Lambda handlers trade on a stack without a socket: a position is opened, protected and ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from greenlet import greenlet
from pynamodb.exceptions import PynamoDBException

from functions.execute_signals.handler import handler as execute_signals
from functions.manage_exits.handler import handler as manage_exits
from functions.reconcile_positions.handler import handler as reconcile_positions
from infra.local.sandbox.wire import Response
from shared.clock import SystemClock, install_clock
from shared.storage.control import ControlStore
from shared.storage.ledger import Ledger
from shared.storage.market_data import MarketDataStore
from tests.fakes.cloud import LEDGER, MARKET
from tests.fakes.records import NOW, coin, control, signal
from tests.fakes.venue import MovedPrices
from tests.simulation.transports.dynamo import Run as StoreRun
from tests.simulation.transports.dynamo import installed
from tests.simulation.transports.dynamo_errors import throttled
from tests.simulation.transports.dynamo_reads import Answer
from tests.simulation.transports.feed import ListedPrices
from tests.simulation.transports.http import InProcessVenue, Run
from tests.simulation.transports.http_faults import timed_out
from tests.simulation.transports.stack import SimulatedStack, StackHooks, installed_stack
from trading.errors import VenueAuthenticationFailed, VenueUnavailable
from trading.model.instruments import Universe
from trading.model.venue import OpenOrderKind

FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "reconcile_positions": reconcile_positions,
    "execute_signals": execute_signals,
    "manage_exits": manage_exits,
}


@dataclass
class Scene:
    """A stack with one coin; `calls` counts what went through the hooks."""

    stack: SimulatedStack
    prices: MovedPrices
    calls: dict[str, int] = field(default_factory=dict)

    def minute(self, price: str) -> None:
        """The price moves for a minute, then the schedule runs each function once."""
        until = self.stack.venue.now() + timedelta(minutes=1)
        self.prices.extend(until, {"PF_COINUSD": Decimal(price)})
        self.stack.venue.advance(until)
        for name in FUNCTIONS:
            self.run(name)

    def run(self, name: str) -> None:
        context = SimpleNamespace(
            function_name=name, memory_limit_in_mb=512, invoked_function_arn="arn", aws_request_id="request"
        )
        FUNCTIONS[name]({}, context)

    def count(self, name: str) -> None:
        self.calls[name] = self.calls.get(name, 0) + 1


def throttling(operation: str, table: str, key: str, run: StoreRun) -> Answer:
    raise throttled(operation)


@pytest.fixture
def scene() -> Iterator[Scene]:
    prices = MovedPrices(NOW, {"PF_COINUSD": Decimal(101)})
    venue = InProcessVenue(ListedPrices(prices, [coin()], NOW, NOW + timedelta(hours=2)), NOW)
    found = Scene(SimulatedStack(venue), prices)

    def over_http(method: str, path: str, parameters: Mapping[str, str], run: Run) -> Response:
        found.count(path.rsplit("/", 1)[1])
        return run()

    def store(operation: str, table: str, key: str, run: StoreRun) -> Answer:
        found.count(operation)
        return run()

    venue.hook = over_http
    install_clock(venue)
    with installed_stack(found.stack, StackHooks(dynamo=store)):
        ControlStore(LEDGER).set_control(control())
        MarketDataStore(MARKET, bars_kept=720).save_universe(Universe(instruments=(coin(),)), NOW, None)
        Ledger(LEDGER).add_signal(signal())
        yield found
    install_clock(SystemClock())


def test_handlers_open_protect_and_end_a_position(scene: Scene) -> None:
    for price in ("101", "99.5", "100.2"):
        scene.minute(price)
    venue = scene.stack.venue
    (held,) = venue.books.positions.values()
    stops = [each for each in venue.client().open_orders() if each.kind is OpenOrderKind.STOP]
    assert [each.open_quantity for each in stops] == [held.size]
    for price in ("97", "97", "97"):
        scene.minute(price)
    assert not venue.books.positions
    (trade,) = Ledger(LEDGER).trades(["2024-05"])
    assert trade.instrument == "COIN"
    assert min(scene.calls[name] for name in ("sendorder", "openpositions", "TransactWriteItems", "GetItem")) > 0


def test_handlers_meet_faults_of_the_hooks(scene: Scene) -> None:
    scene.stack.venue.revoke_key()
    with pytest.raises(VenueAuthenticationFailed):
        scene.run("reconcile_positions")
    scene.stack.venue.restore_key()
    with installed(scene.stack.dynamo, throttling), pytest.raises(PynamoDBException):
        scene.run("reconcile_positions")
    scene.run("reconcile_positions")


def test_lost_answer_is_not_that_of_another_greenlet(scene: Scene) -> None:
    venue = scene.stack.venue
    adapter, hub = venue.client(), greenlet.getcurrent()
    seen: list[tuple[str, object]] = []

    def read(name: str) -> None:
        try:
            seen.append((name, adapter.account().equity))
        except VenueUnavailable:
            seen.append((name, "lost"))

    def switching(method: str, path: str, parameters: Mapping[str, str], run: Run) -> Response:
        if hub.switch() == "lose":
            raise timed_out()
        return run()

    venue.hook = switching
    first, second = greenlet(read), greenlet(read)
    first.switch("first")
    second.switch("second")
    second.switch("answer")
    first.switch("lose")
    assert seen == [("second", 10_000), ("first", "lost")]


def test_stale_answer_shows_the_orders_of_before(scene: Scene) -> None:
    for price in ("101", "99.5"):
        scene.minute(price)
    venue = scene.stack.venue
    assert venue.client().open_orders()
    venue.hook = lambda _method, _path, _parameters, run: venue.stale(run, 3600)
    assert venue.client().open_orders() == ()
