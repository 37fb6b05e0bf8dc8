"""Fees, realised profit, funding, account log, margin and liquidation."""

from datetime import timedelta

import pytest

from tests.unit.matching.scripted import COIN, OTHER, START, ScriptedFeed, at, d, engine, fills, market, order, placed
from trading.matching import FillType, MarginTier, MatchingEngine, opening_books


def test_taker_and_maker_pay_their_own_fees() -> None:
    venue = engine((0, 100), (10, 110))
    placed(venue.send(order("mkt", "buy", 10)))
    placed(venue.send(order("lmt", "sell", 10, 105, reduce_only=True)))
    venue.advance(at(10))
    assert venue.books.fills[0].fee == d("100.1") * 10 * d("0.0005")
    assert sum(fill.fee for fill in venue.books.fills[1:]) == d(105) * 10 * d("0.0002")


def test_realised_profit_is_gross_of_fees() -> None:
    venue = engine((0, 100), (10, 110))
    placed(venue.send(order("mkt", "buy", 10)))
    placed(venue.send(order("take_profit", "sell", 10, 105, reduce_only=True)))
    venue.advance(at(10))
    assert venue.books.realised == (d("104.9") - d("100.1")) * 10
    assert venue.books.balance == d(10000) + venue.books.realised - venue.books.fees


def test_adding_to_a_position_averages_its_entry() -> None:
    venue = engine((0, 100), (10, 110))
    placed(venue.send(order("mkt", "buy", 10)))
    venue.advance(at(10))
    placed(venue.send(order("mkt", "buy", 30)))
    assert venue.books.positions[COIN].entry == (d("100.1") * 10 + d("110.1") * 30) / 40


def test_each_trade_writes_cash_and_position_row() -> None:
    venue = engine((0, 100), (10, 100))
    placed(venue.send(order("mkt", "buy", 10)))
    cash, leg = venue.books.log
    assert (cash.is_cash, cash.asset, cash.contract) == (True, "usd", COIN.lower())
    assert (leg.is_cash, leg.old_balance, leg.new_balance, leg.fee) == (False, d(0), d(10), None)
    assert cash.execution == leg.execution == venue.books.fills[0].fill_id


def test_cash_rows_explain_every_change_of_balance() -> None:
    venue = engine((0, 100), (90, 104), (200, 95), funding="0.003")
    placed(venue.send(order("mkt", "buy", 10)))
    placed(venue.send(order("stp", "sell", 10, 96, reduce_only=True)))
    venue.advance(at(200))
    rows = [row for row in venue.books.log if row.is_cash]
    for row in rows:
        booked = (row.realised_pnl or 0) - (row.fee or 0) + (row.realised_funding or 0)
        assert row.new_balance - row.old_balance == booked
    assert [later.old_balance for later in rows[1:]] == [row.new_balance for row in rows[:-1]]
    assert rows[-1].new_balance == venue.books.balance


def test_longs_pay_positive_funding_every_hour() -> None:
    venue = engine((0, 100), (180, 100), funding="0.01")
    placed(venue.send(order("mkt", "buy", 10)))
    venue.advance(at(150))
    rows = [row for row in venue.books.log if row.info == "funding rate change"]
    assert [(row.time, row.realised_funding) for row in rows] == [(at(60), d("-0.1")), (at(120), d("-0.1"))]
    assert venue.margin().accrued_funding == d("-0.05")


def test_shorts_receive_what_longs_pay() -> None:
    venue = engine((0, 100), (180, 100), funding="0.01")
    placed(venue.send(order("mkt", "sell", 10)))
    venue.advance(at(60))
    assert venue.books.funding == d("0.1")


def test_funding_is_realised_when_the_position_changes() -> None:
    venue = engine((0, 100), (180, 100), funding="0.01")
    placed(venue.send(order("mkt", "buy", 10)))
    venue.advance(at(30))
    placed(venue.send(order("mkt", "sell", 10, reduce_only=True)))
    cash = [row for row in venue.books.log if row.is_cash][-1]
    assert (cash.info, cash.realised_funding) == ("futures trade", d("-0.05"))
    assert venue.books.position_log[-1].realised_funding == d("-0.05")


