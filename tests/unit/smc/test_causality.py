"""Nothing is known before its time, and nothing known is taken back."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from tests.unit.smc.bars import CASES, NO_CASES, Bar, bar_lists, euro_bars, events_of, parameters, shifted, walk
from trading.smc import Detector, Event

SMALL = parameters(scales=(2, 4), age=20)


@settings(max_examples=60, deadline=None)
@given(bar_lists(maximum=80))
def test_every_prefix_gives_the_same_events(bars: list[Bar]) -> None:
    whole = events_of(bars, SMALL)
    for end in range(len(bars)):
        assert events_of(bars[:end], SMALL) == [event for event in whole if event[3] < end]


@pytest.mark.parametrize("end", [50, 217, 600, 1_001, 1_999])
def test_prefix_of_a_long_walk_gives_the_same_events(end: int) -> None:
    bars = walk(7, 2_000)
    whole = events_of(bars, parameters())
    assert events_of(bars[:end], parameters()) == [event for event in whole if event[3] < end]


@pytest.mark.skipif(not CASES.exists(), reason=NO_CASES)
def test_prefixes_of_real_bars_give_the_same_events() -> None:
    bars = euro_bars()[:3_000]
    whole = events_of(bars, parameters())
    for end in range(100, 3_000, 293):
        assert events_of(bars[:end], parameters()) == [event for event in whole if event[3] < end]


def test_looking_at_the_state_changes_no_event() -> None:
    bars = walk(3, 1_500)
    detector = Detector(parameters())
    watched = []
    for bar in bars:
        events = detector.update(*bar)
        watched.extend(events)
        events.clear()
        assert detector.state() == detector.state()
    assert watched == events_of(bars, parameters())


def test_every_event_is_stamped_with_its_own_bar() -> None:
    detector = Detector(parameters())
    for number, bar in enumerate(walk(11, 1_000)):
        events = [Event.from_raw(raw) for raw in detector.update(*bar)]
        assert {event.known_at for event in events} <= {number}


def test_event_ids_are_unique_and_causes_known_before() -> None:
    seen: set[tuple[object, ...]] = set()
    for event in events_of(walk(5, 4_000), parameters()):
        assert event[:5] not in seen
        seen.add(event[:5])
        assert all(cause in seen for cause in event[7])
    assert len(seen) > 2_000


@pytest.mark.parametrize("start", [1, 137, 400, 999, 1_500])
def test_window_equals_full_history_once_warm(start: int) -> None:
    bars = walk(19, 4_000)
    given = parameters(age=100)
    cold, full = Detector(given), Detector(given)
    for bar in bars[:start]:
        full.update(*bar)
    compared = 0
    for bar in bars[start:]:
        was_warm = cold.warm
        ours, theirs = [shifted(event, start) for event in cold.update(*bar)], full.update(*bar)
        if was_warm:
            assert ours == theirs
            compared += len(ours)
    assert compared > 500


@pytest.mark.parametrize("seed", range(4))
def test_short_windows_are_exact_as_soon_as_warm(seed: int) -> None:
    bars = walk(seed, 400)
    given = parameters(scales=(2,), age=2)
    whole = events_of(bars, given)
    for start in range(1, 300):
        cold, ours, warm_at = Detector(given), [], len(bars)
        for number, bar in enumerate(bars[start : start + 80], start):
            if cold.warm:
                warm_at = min(warm_at, number)
            ours += [shifted(event, start) for event in cold.update(*bar)]
        last = start + 80
        assert [e for e in ours if e[3] >= warm_at] == [e for e in whole if warm_at <= e[3] < last]


def test_cold_detector_is_not_warm_before_both_sides_broke() -> None:
    rising = Detector(parameters(scales=(2,), age=5))
    for number in range(200):
        base = number + 3 * (number % 7 < 3)
        rising.update(base, base + 1.0, base - 1.0, base + 0.5)
    assert rising.state().scale(2).break_up is not None
    assert rising.state().scale(2).break_down is None
    assert not rising.warm
