"""Bars with open times, parameters and runs for the tests of the concepts."""

from __future__ import annotations

import random

from hypothesis import strategies as st

from tests.unit.smc.bars import Bar, bar_lists, parameters, walk
from trading.smc import Detector
from trading.smc.concepts import ConceptParameters, Concepts
from trading.smc.events import RawEvent

TimedBar = tuple[int, float, float, float, float]
SWITCHES = (
    "pools",
    "equal_levels",
    "previous_day",
    "previous_week",
    "previous_sessions",
    "breakers",
    "inversions",
    "inducements",
    "dealing_ranges",
    "ote",
    "kill_zones",
)
ALL_OFF = dict.fromkeys(SWITCHES, False)
# Thursday, 29 February 2024, 21:00 UTC: summer time begins ten days later.
START = 1_709_240_400
HOUR = 3_600


def concept_parameters(**changes: object) -> ConceptParameters:
    """The starting values with everything on, but short means and look-backs, so that short series reach them."""
    values: dict[str, object] = {
        **dict.fromkeys(SWITCHES, True),
        "equal_levels_atr": 0.25,
        "equal_levels_atr_bars": 20,
        "equal_levels_lookback_bars": 60,
        "sweep_depth_atr_bars": 14,
        "equilibrium_low": 0.475,
        "equilibrium_high": 0.525,
        "ote_near": 0.62,
        "ote_sweet": 0.705,
        "ote_far": 0.79,
        "asian_minutes": (20 * 60, 24 * 60),
        "london_open_minutes": (2 * 60, 5 * 60),
        "new_york_open_minutes": (7 * 60, 10 * 60),
        "london_close_minutes": (10 * 60, 12 * 60),
    }
    return ConceptParameters(**{**values, **changes})  # type: ignore[arg-type]


def only(*switches: str, **changes: object) -> ConceptParameters:
    """Everything off but the named concepts."""
    return concept_parameters(**{**ALL_OFF, **dict.fromkeys(switches, True), **changes})


def timed(bars: list[Bar], start: int = START, step: int = HOUR) -> list[TimedBar]:
    """Bars one after the other, without a gap in time."""
    return [(start + number * step, *bar) for number, bar in enumerate(bars)]


def timed_walk(seed: int, count: int, tick: float = 0.25) -> list[TimedBar]:
    """A walk of hourly bars in which bars are missing: single ones, some hours, and once in a while days."""
    generator = random.Random(seed)
    time, bars = START, []
    for bar in walk(seed, count, tick):
        bars.append((time, *bar))
        time += HOUR * (1 if generator.random() < 0.98 else generator.choice((2, 5, 30, 24 * 9)))
    return bars


@st.composite
def timed_bar_lists(draw: st.DrawFn, maximum: int = 150) -> list[TimedBar]:
    """Any bars, with steps of a quarter of an hour up to four days."""
    bars = draw(bar_lists(maximum))
    step = draw(st.sampled_from((900, HOUR, 4 * HOUR)))
    steps = draw(st.lists(st.sampled_from((1, 1, 1, 1, 2, 24)), min_size=len(bars), max_size=len(bars)))
    time = START + step * draw(st.integers(0, 200))
    timed_bars = []
    for bar, count in zip(bars, steps, strict=True):
        timed_bars.append((time, *bar))
        time += step * count
    return timed_bars


def told_by_bar(
    bars: list[TimedBar], given: ConceptParameters, scales: tuple[int, ...] = (2, 4), age: int = 40
) -> list[list[RawEvent]]:
    """The merged events of the detector and the concepts, bar by bar."""
    detector, concepts = Detector(parameters(scales=scales, age=age)), Concepts(given, scales, age)
    told = []
    for number, (time, *prices) in enumerate(bars):
        open_, high, low, close = prices
        events = detector.update(open_, high, low, close)
        concepts.advance(number, time, open_, high, low, close, events)
        told.append(events)
    return told


def told(
    bars: list[TimedBar], given: ConceptParameters, scales: tuple[int, ...] = (2, 4), age: int = 40
) -> list[RawEvent]:
    """The merged events of all bars."""
    return [event for events in told_by_bar(bars, given, scales, age) for event in events]


def of_kinds(events: list[RawEvent], *kinds: str) -> list[RawEvent]:
    """The events whose kind begins with one of the names."""
    return [event for event in events if event[0].startswith(kinds)]
