"""The last look at an order right before it goes over the wire: written apart from the risk gate, and asked whoever
sends (controls C1, C3 and C9).

Only orders that may open something are held back. What reduces (stops, targets, exits) always goes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from shared.venue.call_cost import WINDOW, CallCost, cost_of
from trading.errors import InvalidInput
from trading.model.orders import OrderRequest, OrderType
from trading.model.times import require_utc, to_text
from trading.model.units import plain
from trading.ports import Clock
from trading.rules import Rules

PERPETUAL_PREFIX = "PF_"
"""Kraken's names of linear perpetuals begin so; `FF_` is dated, `PI_` and `FI_` are inverse."""

OPENING_TYPES = frozenset({OrderType.POST, OrderType.LIMIT, OrderType.IMMEDIATE})
"""Types that carry the worst price they may be filled at."""

SEND = "private_post_sendorder"
NOT_SENT = "not sent"
CALL_BUDGET = "call budget"
"""Begins the reason for which the same order may go a moment later; `trading.model.venue.REFUSED_FOR_NOW` knows it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryCaps:
    """What no order that may open exceeds: its worth in USD at its limit price, how many seconds it may stay under
    way, and the call units that this process has spent in 10 s once it is sent."""

    order_notional_usd: Decimal
    process_before_s: int
    call_cost_per_10_s: int

    def __post_init__(self) -> None:
        for name in self.__slots__:
            value = getattr(self, name)
            if not value > 0:
                raise InvalidInput(f"entry cap {name} is {value}; expected above 0")


def caps_of(rules: Rules) -> EntryCaps:
    return EntryCaps(
        order_notional_usd=rules.execution.order_notional_maximum_usd,
        process_before_s=rules.execution.process_before_s,
        call_cost_per_10_s=rules.execution.call_cost_per_10_s,
    )


def refusal(request: OrderRequest, caps: EntryCaps | None, now: datetime) -> str | None:
    """Why this order must not be sent, None when it may go. Without caps nothing that may open is ever sent."""
    if request.reduce_only:
        return None
    if caps is None:
        return "it may open a position and this client has no caps for entries"
    return _of_kind(request) or _of_size(request, caps) or _of_time(request, caps, now)


def _of_kind(request: OrderRequest) -> str | None:
    if not request.contract.startswith(PERPETUAL_PREFIX):
        return f"contract is {request.contract!r}; expected a linear perpetual ({PERPETUAL_PREFIX}...)"
    if request.type not in OPENING_TYPES:
        return f"type is {request.type}; expected one with a limit price ({', '.join(sorted(OPENING_TYPES))})"
    return None


def _of_size(request: OrderRequest, caps: EntryCaps) -> str | None:
    price, quantity = request.limit_price, request.quantity
    if price is None or not (price.is_finite() and price > 0):
        return f"limit price is {price}; expected a number above 0"
    if not (quantity.is_finite() and quantity > 0):
        return f"quantity is {quantity}; expected a number above 0"
    notional = quantity * price
    if notional > caps.order_notional_usd:
        return f"notional is {plain(notional)} USD; expected at most {plain(caps.order_notional_usd)}"
    return None


def _of_time(request: OrderRequest, caps: EntryCaps, now: datetime) -> str | None:
    """A function that was frozen between its record and its send wakes up with an order nobody wants any more."""
    lead = require_utc(request.process_before, "process before") - now
    if timedelta(0) < lead <= timedelta(seconds=caps.process_before_s):
        return None
    until = to_text(request.process_before)
    return f"it is to be processed before {until}; expected within {caps.process_before_s} s after {to_text(now)}"


class LastLine:
    """The caps of one client together with the calls it has made."""

    def __init__(self, *, caps: EntryCaps | None, clock: Clock) -> None:
        self._caps = caps
        self._clock = clock
        self._cost = CallCost(clock)

    def count(self, method: str, parameters: Mapping[str, object] | None = None) -> None:
        """Count a call that is about to be made and is no send of an order."""
        self._cost.spend(cost_of(method, parameters))

    def hold_back(self, request: OrderRequest) -> str | None:
        """Why this order is not sent, None when it goes; its call is counted then."""
        why = refusal(request, self._caps, self._clock.now()) or self._over_budget(request)
        return f"{NOT_SENT}: {why}" if why else None

    def _over_budget(self, request: OrderRequest) -> str | None:
        budget = None if request.reduce_only or self._caps is None else self._caps.call_cost_per_10_s
        if self._cost.spend(cost_of(SEND), budget):
            return None
        return f"{CALL_BUDGET}: {self._cost.spent()} units were spent in {WINDOW.seconds} s; expected room in {budget}"
