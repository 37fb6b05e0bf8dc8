"""What the public data say, or fail to say: paper's account must come out of it as a real one would."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from tests.fakes.futures_market import a_contract
from tests.integration.paper.desk import COIN, OTHER, START, PaperDesk
from trading.errors import VenueUnavailable
from trading.model.orders import OrderSide, OrderType
from trading.model.units import Price, Quantity
from trading.model.venue import SendOutcome


def hold(desk: PaperDesk) -> PaperDesk:
    """One coin at about 100 with a stop at 95."""
    assert desk.buy().outcome is SendOutcome.ACCEPTED
    assert desk.protect("95").outcome is SendOutcome.ACCEPTED
    return desk


def sell(desk: PaperDesk, price: str) -> None:
    assert desk.run().place(desk.request(OrderType.POST, OrderSide.SELL, price)).outcome is SendOutcome.ACCEPTED


# time


@pytest.mark.parametrize("ahead", [timedelta(minutes=10), timedelta(days=365)])
def test_ticker_from_the_future_freezes_nothing(desk: PaperDesk, ahead: timedelta) -> None:
    hold(desk).pass_time(60)
    desk.say(at=desk.at + ahead)
    with pytest.raises(VenueUnavailable, match="ahead of our clock"):
        desk.run().positions()
    assert desk.run().place(desk.request(OrderType.STOP, OrderSide.SELL, "96")).outcome is SendOutcome.UNKNOWN
    desk.pass_time(60, PF_COINUSD="90")
    assert desk.run().positions() == ()


def test_clock_of_a_flat_account_is_the_tickers(desk: PaperDesk) -> None:
    """The clock check compares it with ours: it must be able to fail before the first entry too."""
    desk.say(at=desk.at + timedelta(seconds=20))
    venue = desk.run()
    venue.quotes()
    assert venue.account().at - desk.at == timedelta(seconds=20)


# halts


@pytest.mark.parametrize("state", ["suspended", "post_only"])
def test_stop_waits_while_its_market_is_halted(desk: PaperDesk, state: str) -> None:
    hold(desk).pass_time(60, PF_COINUSD="90")
    desk.say(**{state: True})
    assert len(desk.run().positions()) == 1
    desk.pass_time(60, PF_COINUSD="80")
    assert desk.run().positions() == ()
    fill = desk.run().fills()[-1]
    assert (abs(fill.price - 80) <= Decimal("0.02"), fill.at) == (True, desk.at)


@pytest.mark.parametrize(
    ("kind", "price", "halted", "opened"),
    [
        (OrderType.STOP, "95", "80", "100"),
        (OrderType.STOP, "95", "94.5", "95.3"),
        (OrderType.POST, "105", "110", "100"),
    ],
)
def test_price_of_a_halt_executes_nothing_afterwards(
    desk: PaperDesk, kind: OrderType, price: str, halted: str, opened: str
) -> None:
    desk.buy()
    desk.run().place(desk.request(kind, OrderSide.SELL, price))
    desk.pass_time(60, PF_COINUSD=halted)
    desk.say(suspended=True)
    assert len(desk.run().positions()) == 1
    desk.pass_time(60, PF_COINUSD=opened)
    assert len(desk.run().positions()) == len(desk.run().open_orders()) == 1


def test_halted_account_is_judged_as_its_market_opens(desk: PaperDesk) -> None:
    """At 97 it would be liquidated, but nobody could trade there."""
    desk.run().open_account(Decimal(3000))
    assert desk.buy(quantity=Quantity(950)).outcome is SendOutcome.ACCEPTED
    desk.pass_time(60, PF_COINUSD="97")
    desk.say(suspended=True)
    assert len(desk.run().positions()) == 1
    desk.pass_time(60, PF_COINUSD="100")
    assert [each.quantity for each in desk.run().positions()] == [950]


@pytest.mark.parametrize("halted", [(COIN,), (COIN, OTHER)])
def test_largest_position_is_liquidated_first_after_a_halt(desk: PaperDesk, halted: tuple[str, ...]) -> None:
    """As it would be without one: all open at one look, and are judged together."""
    desk.run().open_account(Decimal(3000))
    for contract, quantity, limit in ((COIN, 700, "101"), (OTHER, 200, "50.5")):
        answer = desk.buy(contract=contract, quantity=Quantity(quantity), limit_price=Price(limit))
        assert answer.outcome is SendOutcome.ACCEPTED
    desk.pass_time(60)
    for contract in halted:
        desk.say(contract, suspended=True)
    assert len(desk.run().positions()) == 2
    desk.pass_time(60, PF_COINUSD="96.5")
    assert [(each.contract, each.quantity) for each in desk.run().positions()] == [(OTHER, 200)]


def test_older_look_opens_no_halted_market(desk: PaperDesk) -> None:
    hold(desk).pass_time(60)
    old = dict(desk.market.tickers)
    desk.pass_time(0.5, PF_COINUSD="80")
    desk.say(suspended=True)
    assert len(desk.run().positions()) == 1
    desk.market.answers = [old]
    answer = desk.run().place(desk.request(OrderType.STOP, OrderSide.SELL, "96"))
    assert (answer.outcome, answer.detail) == (SendOutcome.REJECTED, "marketSuspended")
    assert len(desk.run().positions()) == 1


def test_resting_entry_is_not_filled_while_halted(desk: PaperDesk) -> None:
    assert desk.run().place(desk.request(OrderType.POST, price="99")).outcome is SendOutcome.ACCEPTED
    desk.pass_time(60, PF_COINUSD="98")
    desk.say(suspended=True)
    assert desk.run().fills() == ()


def test_contract_without_terms_does_not_open_by_its_ticker(desk: PaperDesk) -> None:
    """The process that sees the end of the halt has not read the contract's terms."""
    hold(desk).pass_time(60, PF_COINUSD="90")
    desk.say(suspended=True)
    desk.run().positions()
    listed, desk.market.listed = desk.market.listed, ()
    desk.pass_time(60, PF_COINUSD="80")
    assert len(desk.run().positions()) == 1
    desk.market.listed = listed
    desk.pass_time(60, PF_COINUSD="80")
    assert desk.run().positions() == ()


