"""What becomes of an idea on the bars after it: entries, stops, targets and time limits, the worse case always."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from infra.research.funnel_outcomes import (
    QUARTER,
    Closed,
    Ending,
    Fate,
    Idea,
    Management,
    Terms,
    follow_entry,
    follow_position,
)
from trading.model.candles import Candle, CandleSeries
from trading.model.instruments import Side
from trading.model.signals import Levels
from trading.model.times import Timeframe
from trading.model.units import BasisPoints, Price
from trading.rules import load_rules

START = 1_704_067_200
TERMS = Terms.of(load_rules())
PLAIN = Management(time_exit=True, maximum_hold=True, premise=False, break_even=False)
WHOLE = Management(time_exit=True, maximum_hold=True, premise=True, break_even=True)

Row = tuple[float, float, float, float]


def idea(side: Side = Side.LONG) -> Idea:
    """Entry 100, invalidation 96, stop 95, so one R is 5: targets at 105 and 112.5. The mirror for a short."""
    prices = (100 + side.sign * Decimal(distance) for distance in ("0", "-5", "-4", "5", "12.5"))
    entry, stop, invalidation, first, second = (Price(price) for price in prices)
    levels = Levels(side=side, entry=entry, stop=stop, invalidation=invalidation, target_1=first, target_2=second)
    return Idea.of(levels, START, BasisPoints(10), 0.02)


def bars(*rows: Row, first: int = START) -> CandleSeries:
    """15m bars of (open, high, low, close), one after the other."""
    candles = (
        Candle(open_time=first + number * QUARTER, open=opened, high=high, low=low, close=close, volume=1.0)
        for number, (opened, high, low, close) in enumerate(rows)
    )
    return CandleSeries(Timeframe.M15, candles)


def mirrored(rows: tuple[Row, ...]) -> tuple[Row, ...]:
    return tuple((200 - opened, 200 - low, 200 - high, 200 - close) for opened, high, low, close in rows)


def held(*rows: Row, given: Management = PLAIN) -> Closed:
    return follow_position(idea(), bars(*rows), 0, TERMS, given)


ABOVE: Row = (102, 103, 101, 102)
FILL: Row = (101, 101, 99, 101)
QUIET: Row = (101, 103, 100, 101)


@pytest.mark.parametrize(
    ("rows", "fate"),
    [
        ((ABOVE, FILL), (Fate.FILLED, 1)),
        ((ABOVE, (101, 102, 100, 101), ABOVE, ABOVE, FILL), (Fate.EXPIRED, 0)),
        ((ABOVE, ABOVE, ABOVE, FILL), (Fate.FILLED, 3)),
        ((ABOVE, ABOVE), (Fate.UNKNOWN, 0)),
        (((99.9, 101, 99, 101),), (Fate.CROSSED, 0)),
        (((100, 101, 99.9, 101),), (Fate.FILLED, 0)),
        ((ABOVE, (99.0, 101, 98, 100)), (Fate.FILLED, 1)),
        ((), (Fate.UNKNOWN, 0)),
    ],
)
def test_entry_rests_four_bars_at_its_level(rows: tuple[Row, ...], fate: tuple[Fate, int]) -> None:
    assert follow_entry(idea(), bars(*rows), TERMS) == fate
    assert follow_entry(idea(Side.SHORT), bars(*mirrored(rows)), TERMS) == fate


def test_close_beyond_the_invalidation_cancels_the_entry() -> None:
    # Only an entry far below its own invalidation can be cancelled unfilled: any other fills on the way.
    far = replace(idea(), entry=94.0, stop=90.0)
    assert follow_entry(far, bars(ABOVE, (101, 101, 95, 95.5), ABOVE, ABOVE), TERMS) == (Fate.CANCELLED, 1)
    assert follow_entry(far, bars(ABOVE, (101, 101, 95, 96), ABOVE, ABOVE), TERMS) == (Fate.EXPIRED, 0)
    assert follow_entry(idea(), bars(ABOVE, (101, 101, 95, 95.5)), TERMS) == (Fate.FILLED, 1)


def test_missing_bars_do_not_lengthen_an_entry() -> None:
    late = bars(FILL, first=START + 4 * QUARTER)
    assert follow_entry(idea(), late, TERMS) == (Fate.EXPIRED, 0)


@pytest.mark.parametrize(
    ("rows", "ending", "gross"),
    [
        ((FILL, (101, 106, 95, 100)), Ending.STOP, -1.0),
        (((101, 120, 95, 101),), Ending.STOP, -1.0),
        ((FILL, (90, 91, 89, 90)), Ending.STOP, -2.0),
        ((FILL, (101, 106, 100, 101), (101, 101, 95, 96)), Ending.STOP, 0.4 - 0.6),
        ((FILL, (101, 113, 100, 101), (101, 101, 95, 96)), Ending.STOP, 0.4 + 0.4 * 2.5 - 0.2),
        ((FILL, (101, 105, 100, 101), (101, 101, 95, 96)), Ending.STOP, -1.0),
        (((101, 120, 99, 110), (104, 104, 95, 96)), Ending.STOP, -1.0),
    ],
)
def test_stop_comes_before_targets_within_a_bar(rows: tuple[Row, ...], ending: Ending, gross: float) -> None:
    closed = held(*rows)
    assert (closed.ending, closed.bars) == (ending, len(rows))
    assert closed.gross == pytest.approx(gross)
    assert follow_position(idea(Side.SHORT), bars(*mirrored(rows)), 0, TERMS, PLAIN).gross == pytest.approx(gross)


def test_time_exit_closes_what_reached_no_target() -> None:
    waiting = [QUIET] * 19
    assert held(FILL, *waiting).ending is Ending.UNKNOWN
    assert held(FILL, *waiting, (101, 103, 100, 102)) == Closed(ending=Ending.TIME_EXIT, gross=0.4, bars=21)
    assert held(FILL, (101, 106, 100, 101), *waiting, QUIET).ending is Ending.UNKNOWN


def test_what_is_left_ends_after_72_hours() -> None:
    rows = [FILL, (101.0, 106.0, 100.0, 101.0), *[QUIET] * (72 * 4 - 2)]
    assert held(*rows).ending is Ending.UNKNOWN
    closed = held(*rows, (101, 103, 100, 102.5))
    assert (closed.ending, closed.bars) == (Ending.MAXIMUM_HOLD, 289)
    assert closed.gross == pytest.approx(0.4 + 0.6 * 0.5)


def test_premise_and_break_even_only_when_managed() -> None:
    broken: tuple[Row, ...] = (FILL, (101, 102, 95.5, 95.9), (96, 97, 94, 95))
    assert held(*broken).ending is Ending.STOP
    assert held(*broken, given=WHOLE).ending is Ending.PREMISE
    assert held(*broken, given=WHOLE).gross == pytest.approx(-4.1 / 5)
    turned: tuple[Row, ...] = (FILL, (101, 106, 100, 104), (104, 104, 100, 101), (101, 101, 94, 95))
    assert held(*turned).gross == pytest.approx(0.4 - 0.6)
    managed = held(*turned, given=WHOLE)
    assert (managed.ending, managed.bars) == (Ending.BREAK_EVEN, 3)
    assert managed.gross == pytest.approx(0.4 + 0.6 * 0.12 / 5)


def test_everything_sold_at_targets_ends_there() -> None:
    terms = replace(TERMS, shares=(0.5, 0.5))
    closed = follow_position(idea(), bars(FILL, (101, 113, 100, 101), QUIET), 0, terms, PLAIN)
    assert closed == Closed(ending=Ending.TARGETS, gross=1.75, bars=2)
