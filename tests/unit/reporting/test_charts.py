from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trading.model.candles import Candle, CandleSeries
from trading.model.instruments import Side
from trading.model.times import Timeframe
from trading.reporting.charts import Break, CandleChart, Level, Marker, Zone, candle_chart, line_chart
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
    later = START + timedelta(days=9)
    return CandleChart(
        title=text,
        candles=candles(),
        zones=(Zone(label=text, side=Side.LONG, top=104, bottom=101, since=START, until=later, strong=True),),
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
    texts = [each.text for each in ElementTree.fromstring(svg).iter("text")]
    # Title, zone and both markers; the tags of the levels cut what does not fit.
    assert texts.count(HOSTILE) == 4
    assert sum(text is not None and HOSTILE.startswith(text) and text != HOSTILE for text in texts) == 2


def test_nothing_is_drawn_outside_of_the_paper() -> None:
    svg = candle_chart(full_chart())
    for name, limit in (("x", WIDTH), ("x1", WIDTH), ("x2", WIDTH), ("y", HEIGHT), ("y1", HEIGHT), ("y2", HEIGHT)):
        found = [float(value) for value in re.findall(rf' {name}="(-?[\d.]+)"', svg)]
        assert found
        assert all(0 <= value <= limit for value in found), name


def tags(svg: str) -> dict[str, tuple[float, float]]:
    """(top, bottom) of every level's tag by its text."""
    nodes = list(ElementTree.fromstring(svg).iter())
    found = {}
    for box, text in pairwise(nodes):
        if box.tag == "rect" and text.tag == "text" and text.get("fill") == "#fff":
            top = float(box.attrib["y"])
            found[text.text or ""] = (top, top + float(box.attrib["height"]))
    return found


def test_tags_of_near_levels_stay_apart() -> None:
    near = tuple(Level(label=f"level {number}", price=100 + number / 100) for number in range(6))
    found = tags(candle_chart(CandleChart(title="BTC", candles=candles(), levels=near)))
    edges = sorted(found.values())
    assert len(edges) == 6
    assert all(above[1] <= below[0] for above, below in pairwise(edges))
    # The tags keep the order of the prices, the highest on top.
    assert sorted(found, key=lambda name: found[name][0]) == sorted(found, reverse=True)


def test_hours_without_bars_take_no_room() -> None:
    bars = [candles(20)[place] for place in range(20)]
    later = [replace(bar, open_time=bar.open_time + 50 * 3600) for bar in bars[10:]]
    chart = CandleChart(title="EURUSD", candles=CandleSeries(Timeframe.H1, [*bars[:10], *later]))
    places = [float(x) for x in re.findall(r'<rect x="([\d.]+)"', candle_chart(chart))]
    steps = {round(after - before) for before, after in pairwise(places)}
    assert len(places) == 20
    assert max(steps) - min(steps) <= 1


def test_marks_beyond_the_paper_are_left_out() -> None:
    far = Zone(label="far", side=Side.LONG, top=9, bottom=8, since=START)
    before = Break(
        label="BOS",
        side=Side.LONG,
        price=100,
        since=START - timedelta(days=3),
        until=START - timedelta(days=2),
        major=True,
    )
    chart = CandleChart(title="BTC", candles=candles(), zones=(far,), breaks=(before,))
    assert candle_chart(chart) == candle_chart(CandleChart(title="BTC", candles=candles()))


def test_planned_levels_start_behind_the_last_bar() -> None:
    end = START + timedelta(hours=40)
    chart = CandleChart(title="BTC", candles=candles(), levels=(Level(label="stop", price=99, since=end),), room=10)
    line = re.search(r'<line x1="([\d.]+)" x2="([\d.]+)"[^>]*stroke-dasharray="6 4"', candle_chart(chart))
    last = max(float(x) for x in re.findall(r'<rect x="([\d.]+)" y="[\d.]+" width="[\d.]+"', candle_chart(chart))[:40])
    assert line is not None
    assert last < float(line[1]) < float(line[2])


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
