"""What calls cost in the venue's own units, and what one process has spent of them lately (contract, section 9).

The venue allows 500 units in 10 s for everything under /derivatives. Public calls are free there, and the histories
draw on a pool of their own, which no order ever waits for: both cost nothing here.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from datetime import datetime, timedelta

from trading.ports import Clock

WINDOW = timedelta(seconds=10)

COSTS = {
    "sendorder": 10,
    "cancelorder": 10,
    "accounts": 2,
    "openpositions": 2,
    "openorders": 2,
    "fills": 2,
    "orders_status": 1,
}
"""By ccxt's name of the private method without its verb."""

OLDER_FILLS = 25
"""A page of fills further back, asked for with `lastFillTime`."""

DEAREST = 25
"""Of the calls this adapter could make; an unlisted one is taken for as dear as that."""


def cost_of(method: str, parameters: Mapping[str, object] | None = None) -> int:
    """Units that the venue counts for a call, by ccxt's method name (`private_get_openorders`)."""
    if not method.startswith("private_"):
        return 0
    name = method.split("_", 2)[2]
    if name == "fills" and parameters and "lastFillTime" in parameters:
        return OLDER_FILLS
    return COSTS.get(name, DEAREST)


class CallCost:
    """Units spent within the last 10 s of the clock. Threads may share it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._spent: deque[tuple[datetime, int]] = deque()
        self._lock = threading.Lock()

    def spend(self, cost: int, budget: int | None = None) -> bool:
        """Count a call that is about to be made. With a budget: False, and nothing is counted, when it would be
        exceeded."""
        now = self._clock.now()
        with self._lock:
            # Also without a budget: what has aged is dropped here, and some processes never ask for anything else.
            spent = self._within(now)
            if budget is not None and spent + cost > budget:
                return False
            self._spent.append((now, cost))
            return True

    def spent(self) -> int:
        """Units of the calls of the last 10 s."""
        now = self._clock.now()
        with self._lock:
            return self._within(now)

    def _within(self, now: datetime) -> int:
        # A clock that was set back leaves calls of a future time: they count as made now, and are gone in 10 s.
        recent = ((min(at, now), cost) for at, cost in self._spent)
        self._spent = deque((at, cost) for at, cost in recent if at > now - WINDOW)
        return sum(cost for _, cost in self._spent)
