"""A long past: what is stored stays small, and nothing that somebody may ask for is lost."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.fakes.cloud import emulated
from tests.integration.paper.desk import COIN, LIMIT, START, PaperDesk, sizes
from trading.model.orders import OrderSide, OrderType

TRIPS = 120


@pytest.fixture(scope="module")
def busy() -> Iterator[PaperDesk]:
    """Many round trips at prices that do not compress well."""
    chance = random.Random(3)
    with pytest.MonkeyPatch.context() as patch, emulated(patch):
        desk = PaperDesk()
        for _ in range(TRIPS):
            mark = chance.uniform(90, 110)
            desk.pass_time(60, PF_COINUSD=f"{mark:.4f}")
            venue = desk.run()
            venue.place(desk.request(OrderType.IMMEDIATE, price=f"{mark * 1.02:.2f}"))
            venue.place(desk.request(OrderType.MARKET, OrderSide.SELL))
        yield desk


def test_books_stay_small_and_lose_nothing(busy: PaperDesk) -> None:
    (size,), archive = sizes("PAPER"), sizes("PAPER_ARCHIVE")
    assert size < LIMIT / 3
    assert archive
    assert max(archive) < LIMIT / 3
    venue = busy.run()
    fills, rows = venue.fills(START), venue.ledger_rows(START)
    assert len(fills) == len({each.id for each in fills}) == 2 * TRIPS
    assert [each.id for each in rows] == sorted({each.id for each in rows})
    assert [each.execution for each in rows] == [each.id for each in fills]
    change = sum(each.realised - each.fee + each.funding for each in rows)
    assert venue.account().equity == 10_000 + change
    assert len({each.order_id for each in venue.order_history(COIN, START)}) == 2 * TRIPS


def test_part_of_the_past_is_told_as_asked(busy: PaperDesk) -> None:
    since = START + timedelta(minutes=30)
    venue = busy.run()
    expected = [each for each in venue.fills(START) if each.at >= since]
    assert [*venue.fills(since)] == expected
    assert len(expected) > 150
    assert len(venue.fills()) == 100
    assert {each.at >= since for each in venue.ledger_rows(since)} == {True}
