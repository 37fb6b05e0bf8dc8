"""Flipped zones, optimal trade entries, dealing ranges and inducements against scans of all bars."""

from __future__ import annotations

from collections import defaultdict

import pytest
from hypothesis import given, settings

from tests.unit.smc.concept_bars import TimedBar, concept_parameters, of_kinds, timed_bar_lists, timed_walk, told
from trading.smc.events import EventKey, RawEvent

ON = concept_parameters()
AGE = 40
SCALES = (2, 4)
Prices = tuple[float, float, float]
FLIPPED = ("breaker", "mitigation_block", "ifvg")


def _signed(bar: TimedBar, side: int) -> Prices:
    """(high, low, close) as a bullish zone would see them."""
    _, _, high, low, close = bar
    return (high, low, close) if side > 0 else (-low, -high, -close)


def _changes(events: list[RawEvent], *kinds: str) -> dict[EventKey, list[tuple[str, int]]]:
    """(ending, bar) of every zone, by its key."""
    changes: dict[EventKey, list[tuple[str, int]]] = defaultdict(list)
    for event in events:
        for kind in kinds:
            if event[0].startswith(f"{kind}_") and event[7][0][0] == kind:
                changes[event[7][0]].append((event[0].removeprefix(kind), event[3]))
    return changes


def _flipped_life(zone: RawEvent, bars: list[TimedBar]) -> list[tuple[str, int]]:
    _, side, _, known_at, _, top, bottom, _, _ = zone
    near, far = (top, bottom) if side > 0 else (-bottom, -top)
    life: list[tuple[str, int]] = []
    for number in range(known_at + 1, min(known_at + AGE, len(bars) - 1) + 1):
        _, low, close = _signed(bars[number], side)
        if low <= near and not life:
            life.append(("_touched", number))
        if close < far:
            return [*life, ("_violated", number)]
    return [*life, ("_expired", known_at + AGE)] if known_at + AGE < len(bars) else life


def _expected_flips(bars: list[TimedBar], events: list[RawEvent]) -> list[RawEvent]:
    """Which zones flip: violated blocks by whether the extreme of their leg swept, filled gaps by their close."""
    flips: list[RawEvent] = []
    for event in events:
        kind, side, scale, number, ref_bar, top, bottom, causes, _ = event
        if kind == "fvg_filled" and (bars[number][4] < bottom if side > 0 else bars[number][4] > top):
            flips.append(("ifvg", -side, scale, number, ref_bar, top, bottom, (causes[0],), 0))
        elif kind == "order_block_violated":
            leg = range(ref_bar + 1, number)
            extreme = max((_signed(bars[bar], side)[0] for bar in leg), default=0.0)
            extremes = {bar for bar in leg if _signed(bars[bar], side)[0] == extreme}
            sweeps = [e for e in events if e[0] == "sweep" and e[1] == -side and e[3] in extremes]
            name, rests_on = ("breaker", (causes[0], sweeps[-1][:5])) if sweeps else ("mitigation_block", causes)
            flips.append((name, -side, scale, number, ref_bar, top, bottom, rests_on, 0))
    return flips


def _check_flips(bars: list[TimedBar]) -> list[RawEvent]:
    events = told(bars, ON, SCALES, AGE)
    flips = [event for event in events if event[0] in FLIPPED]
    assert sorted(flips) == sorted(_expected_flips(bars, events))
    changes = _changes(events, *FLIPPED)
    for zone in flips:
        assert changes[zone[:5]] == _flipped_life(zone, bars), zone
    return flips


@pytest.mark.parametrize("seed", range(3))
def test_flipped_zones_match_a_scan_of_every_bar(seed: int) -> None:
    flips = _check_flips(timed_walk(seed, 1_500))
    assert min(len(of_kinds(flips, kind)) for kind in FLIPPED) > 20


@settings(max_examples=100, deadline=None)
@given(timed_bar_lists())
def test_flipped_zones_match_on_any_bars(bars: list[TimedBar]) -> None:
    _check_flips(bars)


def _expected_ote(bars: list[TimedBar], events: list[RawEvent]) -> list[RawEvent]:
    swings = [event for event in events if event[0] == "swing"]
    zones: list[RawEvent] = []
    for place, end in enumerate(swings):
        before = [each for each in swings[:place] if each[2] == end[2] and each[1] == -end[1]]
        if not before:
            continue
        side, start = -end[1], before[-1]
        first, last = start[5] * side, end[5] * side
        lowest = min(_signed(bars[bar], side)[1] for bar in range(end[4] + 1, end[3] + 1))
        if last > first and lowest >= first:
            edges = [(last - share * (last - first)) * side for share in (0.62, 0.79)]
            causes = (start[:5], end[:5])
            zones.append(("ote", side, *end[2:5], max(edges), min(edges), causes, 0))
    return zones


def _ote_life(zone: RawEvent, swings: dict[EventKey, float], bars: list[TimedBar]) -> list[tuple[str, int]]:
    _, side, _, known_at, _, top, bottom, causes, _ = zone
    start, end = (swings[key] * side for key in causes)
    near = top if side > 0 else -bottom
    life: list[tuple[str, int]] = []
    for number in range(known_at + 1, min(known_at + AGE, len(bars) - 1) + 1):
        high, low, _ = _signed(bars[number], side)
        if low <= near and not life:
            life.append(("_entered", number))
        if low < start:
            return [*life, ("_invalid", number)]
        if high > end:
            return [*life, ("_reanchored", number)]
    return [*life, ("_expired", known_at + AGE)] if known_at + AGE < len(bars) else life


def _check_ote(bars: list[TimedBar]) -> int:
    events = told(bars, ON, SCALES, AGE)
    zones = [event for event in events if event[0] == "ote"]
    assert zones == _expected_ote(bars, events)
    swings = {event[:5]: event[5] for event in events if event[0] == "swing"}
    changes = _changes(events, "ote")
    for zone in zones:
        assert changes[zone[:5]] == _ote_life(zone, swings, bars), zone
    return len(zones)


@pytest.mark.parametrize("seed", range(3))
def test_trade_entries_match_a_scan_of_every_bar(seed: int) -> None:
    assert _check_ote(timed_walk(seed, 1_200)) > 150


@settings(max_examples=100, deadline=None)
@given(timed_bar_lists())
def test_trade_entries_match_on_any_bars(bars: list[TimedBar]) -> None:
    _check_ote(bars)
