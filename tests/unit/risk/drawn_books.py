"""Order books for property tests: mostly deep, the others thin, far away, one-sided or not there."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from tests.fakes.records import NOW
from tests.unit.risk.dice import Dice
from trading.model.depth import Level, OrderBook
from trading.model.units import Price, Quantity

DEEP = [(Decimal(1), Decimal(10**12))]
WORTH = [Decimal(each) for each in (900, 5_000, 20_000, 100_000, 1_000_000)]


def order_book(rolled: Dice, contract: str, mark: Decimal) -> OrderBook | None:
    """Mostly deep; else a few levels a side, worth little or much, near the mark or far away, or nobody at all."""
    if not rolled.seldom(4):
        return OrderBook(contract=contract, bids=_levels(mark, -1, DEEP), asks=_levels(mark, 1, DEEP), at=NOW)
    sides = [[(rolled.number(1, 9, 20, 40, 90), rolled.pick(WORTH)) for _ in range(rolled.roll(4))] for _ in range(2)]
    if rolled.seldom(20):
        return None
    return OrderBook(contract=contract, bids=_levels(mark, -1, sides[0]), asks=_levels(mark, 1, sides[1]), at=NOW)


def _levels(mark: Decimal, sign: int, steps: Sequence[tuple[Decimal, Decimal]]) -> tuple[Level, ...]:
    """Each so many bps behind the one before, worth so many USD."""
    found, price = [], mark
    for bps, dollars in steps:
        price += sign * mark * bps / 10_000
        found.append((Price(price), Quantity(dollars / mark)))
    return tuple(found)
