"""For every exit rule a window of recorded candles in which it fires, and one in which it must not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from infra.local.sandbox.control_api import switches
from tests.integration.exits.replay import COIN, Act, Window
from tests.integration.limits.local_stack import LocalStack


@dataclass(frozen=True, slots=True, kw_only=True)
class Backstop:
    """`rules`: overrides with which the rule can be seen at all; `why` the starting values never let it act."""

    rules: Mapping[str, Mapping[str, Any]]
    why: str


def tear(percent: str) -> Act:
    """The mark leaves the index by so many percent within half a minute."""
    return lambda stack: stack.move(COIN, "0", torn_pct=percent)


def funding(hourly: str) -> Act:
    """Longs pay this share of the price in an hour from now on."""

    def change(stack: LocalStack) -> None:
        stack.market.funding[COIN] = Decimal(hourly)
        stack.wait(seconds=30)

    return change


def dislocation(coin: str) -> Act:
    """The venue reports that the contract of this coin has left its price band."""

    def report(stack: LocalStack) -> None:
        switches(stack.venue, {"market": stack.contract(coin), "stress": {"dislocation": "ABOVE_UPPER_BOUND"}})

    return report


EXIT_SCENARIOS: dict[str, tuple[Window, Window]] = {
    "basis_after_fill": (
        Window(says="mark 1 % above its index", start="2024-01-06T08", stop="2", quarters=1, acts={0: tear("1")}),
        Window(says="mark 0.5 % above its index", start="2024-01-06T08", stop="2", quarters=1, acts={0: tear("0.5")}),
    ),
    "premise": (
        Window(says="the fourth close lies beyond it", start="2024-01-02T20", stop="0.6", quarters=8),
        Window(says="trades beyond it, closes before it", start="2024-01-04T01", stop="0.6", quarters=6),
    ),
    "abandon_ship": (
        Window(says="the daily bias turns down", start="2024-08-27T22", stop="5", quarters=9, biased=True),
        Window(says="only the structure turns down", start="2024-01-18T18", stop="5", quarters=9, biased=True),
    ),
    "funding": (
        Window(says="33.6 bps in 24 hours", start="2024-01-06T08", stop="2", quarters=3, acts={2: funding("0.00014")}),
        Window(says="24 bps in 24 hours", start="2024-01-06T08", stop="2", quarters=3, acts={2: funding("0.0001")}),
    ),
    "time_exit": (
        Window(says="five hours sideways", start="2024-01-06T08", stop="2", quarters=21),
        Window(says="the first target in the fifth hour", start="2024-01-04T11", stop="2", quarters=24),
    ),
    "maximum_hold": (
        Window(says="72 hours", start="2024-01-03T15", stop="2", quarters=296, every=8),
        Window(says="70 hours", start="2024-01-03T15", stop="2", quarters=280, every=8),
    ),
    "break_even": (
        Window(says="the first target is reached", start="2024-01-02T06", stop="0.6", quarters=8),
        Window(says="the first target is not reached", start="2024-01-06T08", stop="2", quarters=8),
    ),
    "market_disorder": (
        Window(
            says="the venue reports its contract as dislocated",
            start="2024-01-02T06",
            stop="2",
            quarters=6,
            acts={5: dislocation(COIN)},
        ),
        Window(
            says="the contract of another coin is dislocated",
            start="2024-01-02T06",
            stop="2",
            quarters=6,
            acts={5: dislocation("ETH")},
        ),
    ),
    "trailing": (
        Window(says="four hours of new highs", start="2024-01-02T06", stop="0.6", quarters=24),
        Window(says="1.5 ATR from the best price lie below break-even", start="2024-01-02T08", stop="0.6", quarters=12),
    ),
    "progressive_tightening": (
        Window(says="beyond 5 R", start="2024-01-03T15", stop="0.6", quarters=12),
        Window(says="2.7 R at best", start="2024-01-02T06", stop="0.6", quarters=24),
    ),
}
"""By rule: (fires, must not)."""

BACKSTOPS: dict[str, Backstop] = {
    "maximum_hold": Backstop(
        rules={"exits": {"trailing": False, "progressive_tightening": False, "break_even": False}},
        why="A position that has not reached its first target is closed by time_exit after five hours; after it the "
        "trailing stop is met by any pullback of 1.5 ATR, and no recorded 72 hours are without one.",
    )
}
