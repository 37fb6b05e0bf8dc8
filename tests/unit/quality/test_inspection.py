"""What is found wrong with the newest bars of a coin, and what is not."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.errors import InvalidInput
from trading.model.candles import Candle, CandleSeries
from trading.model.times import Timeframe
from trading.quality.inspection import inspect
from trading.rules import load_rules

RULES = load_rules().quality
CLOSE = datetime(2024, 5, 1, 12, tzinfo=UTC)
END = int(CLOSE.timestamp())
STEP = 900


def bar(age: int, close: float = 100.0, volume: float = 1.0, *, flat: bool = False) -> Candle:
    """The bar that closed `age` bars before CLOSE."""
    room = 0.0 if flat else 0.5
    high, low = close + room, close - room
    return Candle(open_time=END - (age + 1) * STEP, open=close, high=high, low=low, close=close, volume=volume)


def bars(ages: Iterable[int], make: Callable[[int], Candle] = bar) -> CandleSeries:
    return CandleSeries(Timeframe.M15, map(make, sorted(ages, reverse=True)))


def found(series: CandleSeries, **rules: object) -> tuple[str, ...]:
    return inspect(series, CLOSE, replace(RULES, **rules))  # type: ignore[arg-type]


def test_complete_moving_bars_have_no_flaw() -> None:
    assert found(bars(range(200))) == ()
    assert found(bars(range(1))) == ()


def test_coin_without_bars_is_flawed() -> None:
    assert found(CandleSeries(Timeframe.M15)) == ("no bar closed by 2024-05-01 12:00, expected at least 1",)


@pytest.mark.parametrize(("missing", "flawed"), [(24, False), (25, True)])
@pytest.mark.parametrize("oldest", [95, 300])
def test_a_quarter_of_bars_may_be_missing(missing: int, flawed: bool, oldest: int) -> None:
    gone = set(range(10, 10 + missing))
    flaws = found(bars(set(range(oldest + 1)) - gone))
    assert flaws == ((f"{missing} of the newest 96 bars are missing, limit 24",) if flawed else ())


def test_gap_older_than_inspected_bars_is_forgiven() -> None:
    assert found(bars(set(range(300)) - set(range(96, 200)))) == ()
    assert len(found(bars(set(range(300)) - set(range(71, 200))))) == 1


def test_young_coin_is_not_blamed_for_its_youth() -> None:
    assert found(bars([0, 2, 4, 6])) == ()
    assert found(bars(set(range(0, 60, 2)))) == ("29 of the newest 96 bars are missing, limit 24",)


@pytest.mark.parametrize(("absent", "flawed"), [(1, False), (15, False), (16, True)])
def test_feed_without_new_bars_is_stale(absent: int, flawed: bool) -> None:
    flaws = found(bars(range(absent, 200)))
    newest = CLOSE - absent * timedelta(minutes=15)
    assert flaws == ((f"the newest close is {absent} bars old ({newest:%Y-%m-%d %H:%M}), limit 16",) if flawed else ())


@pytest.mark.parametrize(("still", "flawed"), [(15, False), (16, True), (40, True)])
def test_bars_without_trades_at_one_price_are_frozen(still: int, flawed: bool) -> None:
    series = bars(range(200), lambda age: bar(age, volume=0.0, flat=True) if age < still else bar(age))
    expected = f"{still} bars in a row stand at 100 without a trade, limit 16"
    assert found(series) == ((expected,) if flawed else ())


@pytest.mark.parametrize(
    "sign_of_life",
    [
        bar(7, volume=0.1, flat=True),
        bar(7, volume=0.0),
        bar(7, close=100.1, volume=0.0, flat=True),
    ],
    ids=["a trade", "a range", "another price"],
)
def test_one_sign_of_life_ends_a_freeze(sign_of_life: Candle) -> None:
    series = bars(range(40), lambda age: sign_of_life if age == 7 else bar(age, volume=0.0, flat=True))
    assert found(series) == ()


@pytest.mark.parametrize(("price", "flawed"), [(140.0, False), (140.1, True), (60.0, False), (59.9, True)])
def test_jump_beyond_its_limit_is_a_flaw(price: float, flawed: bool) -> None:
    flaws = found(bars(range(200), lambda age: bar(age, close=price if age == 0 else 100.0)))
    expected = f"the close moved {abs(price - 100):.1f} % in the bar of 2024-05-01 11:45, limit 40 %"
    assert flaws == ((expected,) if flawed else ())


@pytest.mark.parametrize(("age", "flawed"), [(0, True), (1, True), (2, True), (3, False), (90, False)])
def test_jump_counts_only_in_the_newest_bars(age: int, flawed: bool) -> None:
    series = bars(range(200), lambda each: bar(each, close=150.0 if each <= age else 100.0))
    assert bool(found(series)) == flawed


def test_jump_over_missing_bars_is_found() -> None:
    series = bars(set(range(200)) - {1, 2, 3}, lambda age: bar(age, close=150.0 if age == 0 else 100.0))
    assert found(series) == ("the close moved 50.0 % in the bar of 2024-05-01 11:45, limit 40 %",)


def test_jump_before_missing_bars_is_old() -> None:
    series = bars(set(range(200)) - {0, 1, 2}, lambda age: bar(age, close=150.0 if age == 3 else 100.0))
    assert found(series) == ()


def test_bars_of_the_future_are_named() -> None:
    series = bars(range(-2, 200), lambda age: bar(age, close=900.0 if age < 0 else 100.0))
    assert found(series) == ("2 bars close after 2024-05-01 12:00, allowed 0",)
    assert len(found(bars([-1]))) == 2


def test_several_flaws_are_all_named() -> None:
    old = bars(range(30, 200), lambda age: bar(age, volume=0.0, flat=True))
    stale, gaps, frozen = found(old)
    assert ("old" in stale, "missing" in gaps, "in a row" in frozen) == (True, True, True)


@pytest.mark.parametrize(
    ("rule", "value"),
    [("gap_maximum_share", 0.05), ("inspected_bars", 40), ("jump_pct", 4), ("frozen_bars", 4)],
)
def test_every_limit_comes_from_the_rules(rule: str, value: float) -> None:
    ages = set(range(200)) - set(range(20, 32))
    series = bars(ages, lambda age: bar(age, close=105.0, volume=0.0, flat=True) if age < 5 else bar(age))
    newer = bars(ages, lambda age: bar(age, close=105.0) if age < 1 else bar(age))
    assert found(series) == found(newer) == ()
    assert len(found(newer if rule == "jump_pct" else series, **{rule: value})) == 1


def test_only_quarter_hours_are_inspected() -> None:
    with pytest.raises(InvalidInput, match="1h bars were given"):
        found(CandleSeries(Timeframe.H1))


@given(st.sets(st.integers(min_value=0, max_value=150), min_size=1))
def test_gaps_agree_with_counting_them(ages: set[int]) -> None:
    oldest = min(max(ages), 95)
    missing = sum(age not in ages for age in range(oldest + 1))
    expected = {f"{missing} of the newest 96 bars are missing, limit 24"} if missing > 24 else set()
    assert {flaw for flaw in found(bars(ages)) if "missing" in flaw} == expected
