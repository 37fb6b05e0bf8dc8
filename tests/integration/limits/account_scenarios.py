"""Scenarios of the limits on the account."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from infra.local.sandbox.wire import iso
from tests.integration.limits.local_stack import LocalStack
from tests.integration.limits.scenario import Scenario
from trading.model.risk import RefusalReason as R
from trading.model.signals import Signal


def paused_by_a_person(stack: LocalStack, fires: bool) -> Signal:
    """A person pauses trading."""
    if fires:
        stack.operate("pause")
    return stack.propose("BTC")


def clocks_apart(stack: LocalStack, fires: bool) -> Signal:
    """Our clock runs 5 s ahead of the venue's."""
    stack.run_ahead(5 if fires else 2)
    return stack.propose("BTC")


def old_account(stack: LocalStack, fires: bool) -> Signal:
    """The account's answer has stood in somebody's cache for 61 s."""
    answered = iso(stack.now())

    def of_then(document: Any) -> None:
        document["serverTime"] = answered

    stack.wire.bent["/accounts"] = of_then
    stack.wait(seconds=61 if fires else 59)
    return stack.propose("BTC")


def deposit(stack: LocalStack, fires: bool) -> Signal:
    """The owner pays in as much as there was, since the last equity that was recorded."""
    stack.reconcile()
    stack.venue.engine.books.balance += Decimal(10_000 if fires else 9_000)
    return stack.propose("BTC")


def lost_by_hand(stack: LocalStack, fall_pct: str) -> None:
    """The owner buys 30,000 USD worth of ETH, which falls, and sells it again; the equity before is on record."""
    stack.reconcile()
    bought = stack.by_hand("ETH", "buy", "30000")
    stack.move("ETH", f"-{fall_pct}")
    size = str(bought["orderEvents"][0]["amount"])
    assert len(bought["orderEvents"]) == 1, bought
    stack.by_hand("ETH", "sell", "30000", size=size, reduceOnly="true")
    assert not stack.venue.engine.books.positions


def daily_loss(stack: LocalStack, fires: bool) -> Signal:
    """The owner's own trade has lost 6 % of the day's peak equity."""
    lost_by_hand(stack, "1.9" if fires else "1.2")
    return stack.propose("BTC")


def little_left_of_the_day(stack: LocalStack, fires: bool) -> Signal:
    """4.7 % of the day's peak equity are lost: another half percent at a stop would pass the daily limit."""
    lost_by_hand(stack, "1.45" if fires else "1.2")
    return stack.propose("BTC")


def lose(stack: LocalStack, coin: str) -> None:
    """A whole losing trade of ours: entered, protected, stopped out, booked."""
    stack.propose(coin, away="0.1")
    stack.execute()
    stack.move(coin, "-0.2")
    stack.reconcile()
    stack.move(coin, "-2.3")
    for _ in range(2):
        stack.reconcile()
        stack.wait(seconds=20)
    assert stack.cloud.ledger.position(stack.ideas[-1].instrument) is None, f"the trade in {coin} is not booked"


def third_loss_in_a_row(stack: LocalStack, fires: bool) -> Signal:
    """Three trades in a row of the tight regime hit their stops."""
    stack.reconcile()
    for coin in ("ETH", "LINK", "AVAX")[: 3 if fires else 2]:
        lose(stack, coin)
    return stack.propose("BTC")


def position_nobody_recorded(stack: LocalStack, fires: bool) -> Signal:
    """The owner opens a position by hand, and reconcile has not seen it yet."""
    if fires:
        stack.by_hand("AVAX", "buy", "500")
    return stack.propose("BTC")


def isolated_contract(stack: LocalStack, fires: bool) -> Signal:
    """Somebody sets a leverage on the contract of an open position, which makes it isolated."""
    stack.by_hand("AVAX", "buy", "500")
    stack.reconcile()
    if fires:
        stack.venue.leverage[stack.contract("AVAX")] = Decimal(5)
    return stack.propose("BTC")


def own_order_in_the_way(stack: LocalStack, fires: bool) -> Signal:
    """The owner offers the coin at the very price that our entry would bid."""
    stack.by_hand("BTC", "sell", "600", orderType="lmt", limitPrice="60001" if fires else "60002")
    return stack.propose("BTC", away="-0.002")


SCENARIOS: dict[R, Scenario] = {
    R.KILL_LEVEL: Scenario(play=paused_by_a_person),
    R.CLOCK_SKEW: Scenario(play=clocks_apart),
    R.EQUITY_AGE: Scenario(
        play=old_account,
        rules={"risk": {"clock_skew_maximum_s": 120}},
        backstop="The gate judges at the moment when the account answered by our clock, so the account's age is the "
        "difference of the clocks: `clock_skew_maximum_s` (2) refuses long before `equity_maximum_age_s` (60).",
    ),
    R.EQUITY_JUMP: Scenario(play=deposit),
    R.DAILY_LOSS: Scenario(play=daily_loss, also=frozenset({R.OPEN_RISK})),
    R.LOSS_STREAK: Scenario(play=third_loss_in_a_row),
    R.OPEN_RISK: Scenario(play=little_left_of_the_day),
    R.UNRECORDED_POSITIONS: Scenario(play=position_nobody_recorded),
    R.ISOLATED_MARGIN: Scenario(play=isolated_contract),
    R.SELF_MATCH: Scenario(play=own_order_in_the_way),
}
