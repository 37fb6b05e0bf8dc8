"""The spot market of one run: how many turns it has, and what becomes of those it does not use."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.clock import SystemClock, install_clock
from shared.spot_runs import SpotRuns
from tests.fakes.spot_market import SpotInMemory, wave
from tests.integration.market_data.conftest import LEDGER
from trading.errors import VenueNotAsked, VenueUnavailable
from trading.model.times import Timeframe
from trading.rules import load_rules

NOW = datetime(2024, 5, 1, 12, 0, 5, tzinfo=UTC)
RULES = load_rules().ingest


class MovingClock:
    """Time passes only by waiting."""

    def __init__(self) -> None:
        self.moment = NOW
        self.waited: list[float] = []

    def now(self) -> datetime:
        return self.moment

    def wait(self, seconds: float) -> None:
        self.waited.append(seconds)


@pytest.fixture
def clock() -> Iterator[MovingClock]:
    clock = MovingClock()
    install_clock(clock, clock.wait)
    yield clock
    install_clock(SystemClock())


def a_market() -> SpotInMemory:
    return SpotInMemory(history={"X": wave(1_714_521_600 - 100 * 900, 100)}, now=NOW)


def runs_of(**changes: object) -> SpotRuns:
    return SpotRuns(spot=a_market(), ledger_table=LEDGER, rules=replace(RULES, **changes))  # type: ignore[arg-type]


def test_one_budget_gives_a_run_its_turns(clock: MovingClock) -> None:
    with runs_of(limit_per_ip=True, run_s_per_ip=18.0).begin(1) as spot:
        for _ in range(2):
            spot.candles("X", Timeframe.M15, None)
        with pytest.raises(VenueNotAsked):
            spot.candles("X", Timeframe.M15, None)
    assert clock.waited[-1] == pytest.approx(1.03 + 3 / 60, abs=0.05)


def test_run_beside_another_gets_no_turn(clock: MovingClock) -> None:
    first, second = runs_of(limit_per_ip=True), runs_of(limit_per_ip=True)
    with first.begin(60):
        clock.moment += timedelta(seconds=20)
        with second.begin(60) as spot, pytest.raises(VenueNotAsked):
            spot.candles("X", Timeframe.M15, None)


def test_turns_that_were_not_used_are_given_back(clock: MovingClock) -> None:
    with runs_of(limit_per_ip=True).begin(60) as spot:
        spot.candles("X", Timeframe.M15, None)
    clock.moment += timedelta(seconds=2)
    with runs_of(limit_per_ip=True).begin(60) as spot:
        spot.candles("X", Timeframe.M15, None)


def test_turns_are_given_back_when_a_run_breaks_off(clock: MovingClock) -> None:
    with pytest.raises(ZeroDivisionError), runs_of(limit_per_ip=True).begin(60):
        raise ZeroDivisionError
    with runs_of(limit_per_ip=True).begin(60) as spot:
        spot.candles("X", Timeframe.M15, None)


def test_budget_per_pair_needs_no_reservation(clock: MovingClock) -> None:
    runs = runs_of(limit_per_ip=False)
    with runs.begin(60) as one, runs.begin(60) as other:
        for spot in (one, other):
            spot.candles("X", Timeframe.M15, None)
    assert clock.waited == []


def test_failed_read_is_tried_again_after_a_pause(clock: MovingClock) -> None:
    runs = runs_of(limit_per_ip=False, attempts=3)
    runs.spot.down = {"X"}  # type: ignore[attr-defined]
    with runs.begin(1) as spot, pytest.raises(VenueUnavailable):
        spot.candles("X", Timeframe.M15, None)
    assert len(runs.spot.calls) == 3  # type: ignore[attr-defined]
    assert len(clock.waited) >= 2
