"""Which market data a command is about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from trading.ports import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketPlace:
    """A MarketData table, the time there, and the spot API of its local stack (empty for a deployed table)."""

    table: str
    clock: Clock
    spot_url: str


@dataclass(frozen=True, slots=True)
class StoppedClock:
    """The time of a local stack, which stands while a command looks at it."""

    moment: datetime

    def now(self) -> datetime:
        return self.moment
