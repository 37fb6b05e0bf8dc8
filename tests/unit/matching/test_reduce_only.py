"""Reduce-only orders are trimmed, shrink with the position, and never open or turn over one."""

import pytest

from tests.unit.matching.scripted import at, d, engine, fills, order, placed, position
from trading.matching import Switches


def test_reduce_only_order_is_trimmed_to_the_position() -> None:
    venue = engine((0, 100), (10, 100))
    placed(venue.send(order("mkt", "buy", 2)))
    answer = venue.send(order("mkt", "sell", 5, reduce_only=True))
    assert answer.events[0].reduced == d(3)
    assert position(venue) == 0


def test_oversized_reduce_only_is_refused_by_switch() -> None:
    venue = engine((0, 100), (10, 100), switches=Switches(trim_reduce_only=False))
    placed(venue.send(order("mkt", "buy", 2)))
    assert venue.send(order("mkt", "sell", 5, reduce_only=True)).status == "wouldNotReducePosition"
    assert position(venue) == d(2)


@pytest.mark.parametrize("side", ["buy", "sell"])
@pytest.mark.parametrize("kind", ["mkt", "lmt"])
def test_reduce_only_order_while_flat_is_refused(kind: str, side: str) -> None:
    venue = engine((0, 100), (10, 100))
    price = None if kind == "mkt" else 100
    assert venue.send(order(kind, side, 1, price, reduce_only=True)).status == "wouldNotReducePosition"
    assert venue.books.live == {}


def test_reduce_only_on_the_same_side_is_refused() -> None:
    venue = engine((0, 100), (10, 100))
    placed(venue.send(order("mkt", "buy", 2)))
    assert venue.send(order("mkt", "buy", 1, reduce_only=True)).status == "wouldNotReducePosition"


def test_resting_reduce_only_shrinks_with_the_position() -> None:
    venue = engine((0, 100), (10, 100))
    placed(venue.send(order("mkt", "buy", 4)))
    target = placed(venue.send(order("lmt", "sell", 4, 105, reduce_only=True)))
    placed(venue.send(order("mkt", "sell", 3, reduce_only=True)))
    assert venue.books.live[target].remaining == d(1)


def test_resting_reduce_only_is_cancelled_when_flat() -> None:
    venue = engine((0, 100), (10, 90))
    placed(venue.send(order("mkt", "buy", 4)))
    target = placed(venue.send(order("lmt", "sell", 4, 105, reduce_only=True)))
    placed(venue.send(order("stp", "sell", 4, 95, reduce_only=True)))
    venue.advance(at(10))
    assert position(venue) == 0
    assert target in venue.books.closed


def test_two_targets_never_turn_the_position_over() -> None:
    venue = engine((0, 100), (10, 110))
    placed(venue.send(order("mkt", "buy", 4)))
    placed(venue.send(order("lmt", "sell", 4, 104, reduce_only=True)))
    placed(venue.send(order("lmt", "sell", 4, 105, reduce_only=True)))
    venue.advance(at(10))
    assert position(venue) == 0
    assert sum(row[1] for row in fills(venue) if row[0] == "sell") == d(4)


def test_second_stop_fails_after_the_first_closed() -> None:
    venue = engine((0, 100), (10, 90))
    placed(venue.send(order("mkt", "buy", 4)))
    for price in (95, 94):
        placed(venue.send(order("stp", "sell", 4, price, reduce_only=True)))
    venue.advance(at(10))
    assert position(venue) == 0
    assert len(fills(venue)) == 2


def test_order_without_reduce_only_turns_the_position_over() -> None:
    venue = engine((0, 100), (10, 100))
    placed(venue.send(order("mkt", "buy", 2)))
    placed(venue.send(order("mkt", "sell", 5)))
    assert position(venue) == d(-3)
    assert venue.books.position_log[-1].change == "reverse"
    assert venue.books.positions["PF_COINUSD"].entry == d("99.9")
