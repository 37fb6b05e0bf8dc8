"""What may stand on a candle chart, and the SVG of each. Prices in USD, times aware UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from html import escape

from trading.model.candles import CandleSeries
from trading.model.instruments import Side
from trading.reporting.labels import LETTER_WIDTH, Box, LabelMap, spread
from trading.reporting.plotting import LEFT, LINE, RIGHT, Paper, number

RISE, FALL, CALM, MARK = "#1a9c80", "#d9483b", "#2f6fde", "#c98500"
"""Mid tones: readable on white and on near-black."""
SMALL_TEXT, TEXT = 9.5, 11
TAG_LETTERS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """A price band from a time on, such as an order block. `until` None: to the right edge.

    `strong`: what the chart is about; `faint`: over, or not worth a label; `dashed`: another kind of zone.
    """

    label: str
    side: Side
    top: float
    bottom: float
    since: datetime
    until: datetime | None = None
    strong: bool = False
    faint: bool = False
    dashed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """A price line, such as a stop, over the whole chart or from `since` on. `side` None: neither good nor bad."""

    label: str
    price: float
    side: Side | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """Something that happened: an entry, an exit. LONG points up from below, SHORT down from above."""

    label: str
    side: Side
    at: datetime
    price: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Swing:
    """A high or a low that stands out, at the middle of the bar that opens at `at`; `major` by the larger scale."""

    at: datetime
    price: float
    high: bool
    major: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """A close beyond a swing: the swing's level, from the swing's bar to the close that broke it."""

    label: str
    side: Side
    price: float
    since: datetime
    until: datetime
    major: bool


def draw_candles(series: CandleSeries, paper: Paper) -> str:
    """Wicks as one path per colour, a body per bar; a bar that did not move still gets a line."""
    length = series.timeframe.seconds
    wide = max(1.0, round((paper.x(series.times[0] + length * 0.85) - paper.x(series.times[0] + length * 0.15)), 1))
    wicks: dict[str, list[str]] = {RISE: [], FALL: []}
    bodies = []
    for at, opened, high, low, closed in zip(
        series.times, series.opens, series.highs, series.lows, series.closes, strict=True
    ):
        x = paper.x(at + length / 2)
        top, bottom = paper.y(max(opened, closed)), paper.y(min(opened, closed))
        colour = RISE if closed >= opened else FALL
        wicks[colour].append(f"M{x} {paper.y(high)}V{paper.y(low)}")
        bodies.append(
            f'<rect x="{round(x - wide / 2, 1)}" y="{top}" width="{wide}" height="{max(1.0, round(bottom - top, 1))}" '
            f'fill="{colour}"/>'
        )
    lines = (f'<path d="{"".join(path)}" stroke="{colour}" fill="none"/>' for colour, path in wicks.items() if path)
    return "".join((*lines, *bodies))


def candle_boxes(series: CandleSeries, paper: Paper) -> list[Box]:
    """Where the bars stand, for texts to keep away from."""
    length = series.timeframe.seconds
    return [
        Box(paper.x(at), paper.y(high), paper.x(at + length), paper.y(low))
        for at, high, low in zip(series.times, series.highs, series.lows, strict=True)
    ]


def draw_zone(zone: Zone, paper: Paper) -> str:
    """The band; nothing for one off the paper."""
    place = _zone_place(zone, paper)
    if place is None:
        return ""
    colour = _colour(zone.side)
    fill, stroke = (".06", ".2") if zone.faint else (".26", ".95") if zone.strong else (".13", ".5")
    dashes = ' stroke-dasharray="4 3"' if zone.dashed else ""
    return (
        f'<rect x="{place.left}" y="{place.top}" width="{max(1.0, round(place.right - place.left, 1))}" '
        f'height="{max(1.0, round(place.bottom - place.top, 1))}" fill="{colour}" fill-opacity="{fill}" '
        f'stroke="{colour}" stroke-opacity="{stroke}"{dashes}>{_told(zone.label)}</rect>'
    )


def label_zone(zone: Zone, paper: Paper, labels: LabelMap) -> str:
    """The name of a band, in it or at its edge, where there is room."""
    place = _zone_place(zone, paper)
    if place is None or zone.faint or not zone.label:
        return ""
    size = TEXT if zone.strong else SMALL_TEXT
    inside, far = place.left + 4, place.right - len(zone.label) * size * LETTER_WIDTH - 4
    across = [x for x in (inside, (inside + far) / 2, far) if x >= inside] or [inside]
    upright = (place.top + size + 1, place.bottom - 3, place.top - 3, place.bottom + size + 1)
    spot = labels.place(zone.label, size, [(x, y) for y in upright for x in across], must=zone.strong)
    return _written(zone.label, spot, _colour(zone.side), size)


def _zone_place(zone: Zone, paper: Paper) -> Box | None:
    right = paper.x(zone.until.timestamp()) if zone.until else paper.size.right
    if not paper.shows(zone.bottom, zone.top) or right <= LEFT:
        return None
    return Box(min(paper.x(zone.since.timestamp()), right), paper.y(zone.top), right, paper.y(zone.bottom))


def draw_break(mark: Break, paper: Paper) -> str:
    """A line from the swing to the close beyond it; nothing for one off the paper."""
    left, right, y = paper.x(mark.since.timestamp()), paper.x(mark.until.timestamp()), paper.y(mark.price)
    if right <= LEFT or not paper.shows(mark.price, mark.price):
        return ""
    style = 'stroke-width="1.6"' if mark.major else 'stroke-dasharray="3 3"'
    line = f'<line x1="{left}" x2="{right}" y1="{y}" y2="{y}" stroke="{_colour(mark.side)}" {style}>'
    return f"{line}{_told(mark.label)}</line>"


def label_break(mark: Break, paper: Paper, labels: LabelMap) -> str:
    """The name of a break along its line, on the side the price went if there is room."""
    left, right, y = paper.x(mark.since.timestamp()), paper.x(mark.until.timestamp()), paper.y(mark.price)
    if right <= LEFT or not paper.shows(mark.price, mark.price):
        return ""
    size = TEXT if mark.major else SMALL_TEXT
    width = len(mark.label) * size * LETTER_WIDTH
    across = [(left + right - width) / 2, left + 2, right - width - 2]
    upright = (y - 4, y + size + 1) if mark.side is Side.LONG else (y + size + 1, y - 4)
    spot = labels.place(mark.label, size, [(x, at) for x in across for at in upright])
    return _written(mark.label, spot, _colour(mark.side), size)


def draw_swing(swing: Swing, paper: Paper, bar_seconds: int) -> str:
    """A dot beyond the extreme: a full one for the larger scale, a small ring for the smaller."""
    x = paper.x(swing.at.timestamp() + bar_seconds / 2)
    y = round(paper.y(swing.price) + (-6 if swing.high else 6), 1)
    shape = f'r="3.2" fill="{MARK}"' if swing.major else f'r="1.8" fill="none" stroke="{MARK}"'
    return f'<circle cx="{x}" cy="{y}" {shape}/>'


def draw_levels(levels: tuple[Level, ...], paper: Paper) -> str:
    """Lines, each with a tag of its name and price in the margin; tags keep apart and are led to their lines."""
    lines, tags = [], []
    places = tag_places(levels, paper)
    for level, place in zip(levels, places, strict=True):
        colour, y = _colour(level.side), paper.y(level.price)
        left, right = paper.x(level.since.timestamp()) if level.since else LEFT, paper.size.right
        lines.append(
            f'<line x1="{left}" x2="{right}" y1="{y}" y2="{y}" stroke="{colour}" stroke-dasharray="6 4"/>'
            f'<path d="M{right} {y}L{right + 6} {place}" stroke="{colour}" fill="none"/>'
        )
        tags.append(draw_tag(f"{level.label} {number(level.price)}"[:TAG_LETTERS], place, colour, paper.size.right))
    return "".join((*lines, *tags))


def tag_places(levels: tuple[Level, ...], paper: Paper) -> list[float]:
    """Where the tags of levels stand, in points from the top."""
    return spread([paper.y(level.price) for level in levels], LINE + 2, paper.size.top + 9, paper.size.bottom - 9)


def draw_tag(text: str, y: float, colour: str, right: float) -> str:
    """A text on a coloured ground in the right margin."""
    y = round(y, 1)
    return (
        f'<rect x="{right + 6}" y="{round(y - 8.5, 1)}" width="{RIGHT - 8}" height="17" rx="3" fill="{colour}"/>'
        f'<text x="{right + 10}" y="{round(y + 4, 1)}" fill="#fff">{escape(text)}</text>'
    )


def draw_marker(marker: Marker, paper: Paper) -> str:
    """A triangle that points at the price, with its label behind it."""
    x, y = paper.x(marker.at.timestamp()), paper.y(marker.price)
    way = 1 if marker.side is Side.LONG else -1
    # At the edge of the paper it turns round rather than leave it.
    if not paper.size.top + 30 <= y + 30 * way <= paper.size.bottom or y - 30 < paper.size.top:
        way = 1 if y < (paper.size.top + paper.size.bottom) / 2 else -1
    points = f"{x},{y} {x - 6},{round(y + 11 * way, 1)} {x + 6},{round(y + 11 * way, 1)}"
    return (
        f'<polygon points="{points}" fill="{MARK}" stroke="currentColor" stroke-opacity=".5"/>'
        f'<text x="{x}" y="{round(y + (24 if way > 0 else -16), 1)}" text-anchor="middle" font-weight="600" '
        'stroke="Canvas" stroke-width="2.5" stroke-opacity=".8" paint-order="stroke">'
        f"{escape(marker.label)}</text>"
    )


def _written(text: str, spot: tuple[float, float] | None, colour: str, size: float) -> str:
    """A text with a rim in the colour of the ground, so that it can be read over whatever is behind it."""
    if spot is None:
        return ""
    return (
        f'<text x="{round(spot[0], 1)}" y="{round(spot[1], 1)}" font-size="{size}" fill="{colour}" stroke="Canvas" '
        f'stroke-width="2.5" stroke-opacity=".8" paint-order="stroke">{escape(text)}</text>'
    )


def _told(text: str) -> str:
    """What a browser shows when the pointer rests on a shape."""
    return f"<title>{escape(text)}</title>" if text else ""


def _colour(side: Side | None) -> str:
    return CALM if side is None else RISE if side is Side.LONG else FALL
