"""A contract's order book (`orderbook`): its body, and what it says in the terms of `trading.ports`."""

from __future__ import annotations

from shared.venue.bodies import TimedAnswer
from shared.venue.wire_types import Body, PositiveNumber
from trading.errors import InvalidInput, VenueAnswerInvalid
from trading.model.depth import Level, OrderBook
from trading.model.units import Price, Quantity

LevelRow = tuple[PositiveNumber, PositiveNumber]
"""Price and size of one level, not summed up; linear contracts count in base coins."""


class OrderBookSides(Body):
    bids: list[LevelRow]
    asks: list[LevelRow]


class OrderBookAnswer(TimedAnswer):
    """The whole book, best first. It does not name its contract: that is known from what was asked."""

    required_key = "orderBook"
    order_book: OrderBookSides


def order_book_of(contract: str, answer: OrderBookAnswer) -> OrderBook:
    """Raises VenueAnswerInvalid for a book in which one level contradicts another: half of it may be missing."""
    sides = answer.order_book
    try:
        return OrderBook(contract=contract, bids=_levels(sides.bids), asks=_levels(sides.asks), at=answer.server_time)
    except InvalidInput as error:
        raise VenueAnswerInvalid(f"venue answered orderbook with an impossible book: {error}") from None


def _levels(rows: list[LevelRow]) -> tuple[Level, ...]:
    return tuple((Price(price), Quantity(size)) for price, size in rows)
