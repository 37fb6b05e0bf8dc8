"""Charts as SVG text: candles with structure, zones, levels and markers, and a line of equity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from html import escape

from trading.model.candles import CandleSeries
from trading.reporting.labels import Box, LabelMap
from trading.reporting.marks import (
    CALM,
    Break,
    Level,
    Marker,
    Swing,
    Zone,
    candle_boxes,
    draw_break,
    draw_candles,
    draw_levels,
    draw_marker,
    draw_swing,
    draw_tag,
    draw_zone,
    label_break,
    label_zone,
    tag_places,
)
from trading.reporting.plotting import LEFT, LINE, SMALL, Bars, Paper, Size, drawing, number, wrapped

__all__ = ["Break", "CandleChart", "Level", "Marker", "Swing", "Zone", "candle_chart", "line_chart"]

LINES_OF_TEXT = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class CandleChart:
    """What a picture shows. `text` stands under the title; `room`: empty bars on the right, for what is planned.

    `wide` and `high`: points of the drawing, which is scaled to the width it is given.
    """

    title: str
    candles: CandleSeries
    zones: tuple[Zone, ...] = ()
    levels: tuple[Level, ...] = ()
    markers: tuple[Marker, ...] = ()
    swings: tuple[Swing, ...] = ()
    breaks: tuple[Break, ...] = ()
    text: str = ""
    room: int = 0
    wide: int = SMALL.width
    high: int = SMALL.height


def candle_chart(chart: CandleChart) -> str:
    """Candles on top of zones, under breaks, levels and markers. A price or time beyond the paper is drawn at its edge,
    a zone or break beyond it not at all."""
    lines = wrapped(chart.text, chart.wide - 2 * LEFT, LINES_OF_TEXT) if chart.text else ()
    size = Size(width=chart.wide, height=chart.high, top=SMALL.top + LINE * len(lines))
    series = chart.candles
    if not len(series):
        return drawing(chart.title, _note("no candles", size), size, lines)
    axis = Bars(times=series.times, length=series.timeframe.seconds, room=chart.room)
    paper = Paper.on(axis, (*series.lows, *series.highs, *(level.price for level in chart.levels)), size)
    labels = LabelMap(Box(LEFT, size.top, size.right, size.bottom), candle_boxes(series, paper))
    # What matters most is named first, while there is room, and drawn last, over the rest.
    zones = sorted(chart.zones, key=_weight)
    breaks = sorted(chart.breaks, key=lambda mark: not mark.major)
    parts = [paper.frame(tag_places(chart.levels, paper))]
    parts += [draw_zone(zone, paper) for zone in reversed(zones)]
    parts.append(draw_candles(series, paper))
    parts += [draw_swing(swing, paper, series.timeframe.seconds) for swing in chart.swings]
    parts += [draw_break(mark, paper) for mark in reversed(breaks)]
    parts.append(draw_levels(chart.levels, paper))
    parts += [draw_marker(marker, paper) for marker in chart.markers]
    parts += [label_break(mark, paper, labels) for mark in breaks if mark.major]
    parts += [label_zone(zone, paper, labels) for zone in zones]
    parts += [label_break(mark, paper, labels) for mark in breaks if not mark.major]
    return drawing(chart.title, "".join(parts), size, lines)


def _weight(zone: Zone) -> int:
    """Strong zones first, faint ones last."""
    return 0 if zone.strong else 2 if zone.faint else 1


def line_chart(title: str, points: Sequence[tuple[datetime, Decimal]]) -> str:
    """One line with the first value as its base line: green above, red below is left to the reader's eye."""
    if not points:
        return drawing(title, _note("no points", SMALL))
    times = tuple(at.timestamp() for at, _ in points)
    values = tuple(float(value) for _, value in points)
    paper = Paper.around(times, values)
    path = " ".join(f"{paper.x(at)},{paper.y(value)}" for at, value in zip(times, values, strict=True))
    base, last = paper.y(values[0]), paper.y(values[-1])
    return drawing(
        title,
        f'{paper.frame([last])}<line x1="{LEFT}" x2="{SMALL.right}" y1="{base}" y2="{base}" stroke="currentColor" '
        f'stroke-opacity=".45" stroke-dasharray="4 4"/><polyline points="{path}" fill="none" stroke="{CALM}" '
        f'stroke-width="2" stroke-linejoin="round"/>{draw_tag(number(values[-1]), last, CALM, SMALL.right)}',
    )


def _note(text: str, size: Size) -> str:
    return f'<text x="{size.width / 2}" y="{size.bottom / 2}" text-anchor="middle">{escape(text)}</text>'