# prices


def test_stop_jumped_over_fills_at_the_look(desk: PaperDesk) -> None:
    hold(desk).pass_time(60, PF_COINUSD="60")
    assert desk.run().positions() == ()
    assert abs(desk.run().fills()[-1].price - 60) <= Decimal("0.02")


def test_unwatched_stop_fills_at_the_next_look(desk: PaperDesk) -> None:
    desk.buy()
    desk.protect("99.5")
    desk.pass_time(3600, PF_COINUSD="99.2")
    assert abs(desk.run().fills()[-1].price - Decimal("99.2")) <= Decimal("0.02")


def test_later_narrow_book_fills_nothing_before_it(desk: PaperDesk) -> None:
    """The asks that were told are 100.08 and 100.31: nobody sold at 100.05. The same for a target, mirrored."""
    desk.say(bid=Price("100.02"), ask=Price("100.08"))
    assert desk.run().place(desk.request(OrderType.POST, price="100.05")).outcome is SendOutcome.ACCEPTED
    desk.pass_time(60, PF_COINUSD="100.30")
    assert desk.run().fills() == ()


def test_resting_order_crossed_at_a_look_is_filled_then(desk: PaperDesk) -> None:
    """On the way there the wide book of the look before counts, at the look its own: no later fill is dated back."""
    desk.buy()
    desk.pass_time(60)
    desk.say(bid=Price("99.0"))
    sell(desk, "100.2")
    desk.pass_time(60, PF_COINUSD="100.5")
    assert desk.run().positions() == ()
    assert {each.at for each in desk.run().fills()[1:]} == {desk.at}


def test_target_above_every_told_bid_stays(desk: PaperDesk) -> None:
    desk.buy()
    desk.pass_time(60)
    desk.say(bid=Price("99.92"), ask=Price("99.98"))
    sell(desk, "99.95")
    desk.pass_time(60, PF_COINUSD="99.50")
    assert len(desk.run().fills()) == 1


def test_stop_fills_at_its_own_torn_side(desk: PaperDesk) -> None:
    hold(desk).pass_time(60, PF_COINUSD="94")
    desk.say(bid=Price("93.99"), ask=Price("95.50"))
    assert desk.run().positions() == ()
    assert desk.run().fills()[-1].price == Decimal("93.99")


@pytest.mark.parametrize("odd", [{"bid": None, "ask": None}, {"bid": Price("98.9")}])
@pytest.mark.parametrize("then", ["94", "94.8"])
def test_one_odd_book_costs_no_later_stop(desk: PaperDesk, odd: dict[str, Price | None], then: str) -> None:
    """The wider of two books is for what rests: a stop that fires meets the book of the look."""
    hold(desk).pass_time(60, PF_COINUSD="95.5" if then == "94.8" else "100")
    away = {name: value and Price(value * desk.marks[COIN] / 100) for name, value in odd.items()}
    desk.say(**away)
    desk.run().positions()
    desk.pass_time(60, PF_COINUSD=then)
    assert desk.run().positions() == ()
    assert desk.run().fills()[-1].price >= Decimal(then) - Decimal("0.01")


