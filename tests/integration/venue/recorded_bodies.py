"""Small bodies in the documented shapes, written for these tests, so that the suite stands on its own."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from trading.model.orders import ClientOrderId, OrderRequest, OrderSide, OrderType
from trading.model.units import Price, Quantity

V3 = "/derivatives/api/v3"
HISTORY = "/api/history/v3"
SERVER_TIME = "2026-11-22T11:59:59.500Z"


def success(**content: Any) -> dict[str, Any]:
    return {"result": "success", "serverTime": SERVER_TIME, **content}


INSTRUMENTS = success(
    instruments=[
        {
            "symbol": "PF_XBTUSD",
            "type": "flexible_futures",
            "tickSize": 1,
            "contractSize": 1,
            "tradeable": True,
            "maxPositionSize": 1200.0,
            "marginLevels": [
                {"numNonContractUnits": 1000000.0, "initialMargin": 0.02, "maintenanceMargin": 0.01},
                {"numNonContractUnits": 0.0, "initialMargin": 0.01, "maintenanceMargin": 0.005},
            ],
            "contractValueTradePrecision": 4,
            "postOnly": False,
            "feeScheduleUid": "schedule-linear",
            "base": "BTC",
            "quote": "USD",
            "pair": "BTC:USD",
        },
        {
            "symbol": "ff_xbtusd_261225",
            "type": "flexible_futures",
            "lastTradingTime": "2026-12-25T08:00:00Z",
            "tickSize": 1,
            "tradeable": True,
            "maxPositionSize": 600.0,
            "marginLevels": [{"numNonContractUnits": 0, "initialMargin": 0.02, "maintenanceMargin": 0.01}],
            "contractValueTradePrecision": 4,
            "pair": "XBT:USD",
        },
        {"symbol": "in_xbtusd", "type": "spot index", "tradeable": False},
    ]
)

FEE_SCHEDULES = success(
    feeSchedules=[
        {
            "uid": "schedule-linear",
            "name": "Linear",
            "tiers": [
                {"makerFee": 0.0175, "takerFee": 0.045, "usdVolume": 5000000},
                {"makerFee": 0.021, "takerFee": 0.052, "usdVolume": 0},
            ],
        }
    ]
)

TICKERS = success(
    tickers=[
        {
            "symbol": "PF_XBTUSD",
            "markPrice": 84004.5,
            "indexPrice": 83995.76,
            "bid": 84001,
            "ask": 84002,
            "vol24h": 4237.2723,
            "volumeQuote": 356641614.007,
            "fundingRate": 0.912482213835,
            "suspended": False,
            "postOnly": False,
        },
        {"symbol": "pf_emptyusd", "markPrice": 2, "vol24h": 10, "suspended": True, "postOnly": True},
        {"symbol": "in_xbtusd", "last": 83995.76, "lastTime": SERVER_TIME},
    ]
)

ACCOUNTS = success(
    accounts={
        "cash": {"type": "cashAccount", "balances": {"usd": 1.5}},
        "flex": {
            "type": "multiCollateralMarginAccount",
            "currencies": {"USD": {"quantity": 10000.5, "value": 10000.5, "collateral": 10000.5, "available": 9000}},
            "initialMargin": 100.25,
            "initialMarginWithOrders": 120,
            "maintenanceMargin": 50.125,
            "balanceValue": 10000.5,
            "portfolioValue": 10010.75,
            "collateralValue": 10000.5,
            "pnl": 10.5,
            "unrealizedFunding": -0.25,
            "totalUnrealized": 10.25,
            "marginEquity": 10010.7,
            "availableMargin": 9910.45,
        },
    }
)

POSITIONS = success(
    openPositions=[
        {"side": "short", "symbol": "pf_xbtusd", "price": 84000.123456789012, "size": 0.05, "fillTime": SERVER_TIME},
        {"side": "long", "symbol": "PF_ETHUSD", "price": 3000, "size": 1, "maxFixedLeverage": 5},
    ]
)

OPEN_ORDERS = success(
    openOrders=[
        {
            "order_id": "a0f221f5-3f04-4075-a8b9-8ad2faf2d7fa",
            "cliOrdId": "smc-0123456789abcdef-1",
            "symbol": "PF_XBTUSD",
            "side": "sell",
            "orderType": "stop",
            "stopPrice": 83000,
            "triggerSignal": "spot",
            "unfilledSize": 0.05,
            "filledSize": 0,
            "reduceOnly": True,
            "status": "untouched",
            "receivedTime": "2026-11-22T11:00:00.057503Z",
            "lastUpdateTime": "2026-11-22T11:00:00.057503Z",
        }
    ]
)

ORDER_STATUS = success(
    orders=[
        {
            "order": {
                "type": "ORDER",
                "orderId": "order-1",
                "cliOrdId": "smc-1",
                "symbol": "pf_xbtusd",
                "side": "buy",
                "quantity": 0.1,
                "filled": 0.04,
                "limitPrice": 84000,
                "reduceOnly": False,
            },
            "status": "CANCELLED",
            "updateReason": "CANCELLED_BY_USER",
            "error": None,
        }
    ]
)

FILLS = success(
    fills=[
        {
            "fill_id": "fill-2",
            "order_id": "order-1",
            "cliOrdId": "smc-1",
            "symbol": "PF_XBTUSD",
            "side": "buy",
            "size": 0.03,
            "price": 84000.5,
            "fillTime": "2026-11-22T11:30:00.000Z",
            "fillType": "maker",
        },
        {
            "fill_id": "fill-1",
            "order_id": "order-9",
            "symbol": "pf_xbtusd",
            "side": "sell",
            "size": 0.01,
            "price": 84001,
            "fillTime": "2026-11-22T11:29:00Z",
            "fillType": "somethingNew",
        },
    ]
)

CANCELLED = success(cancelStatus={"status": "cancelled", "order_id": "order-1", "receivedTime": SERVER_TIME})

ACCOUNT_LOG: dict[str, Any] = {
    "accountUid": "account",
    "logs": [
        {
            "id": 11,
            "date": "2026-11-22T11:30:00.000Z",
            "asset": "usd",
            "contract": "pf_xbtusd",
            "info": "futures trade",
            "execution": "fill-2",
            "fee": 0.504003,
            "realized_pnl": None,
            "realized_funding": 0.01,
            "old_balance": 100,
            "new_balance": 99.505997,
        },
        {
            "id": 12,
            "date": "2026-11-22T11:30:00.000Z",
            "asset": "pf_xbtusd",
            "contract": "pf_xbtusd",
            "info": "futures trade",
            "execution": "fill-2",
            "fee": None,
            "old_balance": 0,
            "new_balance": 0.03,
        },
    ],
}

HISTORY_ORDERS = {"elements": [], "accountUid": "account", "len": 0}

EVERY_READ = {
    f"{V3}/instruments": INSTRUMENTS,
    f"{V3}/feeschedules": FEE_SCHEDULES,
    f"{V3}/tickers": TICKERS,
    f"{V3}/accounts": ACCOUNTS,
    f"{V3}/openpositions": POSITIONS,
    f"{V3}/openorders": OPEN_ORDERS,
    f"{V3}/orders/status": ORDER_STATUS,
    f"{V3}/fills": FILLS,
    f"{V3}/cancelorder": CANCELLED,
    f"{HISTORY}/account-log": ACCOUNT_LOG,
    f"{HISTORY}/orders": HISTORY_ORDERS,
    f"{HISTORY}/triggers": HISTORY_ORDERS,
}


def order_request(**changes: Any) -> OrderRequest:
    values: dict[str, Any] = {
        "contract": "PF_XBTUSD",
        "side": OrderSide.BUY,
        "type": OrderType.POST,
        "quantity": Quantity("0.0100"),
        "client_order_id": ClientOrderId("smc-0123456789abcdef-1"),
        "reduce_only": False,
        "process_before": datetime(2026, 11, 22, 12, 0, 3, tzinfo=UTC),
        "limit_price": Price("84000"),
    }
    return OrderRequest(**{**values, **changes})
