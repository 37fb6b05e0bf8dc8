"""How much an order book lets in: what the position would be closed with, near the mid, shared by all of ours in it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from tests.fakes.records import NOW, filled, levels, planned, signal
from tests.unit.risk.cases import SCENE, Scene, order_book
from tests.unit.risk.limit_cases import TWO_IN_A_COIN, R, risk
from trading.model.depth import Level, OrderBook
from trading.model.instruments import Side
from trading.model.risk import RiskApproved
from trading.model.units import Price, Quantity

SHORT = signal(levels=levels(Side.SHORT))


def rows(*levels_of: tuple[str, int]) -> tuple[Level, ...]:
    return tuple((Price(price), Quantity(size)) for price, size in levels_of)


def sized(scene: Scene) -> tuple[Decimal, str]:
    answer = scene.decide()
    assert isinstance(answer, RiskApproved), answer.reason
    return answer.sizing.quantity, answer.sizing.capped_by


def test_thin_book_makes_the_order_smaller() -> None:
    assert sized(SCENE) == (Decimal("23.80"), "")
    assert sized(SCENE.but(order_book=order_book(bids=30))) == (Decimal(15), "depth")


@pytest.mark.parametrize(("idea", "book"), [(signal(), order_book(asks=1)), (SHORT, order_book(bids=1))])
def test_side_of_the_entry_caps_nothing(idea: object, book: OrderBook) -> None:
    assert sized(SCENE.but(signal=idea, order_book=book))[1] == ""


def test_short_is_closed_with_the_asks() -> None:
    assert sized(SCENE.but(signal=SHORT, order_book=order_book(asks=30))) == (Decimal(15), "depth")
    assert SCENE.but(signal=SHORT, order_book=order_book(asks=None)).refused_by() == {R.DEPTH}


def test_levels_up_to_the_bound_are_counted() -> None:
    """50 bps of a mid of 100: a level at 99.50 counts, one a cent below does not."""
    bids = rows(("99.99", 10), ("99.5", 20), ("99.49", 1000))
    scene = SCENE.but(order_book=OrderBook(contract="PF_COINUSD", bids=bids, asks=rows(("100.01", 1)), at=NOW))
    assert sized(scene) == (Decimal(15), "depth")
    assert sized(scene.but(rules=risk(depth_within_bps=51)))[1] == ""


def test_position_in_the_contract_shares_the_book() -> None:
    scene = SCENE.but(order_book=order_book(bids=40), rules=TWO_IN_A_COIN)
    assert sized(scene) == (Decimal(20), "depth")
    assert sized(scene.but(positions=(planned(),))) == (Decimal(10), "depth")
    assert sized(scene.but(positions=(filled("O1"),))) == (Decimal(20), "depth")


@pytest.mark.parametrize("book", [None, order_book(bids=None), order_book(asks=None), order_book(None, None)])
def test_book_without_a_mid_closes_nothing(book: OrderBook | None) -> None:
    scene = SCENE.but(order_book=book)
    assert scene.refused_by() == {R.DEPTH}
    found = scene.check(R.DEPTH)
    assert found is not None
    assert found.bound == 0
    assert sized(scene.but(rules=risk(depth=False))) == (Decimal("23.80"), "")


@pytest.mark.parametrize(("late", "refused"), [(10, set()), (10.001, {R.QUOTE_AGE})])
@pytest.mark.parametrize("sign", [1, -1])
def test_book_of_another_moment_is_refused(late: float, refused: set[R], sign: int) -> None:
    book = order_book(at=NOW + sign * timedelta(seconds=late))
    assert SCENE.but(order_book=book).refused_by() == refused
