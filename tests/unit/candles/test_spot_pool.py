"""Clients for threads, and messages for the next stage."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Barrier

import pytest

from shared.queues import messages
from shared.spot_pool import SpotPool
from trading.errors import InvalidInput, VenueUnavailable
from trading.model.candles import CandleSeries
from trading.model.times import Timeframe
from trading.model.venue import ListedPair, SpotQuote


class OneCallerOnly:
    """A client that notices a second caller while the first is inside; `meeting` brings all callers inside at once."""

    def __init__(self, meeting: Barrier) -> None:
        self._meeting = meeting
        self._inside = False

    def candles(self, pair: str, timeframe: Timeframe, since: datetime | None) -> CandleSeries:
        assert not self._inside, "two threads share one client"
        self._inside = True
        self._meeting.wait(5)
        self._inside = False
        return CandleSeries(timeframe)

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
            list(threads.map(lambda pair: pool.candles(pair, Timeframe.M15, None), "abcd"))
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


def test_queue_messages_are_read_with_their_ids() -> None:
    event = {"Records": [{"messageId": "1", "body": '{"instruments": ["BTC"]}'}]}
    assert messages(event) == (("1", {"instruments": ["BTC"]}),)
    assert messages({"scheduled_time": "2024-05-01T10:00:00Z"}) == ()


@pytest.mark.parametrize("body", ["", "[1]", "{", None])
def test_unreadable_queue_message_is_refused(body: str | None) -> None:
    with pytest.raises(InvalidInput, match="expected a JSON object"):
        messages({"Records": [{"messageId": "1", "body": body}]})
