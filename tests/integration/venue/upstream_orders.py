"""Upstream's cases of orders as requests of ours, by upstream's description."""

from __future__ import annotations

from typing import Any

from trading.model.orders import ClientOrderId, OrderSide, OrderType
from trading.model.units import Price, Quantity

MARKET: dict[str, Any] = {"type": OrderType.MARKET, "limit_price": None, "reduce_only": True}
LIMIT: dict[str, Any] = {"type": OrderType.LIMIT, "contract": "PF_LTCUSD"}
STOP: dict[str, Any] = {"type": OrderType.STOP, "limit_price": None, "reduce_only": True}
SENDS: dict[str, dict[str, Any]] = {
    "Swap limit buy": {**LIMIT, "quantity": Quantity("0.5"), "limit_price": Price("71")},
    "Swap market buy": {**MARKET, "contract": "PF_LTCUSD", "quantity": Quantity("0.1")},
    "Swap market buy with negative precision markets": {
        **MARKET,
        "contract": "PF_PEPEUSD",
        "quantity": Quantity("9.8E+4"),
    },
    "order with clientOrderId": {
        **LIMIT,
        "quantity": Quantity("0.10"),
        "limit_price": Price("50.0"),
        "client_order_id": ClientOrderId("myid1"),
    },
    "createOrder with weird price/amount decimals": {**LIMIT, "quantity": Quantity("0.1"), "limit_price": Price("55")},
    "limit order priced via the params.limitPrice escape hatch must not throw": {
        "type": OrderType.LIMIT,
        "contract": "PF_DOGEUSD",
        "quantity": Quantity("100"),
        "limit_price": Price("0.070"),
    },
    "market order with a price argument must not send limitPrice": {
        **MARKET,
        "contract": "PF_DOGEUSD",
        "quantity": Quantity("100"),
    },
    "doge order": {**MARKET, "contract": "PF_DOGEUSD", "quantity": Quantity("100")},
    "swap reduceOnly with weird amount": {
        **MARKET,
        "contract": "PF_DOGEUSD",
        "quantity": Quantity("200"),
        "side": OrderSide.SELL,
        "reduce_only": True,
    },
    "Swap stopLossPrice order (type 2)": {
        **STOP,
        "quantity": Quantity("0.01"),
        "side": OrderSide.SELL,
        "trigger_price": Price("38000"),
    },
}
ON_PURPOSE_DIFFERENT = {"triggerSignal", "limitPrice"}
"""Our stops trigger on the mark, not the last price, and are market orders: they carry no limit price."""
