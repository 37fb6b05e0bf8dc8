"""Answers of the sandbox to every request that the adapters make, taken from a small account with a life."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache

from infra.local.sandbox.__main__ import arguments, build
from infra.local.sandbox.application import Application
from infra.local.sandbox.wire import Request
from shared.venue import KrakenRestVenue, KrakenSpot
from shared.venue.last_line import EntryCaps, LastLine
from tests.fuzz.wire import Given, connect
from trading.model.orders import ClientOrderId, OrderRequest, OrderSide, OrderType
from trading.model.times import Timeframe
from trading.model.units import Price, Quantity

OPTIONS = ["--coins", "2", "--days", "2", "--history-days", "3", "--seed", "3"]
KEY, PAIR, CONTRACT = "key-for-fuzz", "XXBTZUSD", "PF_XBTUSD"
SECRET = "YSBzZWNyZXQgZm9yIHRlc3RzIG9ubHksIDQwIGJ5dGVzIGxvbmcuLi4="
CAPS = EntryCaps(order_notional_usd=Decimal(10**6), process_before_s=10, call_cost_per_10_s=10**6)


@dataclass(slots=True)
class SandboxClock:
    application: Application

    def now(self) -> datetime:
        return self.application.venue.now

    def __hash__(self) -> int:
        return id(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapters:
    """The two real adapters. `since` is a little before everything that happened on the account."""

    account: KrakenRestVenue
    spot: KrakenSpot
    since: datetime


Call = Callable[[Adapters], object]


def order(name: str, kind: OrderType, now: datetime, **prices: Price) -> OrderRequest:
    opens = kind is not OrderType.STOP
    return OrderRequest(
        contract=CONTRACT,
        side=OrderSide.BUY if opens else OrderSide.SELL,
        type=kind,
        quantity=Quantity("0.01"),
        client_order_id=ClientOrderId(name),
        reduce_only=not opens,
        process_before=now + timedelta(seconds=5),
        limit_price=prices.get("limit"),
        trigger_price=prices.get("trigger"),
    )


READS: dict[str, Call] = {
    "contracts": lambda on: on.account.listing(),
    "quotes": lambda on: on.account.quotes(),
    "order_book": lambda on: on.account.order_book(CONTRACT),
    "stress": lambda on: on.account.stress(),
    "index_candles": lambda on: on.account.index_candles(CONTRACT, Timeframe.M15, on.since),
    "account": lambda on: on.account.account(),
    "positions": lambda on: on.account.positions(),
    "open_orders": lambda on: on.account.open_orders(),
    "order_reports": lambda on: on.account.order_reports(["smc-1", "smc-2", "smc-3"]),
    "order_history": lambda on: on.account.order_history(CONTRACT, on.since),
    "fills": lambda on: on.account.fills(on.since),
    "ledger_rows": lambda on: on.account.ledger_rows(on.since),
    "cancel": lambda on: on.account.cancel("smc-3"),
    "cancel_order": lambda on: on.account.cancel_order("a0f221f5-3f04-4075-a8b9-8ad2faf2d7fa"),
    "server_time": lambda on: on.account.server_time(),
    "spot_pairs": lambda on: on.spot.pairs(),
    "spot_quotes": lambda on: on.spot.quotes([PAIR, "XETHZUSD"]),
    "spot_candles": lambda on: on.spot.candles(PAIR, Timeframe.M15, on.since),
    "spot_trades": lambda on: on.spot.trades(PAIR, int(on.since.timestamp()) * 10**9),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """Answers to every read by (read, path), those to sends by the kind of order, and adapters to read them with."""

    reads: dict[tuple[str, str], bytes]
    sends: dict[str, bytes]
    adapters: Adapters
    now: datetime


@cache
def recorded() -> Recorded:
    application = build(arguments([*OPTIONS, "--api-key", KEY, "--api-secret", SECRET]))
    start, clock = application.venue.now, SandboxClock(application)
    adapters = Adapters(
        account=KrakenRestVenue(key=KEY, secret=SECRET, last_line=LastLine(caps=CAPS, clock=clock)),
        spot=KrakenSpot(clock=clock),
        since=start - timedelta(hours=2),
    )
    answers: dict[str, bytes] = {}

    def answer(request: Request) -> Given:
        response = application(request)
        answers[request.path] = response.body
        return Given(body=response.body, status=response.status)

    for wire in (adapters.account.wire, adapters.spot.wire):
        connect(wire, answer)
    sends = _life(adapters, application, answers)
    reads: dict[tuple[str, str], bytes] = {}
    for name, call in READS.items():
        answers.clear()
        call(adapters)
        reads |= {(name, path): body for path, body in answers.items()}
    return Recorded(reads=reads, sends=sends, adapters=adapters, now=application.venue.now)


def _life(adapters: Adapters, application: Application, answers: dict[str, bytes]) -> dict[str, bytes]:
    """A position with its stop, an order that rests and one that was refused."""
    sends, mark = {}, adapters.account.quotes()[CONTRACT].mark
    limits = {
        "entry": (OrderType.IMMEDIATE, {"limit": Price(int(mark * 2))}),
        "stop": (OrderType.STOP, {"trigger": Price(int(mark / 2))}),
        "resting": (OrderType.POST, {"limit": Price(int(mark * 9 / 10))}),
        "refused": (OrderType.POST, {"limit": Price(int(mark * 2))}),
    }
    for number, (name, (kind, prices)) in enumerate(limits.items(), start=1):
        adapters.account.place(order(f"smc-{number}", kind, application.venue.now, **prices))
        sends[name] = answers["/derivatives/api/v3/sendorder"]
    return sends
