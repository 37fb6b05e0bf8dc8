"""Which setup is found, and where it enters and ends. Close 100, ATR 2: an edge is near within 0.6."""

from __future__ import annotations

import json

import pytest

from tests.unit.strategy.readings import MAJOR, MINOR, broke, reading, scale, swing, zone
from trading.model.decisions import Alignment
from trading.model.instruments import Side
from trading.model.signals import Setup
from trading.rules import load_rules
from trading.smc import ZoneView
from trading.strategy.setups import find_setup

RULES = load_rules()
LONG, SHORT, BOTH = [Side.LONG], [Side.SHORT], [Side.LONG, Side.SHORT]
BLOCK = zone(99.5, 97.0)


def test_near_order_block_enters_at_its_near_edge() -> None:
    found = find_setup(reading(BLOCK), LONG, RULES)
    assert found is not None
    assert (found.setup, found.side, found.entry, found.invalidation) == (Setup.ORDER_BLOCK, Side.LONG, 99.5, 97.0)


def test_bearish_zone_is_entered_short_at_its_bottom() -> None:
    found = find_setup(reading(zone(103.0, 100.25, side=-1)), SHORT, RULES)
    assert found is not None
    assert (found.side, found.entry, found.invalidation) == (Side.SHORT, 100.25, 103.0)


@pytest.mark.parametrize(
    "unfit",
    [
        zone(99.375, 97.0),
        zone(99.5, 97.0, touches=2),
        zone(99.5, 99.125, kind="fvg"),
        zone(99.5, 97.0, side=-1),
    ],
)
def test_far_worn_small_or_opposite_zone_is_no_setup(unfit: ZoneView) -> None:
    assert find_setup(reading(unfit), LONG, RULES) is None


@pytest.mark.parametrize("fit", [zone(99.5, 97.0, touches=1), zone(99.5, 99.0, kind="fvg"), zone(100.5, 97.0)])
def test_zone_touched_once_or_just_entered_still_counts(fit: ZoneView) -> None:
    assert find_setup(reading(fit), LONG, RULES) is not None


def test_nearest_then_newest_then_block_wins() -> None:
    nearer = zone(99.75, 97.0, age=90)
    newer = zone(99.5, 97.5, age=5)
    gap = zone(99.5, 97.5, age=5, kind="fvg")
    for zones, winner in (((BLOCK, nearer), nearer), ((BLOCK, newer), newer), ((gap, newer), newer)):
        found = find_setup(reading(*zones), LONG, RULES)
        assert found is not None
        assert found.structure == winner.key


def test_tight_setup_counts_the_zones_that_agree() -> None:
    found = find_setup(reading(BLOCK, zone(99.75, 98.0, kind="fvg"), zone(101.0, 100.5, side=-1)), LONG, RULES)
    assert found is not None
    assert (found.setup, found.blocks, found.gaps) == (Setup.FAIR_VALUE_GAP, 1, 1)


def test_recent_break_is_entered_at_its_level() -> None:
    minor = scale(MINOR, break_up=broke(99.0, age=12), last_low=swing(95.0))
    found = find_setup(reading(minor=minor), LONG, RULES)
    assert found is not None
    assert (found.setup, found.entry, found.invalidation) == (Setup.BREAK_OF_STRUCTURE, 99.0, 95.0)
    assert find_setup(reading(BLOCK, minor=minor), LONG, RULES) != found


@pytest.mark.parametrize(
    ("level", "age", "is_bos", "low"),
    [(99.0, 13, True, 95.0), (99.0, 3, False, 95.0), (94.0, 3, True, 95.0), (99.0, 3, True, 100.5)],
)
def test_old_turning_or_already_wrong_break_is_no_setup(level: float, age: int, is_bos: bool, low: float) -> None:
    minor = scale(MINOR, break_up=broke(level, age=age, is_bos=is_bos), last_low=swing(low))
    assert find_setup(reading(minor=minor, adx=20.0), LONG, RULES) is None


def test_newest_break_of_all_scales_is_taken() -> None:
    minor = scale(MINOR, break_up=broke(99.0, age=4), last_low=swing(95.0))
    major = scale(MAJOR, break_up=broke(98.0, age=2, scale=MAJOR))
    found = find_setup(reading(minor=minor, major=major), LONG, RULES)
    assert found is not None
    assert (found.entry, found.scale) == (98.0, MAJOR)


def test_trend_needs_strength_alignment_and_both_swings() -> None:
    minor, major = scale(MINOR, last_low=swing(98.0)), scale(MAJOR, last_low=swing(92.0, scale=MAJOR, bar=540))
    found = find_setup(reading(minor=minor, major=major), LONG, RULES)
    assert found is not None
    assert (found.setup, found.entry, found.invalidation) == (Setup.TREND, 98.0, 92.0)
    assert found.structure[2] == MAJOR
    assert find_setup(reading(minor=minor, major=major, adx=24.9), LONG, RULES) is None
    neutral = (Alignment.NEUTRAL, Alignment.NEUTRAL)
    assert find_setup(reading(minor=minor, major=major, alignments=neutral), LONG, RULES) is None
    assert find_setup(reading(minor=minor), LONG, RULES) is None


def test_setup_is_only_looked_for_on_the_sides_asked() -> None:
    both = reading(BLOCK, zone(102.0, 100.25, side=-1))
    sides = [find_setup(both, sides, RULES) for sides in (LONG, SHORT, BOTH)]
    assert [found.side if found else None for found in sides] == [Side.LONG, Side.SHORT, Side.SHORT]


@pytest.mark.parametrize(
    ("name", "structure"),
    [
        ("order_block", reading(BLOCK)),
        ("fair_value_gap", reading(zone(99.5, 98.0, kind="fvg"))),
        ("break_of_structure", reading(minor=scale(MINOR, break_up=broke(99.0, age=1), last_low=swing(95.0)))),
        ("trend", reading(minor=scale(MINOR, last_low=swing(98.0)), major=scale(MAJOR, last_low=swing(92.0)))),
    ],
)
def test_setup_switched_off_is_not_found(name: str, structure: object) -> None:
    assert find_setup(structure, LONG, RULES) is not None  # type: ignore[arg-type]
    rules = load_rules(json.dumps({"setup": {name: False}}))
    assert find_setup(structure, LONG, rules) is None  # type: ignore[arg-type]
