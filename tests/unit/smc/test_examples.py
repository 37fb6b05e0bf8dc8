"""Small hand-made markets, one definition each."""

from __future__ import annotations

import pytest

from tests.unit.smc.bars import Bar, events_of, parameters, walk
from trading.smc import Detector, Parameters
from trading.smc.events import INITIAL, WITH_DISPLACEMENT, RawEvent

SCALE = parameters(scales=(2,), age=50)


def _dots(*prices: float) -> list[Bar]:
    """One narrow bar a price: open and close at the price, half a unit of wick each way."""
    return [(price, price + 0.5, price - 0.5, price) for price in prices]


def _of(events: list[RawEvent], *kinds: str) -> list[tuple[str, int, int, float]]:
    return [(event[0], event[1], event[3], event[5]) for event in events if event[0] in kinds]


def test_swing_is_known_two_bars_after_its_bar() -> None:
    events = events_of(_dots(10, 11, 14, 12, 11), SCALE)
    assert _of(events, "swing") == [("swing", -1, 4, 14.5)]
    assert _of(events_of(_dots(10, 11, 14, 12), SCALE), "swing") == []


def test_earliest_of_equal_highs_is_the_swing() -> None:
    events = events_of(_dots(10, 11, 14, 14, 11, 10), SCALE)
    assert [event[4] for event in events if event[0] == "swing"] == [2]


def test_bar_may_be_both_and_high_comes_first() -> None:
    bars = _dots(10, 10.25, 10.5, 10.25, 10)
    bars[2] = (10.5, 15.0, 5.0, 10.5)
    assert [(event[1], event[4]) for event in events_of(bars, SCALE) if event[0] == "swing"] == [(-1, 2), (1, 2)]


def test_more_extreme_swing_supersedes_and_equal_one_is_dropped() -> None:
    higher = events_of(_dots(10, 11, 14, 12, 13, 16, 12, 11), SCALE)
    assert [(e[4], e[3]) for e in higher if e[0] == "swing_superseded"] == [(2, 7)]
    equal = events_of(_dots(10, 11, 14, 12, 13, 14, 12, 11), SCALE)
    assert [e[4] for e in equal if e[0].startswith("swing")] == [2]


def test_close_at_the_level_is_no_break() -> None:
    base = [10, 11, 14, 12, 11, 12]
    touching = [*_dots(*base), (12.0, 15.0, 12.0, 14.5)]
    beyond = [*_dots(*base), (12.0, 15.0, 12.0, 14.75)]
    assert _of(events_of(touching, SCALE), "bos", "choch") == []
    assert _of(events_of(beyond, SCALE), "bos", "choch") == [("bos", 1, 6, 14.5)]


def test_first_break_is_initial_and_the_turn_is_choch() -> None:
    events = events_of(_dots(10, 11, 14, 12, 11, 12, 15.5, 14, 9, 8), SCALE)
    breaks = [(e[0], e[1], e[8]) for e in events if e[0] in ("bos", "choch")]
    assert breaks == [("bos", 1, INITIAL), ("choch", -1, 0)]


def test_choch_fails_when_a_close_returns_in_time() -> None:
    turned = [10, 11, 14, 12, 11, 12, 15.5, 14, 9]
    level = 10.5
    assert _of(events_of(_dots(*turned, 9, 9, 11), SCALE), "choch_failed") == [("choch_failed", -1, 11, level)]
    assert _of(events_of(_dots(*turned, 9, 9, 9, 11), SCALE), "choch_failed") == []


def test_order_block_takes_the_last_of_equal_extremes() -> None:
    events = events_of(_dots(10, 11, 14, 12, 11, 11, 12, 15.5), SCALE)
    assert [(e[4], e[5], e[6]) for e in events if e[0] == "order_block"] == [(5, 11.5, 10.5)]


def test_gap_is_not_touched_by_its_own_bar() -> None:
    bars = [*_dots(10), (10, 14.5, 9.5, 14), (14, 15, 13, 14), (14, 15, 13, 14)]
    events = events_of(bars, SCALE)
    assert [(e[0], e[3], e[5], e[6]) for e in events] == [("fvg", 2, 13, 10.5), ("fvg_touched", 3, 13, 10.5)]


def test_half_comes_once_between_touch_and_end() -> None:
    bars = [*_dots(10), (10, 14.5, 9.5, 14), (14, 15, 13, 14), (14, 14, 12, 14), (14, 14, 11.75, 14), (14, 14, 11, 14)]
    life = [(e[0], e[3]) for e in events_of(bars, SCALE) if e[0].startswith("fvg")]
    assert life == [("fvg", 2), ("fvg_touched", 3), ("fvg_half", 4)]
    through = events_of([*bars[:3], (14, 14, 10, 14)], SCALE)
    assert [(e[0], e[3], e[8]) for e in through[1:]] == [
        ("fvg_touched", 3, 1),
        ("fvg_half", 3, 1),
        ("fvg_filled", 3, 1),
    ]


def test_detector_without_displacement_finds_the_same_structure() -> None:
    bars = walk(31, 2_000)
    plain = events_of(bars, parameters(displacement=False))
    told = [event for event in events_of(bars, parameters()) if event[0] != "displacement"]
    assert [event[:8] for event in plain] == [event[:8] for event in told]
    assert not any(event[8] == WITH_DISPLACEMENT for event in plain if event[0] == "choch")
    assert any(event[8] == WITH_DISPLACEMENT for event in told if event[0] == "choch")


def test_second_break_of_a_block_reinforces_it() -> None:
    prices = [10, 11, 14, 16, 14, 12, 11, 8, 11, 12, 15, 14, 13, 15, 17, 18]
    events = events_of(_dots(*prices), parameters(scales=(2, 3), age=50))
    blocks = [e for e in events if e[0] == "order_block" and e[1] == 1]
    again = [e for e in events if e[0] == "order_block_reinforced"]
    assert len({e[4] for e in blocks}) == len(blocks)
    assert [e[7][0] for e in again] == [blocks[0][:5]]


def test_state_shows_what_a_decision_needs() -> None:
    detector = Detector(SCALE)
    for bar in _dots(10, 11, 14, 12, 11, 12, 15.5, 14.25, 13):
        detector.update(*bar)
    state = detector.state()
    scale = state.scale(2)
    assert (scale.trend, scale.break_up is not None, scale.break_down) == (1, True, None)
    assert scale.last_high is not None
    assert (scale.last_high.bar, scale.last_high.level, scale.last_high.open) == (6, 16.0, True)
    assert scale.leg_up is not None
    assert (scale.leg_up.start, scale.leg_up.end, scale.leg_up.known_at) == (10.5, 16.0, 8)
    assert [(zone.kind, zone.near, zone.far, zone.touches) for zone in state.zones_of(1)] == [
        ("order_block", 11.5, 10.5, 0),
        ("fvg", 15.0, 11.5, 1),
    ]


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("definitions", "mine", "definitions is 'mine', expected one of specified, peer"),
        ("swing_scales", (20, 5), "expected distinct scales, smallest first"),
        ("swing_scales", (1,), "expected at least 2 bars"),
        ("zone_maximum_age_bars", 0, "zone_maximum_age_bars is 0, expected a number above 0"),
        ("displacement_body_share", 1.5, "expected 0 to 1"),
    ],
)
def test_wrong_parameter_is_named_in_the_error(name: str, value: object, message: str) -> None:
    values = {field: getattr(SCALE, field) for field in Parameters.__slots__}
    with pytest.raises(ValueError, match=message):
        Parameters(**{**values, name: value})
