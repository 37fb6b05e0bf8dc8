"""The order book as a value: best first, never crossed, and what a position could be closed with."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from trading.errors import InvalidInput
from trading.model.depth import Level, OrderBook
from trading.model.instruments import Side
from trading.model.units import Price, Quantity

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)


def rows(*levels: tuple[str, str]) -> tuple[Level, ...]:
    return tuple((Price(price), Quantity(size)) for price, size in levels)


BIDS = rows(("99", "1"), ("98", "2"), ("90", "4"))
ASKS = rows(("101", "8"), ("102", "16"), ("110", "32"))


def book(bids: tuple[Level, ...] = BIDS, asks: tuple[Level, ...] = ASKS) -> OrderBook:
    return OrderBook(contract="PF_COINUSD", bids=bids, asks=asks, at=AT)


@pytest.mark.parametrize(
    ("side", "within", "coins"),
    [
        (Side.LONG, "99.99", 0),
        (Side.LONG, "100", 1),
        (Side.LONG, "200", 3),
        (Side.LONG, "1000", 7),
        (Side.SHORT, "100", 8),
        (Side.SHORT, "999.99", 24),
        (Side.SHORT, "1000", 56),
    ],
)
def test_closing_side_counts_up_to_the_distance(side: Side, within: str, coins: int) -> None:
    assert book().closing(side, Decimal(within)) == coins


@pytest.mark.parametrize(("bids", "asks"), [((), ASKS), (BIDS, ()), ((), ())])
def test_empty_side_leaves_no_mid(bids: tuple[Level, ...], asks: tuple[Level, ...]) -> None:
    half = book(bids, asks)
    assert half.mid is None
    assert [half.closing(side, Decimal(10_000)) for side in Side] == [0, 0]


@pytest.mark.parametrize(
    ("bids", "asks", "sentence"),
    [
        (BIDS[::-1], ASKS, "bids of PF_COINUSD go from 90 to 98; expected the best price first"),
        (BIDS, ASKS[::-1], "asks of PF_COINUSD go from 110 to 102; expected the best price first"),
        (rows(("99", "1"), ("99", "1")), ASKS, "bids of PF_COINUSD go from 99 to 99; expected the best price first"),
        (rows(("101.5", "1")), ASKS, "book of PF_COINUSD bids 101.5 and asks 101; expected the ask above it"),
    ],
)
def test_impossible_book_is_refused(bids: tuple[Level, ...], asks: tuple[Level, ...], sentence: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        book(bids, asks)
    assert str(caught.value) == sentence


def test_locked_book_has_a_mid() -> None:
    assert book(rows(("101", "1"))).mid == 101
