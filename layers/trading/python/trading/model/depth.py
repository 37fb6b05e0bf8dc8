"""What rests in a contract's order book at one moment, and how much of it a position could be closed with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import pairwise

from trading.errors import InvalidInput
from trading.model.instruments import Side
from trading.model.units import Price, Quantity

Level = tuple[Price, Quantity]
"""Price in USD and what rests there in base coins."""

BPS = Decimal(10_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderBook:
    """Both sides with the best price first, each price once. A side may be empty: then nobody asks or bids.

    `at` is the venue's time. Raises InvalidInput for sides that are out of order or cross each other.
    """

    contract: str
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    at: datetime

    def __post_init__(self) -> None:
        for name, levels, sign in (("bids", self.bids, -1), ("asks", self.asks, 1)):
            for (better, _), (worse, _) in pairwise(levels):
                if (worse - better) * sign <= 0:
                    raise InvalidInput(
                        f"{name} of {self.contract} go from {better} to {worse}; expected the best price first"
                    )
        if self.bids and self.asks and self.bids[0][0] > self.asks[0][0]:
            raise InvalidInput(
                f"book of {self.contract} bids {self.bids[0][0]} and asks {self.asks[0][0]}; expected the ask above it"
            )

    @property
    def mid(self) -> Decimal | None:
        """USD halfway between best bid and best ask, None when a side is empty."""
        if not self.bids or not self.asks:
            return None
        return (self.bids[0][0] + self.asks[0][0]) / 2

    def closing(self, side: Side, within_bps: Decimal) -> Decimal:
        """Base coins that a position of this side could be closed with at prices up to `within_bps` from the mid: the
        bids for a long, the asks for a short. None of them when there is no mid."""
        mid = self.mid
        if mid is None:
            return Decimal(0)
        farthest, levels = mid * within_bps / BPS, self.bids if side is Side.LONG else self.asks
        return sum((quantity for price, quantity in levels if abs(price - mid) <= farthest), Decimal(0))
