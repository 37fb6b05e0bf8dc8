"""One state machine: bar by bar, in one go, in parts of any size, from lists or arrays."""

from __future__ import annotations

import tracemalloc
from array import array
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.smc.bars import Bar, bar_lists, columns, events_of, parameters, walk
from tests.unit.smc.concept_bars import concept_parameters, timed_walk, told_by_bar
from trading.smc import Detector
from trading.smc.detector import PART_BARS

SMALL = parameters(scales=(2, 4), age=20)
KINDS = [
    parameters(),
    parameters(scales=(5,)),
    parameters(scales=(2, 3, 8), age=40),
    parameters(definitions="peer"),
    parameters(displacement=False),
]


def _in_parts(bars: list[Bar], cuts: list[int], detector: Detector) -> list[tuple[object, ...]]:
    events: list[tuple[object, ...]] = []
    for start, end in pairwise([0, *sorted(min(cut, len(bars)) for cut in cuts), len(bars)]):
        events += detector.read(*columns(bars[start:end]))
    return events


@settings(max_examples=100, deadline=None)
@given(bar_lists(), st.lists(st.integers(0, 150), max_size=5))
def test_any_division_gives_the_same_events(bars: list[Bar], cuts: list[int]) -> None:
    whole, parted = Detector(SMALL), Detector(SMALL)
    assert whole.read(*columns(bars)) == events_of(bars, SMALL)
    assert _in_parts(bars, cuts, parted) == events_of(bars, SMALL)
    assert parted.state() == whole.state()


@pytest.mark.parametrize("given", KINDS)
def test_long_reading_equals_reading_bar_by_bar(given: object) -> None:
    bars = walk(37, PART_BARS + 1_700)
    batch, stream = Detector(given), Detector(given)
    events = batch.read(*columns(bars))
    assert events == [event for bar in bars for event in stream.update(*bar)]
    assert batch.state() == stream.state()
    assert len(events) > 5_000


def test_arrays_are_read_like_lists() -> None:
    bars = walk(41, 700)
    arrays = [array("d", column) for column in columns(bars)]
    assert Detector(SMALL).read(*arrays) == events_of(bars, SMALL)


def test_no_bars_give_no_event() -> None:
    detector = Detector(SMALL)
    assert detector.read([], [], [], []) == []
    assert (detector.bar, detector.warm, detector.state().zones) == (-1, False, ())


def test_columns_of_other_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match=r"columns have lengths \[1, 2\], expected all the same"):
        Detector(SMALL).read([1.0, 1.0], [1.0, 1.0], [1.0, 1.0], [1.0])
    with pytest.raises(ValueError, match=r"columns have lengths \[1, 2\]"):
        Detector(SMALL).read([1.0], [1.0], [1.0], [1.0], [0, 900])


def test_concepts_follow_the_events_of_each_bar() -> None:
    bars, chosen = timed_walk(53, 1_500), concept_parameters()
    expected = told_by_bar(bars, chosen, (2, 4), 40)
    given = parameters(scales=(2, 4), age=40, concepts=chosen)
    stream = Detector(given)
    assert [stream.update(*prices, time) for time, *prices in bars] == expected
    batch = Detector(given)
    times = [bar[0] for bar in bars]
    flat = [event for events in expected for event in events]
    assert batch.read(*columns([bar[1:] for bar in bars]), times) == flat
    assert len(flat) > 1.2 * len(events_of([bar[1:] for bar in bars], parameters(scales=(2, 4), age=40)))


def test_detector_without_concepts_has_none() -> None:
    assert Detector(parameters()).concepts is None
    assert Detector(parameters(concepts=concept_parameters())).concepts is not None


def test_missing_bars_reset_nothing() -> None:
    bars = walk(43, 900)
    with_gap = bars[:400] + bars[460:]
    detector = Detector(SMALL)
    assert detector.read(*columns(with_gap)) == events_of(with_gap, SMALL)
    later = detector.read(*columns(bars[:1]), [86_400])
    assert {event[3] for event in later} <= {len(with_gap)}


def test_state_does_not_grow_with_the_bars() -> None:
    detector, bars = Detector(parameters()), walk(47, 20_000)
    for bar in bars[:10_000]:
        detector.update(*bar)
    tracemalloc.start()
    for bar in bars[10_000:] + bars * 4:
        detector.update(*bar)
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert detector.bar == 99_999
    # Two columns of floats that are cut back at times, and the living zones: all that changes between two bars.
    assert grown < 100_000
