"""Equity is what the venue says is margined, in every shape that its account body has had."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from shared.venue import account_translation as translate
from shared.venue.bodies import AccountsAnswer
from shared.venue.reading import read_answer
from shared.venue.received import Received
from trading.errors import VenueAnswerInvalid
from trading.model.venue import Account

USD = {"quantity": 4000, "value": 4000, "collateral": 4000, "available": 3900}
COINS = {"quantity": 0.1, "value": 6000, "collateral": 5400, "available": 0.1}
OLDER_COINS = {"quantity": 0.1, "value": 6000, "collateralValue": 5400, "available": 0.1}
FLEX = {
    "type": "multiCollateralMarginAccount",
    "currencies": {"USD": USD},
    "balanceValue": 4000,
    "portfolioValue": 4010.5,
    "collateralValue": 4000,
    "initialMargin": 100.25,
    "initialMarginWithOrders": 120,
    "maintenanceMargin": 50.125,
    "pnl": 10.75,
    "unrealizedFunding": -0.25,
    "totalUnrealized": 10.5,
    "totalUnrealizedAsMargin": 10.5,
    "marginEquity": 4010.5,
    "availableMargin": 3910.25,
}
WITH_COINS = {
    "currencies": {"USD": USD, "XBT": COINS},
    "balanceValue": 10000,
    "portfolioValue": 10010.5,
    "collateralValue": 9400,
    "marginEquity": 9410.5,
    "availableMargin": 9310.25,
}
BESIDE = {
    "cash": {"type": "cashAccount", "balances": {"usd": 999999, "xbt": 7}},
    "fi_xbtusd": {"type": "marginAccount", "currency": "xbt", "balances": {"xbt": 5}, "auxiliary": {"pv": 123456}},
    "fi_ethusd": None,
}


def read(accounts: object) -> Account:
    text = json.dumps({"result": "success", "serverTime": "2026-11-22T12:00:00Z", "accounts": accounts})
    return translate.account(read_answer(Received(status=200, text=text), "accounts", AccountsAnswer))


def test_dollars_alone_are_the_equity_with_profit() -> None:
    account = read({"flex": FLEX})
    assert (account.equity, account.available_margin) == (Decimal("4010.5"), Decimal("3910.25"))
    assert (account.initial_margin, account.maintenance_margin) == (Decimal("100.25"), Decimal("50.125"))
    assert account.unrealised == Decimal("10.5")


@pytest.mark.parametrize("coins", [COINS, OLDER_COINS])
def test_coins_count_after_their_haircut(coins: dict[str, Any]) -> None:
    account = read({"flex": {**FLEX, **WITH_COINS, "currencies": {"USD": USD, "XBT": coins}}})
    assert (account.equity, account.portfolio_value) == (Decimal("9410.5"), Decimal("10010.5"))
    assert account.available_margin == Decimal("9310.25")


@pytest.mark.parametrize("total", [{}, {"totalUnrealized": None}, {"totalUnrealized": ""}])
def test_open_profit_is_summed_where_unsaid(total: dict[str, Any]) -> None:
    flex = {name: value for name, value in FLEX.items() if name != "totalUnrealized"}
    assert read({"flex": {**flex, **total}}).unrealised == Decimal("10.5")


def test_accounts_beside_the_wallet_change_nothing() -> None:
    assert read({"flex": FLEX, **BESIDE}) == read({"flex": FLEX})


def test_bust_account_is_a_fact() -> None:
    account = read({"flex": {**FLEX, "marginEquity": -12.5, "availableMargin": -112.75, "portfolioValue": -12.5}})
    assert (account.equity, account.available_margin) == (Decimal("-12.5"), Decimal("-112.75"))


@pytest.mark.parametrize("accounts", [{}, {"flex": None}, BESIDE, {**BESIDE, "flex": None}])
def test_account_without_the_wallet_is_said_plainly(accounts: dict[str, Any]) -> None:
    with pytest.raises(
        VenueAnswerInvalid, match=r"^venue answered accounts without 'flex'; expected a multi-"
    ) as caught:
        read(accounts)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("nonsense", [None, "", "much", "NaN", "-Infinity", True, [], {}, 10**60])
@pytest.mark.parametrize(
    "name", ["marginEquity", "availableMargin", "initialMargin", "maintenanceMargin", "portfolioValue"]
)
def test_nonsense_names_the_field_and_is_refused(name: str, nonsense: object) -> None:
    with pytest.raises(
        VenueAnswerInvalid, match=rf"^venue answered accounts .* valid accounts\.flex\.{name} "
    ) as caught:
        read({"flex": {**FLEX, name: nonsense}})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["initialMargin", "maintenanceMargin"])
def test_margin_below_zero_is_refused_by_name(name: str) -> None:
    assert read({"flex": {**FLEX, name: 0}}).equity == Decimal("4010.5")
    with pytest.raises(VenueAnswerInvalid, match=rf"accounts\.flex\.{name} .*expected 0 or more"):
        read({"flex": {**FLEX, name: -0.01}})


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "1e999", "1.2.3"])
def test_number_that_is_none_is_no_answer(text: str) -> None:
    body = {"result": "success", "serverTime": "2026-11-22T12:00:00Z", "accounts": {"flex": FLEX}}
    spoilt = json.dumps(body).replace("4010.5", text)
    with pytest.raises(VenueAnswerInvalid, match=r"^venue answered accounts"):
        read_answer(Received(status=200, text=spoilt), "accounts", AccountsAnswer)


def test_numbers_as_text_are_the_same_account() -> None:
    quoted = {name: str(value) if isinstance(value, int | float) else value for name, value in FLEX.items()}
    assert read({"flex": quoted}) == read({"flex": FLEX})
