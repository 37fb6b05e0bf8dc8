"""The paper of a chart: where a time and a value lie on it, and the marks along its edges."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape

WIDTH, HEIGHT = 960, 360
LEFT, RIGHT, TOP, BOTTOM = 12, 132, 34, 26
PRICE_MARKS, TIME_MARKS = 4, 6
"""Price marks: at least this many. Time marks: at most about this many on the smallest paper."""
TIME_MARK_WIDTH = 110
LINE = 16
"""Height of a line of the title or of what stands under it."""

_STEPS = tuple(60 * minutes for minutes in (15, 30, 60, 120, 240, 360, 720)) + tuple(
    86_400 * days for days in (1, 2, 4, 7, 14, 28, 91, 182, 364)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """Points of a drawing; it is scaled to the width it is given. `top`: what the title and its lines take."""

    width: int = WIDTH
    height: int = HEIGHT
    top: int = TOP

    @property
    def right(self) -> int:
        return self.width - RIGHT

    @property
    def bottom(self) -> int:
        return self.height - BOTTOM


SMALL = Size()


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A plain axis of time, from `first` to `last` in seconds since 1970."""

    first: float
    last: float

    def share(self, seconds: float) -> float:
        return (seconds - self.first) / (self.last - self.first)

    def moments(self, wanted: int) -> list[float]:
        """Round times along the axis, at most about `wanted`."""
        return list(_round_times(self.first, self.last, wanted))


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """An axis on which every bar is equally wide: hours and days without a bar take no room. `room`: empty bars after
    the last. Times in seconds since 1970."""

    times: Sequence[int]
    length: int
    room: int = 0

    def share(self, seconds: float) -> float:
        place = bisect_right(self.times, seconds) - 1
        if place < 0:
            return -1.0
        inside = (seconds - self.times[place]) / self.length
        # Between two bars there is no room; after the last one there is.
        return (place + (inside if place == len(self.times) - 1 else min(inside, 1.0))) / (len(self.times) + self.room)

    def moments(self, wanted: int) -> list[float]:
        """The first bar of every round time, at most about `wanted`."""
        span = self.length * len(self.times)
        step = _step_of(span, wanted)
        first_of = {time // step: time for time in reversed(self.times)}
        return sorted(time for place, time in first_of.items() if time - place * step < self.length)


def _step_of(span: float, wanted: int) -> int:
    return next((step for step in _STEPS if span / step <= wanted), _STEPS[-1])


def _round_times(first: float, last: float, wanted: int) -> Iterable[float]:
    step = _step_of(last - first, wanted)
    at = math.ceil(first / step) * step
    while at <= last:
        yield float(at)
        at += step


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """Maps seconds since 1970 and values to points. `low` < `high`."""

    axis: Span | Bars
    low: float
    high: float
    size: Size = SMALL

    @classmethod
    def around(cls, times: tuple[float, ...], values: tuple[float, ...]) -> Paper:
        """Fits all values with a little air; a single time or value still gets a paper of some size."""
        first, last = min(times), max(times)
        return cls.on(Span(first=first, last=last if last > first else first + 1), values)

    @classmethod
    def on(cls, axis: Span | Bars, values: Sequence[float], size: Size = SMALL) -> Paper:
        """Like `around`, with an axis of its own."""
        low, high = min(values), max(values)
        air = (high - low) * 0.05 or abs(high) * 0.01 or 1.0
        return cls(axis=axis, low=low - air, high=high + air, size=size)

    def x(self, seconds: float) -> float:
        return round(LEFT + min(max(self.axis.share(seconds), 0.0), 1.0) * (self.size.right - LEFT), 1)

    def y(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return round(self.size.bottom - min(max(share, 0.0), 1.0) * (self.size.bottom - self.size.top), 1)

    def shows(self, low: float, high: float) -> bool:
        """Some of this band of values lies on the paper."""
        return low <= self.high and high >= self.low

    def frame(self, tags: Sequence[float] = ()) -> str:
        """Lines and texts of both axes; a price that would stand under one of the `tags` (points) is left out."""
        times = self.axis.moments(max(2, (self.size.right - LEFT) // TIME_MARK_WIDTH))
        return "".join((*(self._value_mark(value, tags) for value in self._steps()), *map(self._time_mark, times)))

    def _steps(self) -> list[float]:
        """Round values (1, 2 or 5 times a power of ten apart) between low and high."""
        marks = max(PRICE_MARKS, (self.size.bottom - self.size.top) // 80)
        rough = (self.high - self.low) / marks
        power = 10.0 ** math.floor(math.log10(rough))
        step = max(power * each for each in (1, 2, 5) if power * each <= rough)
        first = math.ceil(self.low / step)
        return [step * number for number in range(first, math.floor(self.high / step) + 1)]

    def _value_mark(self, value: float, tags: Sequence[float]) -> str:
        y, right = self.y(value), self.size.right
        line = f'<line x1="{LEFT}" x2="{right}" y1="{y}" y2="{y}" stroke="currentColor" stroke-opacity=".12"/>'
        if any(abs(tag - y) < LINE - 1 for tag in tags):
            return line
        return f'{line}<text x="{right + 8}" y="{y + 4}" fill-opacity=".75">{number(value)}</text>'

    def _time_mark(self, seconds: float) -> str:
        x, top, bottom = self.x(seconds), self.size.top, self.size.bottom
        anchor = "start" if x < LEFT + 30 else "end" if x > self.size.right - 30 else "middle"
        return (
            f'<line x1="{x}" x2="{x}" y1="{top}" y2="{bottom}" stroke="currentColor" stroke-opacity=".07"/>'
            f'<text x="{x}" y="{bottom + 18}" text-anchor="{anchor}" fill-opacity=".75">{moment(seconds)}</text>'
        )


def drawing(title: str, content: str, size: Size = SMALL, lines: Sequence[str] = ()) -> str:
    """A whole SVG image that fits the width it is given and takes the text colour of its surroundings.

    `lines` stand under the title, already short enough.
    """
    under = "".join(
        f'<text x="{LEFT}" y="{18 + LINE * place}" font-size="12" fill-opacity=".85">{escape(line)}</text>'
        for place, line in enumerate(lines, start=1)
    )
    name = escape(title)
    return (
        f'<svg viewBox="0 0 {size.width} {size.height}" role="img" aria-label="{name}" width="100%" '
        'style="max-width:100%;height:auto" font-family="system-ui,sans-serif" font-size="11" fill="currentColor">'
        f'<text x="{LEFT}" y="18" font-size="13" font-weight="600">{name}</text>{under}{content}</svg>'
    )


def wrapped(text: str, width: int, lines: int) -> tuple[str, ...]:
    """The text in at most so many lines of about `width` points at 12 points a letter's height; the rest is cut."""
    letters, found = int(width / 6.2), [""]
    for word in text.split():
        if len(found[-1]) + len(word) < letters:
            found[-1] = f"{found[-1]} {word}".strip()
        else:
            found.append(word)
    kept = found[:lines]
    return tuple(kept if len(found) <= lines else [*kept[:-1], kept[-1] + " ..."])


def number(value: float) -> str:
    """Six significant digits, thousands apart, without needless zeros."""
    digits = max(0, 5 - math.floor(math.log10(abs(value)))) if value else 0
    text = f"{value:,.{min(digits, 10)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def moment(seconds: float) -> str:
    """A day for midnight, otherwise day and time, in UTC."""
    whole = datetime.fromtimestamp(seconds, UTC)
    return whole.strftime("%d %b %Y" if seconds % 86_400 == 0 else "%d %b %H:%M")
