"""Mode paper through the real handlers: the system trades, and the venue hears nothing but public questions."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from infra.local.sandbox.server import SandboxServer
from infra.local.sandbox.wire import Request, Response
from shared import aws_clients, secrets
from shared.clock import SystemClock, install_clock
from shared.observability import telemetry_for
from shared.settings import PREFIX, TradingSettings, load_settings
from shared.trading_desk import open_desk
from shared.venue import KrakenRestVenue
from shared.venue.paper import PaperVenue
from tests.fakes.cloud import emulated
from tests.integration.limits.local_stack import BALANCE, START, TIME, LocalStack, _environment, new_application
from tests.integration.limits.quiet_market import QuietMarket
from tests.integration.limits.wire import Wire
from trading.model.instruments import InstrumentId
from trading.model.orders import Purpose
from trading.model.positions import PositionState

NO_SECRET = "no-such-secret"
PUBLIC = ("/instruments", "/instruments/status", "/tickers", "/orderbook", "/feeschedules")


@dataclass
class HeardWire(Wire):
    """Also remembers what was asked, with which names of headers."""

    asked: list[tuple[str, str]] = field(default_factory=list)
    signed: list[str] = field(default_factory=list)

    def __call__(self, request: Request) -> Response:
        self.asked.append((request.method, request.path))
        if any(name.lower() in ("apikey", "authent", "api-key", "api-sign") for name in request.headers):
            self.signed.append(request.path)
        return Wire.__call__(self, request)


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalStack]:
    """The system in mode paper: no trading secret exists anywhere."""
    market = QuietMarket(START)
    wire = HeardWire(new_application(market, BALANCE))
    TIME.wire, TIME.ahead = wire, 0.0
    install_clock(TIME, lambda seconds: None)
    with SandboxServer(0, wire) as server, emulated(monkeypatch) as cloud:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        environment = _environment(f"http://127.0.0.1:{server.port}", cloud, {})
        environment |= {f"{PREFIX}MODE": "paper", f"{PREFIX}TRADING_SECRET_ID": NO_SECRET}
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        aws_clients.secrets_client.cache_clear()
        secrets.secret_reader.cache_clear()
        opened = LocalStack(wire, market, cloud, environment)
        opened.operate("resume")
        opened.discover()
        yield opened
        server.shutdown()
        thread.join()
    install_clock(SystemClock())
    aws_clients.secrets_client.cache_clear()
    secrets.secret_reader.cache_clear()


def heard(stack: LocalStack) -> HeardWire:
    assert isinstance(stack.wire, HeardWire)
    return stack.wire


def minute(stack: LocalStack, coin: str, by_pct: str = "0") -> None:
    stack.move(coin, by_pct, seconds=60)
    stack.reconcile()
    stack.execute()
    stack._invoke("manage_exits", {})


def hold(stack: LocalStack) -> None:
    """A position that came about as in production: a signal, an entry that waits, a price that comes to it."""
    stack.propose("BTC")
    minute(stack, "BTC")
    minute(stack, "BTC", "-0.5")
    minute(stack, "BTC")


def account(stack: LocalStack) -> PaperVenue:
    venue = open_desk(load_settings(TradingSettings), telemetry_for("paper-test")).venue
    assert isinstance(venue, PaperVenue)
    return venue


def test_signal_becomes_a_protected_paper_position(stack: LocalStack) -> None:
    hold(stack)
    record = stack.cloud.ledger.position(InstrumentId("BTC"))
    assert record is not None
    assert record.state is PositionState.PROTECTED
    (shown,) = account(stack).positions()
    assert (shown.contract, shown.quantity) == (record.contract, record.quantity)
    stop = record.intent(Purpose.STOP)
    assert stop is not None
    assert stop.client_order_id in {each.client_order_id for each in account(stack).open_orders()}


def test_stopped_out_trade_is_booked_with_its_costs(stack: LocalStack) -> None:
    hold(stack)
    minute(stack, "BTC", "-4")
    minute(stack, "BTC")
    (trade,) = stack.cloud.ledger.trades(["2024-05"])
    assert trade.fees > 0
    assert account(stack).positions() == ()
    assert account(stack).account().equity == BALANCE + trade.net


def test_no_private_call_ever_leaves_on_paper(stack: LocalStack) -> None:
    hold(stack)
    preview = stack._invoke("control_trading", flatten_request())
    stack._invoke("control_trading", flatten_request() | {"token": preview["token"]})
    minute(stack, "BTC")
    minute(stack, "BTC")
    assert account(stack).positions() == ()
    futures = {path for _, path in heard(stack).asked if "/derivatives/" in path or "/api/" in path}
    assert futures
    assert {path for path in futures if not path.endswith(PUBLIC)} == set()
    assert {method for method, _ in heard(stack).asked} == {"GET"}
    assert heard(stack).signed == heard(stack).sent == []
    books = stack.venue.engine.books
    assert (books.orders_accepted, len(books.fills), books.balance) == (0, 0, BALANCE)


def flatten_request() -> dict[str, Any]:
    return {"action": "flatten", "scope": "ALL", "operator": "anna", "reason": "end of the paper test"}


def test_flatten_closes_the_paper_position(stack: LocalStack) -> None:
    hold(stack)
    preview = stack._invoke("control_trading", flatten_request())
    assert preview["ok"], preview
    answer = stack._invoke("control_trading", flatten_request() | {"token": preview["token"]})
    assert answer["ok"], answer
    minute(stack, "BTC")
    minute(stack, "BTC")
    assert account(stack).positions() == ()
    assert len(stack.cloud.ledger.trades(["2024-05"])) == 1


def test_mode_alone_chooses_the_venue(stack: LocalStack, monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(account(stack), PaperVenue)
    monkeypatch.setenv(f"{PREFIX}MODE", "live")
    monkeypatch.setattr(
        "shared.trading_desk.trading_keys", lambda _: secrets.TradingKeys(api_key="k", api_secret="c2VjcmV0")
    )
    venue = open_desk(load_settings(TradingSettings), telemetry_for("paper-test")).venue
    assert isinstance(venue, KrakenRestVenue)


def test_every_run_on_paper_leaves_its_proof(stack: LocalStack) -> None:
    minute(stack, "BTC")
    for function in ("execute_signals", "manage_exits", "reconcile_positions"):
        run = stack.cloud.control.last_run(function)
        assert run is not None
        assert "skipped" not in run.proof
