"""Rate limits by cost in virtual time: 500 per 10 s on /derivatives, 100 per 10 min on /api/history."""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta

COSTS = {
    "sendorder": 10,
    "editorder": 10,
    "cancelorder": 10,
    "cancelallorders": 25,
    "cancelallordersafter": 25,
    "accounts": 2,
    "openpositions": 2,
    "openorders": 2,
    "fills": 2,
    "orders/status": 1,
    "leveragepreferences": 2,
}
POOL, WINDOW = 500, timedelta(seconds=10)
HISTORY_POOL, HISTORY_WINDOW = 100, timedelta(minutes=10)
LOG_COSTS = ((25, 1), (50, 2), (1000, 3), (5000, 6))


def derivatives_cost(method: str, name: str, paged: bool) -> int:
    """Cost of a call; `paged` is a fills call with lastFillTime."""
    if name == "fills" and paged:
        return 25
    if name == "leveragepreferences" and method == "PUT":
        return 10
    return COSTS.get(name, 0)


def history_cost(name: str, count: int) -> int:
    """Tokens of a history call that asks for `count` rows."""
    if name != "account-log":
        return 1
    return next((cost for limit, cost in LOG_COSTS if count <= limit), 10)


@dataclass(slots=True)
class RateLimits:
    """Costs spent lately, in two sliding windows of virtual time."""

    derivatives: deque[tuple[datetime, int]] = field(default_factory=deque)
    history: deque[tuple[datetime, int]] = field(default_factory=deque)

    def spend_derivatives(self, now: datetime, cost: int) -> bool:
        """True when the cost fits into the window; a refused call costs nothing."""
        return _spend(self.derivatives, (now, cost), POOL, WINDOW)

    def spend_history(self, now: datetime, cost: int) -> bool:
        """True when the tokens suffice."""
        return _spend(self.history, (now, cost), HISTORY_POOL, HISTORY_WINDOW)


def _spend(spent: deque[tuple[datetime, int]], entry: tuple[datetime, int], pool: int, window: timedelta) -> bool:
    while spent and spent[0][0] <= entry[0] - window:
        spent.popleft()
    if sum(cost for _, cost in spent) + entry[1] > pool:
        return False
    spent.append(entry)
    return True
