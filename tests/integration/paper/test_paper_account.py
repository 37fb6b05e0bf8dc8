"""The paper account over many runs: every run is a new object that knows only what the table holds."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.fakes.cloud import write_raw
from tests.integration.paper.desk import COIN, OTHER, START, PaperDesk
from trading.errors import InvalidInput, VenueUnavailable
from trading.model.instruments import Side
from trading.model.orders import OrderSide, OrderType
from trading.model.units import Quantity
from trading.model.venue import SendOutcome


def test_accepted_order_is_there_in_the_next_run(desk: PaperDesk) -> None:
    answer = desk.run().place(desk.request(OrderType.POST, price="99"))
    assert answer.outcome is SendOutcome.ACCEPTED
    (order,) = desk.run().open_orders()
    assert (order.order_id, order.limit_price, order.received_at) == (answer.order_id, 99, START)


def test_stop_fires_on_the_way_between_two_looks(desk: PaperDesk) -> None:
    desk.buy()
    desk.protect("99.5")
    desk.pass_time(60, PF_COINUSD="99.1")
    (exit_,) = desk.run().fills()[1:]
    assert exit_.kind == "taker"
    assert START < exit_.at < desk.at
    assert abs(exit_.price - Decimal("99.5")) <= Decimal("0.02")
    assert (desk.run().positions(), desk.run().open_orders()) == ((), ())


def test_fill_that_was_told_stays_a_fact(desk: PaperDesk) -> None:
    """The price has come back when the next run looks: without a stored first look, its straight line saw no fill."""
    desk.buy()
    desk.protect("95")
    desk.pass_time(60, PF_COINUSD="94")
    told = desk.run().fills()
    desk.pass_time(60, PF_COINUSD="100")
    assert len(told) == 2
    assert desk.run().fills() == told
    assert desk.run().positions() == ()


def test_wick_between_two_looks_is_not_seen(desk: PaperDesk) -> None:
    desk.buy()
    desk.protect("95")
    desk.pass_time(30, PF_COINUSD="90")
    desk.pass_time(30, PF_COINUSD="100")
    (position,) = desk.run().positions()
    assert (position.contract, position.side, position.quantity) == (COIN, Side.LONG, 1)


def test_resting_entry_fills_as_maker_at_its_price(desk: PaperDesk) -> None:
    desk.run().place(desk.request(OrderType.POST, price="99"))
    desk.pass_time(60, PF_COINUSD="98")
    fills = desk.run().fills()
    assert {(each.kind, each.price) for each in fills} == {("maker", Decimal(99))}
    fee = sum(row.fee for row in desk.run().ledger_rows(START))
    assert fee == Decimal(99) * 2 / 10_000


def test_funding_is_the_tickers_rate_by_the_hour(desk: PaperDesk) -> None:
    desk.funding = Decimal("0.0001")
    desk.pass_time(0)
    desk.buy()
    for _ in range(2):
        desk.pass_time(3600)
        desk.run().positions()
    paid = [row.funding for row in desk.run().ledger_rows(START) if row.execution is None]
    assert len(paid) == 2
    assert paid[1] == Decimal("-0.01")
    assert paid[0] == pytest.approx(Decimal("-0.01") * (3600 - 30) / 3600)


def test_equity_is_the_balance_less_what_was_paid(desk: PaperDesk) -> None:
    assert desk.run().account().equity == 10_000
    desk.buy()
    desk.pass_time(60, PF_COINUSD="110")
    account, (position,) = desk.run().account(), desk.run().positions()
    fee = sum(row.fee for row in desk.run().ledger_rows(START))
    assert account.equity == 10_000 - fee + (110 - position.entry)
    assert (account.unrealised, account.at) == (110 - position.entry, desk.at)
    assert account.initial_margin == Decimal(110) * Decimal("0.02")


def test_order_beyond_the_margin_is_refused(desk: PaperDesk) -> None:
    desk.run().open_account(Decimal(50))
    answer = desk.buy(quantity=Quantity(100))
    assert (answer.outcome, answer.detail) == (SendOutcome.REJECTED, "insufficientAvailableFunds")


def test_account_opens_once_with_the_chosen_balance(desk: PaperDesk) -> None:
    desk.run().open_account(Decimal(2500))
    assert desk.run().account().equity == 2500
    with pytest.raises(InvalidInput, match="open already"):
        desk.run().open_account(Decimal(5000))
    with pytest.raises(InvalidInput, match="-1"):
        desk.run().open_account(Decimal(-1))


def test_last_line_holds_an_order_back_on_paper_too(desk: PaperDesk) -> None:
    answer = desk.buy(quantity=Quantity(2000))
    assert answer.outcome is SendOutcome.REJECTED
    assert "notional is 202000 USD" in answer.detail
    assert desk.run().positions() == ()


def test_contract_that_is_not_listed_is_refused(desk: PaperDesk) -> None:
    answer = desk.buy(contract="PF_NONEUSD")
    assert (answer.outcome, answer.detail) == (SendOutcome.REJECTED, "contractNotFound")


def test_suspended_contract_refuses_for_now(desk: PaperDesk) -> None:
    desk.say(suspended=True)
    answer = desk.buy()
    assert (answer.outcome, answer.detail) == (SendOutcome.REJECTED, "marketSuspended")


def test_idle_run_asks_for_no_price(desk: PaperDesk) -> None:
    looks = desk.market.looks
    venue = desk.run()
    assert (venue.positions(), venue.open_orders(), venue.fills(START)) == ((), (), ())
    assert venue.account().at == desk.at
    assert desk.market.looks == looks


def test_one_look_serves_all_reads_of_a_run(desk: PaperDesk) -> None:
    desk.buy()
    desk.pass_time(60)
    before, venue = desk.market.looks, desk.run()
    venue.account(), venue.positions(), venue.open_orders(), venue.fills(), venue.ledger_rows(START)
    assert desk.market.looks == before + 1


def test_silent_venue_makes_no_order_and_no_guess(desk: PaperDesk) -> None:
    desk.buy()
    desk.pass_time(60)
    desk.market.down = True
    with pytest.raises(VenueUnavailable):
        desk.run().positions()
    assert desk.protect("95").outcome is SendOutcome.UNKNOWN
    desk.market.down = False
    assert desk.run().open_orders() == ()


def test_unreadable_books_are_never_an_empty_account(desk: PaperDesk) -> None:
    write_raw("PAPER", "BOOKS", body="nonsense")
    with pytest.raises(VenueUnavailable, match="cannot be read"):
        desk.run().positions()
    assert desk.buy().outcome is SendOutcome.UNKNOWN


def test_missing_ticker_of_one_contract_stops_no_other(desk: PaperDesk) -> None:
    desk.buy()
    desk.protect("95")
    desk.buy(contract=OTHER, limit_price=Decimal("50.5"))
    desk.pass_time(60, PF_COINUSD="90")
    del desk.market.tickers[OTHER]
    assert [each.contract for each in desk.run().positions()] == [OTHER]


def test_cancelled_order_is_known_for_some_seconds(desk: PaperDesk) -> None:
    placed = desk.request(OrderType.POST, price="99")
    desk.run().place(placed)
    assert desk.run().cancel(placed.client_order_id).detail == "cancelled"
    assert len(desk.run().order_reports([placed.client_order_id])) == 1
    desk.pass_time(6)
    assert desk.run().order_reports([placed.client_order_id]) == ()
    assert len(desk.run().order_history(COIN, START)) == 1


def test_reduce_only_exit_closes_no_more_than_there_is(desk: PaperDesk) -> None:
    desk.buy()
    desk.run().place(desk.request(OrderType.MARKET, OrderSide.SELL, quantity=Quantity(5)))
    assert desk.run().positions() == ()
    assert sum(each.quantity for each in desk.run().fills()) == 2


def test_delisted_contract_keeps_the_account_going(desk: PaperDesk) -> None:
    """Its position stands at its last price, its orders come off, and everything else is traded as before."""
    desk.buy()
    desk.protect("95")
    desk.market.listed = tuple(each for each in desk.market.listed if each.contract == OTHER)
    del desk.marks[COIN]
    desk.pass_time(60)
    (held,) = desk.run().positions()
    assert (held.contract, held.quantity) == (COIN, 1)
    assert desk.run().account().maintenance_margin > 0
    other = desk.request(OrderType.IMMEDIATE, price="51", contract=OTHER)
    assert desk.run().place(other).outcome is SendOutcome.ACCEPTED
    assert desk.buy().detail == "contractNotFound"
    (stop,) = desk.run().open_orders()
    assert desk.run().cancel_order(stop.order_id).gone
    assert desk.run().open_orders() == ()
    assert {each.contract for each in desk.run().positions()} == {COIN, OTHER}
