"""Limit, post, ioc and market orders against the declared book."""

from decimal import Decimal

from tests.unit.matching.scripted import at, d, engine, fills, market, order, placed, position
from trading.matching import EventKind, Liquidity, OrderState


def test_resting_buy_fills_in_part_when_touched_exactly() -> None:
    venue = engine((0, 100), (10, 98.95), (20, 100))
    order_id = placed(venue.send(order("lmt", "buy", 4, 99)))
    venue.advance(at(20))
    assert fills(venue) == [("buy", d("1.00"), d(99), "maker")]
    assert venue.books.live[order_id].remaining == d(3)


def test_resting_buy_fills_whole_when_traded_through() -> None:
    venue = engine((0, 100), (10, 98), (20, 100))
    order_id = placed(venue.send(order("lmt", "buy", 4, 99)))
    venue.advance(at(20))
    assert fills(venue) == [("buy", d("1.00"), d(99), "maker"), ("buy", d("3.00"), d(99), "maker")]
    assert venue.books.closed[order_id].state is OrderState.FILLED


def test_resting_order_above_the_low_stays_unfilled() -> None:
    venue = engine((0, 100), (10, 99.06), (20, 100))
    placed(venue.send(order("lmt", "buy", 4, 99)))
    venue.advance(at(20))
    assert fills(venue) == []


def test_resting_sell_mirrors_the_resting_buy() -> None:
    venue = engine((0, 100), (10, 102), (20, 100))
    placed(venue.send(order("post", "sell", 4, 101)))
    venue.advance(at(20))
    assert fills(venue) == [("sell", d("1.00"), d(101), "maker"), ("sell", d("3.00"), d(101), "maker")]


def test_fill_time_is_interpolated_on_the_path() -> None:
    venue = engine((0, 100), (10, 98))
    placed(venue.send(order("lmt", "buy", 4, 99)))
    venue.advance(at(10))
    # the ask is half a tick above the mark: the mark reaches 98.95 after 5.25 of 10 minutes
    assert venue.books.fills[0].time == at(5.25)


def test_limit_fills_at_its_price_when_price_jumps_over() -> None:
    venue = engine((0, 100), (10, 100), (10, 95), (20, 95))
    placed(venue.send(order("lmt", "buy", 4, 98)))
    venue.advance(at(10))
    assert {fill.price for fill in venue.books.fills} == {d(98)}
    assert position(venue) == d(4)


def test_crossing_limit_takes_up_to_its_price_and_rests() -> None:
    venue = engine((0, 100), (10, 100), listed=market(liquidity=Liquidity(half_spread=d(0), level_size=d(2))))
    answer = venue.send(order("lmt", "buy", 5, "100.2"))
    assert [event.kind for event in answer.events] == [EventKind.PLACE, EventKind.EXECUTION, EventKind.EXECUTION]
    assert (answer.events[0].order.size, answer.events[0].order.filled) == (d(5), d(0))
    assert fills(venue) == [("buy", d(2), d("100.1"), "taker"), ("buy", d(2), d("100.2"), "taker")]
    assert venue.books.live[placed(answer)].remaining == d(1)


def test_executed_order_answers_with_executions_only() -> None:
    answer = engine((0, 100), (10, 100)).send(order("mkt", "buy", 1))
    assert [event.kind for event in answer.events] == [EventKind.EXECUTION]
    assert answer.status == "placed"


def test_post_order_that_would_cross_is_refused() -> None:
    venue = engine((0, 100), (10, 100))
    assert venue.send(order("post", "buy", 1, "100.1")).status == "postWouldExecute"
    assert venue.send(order("post", "buy", 1, "100.0")).status == "placed"
    assert fills(venue) == []


def test_ioc_beyond_the_book_fills_in_part() -> None:
    venue = engine((0, 100), (10, 100), listed=market(liquidity=Liquidity(half_spread=d(0), level_size=d(2))))
    answer = venue.send(order("ioc", "sell", 5, "99.8"))
    assert answer.status == "placed"
    assert position(venue) == d(-4)
    assert venue.books.live == {}
    assert venue.books.closed[placed(answer)].filled == d(4)


def test_ioc_away_from_the_book_would_not_execute() -> None:
    venue = engine((0, 100), (10, 100))
    assert venue.send(order("ioc", "buy", 1, "99.9")).status == "iocWouldNotExecute"
    assert venue.books.live == {}


def test_market_order_stops_at_one_percent() -> None:
    thin = market(liquidity=Liquidity(half_spread=d(0), level_size=d(1), level_spacing=Decimal("0.004")))
    venue = engine((0, 100), (10, 100), listed=thin)
    answer = venue.send(order("mkt", "buy", 10))
    assert answer.events[0].order.limit_price == d(101)
    assert [fill.price for fill in venue.books.fills] == [d("100.1"), d("100.5"), d("100.9")]


def test_own_resting_order_in_the_way_is_refused() -> None:
    venue = engine((0, 100), (10, 100))
    placed(venue.send(order("post", "sell", 1, "100.1")))
    assert venue.send(order("mkt", "buy", 1)).status == "selfFill"
    assert fills(venue) == []


def test_order_ids_repeat_with_the_same_seed() -> None:
    first, second = engine((0, 100), (10, 100)), engine((0, 100), (10, 100))
    assert first.send(order("mkt", "buy", 1)) == second.send(order("mkt", "buy", 1))
    assert first.books == second.books
