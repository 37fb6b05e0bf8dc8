"""Pages of trades are asked for at the agreed pace, and again when the venue does not answer."""

from __future__ import annotations

import pytest

from infra.research.paced_trades import PAUSES_S, PacedTrades
from tests.fakes.trade_history import TradesInMemory
from trading.errors import InvalidInput, VenueThrottled, VenueUnavailable


class Watch:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.time = 0.0

    def sleep(self, seconds: float) -> None:
        self.time += seconds

    def monotonic(self) -> float:
        return self.time


class Venue:
    """Notes when it is called, and does not answer the first calls."""

    def __init__(self, watch: Watch, failures: int, error: type[Exception] = VenueUnavailable) -> None:
        self.called_at: list[float] = []
        self._watch, self._failures, self._error = watch, failures, error
        self.history = TradesInMemory([], before=self._before)

    def _before(self, number: int) -> None:
        self.called_at.append(self._watch.time)
        if number < self._failures:
            raise self._error("no answer")


def paced(watch: Watch, venue: Venue, told: list[str], calls_per_second: float = 1.0) -> PacedTrades:
    return PacedTrades(
        venue.history,
        told.append,
        calls_per_second=calls_per_second,
        sleep=watch.sleep,
        monotonic=watch.monotonic,
    )


@pytest.mark.parametrize(("calls_per_second", "spacing"), [(1.0, 1.0), (4.0, 0.25), (0.5, 2.0)])
def test_calls_keep_their_distance_in_time(calls_per_second: float, spacing: float) -> None:
    watch = Watch()
    venue = Venue(watch, failures=0)
    source = paced(watch, venue, [], calls_per_second)
    for since in range(3):
        source.trades("XXBTZUSD", since)
    watch.sleep(60)
    source.trades("XXBTZUSD", 3)
    assert venue.called_at == [0, spacing, 2 * spacing, 2 * spacing + 60]
    assert venue.history.called == [0, 1, 2, 3]


def test_silent_venue_is_asked_with_growing_pauses() -> None:
    watch, told = Watch(), list[str]()
    venue = Venue(watch, failures=3)
    paced(watch, venue, told).trades("XXBTZUSD", 5)
    assert venue.called_at == [0, 2, 6, 14]
    assert told == ["waiting 2 s: no answer", "waiting 4 s: no answer", "waiting 8 s: no answer"]


def test_refusal_for_speed_waits_much_longer() -> None:
    watch = Watch()
    venue = Venue(watch, failures=2, error=VenueThrottled)
    paced(watch, venue, []).trades("XXBTZUSD", 5)
    assert venue.called_at == [0, 15, 30]


def test_venue_that_never_answers_is_given_up() -> None:
    watch = Watch()
    venue = Venue(watch, failures=99)
    with pytest.raises(VenueUnavailable, match=r"no answer; asked 8 times\. What was read is kept"):
        paced(watch, venue, []).trades("XXBTZUSD", 5)
    assert len(venue.called_at) == len(PAUSES_S) + 1


@pytest.mark.parametrize("wrong", [0.0, -1.0, 21.0, float("nan")])
def test_impossible_pace_is_refused_in_words(wrong: float) -> None:
    watch = Watch()
    with pytest.raises(InvalidInput, match="calls per second is"):
        paced(watch, Venue(watch, failures=0), [], wrong)
