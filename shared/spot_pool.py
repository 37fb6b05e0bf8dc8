"""Spot data for several threads at once: an HTTP client remembers its last answer, so no two threads may share one."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from trading.model.candles import CandleAnswer
from trading.model.times import Timeframe
from trading.model.venue import ListedPair, SpotQuote
from trading.ports import SpotMarket


class SpotPool:
    """A `SpotMarket` that lends each caller a client of its own and keeps it for the next one."""

    def __init__(self, make: Callable[[], SpotMarket]) -> None:
        self._make = make
        self._idle: deque[SpotMarket] = deque()

    def pairs(self) -> tuple[ListedPair, ...]:
        with self._borrowed() as client:
            return client.pairs()

    def quotes(self, pairs: Sequence[str]) -> dict[str, SpotQuote]:
        with self._borrowed() as client:
            return client.quotes(pairs)

    def candles(self, pair: str, timeframe: Timeframe, since: datetime | None) -> CandleAnswer:
        with self._borrowed() as client:
            return client.candles(pair, timeframe, since)

    @contextmanager
    def _borrowed(self) -> Iterator[SpotMarket]:
        try:
            client = self._idle.pop()
        except IndexError:
            client = self._make()
        try:
            yield client
        finally:
            self._idle.append(client)
