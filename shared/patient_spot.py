"""Spot data with patience: calls keep to a pace, and a read that failed is tried again."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass
from datetime import datetime
from typing import TypeVar

from shared.clock import Wait
from shared.pacing import Pacer
from trading.errors import InvalidInput, VenueNotAsked, VenueThrottled, VenueUnavailable
from trading.model.candles import CandleAnswer
from trading.model.times import Timeframe
from trading.model.venue import ListedPair, SpotQuote
from trading.ports import SpotMarket

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Retry:
    """`attempts`: calls of one read in all, at least 1. `pause_s`: mean pause before the second, doubled before each
    later one."""

    attempts: int
    pause_s: float

    def __post_init__(self) -> None:
        if self.attempts < 1:
            raise InvalidInput(f"attempts is {self.attempts}; expected at least 1")
        if not self.pause_s >= 0:
            raise InvalidInput(f"retry pause is {self.pause_s} s; expected 0 or more")


@dataclass(frozen=True, slots=True)
class PatientSpot:
    """A `SpotMarket` that asks `spot` at the pace of `pacer`, and again after VenueUnavailable.

    `draw` gives numbers from 0 to 1. `deadline`, in seconds of `now`: no retry begins after it. Safe for several
    threads when `spot` is (see `SpotPool`).
    """

    spot: SpotMarket
    pacer: Pacer
    retry: Retry
    wait: Wait
    draw: Callable[[], float] = random.random
    _: KW_ONLY
    deadline: float | None = None
    now: Callable[[], float] = time.monotonic

    def pairs(self) -> tuple[ListedPair, ...]:
        return self._ask(self.spot.pairs, _no_turn_needed)

    def quotes(self, pairs: Sequence[str]) -> dict[str, SpotQuote]:
        return self._ask(lambda: self.spot.quotes(pairs), _no_turn_needed)

    def candles(self, pair: str, timeframe: Timeframe, since: datetime | None) -> CandleAnswer:
        """Every call waits for its turn, repeated ones too. VenueNotAsked when there is no turn left."""
        return self._ask(lambda: self.spot.candles(pair, timeframe, since), lambda: self.pacer.take_turn(pair))

    def _ask(self, call: Callable[[], Answer], turn: Callable[[], bool]) -> Answer:
        if not turn():
            raise VenueNotAsked("no call left in this run")
        failures = 0
        while True:
            try:
                return call()
            except VenueUnavailable as error:
                failures += 1
                if isinstance(error, VenueThrottled):
                    self.pacer.slow_down()
                # Without another call the report says what the venue did, not that no call was left.
                if failures == self.retry.attempts or not (self._pause(failures) and turn() and self._in_time()):
                    raise

    def _pause(self, failures: int) -> bool:
        """Wait before a retry; False, without waiting, when it could not begin in time.

        The pause is drawn at random around its mean, because calls that failed together, in all threads and shards at
        once, would otherwise come back together and meet the same overloaded venue again.
        """
        pause = self.retry.pause_s * 2 ** (failures - 1) * (0.5 + self.draw())
        if not self._in_time(pause):
            return False
        self.wait(pause)
        return True

    def _in_time(self, pause: float = 0.0) -> bool:
        return self.deadline is None or self.now() + pause <= self.deadline


def _no_turn_needed() -> bool:
    """The bulk calls are two in a cycle, minutes apart from any other."""
    return True
