"""The real adapter on a real socket to the real sandbox, with faults, switches and time in one hand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from infra.local.sandbox.__main__ import DEFAULT_KEY, DEFAULT_SECRET
from shared.venue import KrakenRestVenue, KrakenSpot
from shared.venue.last_line import EntryCaps, LastLine
from shared.venue.transport import require_loopback
from tests.integration.sandbox.served import Served, serve
from trading.matching import MatchingEngine
from trading.model.orders import ClientOrderId, OrderRequest, OrderSide, OrderType
from trading.model.units import Price, Quantity
from trading.model.venue import OrderReport, SendAnswer

CONTRACT = "PF_XBTUSD"
SIZE = Quantity("0.01")
WIDE = EntryCaps(order_notional_usd=Decimal(10**9), process_before_s=10, call_cost_per_10_s=10**6)
"""Wide enough that what the sandbox refuses gets there."""

TIMEOUT_S = 0.4


@dataclass(frozen=True, kw_only=True)
class FaultyVenue:
    """`venue` is what is tested. This is also its clock: the sandbox's virtual time."""

    served: Served

    def now(self) -> datetime:
        return self.engine.now

    @property
    def engine(self) -> MatchingEngine:
        return self.served.application.venue.engine

    def adapter(self, url: str | None = None) -> KrakenRestVenue:
        venue = KrakenRestVenue(
            key=DEFAULT_KEY,
            secret=DEFAULT_SECRET,
            base_url=url or self.served.url,
            timeout_s=TIMEOUT_S,
            last_line=LastLine(caps=WIDE, clock=self),
        )
        require_loopback(venue.wire.addresses())
        return venue

    def spot(self) -> KrakenSpot:
        return KrakenSpot(clock=self, base_url=self.served.url, timeout_s=TIMEOUT_S)

    def fault(self, path: str, kind: str, **more: Any) -> None:
        self.served.control("faults", {"path": path, "kind": kind, **more})

    def switch(self, **changes: Any) -> None:
        self.served.control("switches", changes)

    def owner(self, **action: Any) -> dict[str, Any]:
        """What the owner does by hand."""
        return dict(self.served.control("manual", {"symbol": CONTRACT, **action}))

    def advance(self, **by: float) -> None:
        self.served.control("advance", {"to": (self.now() + timedelta(**by)).isoformat()})

    def mark(self) -> Decimal:
        return self.engine.point(CONTRACT).mark

    def order(self, name: str, kind: OrderType, share: str = "1", **changes: object) -> OrderRequest:
        """An order at a share of the mark, rounded to whole dollars as the contract's tick asks for."""
        price = Price((self.mark() * Decimal(share)).to_integral_value())
        values: dict[str, object] = {
            "contract": CONTRACT,
            "side": OrderSide.BUY,
            "type": kind,
            "quantity": SIZE,
            "client_order_id": ClientOrderId(name),
            "reduce_only": kind in (OrderType.STOP, OrderType.MARKET),
            "process_before": self.now() + timedelta(seconds=3),
            "limit_price": None if kind in (OrderType.MARKET, OrderType.STOP) else price,
            "trigger_price": price if kind is OrderType.STOP else None,
        }
        return OrderRequest(**{**values, **changes})  # type: ignore[arg-type]


@dataclass(frozen=True, kw_only=True)
class Rig(FaultyVenue):
    """A faulty venue and one adapter on it."""

    venue: KrakenRestVenue

    def place(self, name: str, kind: OrderType, share: str = "1", **changes: object) -> SendAnswer:
        return self.venue.place(self.order(name, kind, share, **changes))

    def rest(self, name: str = "smc-rest-1") -> SendAnswer:
        """A post-only buy far below the market."""
        return self.place(name, OrderType.POST, "0.9")

    def buy(self, name: str = "smc-buy-1", **changes: object) -> SendAnswer:
        return self.place(name, OrderType.IMMEDIATE, "1.01", **changes)

    def stop(self, share: str, name: str = "smc-stop-1") -> SendAnswer:
        return self.place(name, OrderType.STOP, share, side=OrderSide.SELL)

    def report(self, name: str) -> OrderReport | None:
        """What orders/status says of one order, None when it does not list it."""
        return next(iter(self.venue.order_reports([name])), None)

    def history(self, name: str, since: datetime) -> OrderReport | None:
        reports = self.venue.order_history(CONTRACT, since)
        return next((each for each in reports if each.client_order_id == name), None)


@contextmanager
def rigged(*options: str) -> Iterator[Rig]:
    with serve(*options) as served:
        yield Rig(served=served, venue=FaultyVenue(served=served).adapter())
