"""Charts as SVG text: candles with zones, levels and markers, and a line of equity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from html import escape

from trading.model.candles import CandleSeries
from trading.model.instruments import Side
from trading.reporting.plotting import BOTTOM, HEIGHT, LEFT, RIGHT, WIDTH, Paper, drawing, number

RISE, FALL, LINE, MARK = "#1a9c80", "#d9483b", "#2f6fde", "#c98500"
"""Mid tones: readable on white and on near-black."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """A price band from a time on, such as an order block. `until` None: to the right edge. Prices in USD."""

    label: str
    side: Side
    top: float
    bottom: float
    since: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """A price line over the whole chart, such as a stop. `side` None: neither good nor bad."""

    label: str
    price: float
    side: Side | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """Something that happened: an entry, an exit, a break. LONG points up from below, SHORT down from above."""

    label: str
    side: Side
    at: datetime
    price: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CandleChart:
    title: str
    candles: CandleSeries
    zones: tuple[Zone, ...] = ()
    levels: tuple[Level, ...] = ()
    markers: tuple[Marker, ...] = ()


def candle_chart(chart: CandleChart) -> str:
    """Candles on top of zones, under levels and markers. What lies outside of the paper is drawn at its edge."""
    series = chart.candles
    if not len(series):
        return drawing(chart.title, _note("no candles"))
    length = series.timeframe.seconds
    prices = (*series.lows, *series.highs, *(level.price for level in chart.levels))
    paper = Paper.around((float(series.times[0]), float(series.times[-1] + length)), prices)
    parts = [paper.frame()]
    parts += [_zone(zone, paper) for zone in chart.zones]
    parts += _candles(series, paper)
    parts += [_level(level, paper) for level in chart.levels]
    parts += [_marker(marker, paper) for marker in chart.markers]
    return drawing(chart.title, "".join(parts))


def line_chart(title: str, points: Sequence[tuple[datetime, Decimal]]) -> str:
    """One line with the first value as its base line: green above, red below is left to the reader's eye."""
    if not points:
        return drawing(title, _note("no points"))
    times = tuple(at.timestamp() for at, _ in points)
    values = tuple(float(value) for _, value in points)
    paper = Paper.around(times, values)
    path = " ".join(f"{paper.x(at)},{paper.y(value)}" for at, value in zip(times, values, strict=True))
    base = paper.y(values[0])
    return drawing(
        title,
        f'{paper.frame()}<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{base}" y2="{base}" stroke="currentColor" '
        f'stroke-opacity=".45" stroke-dasharray="4 4"/><polyline points="{path}" fill="none" stroke="{LINE}" '
        f'stroke-width="2" stroke-linejoin="round"/>{_tag(paper, values[-1], LINE)}',
    )


def _candles(series: CandleSeries, paper: Paper) -> list[str]:
    length = series.timeframe.seconds
    wide = max(1.0, round((paper.x(paper.first + length) - paper.x(paper.first)) * 0.7, 1))
    parts = []
    for at, opened, high, low, closed in zip(
        series.times, series.opens, series.highs, series.lows, series.closes, strict=True
    ):
        x = paper.x(at + length / 2)
        top, bottom = paper.y(max(opened, closed)), paper.y(min(opened, closed))
        colour = RISE if closed >= opened else FALL
        parts.append(
            f'<line x1="{x}" x2="{x}" y1="{paper.y(high)}" y2="{paper.y(low)}" stroke="{colour}"/>'
            f'<rect x="{round(x - wide / 2, 1)}" y="{top}" width="{wide}" height="{max(1.0, round(bottom - top, 1))}" '
            f'fill="{colour}"/>'
        )
    return parts


def _zone(zone: Zone, paper: Paper) -> str:
    left = paper.x(zone.since.timestamp())
    right = paper.x(zone.until.timestamp()) if zone.until else WIDTH - RIGHT
    top, bottom = paper.y(zone.top), paper.y(zone.bottom)
    colour = RISE if zone.side is Side.LONG else FALL
    return (
        f'<rect x="{left}" y="{top}" width="{max(1.0, round(right - left, 1))}" '
        f'height="{max(1.0, round(bottom - top, 1))}" fill="{colour}" fill-opacity=".16" stroke="{colour}" '
        f'stroke-opacity=".5"/><text x="{left + 4}" y="{top + 12}" fill="{colour}">{escape(zone.label)}</text>'
    )


def _level(level: Level, paper: Paper) -> str:
    colour = LINE if level.side is None else RISE if level.side is Side.LONG else FALL
    y = paper.y(level.price)
    return (
        f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}" stroke="{colour}" stroke-dasharray="6 4"/>'
        f'<text x="{LEFT + 4}" y="{y - 4}" fill="{colour}">{escape(level.label)}</text>'
        f"{_tag(paper, level.price, colour)}"
    )


def _marker(marker: Marker, paper: Paper) -> str:
    x, y = paper.x(marker.at.timestamp()), paper.y(marker.price)
    way = 1 if marker.side is Side.LONG else -1
    points = f"{x},{y} {x - 6},{y + 11 * way} {x + 6},{y + 11 * way}"
    return (
        f'<polygon points="{points}" fill="{MARK}" stroke="currentColor" stroke-opacity=".5"/>'
        f'<text x="{x}" y="{y + (24 if way > 0 else -16)}" text-anchor="middle" font-weight="600">'
        f"{escape(marker.label)}</text>"
    )


def _tag(paper: Paper, value: float, colour: str) -> str:
    y = paper.y(value)
    return (
        f'<rect x="{WIDTH - RIGHT + 2}" y="{y - 8}" width="{RIGHT - 4}" height="16" rx="3" fill="{colour}"/>'
        f'<text x="{WIDTH - RIGHT + 6}" y="{y + 4}" fill="#fff">{number(value)}</text>'
    )


def _note(text: str) -> str:
    return f'<text x="{WIDTH / 2}" y="{(HEIGHT - BOTTOM) / 2}" text-anchor="middle">{escape(text)}</text>'
