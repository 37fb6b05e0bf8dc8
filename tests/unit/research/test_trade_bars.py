"""Bars out of trades: equal to a plain count over all of them, however they were cut into pages."""

from __future__ import annotations

from decimal import Decimal
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.research.trade_bars import TRADED, Built, OpenBar, build
from shared.storage.codec import from_json, to_json
from tests.fakes.candle_archives import START
from trading.errors import InvalidInput
from trading.model.candles import CandleSeries
from trading.model.venue import Trade

NOTHING = Built(CandleSeries(TRADED), None)
QUARTER = 900 * 10**9
Row = tuple[int, float, float, float, float, float]


def trade(nanoseconds: int, price: float = 100.0, volume: float = 1.0) -> Trade:
    return Trade(at=START * 10**9 + nanoseconds, price=price, volume=volume)


@st.composite
def histories(draw: st.DrawFn) -> list[Trade]:
    """Up to 60 trades, oldest first, some at the same moment, with intervals without any between them."""
    steps = draw(st.lists(st.sampled_from([0, 1, 10**9, 10**11, QUARTER // 2, QUARTER, 5 * QUARTER]), max_size=60))
    at, found = 0, []
    for step in steps:
        at += step
        price = draw(st.integers(1, 10**9)) / 10**4
        volume = draw(st.integers(1, 10**12)) / 10**8
        found.append(trade(at, price, volume))
    return found


def counted(trades: list[Trade]) -> list[Row]:
    """Brute force: one row for every 900 s with a trade."""
    rows = []
    for slot, group in groupby(trades, key=lambda each: each.at // QUARTER):
        inside = list(group)
        prices = [each.price for each in inside]
        volume = float(sum(Decimal(str(each.volume)) for each in inside))
        rows.append((slot * 900, prices[0], max(prices), min(prices), prices[-1], volume))
    return rows


def rows_of(series: CandleSeries) -> list[Row]:
    return list(zip(*series.columns, strict=True))


@given(trades=histories(), size=st.integers(1, 7))
def test_bars_equal_a_plain_count_of_trades(trades: list[Trade], size: int) -> None:
    built = NOTHING
    for first in range(0, len(trades), size):
        built = build(built, trades[first : first + size])
        if built.open_bar is not None:
            kept = from_json(OpenBar, to_json(built.open_bar))
            assert kept == built.open_bar
            built = Built(built.bars, kept)
    expected = counted(trades)
    assert rows_of(built.bars) == expected[:-1]
    end = expected[-1][0] + 900 if expected else START
    assert rows_of(built.closed_by(end)) == expected
    assert rows_of(built.closed_by(end - 1)) == expected[:-1]


def test_bar_without_a_later_trade_stays_open() -> None:
    built = build(NOTHING, [trade(0), trade(QUARTER - 1)])
    assert len(built.bars) == 0
    assert list(build(built, [trade(QUARTER)]).bars.times) == [START]


def test_interval_without_a_trade_has_no_bar() -> None:
    built = build(NOTHING, [trade(0), trade(3 * QUARTER), trade(4 * QUARTER)])
    assert list(built.bars.times) == [START, START + 2700]


def test_volume_is_what_the_venue_wrote() -> None:
    built = build(NOTHING, [*(trade(number, volume=0.1) for number in range(10)), trade(QUARTER)])
    assert sum([0.1] * 10) != 1.0
    assert list(built.bars.volumes) == [1.0]


def test_trade_of_a_finished_bar_is_refused() -> None:
    with pytest.raises(InvalidInput, match="expected rising times"):
        build(NOTHING, [trade(QUARTER), trade(QUARTER - 1)])


@pytest.mark.parametrize(("price", "volume"), [(0.0, 1.0), (float("nan"), 1.0), (1.0, -1.0)])
def test_impossible_trade_makes_no_bar(price: float, volume: float) -> None:
    with pytest.raises(InvalidInput, match="expected"):
        build(NOTHING, [trade(0, price, volume), trade(QUARTER)])
