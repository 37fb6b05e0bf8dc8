"""The paper of a chart: where a time and a value lie on it, and the marks along its edges."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape

WIDTH, HEIGHT = 960, 360
LEFT, RIGHT, TOP, BOTTOM = 12, 88, 34, 26
PRICE_MARKS, TIME_MARKS = 4, 6
"""Price marks: at least this many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """Maps seconds since 1970 and values to points. `low` < `high`, `first` < `last`."""

    first: float
    last: float
    low: float
    high: float

    @classmethod
    def around(cls, times: tuple[float, ...], values: tuple[float, ...]) -> Paper:
        """Fits all values with a little air; a single time or value still gets a paper of some size."""
        first, last, low, high = min(times), max(times), min(values), max(values)
        air = (high - low) * 0.05 or abs(high) * 0.01 or 1.0
        return cls(first=first, last=last if last > first else first + 1, low=low - air, high=high + air)

    def x(self, seconds: float) -> float:
        share = (seconds - self.first) / (self.last - self.first)
        return round(LEFT + min(max(share, 0.0), 1.0) * (WIDTH - LEFT - RIGHT), 1)

    def y(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return round(HEIGHT - BOTTOM - min(max(share, 0.0), 1.0) * (HEIGHT - TOP - BOTTOM), 1)

    def frame(self) -> str:
        """Lines and texts of both axes."""
        return "".join((*map(self._value_mark, self._steps()), *map(self._time_mark, range(TIME_MARKS))))

    def _steps(self) -> list[float]:
        """Round values (1, 2 or 5 times a power of ten apart) between low and high."""
        rough = (self.high - self.low) / PRICE_MARKS
        power = 10.0 ** math.floor(math.log10(rough))
        step = max(power * each for each in (1, 2, 5) if power * each <= rough)
        first = math.ceil(self.low / step)
        return [step * number for number in range(first, math.floor(self.high / step) + 1)]

    def _value_mark(self, value: float) -> str:
        y = self.y(value)
        return (
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}" stroke="currentColor" stroke-opacity=".12"/>'
            f'<text x="{WIDTH - RIGHT + 6}" y="{y + 4}">{number(value)}</text>'
        )

    def _time_mark(self, index: int) -> str:
        seconds = self.first + (self.last - self.first) * index / (TIME_MARKS - 1)
        anchor = "start" if index == 0 else "end" if index == TIME_MARKS - 1 else "middle"
        return f'<text x="{self.x(seconds)}" y="{HEIGHT - 8}" text-anchor="{anchor}">{moment(seconds)}</text>'


def drawing(title: str, content: str) -> str:
    """A whole SVG image that fits the width it is given and takes the text colour of its surroundings."""
    name = escape(title)
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{name}" width="100%" '
        'style="max-width:100%;height:auto" font-family="system-ui,sans-serif" font-size="11" fill="currentColor">'
        f'<text x="{LEFT}" y="18" font-size="13" font-weight="600">{name}</text>{content}</svg>'
    )


def number(value: float) -> str:
    """Six significant digits, thousands apart, without needless zeros."""
    digits = max(0, 5 - math.floor(math.log10(abs(value)))) if value else 0
    text = f"{value:,.{min(digits, 10)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def moment(seconds: float) -> str:
    whole = datetime.fromtimestamp(seconds, UTC)
    return whole.strftime("%d %b %H:%M")
