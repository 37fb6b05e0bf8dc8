"""Clients for threads."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Barrier

import pytest

from shared.spot_pool import SpotPool
from trading.errors import VenueUnavailable
from trading.model.candles import CandleAnswer, CandleSeries
from trading.model.times import Timeframe
from trading.model.venue import ListedPair, SpotQuote


class OneCallerOnly:
    """A client that notices a second caller while the first is inside; `meeting` brings all callers inside at once."""

    def __init__(self, meeting: Barrier) -> None:
        self._meeting = meeting
        self._inside = False

    def candles(self, pair: str, timeframe: Timeframe, since: datetime | None) -> CandleAnswer:
        assert not self._inside, "two threads share one client"
        self._inside = True
        self._meeting.wait(5)
        self._inside = False
        return CandleAnswer(bars=CandleSeries(timeframe), complete_before=900)

    def pairs(self) -> tuple[ListedPair, ...]:
        raise VenueUnavailable("no answer")

    def quotes(self, pairs: Sequence[str]) -> dict[str, SpotQuote]:
        return {}


def test_no_two_threads_share_a_client() -> None:
    meeting, made = Barrier(4), []

    def make() -> OneCallerOnly:
        made.append(OneCallerOnly(meeting))
        return made[-1]

    pool = SpotPool(make)
    for _ in range(3):
        with ThreadPoolExecutor(4) as threads:
            answers = list(threads.map(lambda pair: pool.candles(pair, Timeframe.M15, None), "abcd"))
    assert [answer.complete_before for answer in answers] == [900] * 4
    assert len(made) == 4


def test_client_returns_to_pool_after_failure() -> None:
    made = []

    def make() -> OneCallerOnly:
        made.append(OneCallerOnly(Barrier(1)))
        return made[-1]

    pool = SpotPool(make)
    for _ in range(3):
        with pytest.raises(VenueUnavailable):
            pool.pairs()
    assert (pool.quotes(["a"]), len(made)) == ({}, 1)
