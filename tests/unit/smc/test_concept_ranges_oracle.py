"""Dealing ranges and inducements against scans of all bars."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from tests.unit.smc.bars import parameters
from tests.unit.smc.concept_bars import (
    TimedBar,
    concept_parameters,
    of_kinds,
    only,
    timed_bar_lists,
    timed_walk,
    told,
)
from trading.smc import Detector
from trading.smc.concepts import Concepts
from trading.smc.events import RawEvent

ON = concept_parameters()
AGE = 40
SCALES = (2, 4)
Slow = tuple[int, int, float]


def _extent(bars: list[TimedBar], side: int, origin_bar: int, until: int) -> tuple[float, float]:
    """(low, high) of the range that begins at `origin_bar`, at the close of bar `until`."""
    span = bars[origin_bar : until + 1]
    if side > 0:
        return bars[origin_bar][3], max(bar[2] for bar in span)
    return min(bar[3] for bar in span), bars[origin_bar][2]


def _origin(bars: list[TimedBar], event: RawEvent) -> int:
    """The last of the most extreme bars after the broken swing, up to the break."""
    leg = range(event[4] + 1, event[3] + 1)
    return max(leg, key=lambda bar: (-bars[bar][3] if event[1] > 0 else bars[bar][2], bar))


def _expected_ranges(bars: list[TimedBar], core: list[RawEvent]) -> tuple[list[RawEvent], list[dict[int, Slow]]]:
    """The events of the ranges, and by bar the living (side, origin bar) of each scale."""
    told_ranges: list[RawEvent] = []
    living: dict[int, tuple[RawEvent, int, int]] = {}
    by_bar: list[dict[int, Slow]] = []
    for number in range(len(bars)):
        for scale, (first, origin, broken_at) in list(living.items()):
            if broken_at + AGE <= number:
                low, high = _extent(bars, first[1], origin, number)
                key = ("dealing_range_expired", first[1], scale, number, origin)
                told_ranges.append((*key, high, low, (first[:5],), 0))
                del living[scale]
        for event in [each for each in core if each[3] == number and each[0] in ("bos", "choch")]:
            kind, side, scale = event[:3]
            origin, known = _origin(bars, event), living.get(scale)
            low, high = _extent(bars, side, origin, number)
            goes_on = kind == "bos" and known is not None and known[0][1] == side
            name, causes = "dealing_range", (event[:5],)
            if goes_on and known is not None:
                name, causes = "dealing_range_reanchored", (known[0][:5], event[:5])
            told_ranges.append((name, side, scale, number, origin, high, low, causes, 0))
            living[scale] = (known[0] if goes_on and known else told_ranges[-1], origin, number)
        by_bar.append(
            {scale: (first[1], *_extent(bars, first[1], at, number)) for scale, (first, at, _) in living.items()}
        )
    return told_ranges, by_bar


def _check_ranges(bars: list[TimedBar]) -> int:
    detector, concepts = Detector(parameters(scales=SCALES, age=AGE)), Concepts(ON, SCALES, AGE)
    told_events, views = [], []
    for number, (time, open_, high, low, close) in enumerate(bars):
        events = detector.update(open_, high, low, close)
        concepts.advance(number, time, open_, high, low, close, events)
        told_events += events
        views.append({view.scale: (view.side, view.low, view.high) for view in concepts.state().dealing_ranges})
        for view in concepts.state().dealing_ranges:
            assert view.position == (close - view.low) / (view.high - view.low)
            middle = 0.475 <= view.position <= 0.525
            assert view.place == ("equilibrium" if middle else "premium" if view.position > 0.5 else "discount")
    core = [event for event in told_events if event[0] in ("bos", "choch")]
    expected, by_bar = _expected_ranges(bars, core)
    assert of_kinds(told_events, "dealing_range") == expected
    assert views == by_bar
    return len(expected)


@pytest.mark.parametrize("seed", range(3))
def test_dealing_ranges_match_a_scan_of_every_bar(seed: int) -> None:
    assert _check_ranges(timed_walk(seed, 1_000)) > 100


@settings(max_examples=100, deadline=None)
@given(timed_bar_lists())
def test_dealing_ranges_match_on_any_bars(bars: list[TimedBar]) -> None:
    _check_ranges(bars)


def _block_ends(events: list[RawEvent]) -> dict[object, tuple[int, str]]:
    ends = ("order_block_violated", "order_block_expired")
    return {event[7][0]: (event[3], event[0]) for event in events if event[0] in ends}


def _newest_block(events: list[RawEvent], side: int, number: int) -> RawEvent | None:
    """The newest block of a side told before bar `number` that lived at its open."""
    ends = _block_ends(events)
    blocks = [e for e in events if e[0] == "order_block" and e[1] == side and e[3] < number]
    blocks = [block for block in blocks if ends.get(block[:5], (number, ""))[0] >= number]
    return blocks[-1] if blocks else None


def _expected_inducements(bars: list[TimedBar], events: list[RawEvent]) -> list[RawEvent]:
    """For every BOS: the first internal swing of its side that formed after it and before the next BOS was told."""
    found = []
    swings = [event for event in events if event[0] == "swing" and event[2] == SCALES[0]]
    breaks = [event for event in events if event[0] == "bos"]
    for place, bos in enumerate(breaks):
        side, broke_at = bos[1], bos[3]
        later = [each[3] for each in breaks[place + 1 :] if each[1] == side]
        until = later[0] if later else len(bars)
        swing = next((each for each in swings if each[1] == side and each[4] > broke_at), None)
        if swing is None or swing[3] > until:
            continue
        block, close = _newest_block(events, side, swing[3]), bars[swing[3]][4]
        if block is None:
            continue
        near, level = (block[5] if side > 0 else block[6]), swing[5]
        if near * side < level * side < close * side:
            causes = (bos[:5], swing[:5], block[:5])
            found.append(("inducement", side, SCALES[0], *swing[3:5], level, level, causes, 0))
    return found


def _expected_ends(bars: list[TimedBar], events: list[RawEvent], found: list[RawEvent]) -> list[RawEvent]:
    """When each was taken or expired, and which block that cleared."""
    told_ends: list[RawEvent] = []
    ends, cleared = _block_ends(events), set()
    moments = []
    for each in found:
        end, how = ends.get(each[7][2], (len(bars), ""))
        taken = next((n for n in range(each[3] + 1, len(bars)) if _beyond(bars[n], each)), len(bars))
        if how == "order_block_expired" and end <= taken:
            causes = (each[:5], each[7][2])
            told_ends.append(("inducement_expired", *each[1:3], end, each[4], each[5], each[5], causes, 0))
        elif taken < len(bars):
            moments.append((taken, -each[5] * each[1], each, end))
    for taken, _, each, end in sorted(moments):
        key = ("inducement_taken", *each[1:3], taken, each[4])
        told_ends.append((*key, each[5], each[5], (each[:5],), 0))
        if taken < end and each[7][2] not in cleared:
            cleared.add(each[7][2])
            block = next(e for e in events if e[:5] == each[7][2])
            causes = (block[:5], key)
            told_ends.append(("order_block_idm_cleared", *block[1:3], taken, *block[4:7], causes, 0))
    return told_ends


def _beyond(bar: TimedBar, inducement: RawEvent) -> bool:
    return bar[3] < inducement[5] if inducement[1] > 0 else bar[2] > inducement[5]


def _check_inducements(bars: list[TimedBar]) -> int:
    events = told(bars, only("inducements"), SCALES, AGE)
    found = [event for event in events if event[0] == "inducement"]
    assert found == sorted(_expected_inducements(bars, events), key=lambda event: found.index(event))
    ends = of_kinds(events, "inducement_", "order_block_idm_cleared")
    assert sorted(ends) == sorted(_expected_ends(bars, events, found))
    return len(found)


@pytest.mark.parametrize("seed", range(3))
def test_inducements_match_a_scan_of_every_bar(seed: int) -> None:
    assert _check_inducements(timed_walk(seed, 1_500)) > 15


@settings(max_examples=150, deadline=None)
@given(timed_bar_lists())
def test_inducements_match_on_any_bars(bars: list[TimedBar]) -> None:
    _check_inducements(bars)