def test_mark_that_cannot_be_true_touches_no_stop(desk: PaperDesk) -> None:
    hold(desk).pass_time(60)
    desk.say(mark=Price("10"))
    assert len(desk.run().open_orders()) == len(desk.run().positions()) == 1
    assert desk.protect("96").outcome is SendOutcome.UNKNOWN
    desk.pass_time(60)
    assert len(desk.run().open_orders()) == 1


# rows that cannot be read


def test_contract_without_terms_is_not_refused(desk: PaperDesk) -> None:
    """A refused stop makes the system close the position; the real venue would have taken it."""
    listed = desk.market.listed
    hold(desk).pass_time(60, PF_COINUSD="94.5")
    desk.market.listed = tuple(each for each in listed if each.contract == OTHER)
    assert desk.protect("94").outcome is SendOutcome.UNKNOWN
    assert len(desk.run().positions()) == 1, "nothing executes in it meanwhile"
    desk.market.listed = listed
    desk.pass_time(60, PF_COINUSD="94.5")
    assert desk.run().positions() == ()


def test_terms_that_were_lost_are_asked_for_again(desk: PaperDesk) -> None:
    listed, desk.market.listed = desk.market.listed, ()
    venue = desk.run()
    assert venue.place(desk.request(OrderType.POST, price="99")).outcome is SendOutcome.UNKNOWN
    desk.market.listed = listed
    desk.pass_time(60)
    assert venue.place(desk.request(OrderType.POST, price="99")).outcome is SendOutcome.ACCEPTED


@pytest.mark.parametrize("silent", [True, False])
def test_terms_once_read_outlive_a_bad_answer(desk: PaperDesk, silent: bool) -> None:
    venue = desk.run()
    assert venue.place(desk.request(OrderType.POST, price="99")).outcome is SendOutcome.ACCEPTED
    desk.market.listed, desk.market.listing_down = (), silent
    desk.pass_time(3601)
    assert venue.place(desk.request(OrderType.POST, price="99")).outcome is SendOutcome.ACCEPTED
    assert desk.run().place(desk.request(OrderType.POST, price="99")).outcome is SendOutcome.UNKNOWN


def test_ticker_that_is_missing_makes_a_send_unknown(desk: PaperDesk) -> None:
    del desk.market.tickers[COIN]
    assert desk.buy().outcome is SendOutcome.UNKNOWN


def test_retry_on_a_look_without_the_ticker_is_unknown(desk: PaperDesk) -> None:
    """The first look can be read; another run stores first, and the second look cannot."""
    venue, other = desk.run(), desk.run()
    assert (venue.positions(), other.positions()) == ((), ())
    tickers = desk.market.tickers
    assert other.place(desk.request(OrderType.POST, price="49", contract=OTHER)).outcome is SendOutcome.ACCEPTED
    desk.market.answers = [tickers, {name: each for name, each in tickers.items() if name != COIN}]
    assert venue.place(desk.request(OrderType.STOP, OrderSide.SELL, "96")).outcome is SendOutcome.UNKNOWN


def test_order_under_impossible_terms_gets_no_answer(desk: PaperDesk) -> None:
    desk.buy()
    desk.market.listed = tuple(replace(each, margin_levels=()) for each in desk.market.listed)
    assert desk.protect("96").outcome is SendOutcome.UNKNOWN


def test_unread_terms_liquidate_no_other_contract(desk: PaperDesk) -> None:
    """Three positions of the account's size each; a new process reads the terms of the third only."""
    third, desk.marks["PF_THIRDUSD"] = a_contract("THIRD"), Decimal(20)
    desk.market.listed = (*desk.market.listed, third)
    desk.pass_time(0)
    for contract, quantity, limit in ((COIN, 99, "101"), (OTHER, 199, "50.5"), (third.contract, 499, "20.2")):
        answer = desk.buy(contract=contract, quantity=Quantity(quantity), limit_price=Price(limit))
        assert answer.outcome is SendOutcome.ACCEPTED
    desk.market.listed = (third,)
    desk.pass_time(60)
    assert len(desk.run().positions()) == 3


@pytest.mark.parametrize("terms", [{"maximum_position": Quantity(0)}, {"margin_levels": ()}])
def test_terms_of_one_contract_hide_no_other(desk: PaperDesk, terms: dict[str, object]) -> None:
    hold(desk)
    desk.buy(contract=OTHER, limit_price=Decimal("50.5"))
    desk.market.listed = tuple(
        replace(each, **terms) if each.contract == OTHER else each for each in desk.market.listed
    )
    desk.pass_time(60)
    assert {each.contract for each in desk.run().positions()} == {COIN, OTHER}
    assert desk.protect("96").outcome is SendOutcome.ACCEPTED
    assert desk.run().account().equity > 0
    assert desk.run().fills(START)
