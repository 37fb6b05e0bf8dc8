"""The concepts know nothing before its time, take nothing back and keep the order within a bar."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from tests.unit.smc.bars import CASES, NO_CASES, euro_bars, parameters, shifted
from tests.unit.smc.concept_bars import (
    TimedBar,
    concept_parameters,
    timed,
    timed_bar_lists,
    timed_walk,
    told,
    told_by_bar,
)
from trading.smc import Detector, Event
from trading.smc.concepts import Concepts, stage_of
from trading.smc.events import KINDS, RawEvent

ON = concept_parameters()


@settings(max_examples=60, deadline=None)
@given(timed_bar_lists(maximum=80))
def test_every_prefix_gives_the_same_events(bars: list[TimedBar]) -> None:
    whole = told_by_bar(bars, ON)
    for end in range(len(bars)):
        assert told_by_bar(bars[:end], ON) == whole[:end]


def test_every_prefix_of_a_walk_gives_the_same_events() -> None:
    bars = timed_walk(41, 450)
    whole = told_by_bar(bars, ON)
    assert all(event[3] == number for number, events in enumerate(whole) for event in events)
    for end in range(len(bars)):
        assert told_by_bar(bars[:end], ON) == whole[:end]


@pytest.mark.skipif(not CASES.exists(), reason=NO_CASES)
def test_prefixes_of_real_bars_give_the_same_events() -> None:
    bars = timed(euro_bars()[:3_000], step=900)
    whole = told_by_bar(bars, ON, (5, 20), 300)
    for end in range(100, 3_000, 293):
        assert told_by_bar(bars[:end], ON, (5, 20), 300) == whole[:end]
    assert sum(event[0] in ("breaker", "ote", "inducement", "sweep") for events in whole for event in events) > 500


@pytest.mark.parametrize(("scales", "age"), [((2, 4), 40), ((5, 20), 300)])
def test_looking_at_the_state_changes_no_event(scales: tuple[int, int], age: int) -> None:
    bars = timed_walk(3, 3_000)
    detector, concepts = Detector(parameters(scales=scales, age=age)), Concepts(ON, scales, age)
    watched: list[RawEvent] = []
    for number, (time, open_, high, low, close) in enumerate(bars):
        events = detector.update(open_, high, low, close)
        concepts.advance(number, time, open_, high, low, close, events)
        watched.extend(events)
        events.clear()
        assert concepts.state() == concepts.state()
    assert watched == told(bars, ON, scales, age)


@pytest.mark.parametrize("seed", range(3))
def test_ids_are_unique_and_causes_known_before(seed: int) -> None:
    seen: set[tuple[object, ...]] = set()
    for event in told(timed_walk(seed, 4_000), ON):
        assert Event.from_raw(event).known_at == event[3]
        assert event[:5] not in seen
        assert all(cause in seen for cause in event[7])
        seen.add(event[:5])
    assert len(seen) > 8_000


def test_every_kind_of_event_occurs_in_a_walk() -> None:
    seen = {event[0] for seed in range(3) for event in told(timed_walk(seed, 4_000), ON)}
    assert KINDS - seen <= {"order_block_half", "fvg_half"}


@settings(max_examples=60, deadline=None)
@given(timed_bar_lists())
def test_events_keep_the_order_within_their_bar(bars: list[TimedBar]) -> None:
    for events in told_by_bar(bars, ON):
        stages = [stage_of(event) for event in events]
        assert stages == sorted(stages)


def test_events_of_the_core_stay_as_they_were() -> None:
    bars = timed_walk(8, 1_500)
    detector = Detector(parameters(scales=(2, 4), age=40))
    for (_, *prices), merged in zip(bars, told_by_bar(bars, ON), strict=True):
        alone = detector.update(*prices)
        kinds = {event[:5] for event in alone}
        assert [event for event in merged if event[:5] in kinds] == alone


@pytest.mark.parametrize("start", [1, 137, 400, 999, 1_500])
def test_window_equals_full_history_once_warm(start: int) -> None:
    bars = timed_walk(19, 3_500)
    whole = told_by_bar(bars, ON)
    given = parameters(scales=(2, 4), age=40)
    detector, concepts = Detector(given), Concepts(ON, (2, 4), 40)
    compared = 0
    for number, (time, open_, high, low, close) in enumerate(bars[start:]):
        was_warm = detector.warm and concepts.warm
        events = detector.update(open_, high, low, close)
        concepts.advance(number, time, open_, high, low, close, events)
        if was_warm:
            assert [shifted(event, start) for event in events] == whole[start + number]
            compared += len(events)
    assert compared > 2_000


def test_concepts_are_not_warm_before_a_week_closed() -> None:
    concepts = Concepts(ON, (2, 4), 40)
    for number, (time, *prices) in enumerate(timed_walk(2, 600)):
        open_, high, low, close = prices
        concepts.advance(number, time, open_, high, low, close, [])
        if number == 90:
            assert not concepts.warm
    assert concepts.warm
