from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trading.model.candles import Candle, CandleSeries
from trading.model.instruments import Side
from trading.model.times import Timeframe
from trading.reporting.charts import CandleChart, Level, Marker, Zone, candle_chart, line_chart
from trading.reporting.plotting import HEIGHT, WIDTH, number

START = datetime(2026, 11, 1, tzinfo=UTC)
HOSTILE = '<script>alert("x")</script>&'


def candles(count: int = 40, price: float = 100.0) -> CandleSeries:
    first = int(START.timestamp())
    return CandleSeries(
        Timeframe.H1,
        (
            Candle(
                open_time=first + index * 3600,
                open=price * (1 + index % 7 / 100),
                high=price * 1.1,
                low=price * 0.95,
                close=price * (1 + index % 5 / 100),
                volume=1,
            )
            for index in range(count)
        ),
    )


def full_chart(text: str = "order block") -> CandleChart:
    return CandleChart(
        title=text,
        candles=candles(),
        zones=(Zone(label=text, side=Side.LONG, top=104, bottom=101, since=START, until=START + timedelta(days=9)),),
        levels=(Level(label=text, price=90, side=Side.SHORT), Level(label=text, price=100)),
        markers=(
            Marker(label=text, side=Side.LONG, at=START + timedelta(hours=5), price=101),
            Marker(label=text, side=Side.SHORT, at=START - timedelta(days=9), price=9999),
        ),
    )


def test_chart_draws_every_candle_zone_level_and_marker() -> None:
    root = ElementTree.fromstring(candle_chart(full_chart()))
    kinds = [each.tag for each in root.iter()]
    assert kinds.count("rect") == 40 + 1 + 2
    assert kinds.count("polygon") == 2
    assert "order block" in "".join(root.itertext())


def test_hostile_labels_are_text_and_nothing_else() -> None:
    svg = candle_chart(full_chart(HOSTILE))
    assert "<script" not in svg
    assert "".join(ElementTree.fromstring(svg).itertext()).count(HOSTILE) == 6


def test_nothing_is_drawn_outside_of_the_paper() -> None:
    svg = candle_chart(full_chart())
    for name, limit in (("x", WIDTH), ("x1", WIDTH), ("x2", WIDTH), ("y", HEIGHT), ("y1", HEIGHT), ("y2", HEIGHT)):
        found = [float(value) for value in re.findall(rf' {name}="(-?[\d.]+)"', svg)]
        assert found
        assert all(0 <= value <= limit for value in found), name


def test_higher_price_is_drawn_higher_up() -> None:
    points = [(START, Decimal(100)), (START + timedelta(hours=1), Decimal(120))]
    line = re.search(r'points="([\d., ]+)"', line_chart("Equity", points))
    assert line is not None
    (first, second) = (pair.split(",") for pair in line.group(1).split())
    assert float(first[0]) < float(second[0])
    assert float(first[1]) > float(second[1])


@pytest.mark.parametrize("points", [[], [(START, Decimal(0))], [(START, Decimal(7)), (START, Decimal(7))]])
def test_few_or_equal_points_still_give_an_image(points: list[tuple[datetime, Decimal]]) -> None:
    ElementTree.fromstring(line_chart("Equity", points))


def test_empty_series_says_so_in_the_image() -> None:
    assert "no candles" in candle_chart(CandleChart(title="BTC", candles=CandleSeries(Timeframe.H1)))


@settings(max_examples=40, deadline=None)
@given(st.floats(1e-8, 1e6), st.integers(1, 30))
def test_any_price_scale_gives_readable_axes(price: float, count: int) -> None:
    svg = candle_chart(CandleChart(title="any", candles=candles(count, price)))
    ElementTree.fromstring(svg)
    assert 3 <= svg.count('stroke-opacity=".12"') <= 12
    assert "nan" not in svg


@pytest.mark.parametrize(
    ("value", "text"),
    [(101250.0, "101,250"), (0.00001234, "0.00001234"), (1.5, "1.5"), (0.0, "0"), (-12.345678, "-12.3457")],
)
def test_numbers_keep_six_digits_and_no_more(value: float, text: str) -> None:
    assert number(value) == text
