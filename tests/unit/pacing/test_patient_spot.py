"""Reads that are tried again, at a pace, within a deadline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import pytest

from shared.pacing import PairPacer, SharedPacer
from shared.patient_spot import PatientSpot, Retry
from tests.unit.pacing.virtual_time import VirtualTime
from trading.errors import (
    InvalidInput,
    TradingError,
    VenueAnswerInvalid,
    VenueAuthenticationFailed,
    VenueThrottled,
    VenueUnavailable,
)
from trading.model.candles import CandleAnswer, CandleSeries
from trading.model.times import Timeframe
from trading.model.venue import ListedPair, SpotQuote

ANSWER = CandleAnswer(bars=CandleSeries(Timeframe.M15), complete_before=900)
LISTED = ListedPair(pair="XXBTZUSD", base="BTC", quote="USD", online=True)


@dataclass(slots=True)
class FailingSpot:
    """A market that fails its first calls with `failures`, one each; `per_ip` s: it refuses calls closer than that."""

    clock: VirtualTime
    failures: list[TradingError] = field(default_factory=list)
    per_ip: float = 0.0
    calls: list[tuple[str, float]] = field(default_factory=list)

    def pairs(self) -> tuple[ListedPair, ...]:
        self._called("pairs")
        return (LISTED,)

    def quotes(self, pairs: Sequence[str]) -> dict[str, SpotQuote]:
        self._called(",".join(pairs))
        return {}

    def candles(self, pair: str, timeframe: Timeframe, since: datetime | None) -> CandleAnswer:
        self._called(pair)
        return ANSWER

    def _called(self, what: str) -> None:
        before = self.calls[-1][1] if self.calls else -self.per_ip
        self.calls.append((what, self.clock.seconds))
        if self.failures:
            raise self.failures.pop(0)
        if self.clock.seconds - before < self.per_ip:
            raise VenueThrottled("EAPI:Rate limit exceeded")


def patient(
    spot: FailingSpot, *, spacing: float = 0.0, draw: float = 0.5, deadline: float | None = None
) -> PatientSpot:
    clock = spot.clock
    pacer = PairPacer(spacing, clock.now, clock.wait)
    retry = Retry(attempts=3, pause_s=0.5)
    return PatientSpot(spot, pacer, retry, clock.wait, lambda: draw, deadline=deadline, now=clock.now)


def ask(spot: PatientSpot, pair: str = "A") -> CandleAnswer:
    return spot.candles(pair, Timeframe.M15, None)


def test_every_candle_call_waits_for_its_turn() -> None:
    spot = FailingSpot(VirtualTime(), [VenueUnavailable("busy")])

    assert ask(patient(spot, spacing=3.0)) is ANSWER
    assert spot.calls == [("A", 0.0), ("A", 3.0)]


@pytest.mark.parametrize(("draw", "pauses"), [(0.0, [0.25, 0.5]), (0.5, [0.5, 1.0]), (1.0, [0.75, 1.5])])
def test_pauses_grow_and_are_drawn(draw: float, pauses: list[float]) -> None:
    spot = FailingSpot(VirtualTime(), [VenueUnavailable("busy"), VenueUnavailable("busy")])
    ask(patient(spot, draw=draw))

    assert spot.clock.waits == pauses


def test_last_failure_is_raised_after_all_attempts() -> None:
    spot = FailingSpot(VirtualTime(), [VenueUnavailable(f"failure {number}") for number in range(1, 5)])

    with pytest.raises(VenueUnavailable, match="failure 3"):
        ask(patient(spot))
    assert len(spot.calls) == 3


def test_spoilt_body_is_asked_for_again() -> None:
    spot = FailingSpot(VirtualTime(), [VenueAnswerInvalid("half a body")])

    assert ask(patient(spot)) is ANSWER


@pytest.mark.parametrize("failure", [VenueAuthenticationFailed("key"), InvalidInput("pair")])
def test_other_errors_are_not_tried_again(failure: TradingError) -> None:
    spot = FailingSpot(VirtualTime(), [failure])

    with pytest.raises(type(failure)):
        ask(patient(spot))
    assert len(spot.calls) == 1


def test_throttled_call_slows_all_pairs_down() -> None:
    spot = FailingSpot(VirtualTime(), [VenueThrottled("too fast")])
    market = patient(spot, spacing=2.0)
    ask(market, "A")
    ask(market, "B")

    assert spot.calls == [("A", 0.0), ("A", 2.0), ("B", 4.0)]


def test_other_failures_slow_nobody_down() -> None:
    spot = FailingSpot(VirtualTime(), [VenueUnavailable("busy")])
    market = patient(spot, spacing=2.0)
    ask(market, "A")
    ask(market, "B")

    assert spot.calls == [("A", 0.0), ("A", 2.0), ("B", 2.0)]


def test_limit_per_ip_costs_one_refusal_only() -> None:
    spot = FailingSpot(VirtualTime(), per_ip=1.0)
    market = patient(spot, spacing=1.03)
    pairs = [f"pair {number}" for number in range(20)]

    assert [ask(market, pair) for pair in pairs] == [ANSWER] * 20
    assert len(spot.calls) == 21
    assert spot.clock.seconds < 21 * 1.03


def test_used_up_budget_is_an_unavailable_venue() -> None:
    spot = FailingSpot(VirtualTime())
    market = PatientSpot(spot, SharedPacer([], spot.clock.now, spot.clock.wait), Retry(3, 0.5), spot.clock.wait)

    with pytest.raises(VenueUnavailable, match="no call left in this run"):
        ask(market)
    assert spot.calls == []


def test_failure_is_named_when_no_retry_is_left() -> None:
    spot = FailingSpot(VirtualTime(), [VenueUnavailable("busy")])
    market = PatientSpot(spot, SharedPacer([0.0], spot.clock.now, spot.clock.wait), Retry(3, 0.5), spot.clock.wait)

    with pytest.raises(VenueUnavailable, match="busy"):
        ask(market)


def test_no_retry_begins_after_the_deadline() -> None:
    spot = FailingSpot(VirtualTime(), [VenueUnavailable("first"), VenueUnavailable("second")])

    with pytest.raises(VenueUnavailable, match="second"):
        ask(patient(spot, deadline=1.4))
    # The second pause would have lasted until 1.5 s.
    assert (len(spot.calls), spot.clock.seconds) == (2, 0.5)


def test_late_turn_gives_no_retry_after_the_deadline() -> None:
    spot = FailingSpot(VirtualTime(), [VenueUnavailable("first")])

    with pytest.raises(VenueUnavailable, match="first"):
        ask(patient(spot, spacing=5.0, deadline=2.0))
    assert len(spot.calls) == 1


def test_bulk_reads_are_tried_again_without_turns() -> None:
    spot = FailingSpot(VirtualTime(), [VenueUnavailable("busy")])
    market = PatientSpot(spot, SharedPacer([], spot.clock.now, spot.clock.wait), Retry(3, 0.5), spot.clock.wait)

    assert market.pairs() == (LISTED,)
    spot.failures.append(VenueAnswerInvalid("empty"))
    assert market.quotes(["A", "B"]) == {}
    assert [what for what, _ in spot.calls] == ["pairs", "pairs", "A,B", "A,B"]


@pytest.mark.parametrize(("attempts", "pause"), [(0, 0.5), (3, -0.1), (3, float("nan"))])
def test_impossible_retry_is_refused(attempts: int, pause: float) -> None:
    with pytest.raises(InvalidInput, match="expected"):
        Retry(attempts=attempts, pause_s=pause)
