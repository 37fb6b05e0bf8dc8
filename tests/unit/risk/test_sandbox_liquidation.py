"""The liquidation model against the engine that liquidates in the sandbox: at the same price, for any book."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from itertools import product

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.fakes.records import NOW, coin
from tests.fakes.venue import VenueInMemory
from tests.unit.risk.risk_strategies import CHEAP
from trading import matching
from trading.model.instruments import Instrument, MarginLevel, Side
from trading.model.units import BasisPoints
from trading.risk.liquidation import Holding, liquidation_distance_of

LONG = Side.LONG


@dataclass(frozen=True)
class Book:
    """Two positions of one account at the venue: the first walks, the second stands still."""

    sides: tuple[Side, Side]
    levels: tuple[tuple[MarginLevel, ...], tuple[MarginLevel, ...]]
    worth: tuple[int, int]


def instruments(book: Book) -> tuple[Instrument, Instrument]:
    walks, stands = (
        coin(name, tick=Decimal("0.0001"), margin_levels=levels, taker_fee=BasisPoints(5))
        for name, levels in zip(("COIN", "OTHER"), book.levels, strict=True)
    )
    return walks, stands


def opened(book: Book) -> VenueInMemory | None:
    """The venue with both positions open, or None when its margin does not allow them."""
    pair = instruments(book)
    venue = VenueInMemory(pair, NOW)
    for instrument, side, worth in zip(pair, book.sides, book.worth, strict=True):
        request = matching.OrderRequest(
            symbol=instrument.contract,
            side=matching.Side.BUY if side is LONG else matching.Side.SELL,
            order_type=matching.OrderType.MARKET,
            size=Decimal(worth) / 100,
        )
        if venue.engine.send(request).status != "placed":
            return None
    return venue


def room_of(venue: VenueInMemory, held: Holding) -> Decimal:
    """Margin equity less what is due for everything but this position."""
    worth = held.size * held.price
    own = worth * next(each.maintenance for each in reversed(held.levels) if worth >= each.from_notional)
    found = venue.account()
    return found.equity - (found.maintenance_margin - own)


BOOKS = st.builds(
    Book,
    sides=st.sampled_from(list(product(Side, Side))),
    levels=st.tuples(st.sampled_from(CHEAP), st.sampled_from(CHEAP)),
    worth=st.tuples(
        st.sampled_from([700, 3_000, 9_000, 14_000, 20_000, 60_000, 89_000, 150_000]),
        st.sampled_from([500, 3_900, 12_000, 40_000]),
    ),
)


@settings(max_examples=200, deadline=None)
@given(BOOKS)
def test_sandbox_liquidates_just_beyond_the_distance(book: Book) -> None:
    venue = opened(book)
    assume(venue is not None)
    assert venue is not None
    price, sign = Decimal(100), book.sides[0].sign
    held = Holding(
        side=book.sides[0],
        size=Decimal(book.worth[0]) / 100,
        price=price,
        levels=book.levels[0],
        multiplier=Decimal(1),
    )
    distance = liquidation_distance_of(held, room_of(venue, held))
    if distance is None:
        venue.advance(60, COIN="0.001")
        assert venue.engine.books.liquidations == 0
        return
    near = Decimal("1e-6")
    venue.advance(60, COIN=price - sign * distance * (1 - near))
    assert venue.engine.books.liquidations == 0
    assume(distance * (1 + near) < price or sign < 0)
    venue.advance(60, COIN=price - sign * distance * (1 + near))
    assert venue.engine.books.liquidations >= 1


def test_most_generated_books_do_get_liquidated() -> None:
    """The property above is about something: of all combinations of plain levels, both kinds occur."""
    kinds = set()
    for sides, worth in product(product(Side, Side), [(700, 500), (20_000, 3_900), (150_000, 40_000)]):
        book = Book(sides, (CHEAP[0], CHEAP[0]), worth)
        venue = opened(book)
        assert venue is not None
        held = Holding(
            side=sides[0], size=Decimal(worth[0]) / 100, price=Decimal(100), levels=CHEAP[0], multiplier=Decimal(1)
        )
        kinds.add(liquidation_distance_of(held, room_of(venue, held)) is None)
    assert kinds == {True, False}