def test_margin_follows_the_tiers_of_the_position() -> None:
    tiers = (
        MarginTier(from_notional=d(0), initial=d("0.02"), maintenance=d("0.01")),
        MarginTier(from_notional=d(50_000), initial=d("0.1"), maintenance=d("0.05")),
    )
    venue = engine((0, 100), (10, 100), listed=market(margin_tiers=tiers))
    placed(venue.send(order("mkt", "buy", 400)))
    assert (venue.margin().initial, venue.margin().maintenance) == (d(800), d(400))
    placed(venue.send(order("mkt", "buy", 200)))
    assert (venue.margin().initial, venue.margin().maintenance) == (d(6000), d(3000))


def test_working_orders_hold_margin_but_triggers_do_not() -> None:
    venue = engine((0, 100), (10, 100))
    placed(venue.send(order("lmt", "buy", 100, 99)))
    placed(venue.send(order("stp", "sell", 100, 95, reduce_only=True)))
    assert venue.margin().initial == 0
    assert venue.margin().initial_with_orders == d(200)


def test_position_is_liquidated_below_maintenance_margin() -> None:
    venue = engine((0, 100), (10, 80), balance="1000")
    placed(venue.send(order("mkt", "buy", 100)))
    venue.advance(at(10))
    assert venue.books.size_of(COIN) == 0
    assert {fill.fill_type for fill in venue.books.fills[1:]} == {FillType.LIQUIDATION}
    # equity 1000 - 5.005 fee - 100 x (100.1 - mark) meets 1 % of 100 x mark at a mark of 91.0606
    assert venue.books.fills[1].mark == pytest.approx(d("91.0606"), abs=d("0.0001"))
    assert 0 < venue.equity() < 100


def test_liquidation_cancels_entries_and_leaves_stops() -> None:
    venue = engine((0, 100), (10, 80), balance="1000")
    placed(venue.send(order("mkt", "buy", 100)))
    entry = placed(venue.send(order("lmt", "buy", 1, 70)))
    stop = placed(venue.send(order("stp", "sell", 100, 60, reduce_only=True)))
    venue.advance(at(10))
    assert entry in venue.books.closed
    assert stop in venue.books.live


def test_stop_before_the_liquidation_price_saves_the_account() -> None:
    venue = engine((0, 100), (10, 80), balance="1000")
    placed(venue.send(order("mkt", "buy", 100)))
    placed(venue.send(order("stp", "sell", 100, 95, reduce_only=True)))
    venue.advance(at(10))
    assert venue.books.liquidations == 0
    assert fills(venue)[-1] == ("sell", d(100), d("94.9"), "taker")


def test_liquidation_closes_the_largest_position_first() -> None:
    feed = ScriptedFeed({COIN: [(0, 100), (10, 80)], OTHER: [(0, 10), (10, 10)]})
    markets = {COIN: market(), OTHER: market(OTHER)}
    venue = MatchingEngine(opening_books(START, d(1000)), markets, feed)
    placed(venue.send(order("mkt", "buy", 100)))
    placed(venue.send(order("mkt", "buy", 10, symbol=OTHER)))
    venue.advance(at(10))
    assert venue.books.size_of(COIN) == 0
    assert venue.books.size_of(OTHER) == d(10)


def test_loss_of_one_market_liquidates_through_another() -> None:
    feed = ScriptedFeed({COIN: [(0, 100), (4, 100), (10, 88)], OTHER: [(0, 100), (2, 100), (2, 99), (10, 101)]})
    markets = {COIN: market(), OTHER: market(OTHER)}
    venue = MatchingEngine(opening_books(START, d(1000)), markets, feed)
    placed(venue.send(order("mkt", "buy", 80)))
    placed(venue.send(order("mkt", "sell", 60, symbol=OTHER)))
    venue.advance(at(10))
    assert venue.books.liquidations == 1
    assert at(4) < venue.books.fills[2].time < at(10)
    assert venue.now - venue.books.fills[2].time < timedelta(minutes=6)
