"""The books as they stood earlier: what a lagging answer shows."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from tests.unit.matching.scripted import COIN, at, d, engine, order, placed
from trading.matching import (
    EditRequest,
    MatchingEngine,
    Order,
    OrderState,
    OrderType,
    fills_until,
    orders_at,
    positions_at,
)


def live(orders: dict[str, Order]) -> dict[str, tuple[OrderState, Decimal, Decimal]]:
    return {name: (each.state, each.size, each.filled) for name, each in orders.items() if each.state.is_live}


def busy() -> tuple[MatchingEngine, list[tuple[datetime, dict[str, tuple[OrderState, Decimal, Decimal]], Decimal]]]:
    """A venue on which much happened, and what was live and held after every minute."""
    venue = engine((0, 100), (10, 100), (20, 90), (30, 112), (60, 112))
    seen = []
    placed(venue.send(order("mkt", "buy", 10)))
    first = placed(venue.send(order("lmt", "buy", 5, "95")))
    placed(venue.send(order("stp", "sell", 10, "92", reduce_only=True)))
    placed(venue.send(order("take_profit", "sell", 30, "110", reduce_only=True, limit_price=d(111))))
    gone = placed(venue.send(order("lmt", "sell", 2, "104")))
    for minute in range(1, 41):
        venue.advance(at(minute))
        if minute == 5:
            venue.edit(EditRequest(order_id=first, size=d(7)))
            venue.cancel(gone)
        if minute == 25:
            placed(venue.send(order("mkt", "sell", 20)))
        seen.append((venue.now, live(venue.books.live), venue.books.size_of(COIN)))
    return venue, seen


def test_replayed_orders_equal_what_was_live() -> None:
    venue, seen = busy()
    assert len({tuple(sorted(orders)) for _, orders, _ in seen}) >= 4
    for moment, orders, _ in seen:
        assert live(orders_at(venue.books, moment)) == orders, moment


def test_replayed_positions_equal_what_was_held() -> None:
    venue, seen = busy()
    assert len({held for *_, held in seen}) >= 3
    for moment, _, held in seen:
        found = positions_at(venue.books, moment)
        assert (found[COIN].size if COIN in found else 0) == held, moment
    final = replace(venue.books.positions[COIN], accrued_funding=d(0))
    assert positions_at(venue.books, venue.now)[COIN] == final


def test_ended_orders_are_shown_with_their_end() -> None:
    venue = engine((0, 100), (10, 90), (60, 90))
    refused = venue.send(order("post", "buy", 1, "200"))
    stop = placed(venue.send(order("stp", "sell", 1, "95", reduce_only=True)))
    venue.advance(at(20))
    assert refused.order_id not in orders_at(venue.books, at(20))
    assert orders_at(venue.books, at(1))[stop].state is OrderState.TRIGGER
    assert orders_at(venue.books, at(20))[stop].state is OrderState.ACTIVATION_FAILED


def test_fired_trigger_with_a_limit_is_shown_resting() -> None:
    venue = engine((0, 100), (10, 112), (60, 112))
    placed(venue.send(order("mkt", "buy", 1)))
    target = placed(venue.send(order("take_profit", "sell", 1, "110", reduce_only=True, limit_price=d(115))))
    venue.advance(at(20))
    shown = orders_at(venue.books, at(20))[target]
    assert (shown.state, shown.order_type) == (OrderState.RESTING, OrderType.LIMIT)
    current = venue.books.live[target]
    assert (shown.state, shown.order_type, shown.limit_price) == (current.state, current.order_type, d(115))
    assert orders_at(venue.books, at(1))[target].state is OrderState.TRIGGER


def test_later_fills_are_left_out() -> None:
    venue = engine((0, 100), (60, 100))
    placed(venue.send(order("mkt", "buy", 1)))
    venue.advance(at(2))
    placed(venue.send(order("mkt", "buy", 2)))
    assert [fill.size for fill in fills_until(venue.books, at(1))] == [1]
    assert [fill.size for fill in fills_until(venue.books, at(2))] == [1, 2]
