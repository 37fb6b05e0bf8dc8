"""The declared order book around the mark price, and what a taker order executes against it.

Best bid and ask lie half a spread (at least half a tick) from the mark, rounded outwards to the tick. Further levels
follow at equal spacing, each with the same declared size. The book refills at once: it has no memory.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from trading.matching.markets import Liquidity, Market
from trading.matching.orders import Side
from trading.matching.rounding import ONE, ZERO, ceil_to, floor_to, nearest_to

HALF = Decimal("0.5")


@dataclass(frozen=True, slots=True)
class Level:
    """One price level: USD and base units."""

    price: Decimal
    size: Decimal


def bid(market: Market, mark: Decimal) -> Decimal:
    """Best bid at `mark`, a multiple of the tick, at least one tick."""
    raw = min(mark * (ONE - market.liquidity.half_spread), mark - market.tick_size * HALF)
    return max(floor_to(raw, market.tick_size), market.tick_size)


def ask(market: Market, mark: Decimal) -> Decimal:
    """Best ask at `mark`, a multiple of the tick."""
    raw = max(mark * (ONE + market.liquidity.ask_distance), mark + market.tick_size * HALF)
    return ceil_to(raw, market.tick_size)


def last_price(market: Market, mark: Decimal) -> Decimal:
    """Last trade price: the mark rounded to the tick."""
    return max(nearest_to(mark, market.tick_size), market.tick_size)


def mark_when_ask_is(market: Market, price: Decimal) -> Decimal:
    """Mark at which the unrounded ask falls to `price` (where a resting buy is reached)."""
    return min(price / (ONE + _resting(market).ask_distance), price - market.tick_size * HALF)


def mark_when_bid_is(market: Market, price: Decimal) -> Decimal:
    """Mark at which the unrounded bid rises to `price` (where a resting sell is reached)."""
    return max(price / (ONE - _resting(market).half_spread), price + market.tick_size * HALF)


def _resting(market: Market) -> Liquidity:
    return market.liquidity if market.resting_liquidity is None else market.resting_liquidity


def levels(market: Market, mark: Decimal, taker: Side) -> Iterator[Level]:
    """Levels that a taker on side `taker` meets, best first."""
    liquidity = market.liquidity
    size = max(floor_to(liquidity.level_size, market.size_step), market.size_step)
    spacing = max(ceil_to(mark * liquidity.level_spacing, market.tick_size), market.tick_size)
    best = ask(market, mark) if taker is Side.BUY else bid(market, mark)
    for number in range(liquidity.level_count):
        price = best + taker.sign * spacing * number
        if price <= ZERO:
            return
        yield Level(price, size)


def crosses(market: Market, mark: Decimal, side: Side, limit: Decimal) -> bool:
    """True when a limit order at `limit` would execute at once."""
    if side is Side.BUY:
        return limit >= ask(market, mark)
    return limit <= bid(market, mark)


def protected_price(market: Market, mark: Decimal, side: Side) -> Decimal:
    """Worst price of a market order: `protection` (1 %) beyond the last price, rounded towards the mark."""
    reference = last_price(market, mark)
    if side is Side.BUY:
        return floor_to(reference * (ONE + market.protection), market.tick_size)
    return max(ceil_to(reference * (ONE - market.protection), market.tick_size), market.tick_size)


def plan_taker(market: Market, mark: Decimal, side: Side, size: Decimal, limit: Decimal | None) -> tuple[Level, ...]:
    """Executions of a taker order: one per level up to `limit`; less than `size` when the book is too thin."""
    planned: list[Level] = []
    left = size
    for level in levels(market, mark, side):
        beyond = limit is not None and (level.price - limit) * side.sign > ZERO
        if left <= ZERO or beyond:
            break
        taken = min(left, level.size)
        planned.append(Level(level.price, taken))
        left -= taken
    return tuple(planned)
