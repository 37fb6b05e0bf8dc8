from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from shared.venue import account_translation as translate
from shared.venue.bodies import AccountsAnswer, OpenOrderRow, PositionRow, StatusRow
from shared.venue.history_bodies import AccountLogRow
from trading.errors import VenueAnswerInvalid
from trading.model.units import Money
from trading.model.venue import OpenOrderKind, OrderFate

ORDER = {
    "order_id": "order-1",
    "symbol": "pf_xbtusd",
    "side": "BUY",
    "orderType": "lmt",
    "limitPrice": "84000.0",
    "filledSize": "0.1",
    "unfilledSize": 0.2,
    "reduceOnly": False,
    "receivedTime": "2022-03-22T13:15:36Z",
}
LOG_ROW = {
    "id": 1,
    "date": "2026-08-11T19:55:24.251Z",
    "asset": "usd",
    "contract": "PF_DOGEUSD",
    "info": "futures trade",
    "fee": 0.0035,
    "old_balance": 1,
    "new_balance": 2,
}


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({}, OpenOrderKind.LIMIT),
        ({"orderType": "stp", "stopPrice": 1}, OpenOrderKind.STOP),
        ({"orderType": "stop", "stopPrice": 1}, OpenOrderKind.STOP),
        ({"orderType": "take_profit", "stopPrice": 1}, OpenOrderKind.TAKE_PROFIT),
        ({"orderType": "trailing_stop", "stopPrice": 1}, OpenOrderKind.STOP),
        ({"orderType": "something_new", "stopPrice": 0}, OpenOrderKind.LIMIT),
    ],
)
def test_open_order_kinds_survive_new_words(changes: dict[str, Any], kind: OpenOrderKind) -> None:
    order = translate.open_order(OpenOrderRow.model_validate({**ORDER, **changes}))
    assert (order.kind, order.contract, order.side.value) == (kind, "PF_XBTUSD", "buy")


@pytest.mark.parametrize(
    ("wire", "ours"), [("spot", "index"), ("mark", "mark"), ("MARK", "mark"), ("newest", "newest")]
)
def test_trigger_signals_use_our_words(wire: str, ours: str) -> None:
    row = OpenOrderRow.model_validate({**ORDER, "orderType": "stop", "stopPrice": 5, "triggerSignal": wire})
    assert translate.open_order(row).trigger_signal == ours


@pytest.mark.parametrize(
    ("status", "fate"),
    [
        ("ENTERED_BOOK", OrderFate.WORKING),
        ("TRIGGER_PLACED", OrderFate.WORKING),
        ("FULLY_EXECUTED", OrderFate.FILLED),
        ("REJECTED", OrderFate.REJECTED),
        ("CANCELLED", OrderFate.CANCELLED),
        ("TRIGGER_ACTIVATION_FAILURE", OrderFate.CANCELLED),
        ("SOMETHING_NEW", OrderFate.WORKING),
    ],
)
def test_order_status_words_become_fates(status: str, fate: OrderFate) -> None:
    row = {"order": {"orderId": "1", "symbol": "PF_XBTUSD", "filled": 0}, "status": status}
    assert translate.order_report(StatusRow.model_validate(row)).fate is fate


def test_position_of_unknown_side_is_refused() -> None:
    row = PositionRow.model_validate({"symbol": "PF_XBTUSD", "side": "both", "price": 1, "size": 1})
    with pytest.raises(VenueAnswerInvalid, match="expected long or short"):
        translate.position(row)


def test_amounts_in_coins_are_never_dollars() -> None:
    coins = AccountLogRow.model_validate({**LOG_ROW, "asset": "xbt", "realized_pnl": 3})
    row = translate.ledger_row(coins)
    assert (row.fee, row.realised, row.kind) == (Money(0), Money(0), "futures trade")


def test_position_leg_is_known_by_its_asset() -> None:
    cash = AccountLogRow.model_validate(LOG_ROW)
    leg = AccountLogRow.model_validate({**LOG_ROW, "asset": "pf_dogeusd"})
    transfer = AccountLogRow.model_validate({**LOG_ROW, "contract": None, "asset": "usdt"})
    assert [translate.is_cash_leg(row) for row in (cash, leg, transfer)] == [True, False, True]


def test_open_profit_is_summed_when_not_given() -> None:
    flex = dict.fromkeys(("marginEquity", "availableMargin", "initialMargin", "maintenanceMargin", "portfolioValue"), 7)
    body = {
        "serverTime": "2026-11-22T12:00:00Z",
        "accounts": {"flex": {**flex, "pnl": "1.5", "unrealizedFunding": -0.25}},
    }
    assert translate.account(AccountsAnswer.model_validate(body)).unrealised == Decimal("1.25")
