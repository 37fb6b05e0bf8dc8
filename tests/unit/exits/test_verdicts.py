"""What follows from all answers together, and what always holds: stops only tighten, sides mirror each other."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.records import NOW
from tests.unit.exits.exit_cases import HIT, after_target, case, fired, hourly, shaken, trace, watch
from trading.exits.case import ExitCase, MoveStop
from trading.exits.registry import REGISTRY, decide_exit
from trading.model.candles import Candle, CandleSeries
from trading.model.decisions import Bias
from trading.model.instruments import Side
from trading.model.units import Price

AT_11 = NOW + timedelta(hours=1)
NAMES = tuple(name for name, _ in REGISTRY)


def test_every_switched_on_rule_is_evaluated() -> None:
    assert decide_exit(case()).evaluated == NAMES
    assert decide_exit(case(last_close=98.0)).evaluated == NAMES
    assert decide_exit(case(None, mark=None, bars=None, trace=None, watch=None, last_close=None)).evaluated == NAMES


def test_closing_goes_before_moving_the_stop() -> None:
    verdict = decide_exit(case(after_target(), trace=trace(AT_11, Bias.DOWN)))
    assert fired(verdict) == ("abandon_ship", "Close")
    assert "stop to 100.4" in dict(verdict.details)["break_even"]


def test_first_of_two_that_close_is_named() -> None:
    assert decide_exit(case(last_close=98.0, hours=72)).fired == "premise"


def test_tightest_of_several_moves_wins() -> None:
    bars = hourly(AT_11, (106.0, 105.0))
    verdict = decide_exit(case(after_target(), mark=106, bars=bars, watch=watch(AT_11, shaken(AT_11))))
    assert fired(verdict) == ("progressive_tightening", "104.2")
    looser = decide_exit(case(after_target(), mark=104, bars=bars))
    assert fired(looser) == ("trailing", "103.9")
    short = case(after_target(Side.SHORT), mark=95, bars=hourly(AT_11, (96.0, 95.0)))
    assert fired(decide_exit(short)) == ("trailing", "97.0")


def test_equal_levels_are_the_first_rules() -> None:
    verdict = decide_exit(case(after_target(), mark=101, watch=watch(AT_11, shaken(AT_11))))
    assert fired(verdict) == ("break_even", "100.4")


def test_details_say_what_each_rule_saw() -> None:
    details = dict(decide_exit(case(after_target(), mark=None, trace=None)).details)
    assert tuple(details) == NAMES
    assert details["abandon_ship"] == "without input: a decision of the last 2 hours"
    assert details["premise"] == "closed at 100.0, invalidation 98.5"
    assert details["break_even"] == "without input: a fresh quote"


def test_words_name_the_values_that_were_seen() -> None:
    bars = hourly(AT_11, (106.0, 105.0))
    said = dict(decide_exit(case(after_target(), mark=104, bars=bars, trace=trace(AT_11, Bias.UP))).details)
    assert said["trailing"] == "1.5 x ATR 1.35714 from the best price 106: stop to 103.9"
    assert said["progressive_tightening"].startswith("at 3.0 R, the mark 104 has passed it: 1.3 x ATR 1.35714")
    assert said["abandon_ship"] == "daily bias up, 4h structure neutral at 2024-05-01T11:00:00.000Z"
    assert said["funding"] == "funding of 24 hours at the rate of now 0.00 bps"
    assert said["market_disorder"] == "PF_COINUSD is calm"
    assert said["time_exit"] == "first target at 2024-05-01T10:20:30.000Z"


# sequences

TENTHS = st.decimals("92", "112", places=1)
STEPS = st.lists(
    st.tuples(TENTHS, TENTHS, st.booleans(), st.booleans()).map(lambda each: (*sorted(each[:2]), *each[2:])),
    min_size=1,
    max_size=8,
)
"""Hour by hour: low and high of the bar, whether the mark is at its low, whether the contract is shaken."""


def played(side: Side, steps: list[Any], stop: Decimal) -> list[ExitCase]:
    """One position through these hours, its stop moved as asked; ends when it is closed."""
    position = after_target(side, stop=Price(stop), first_target_at=HIT)
    rows: list[tuple[float, float]] = []
    cases: list[ExitCase] = []
    for number, (low, high, at_low, stirred) in enumerate(steps):
        now = NOW + timedelta(hours=number + 1)
        rows.append((float(high), float(low)))
        pauses = (shaken(now),) if stirred else ()
        mark = low if at_low else high
        given = case(position, mark=mark, hours=number + 1, bars=hourly(now, *rows), watch=watch(now, *pauses))
        cases.append(given)
        action = decide_exit(given).action
        if not isinstance(action, MoveStop) and action is not None:
            break
        position = replace(position, stop=action.to) if action else position
    return cases


@given(st.sampled_from(Side), STEPS, TENTHS)
def test_stop_never_loosens_over_any_sequence(side: Side, steps: list[Any], stop: Decimal) -> None:
    before = stop
    for each in played(side, steps, stop):
        assert (each.position.stop - before) * side.sign >= 0
        before = each.position.stop
        action = decide_exit(each).action
        if isinstance(action, MoveStop):
            assert (action.to - before) * side.sign > 0
            assert each.quote is not None
            assert (each.quote.mark - action.to) * side.sign > 0


HALVES = st.integers(184, 232).map(lambda each: each / 2)
"""Prices that a float holds exactly, so that both sides of the mirror are the same numbers."""


def long_case(hours: list[tuple[float, float]], mark: float, stop: Decimal, last_close: float, bias: Bias) -> ExitCase:
    now = NOW + timedelta(hours=len(hours))
    rows = [(max(each), min(each)) for each in hours]
    return case(
        after_target(stop=Price(stop)),
        mark=Decimal(str(mark)),
        hours=len(hours),
        bars=hourly(now, *rows),
        trace=trace(now, bias, Bias.NEUTRAL),
        last_close=last_close,
        quoted={"hourly_funding": Decimal("0.0001")},
        watch=watch(now, shaken(now)),
    )


def mirrored(long: ExitCase) -> ExitCase:
    """The same around 100 for a short: each price is 200 less it, up is down, and longs are paid."""
    assert long.quote is not None
    assert long.bars is not None
    assert long.trace is not None
    assert long.last_close is not None
    bars = long.bars
    rows = zip(bars.times, bars.opens, bars.highs, bars.lows, bars.closes, strict=True)
    turned = {Bias.UP: Bias.DOWN, Bias.DOWN: Bias.UP, Bias.NEUTRAL: Bias.NEUTRAL, None: None}
    return replace(
        long,
        position=after_target(Side.SHORT, stop=Price(200 - long.position.stop)),
        quote=replace(long.quote, mark=Price(200 - long.quote.mark), hourly_funding=Decimal("-0.0001")),
        last_close=200 - long.last_close,
        bars=CandleSeries(
            bars.timeframe,
            [
                Candle(open_time=time, open=200 - opens, high=200 - low, low=200 - high, close=200 - close, volume=1.0)
                for time, opens, high, low, close in rows
            ],
        ),
        trace=replace(long.trace, daily_bias=turned[long.trace.daily_bias]),
    )


@given(
    st.lists(st.tuples(HALVES, HALVES), min_size=1, max_size=20),
    HALVES,
    TENTHS,
    st.one_of(st.just(100.0), HALVES),
    st.sampled_from(Bias),
)
def test_long_and_short_mirror_each_other(
    hours: list[tuple[float, float]], mark: float, stop: Decimal, last_close: float, bias: Bias
) -> None:
    long = long_case(hours, mark, stop, last_close, bias)
    found, image = decide_exit(long), decide_exit(mirrored(long))
    assert (found.fired, type(found.action), found.without_input) == (
        image.fired,
        type(image.action),
        image.without_input,
    )
    if isinstance(found.action, MoveStop) and isinstance(image.action, MoveStop):
        assert found.action.to + image.action.to == 200
