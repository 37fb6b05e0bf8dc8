"""A replay decides every hour on what was known then, and hands its own signals on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from infra.research.funnel_records import CoinFunnel
from infra.research.funnel_replay import Hours, Period, Recorded, Replay, hours_of, replay
from tests.unit.research.funnel_candles import GIVEN, HOUR, QUARTER, START, quarters, walk
from trading.model.candles import Candle, CandleSeries
from trading.model.decisions import Decision
from trading.model.folding import fold
from trading.model.times import Timeframe
from trading.model.units import BasisPoints
from trading.rules import load_rules

RULES = load_rules()
CANDLES = walk(4 * 680)
LAST_DAYS = Period(first=START + 600 * HOUR, end=START + 10_000 * HOUR)


def recorded(candles: list[Candle] = CANDLES) -> Recorded:
    return Recorded(coin="TEST", quarters=quarters(candles))


def decisions(bars: Recorded, period: Period) -> list[Decision]:
    return list(Replay(bars, GIVEN, RULES).decisions(period))


@pytest.fixture(scope="module")
def whole() -> CoinFunnel:
    return replay(recorded(), 2024, LAST_DAYS, GIVEN, RULES)


@pytest.mark.parametrize("kept", [7, 720])
def test_series_hold_the_newest_bars_closed_by_then(kept: int) -> None:
    candles = [candle for number, candle in enumerate(walk(400)) if number not in (33, 34, 200)]
    hours = Hours(recorded(candles), kept)
    for moment in range(START, START + 110 * HOUR, HOUR):
        expected = [fold(quarters(candles), timeframe).until(moment).last(kept) for timeframe in Timeframe]
        assert list(hours.at(moment)) == expected


def test_series_stays_the_same_until_a_bar_closes() -> None:
    hours = Hours(recorded(), 720)
    first, second = hours.at(START + 5 * HOUR), hours.at(START + 6 * HOUR)
    assert first[1] is not second[1]
    assert first[2] is second[2]


def test_own_daily_bars_stand_before_folded_ones() -> None:
    days = walk(300)
    earlier = CandleSeries(
        Timeframe.D1, (replace(day, open_time=START + (number - 299) * 86_400) for number, day in enumerate(days))
    )
    bars = Recorded(coin="TEST", quarters=quarters(CANDLES), higher=(earlier,))
    series = bars.whole(Timeframe.D1)
    assert (len(series), series.times[0]) == (299 + 28, earlier.times[0])
    assert series.closes[299] == fold(quarters(CANDLES), Timeframe.D1).closes[0]
    assert bars.whole(Timeframe.H4) == fold(quarters(CANDLES), Timeframe.H4)


def test_every_hour_of_a_record_is_decided_once(whole: CoinFunnel) -> None:
    assert (whole.first, whole.last) == (START + 600 * HOUR, START + 680 * HOUR)
    assert whole.decisions == 81
    assert len(whole.rows) + whole.outcomes["NO_SETUP"] == 81
    assert sum(whole.unset.values()) == whole.outcomes["NO_SETUP"]
    assert [row.at for row in whole.rows] == sorted({row.at for row in whole.rows})


def test_record_that_starts_late_is_decided_late() -> None:
    assert hours_of(quarters(CANDLES[3:9]), Period(first=0, end=2**40)) == range(
        START + 2 * HOUR, START + 2 * HOUR + 1, HOUR
    )
    assert len(hours_of(quarters([]), LAST_DAYS)) == 0


def test_hour_with_missing_bars_counts_as_stale() -> None:
    gap = [candle for candle in CANDLES if not 0 <= candle.open_time - (START + 650 * HOUR) < 2 * HOUR]
    found = replay(recorded(gap), 2024, LAST_DAYS, GIVEN, RULES)
    assert found.decisions == 81
    assert found.outcomes["STALE_DATA"] == 2


def test_bars_after_a_decision_change_nothing() -> None:
    known = decisions(recorded(CANDLES[: 4 * 620]), LAST_DAYS)
    assert len(known) == 21
    assert decisions(recorded(), replace(LAST_DAYS, end=START + 621 * HOUR - QUARTER)) == known


def test_cost_of_a_candidate_follows_the_given_conditions(whole: CoinFunnel) -> None:
    dear = replace(GIVEN, market=replace(GIVEN.market, spread=BasisPoints(60)))
    other = replay(recorded(), 2024, LAST_DAYS, dear, RULES)
    assert {row.cost_bps for row in whole.rows if row.side == "short"} == {11.0}
    assert [row.cost_bps - 28 for row in other.rows] == pytest.approx([row.cost_bps for row in whole.rows])
    assert all("spread" in row.failed_gates for row in other.rows)


def test_same_candles_give_the_same_funnel(whole: CoinFunnel) -> None:
    assert replay(recorded(), 2024, LAST_DAYS, GIVEN, RULES) == whole
    assert len(whole.rows) > 20
