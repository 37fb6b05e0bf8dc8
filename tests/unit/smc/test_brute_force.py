"""Every concept again, the slow and obvious way: by looking at all bars."""

from __future__ import annotations

from collections import defaultdict

import pytest
from hypothesis import given, settings

from tests.unit.smc.bars import Bar, bar_lists, events_of, parameters, walk
from trading.smc.events import EventKey, RawEvent

WALKS = [1, 2, 3]
AGE = 60


def _life(zone: RawEvent, bars: list[Bar]) -> list[tuple[str, int]]:
    """(ending, bar) of one zone, by scanning every later bar up to its age limit."""
    kind, side, _, known_at, _, top, bottom, _, _ = zone
    life: list[tuple[str, int]] = []
    visits, inside, halved = 0, False, False
    for bar in range(known_at + 1, min(known_at + AGE, len(bars) - 1) + 1):
        _, high, low, close = bars[bar]
        reaches = low <= top if side > 0 else high >= bottom
        if reaches and not inside:
            visits += 1
            life.append(("_touched" if visits == 1 else "_retouched", bar))
        inside = reaches
        if not halved and (low if side > 0 else -high) <= side * (top + bottom) / 2:
            halved = True
            life.append(("_half", bar))
        if kind == "order_block":
            over, ending = (close < bottom if side > 0 else close > top), "_violated"
        else:
            over, ending = (low <= bottom if side > 0 else high >= top), "_filled"
        if over:
            return [*life, (ending, bar)]
    return [*life, ("_expired", known_at + AGE)] if known_at + AGE < len(bars) else life


def _check_lives(bars: list[Bar], scales: tuple[int, ...]) -> int:
    events = events_of(bars, parameters(scales=scales, age=AGE))
    told: dict[EventKey, list[tuple[str, int]]] = defaultdict(list)
    for event in events:
        for zone in ("order_block", "fvg"):
            if event[0].startswith(f"{zone}_") and not event[0].endswith("_reinforced"):
                told[event[7][0]].append((event[0].removeprefix(zone), event[3]))
    zones = [event for event in events if event[0] in ("order_block", "fvg")]
    _check_order_of_touches(events, [zone[:5] for zone in zones])
    for zone in zones:
        assert told[zone[:5]] == _life(zone, bars), zone
    return len(zones)


def _check_order_of_touches(events: list[RawEvent], zones: list[EventKey]) -> None:
    """Bullish side first, the edge that the price meets first before the next, of equal edges the older zone."""
    touches = [event for event in events if event[0].endswith("touched")]
    born = {key: number for number, key in enumerate(zones)}

    def place(touch: RawEvent) -> tuple[float, ...]:
        _, side, _, bar, _, top, bottom, (key,), _ = touch
        return (bar, -side, -top if side > 0 else bottom, born[key])

    assert touches == sorted(touches, key=place)


@pytest.mark.parametrize("seed", WALKS)
def test_zone_lives_match_a_scan_of_every_bar(seed: int) -> None:
    assert _check_lives(walk(seed, 3_000), (3, 8)) > 400


@pytest.mark.parametrize("price", [100.0, 90.0, 104.25])
def test_zone_lives_match_around_a_standstill(price: float) -> None:
    still = [(price, price, price, price)] * (AGE + 20)
    assert _check_lives([*walk(4, 400), *still, *walk(5, 400), *still[:2], *walk(6, 200)], (3, 8)) > 150


@settings(max_examples=100, deadline=None)
@given(bar_lists())
def test_zone_lives_match_on_any_bars(bars: list[Bar]) -> None:
    _check_lives(bars, (2, 4))


@settings(max_examples=100, deadline=None)
@given(bar_lists())
def test_gaps_match_their_definition_on_any_bars(bars: list[Bar]) -> None:
    expected = []
    for bar in range(2, len(bars)):
        (_, high0, low0, _), (_, _, _, close1), (_, high2, low2, _) = bars[bar - 2 : bar + 1]
        if low2 > high0 and close1 > high0:
            expected.append((1, bar, low2, high0))
        elif high2 < low0 and close1 < low0:
            expected.append((-1, bar, low0, high2))
    found = events_of(bars, parameters(scales=(2,)))
    assert [(e[1], e[3], e[5], e[6]) for e in found if e[0] == "fvg"] == expected


@pytest.mark.parametrize("scale", [2, 5])
@pytest.mark.parametrize("seed", WALKS)
def test_swings_match_a_scan_of_every_window(seed: int, scale: int) -> None:
    bars = walk(seed, 1_500)
    last: tuple[int, float] | None = None
    expected: list[tuple[int, int, bool]] = []
    for at in range(scale, len(bars) - scale):
        for kind in (1, -1):
            prices = [bar[1] if kind > 0 else -bar[2] for bar in bars[at - scale : at + scale + 1]]
            value = prices[scale]
            if value > max(prices[:scale]) and value >= max(prices[scale + 1 :]):
                same = last is not None and last[0] == kind
                if not same or (last is not None and value > last[1]):
                    expected.append((kind, at, same))
                    last = (kind, value)
    events = events_of(bars, parameters(scales=(scale,)))
    swings = [event for event in events if event[0] == "swing"]
    assert [(-event[1], event[4]) for event in swings] == [(kind, at) for kind, at, _ in expected]
    assert all(event[3] == event[4] + scale for event in swings)
    superseding = [event[7][1] for event in events if event[0] == "swing_superseded"]
    assert [key[4] for key in superseding] == [at for _, at, same in expected if same]


@pytest.mark.parametrize("seed", WALKS)
def test_breaks_match_the_first_close_beyond_each_swing(seed: int) -> None:
    bars = walk(seed, 2_000)
    events = events_of(bars, parameters(scales=(4,)))
    level: dict[int, RawEvent] = {}
    trend, expected = 0, []
    for bar, (_, _, _, close) in enumerate(bars):
        level.update({event[1]: event for event in events if event[0] == "swing" and event[3] == bar})
        for side in (1, -1):
            swing = level.get(-side)
            if swing is not None and (close - swing[5]) * side > 0:
                expected.append(("choch" if trend == -side else "bos", side, bar, swing[5]))
                trend = side
                del level[-side]
    assert [(e[0], e[1], e[3], e[5]) for e in events if e[0] in ("bos", "choch")] == expected
    assert len(expected) > 50


@pytest.mark.parametrize("seed", WALKS)
def test_order_block_is_the_extreme_bar_of_its_leg(seed: int) -> None:
    bars = walk(seed, 2_000)
    for event in events_of(bars, parameters(scales=(3, 9))):
        if event[0] != "order_block":
            continue
        _, side, _, known_at, ref_bar, top, bottom, causes, _ = event
        swing_bar = causes[0][4]
        leg = range(swing_bar + 1, known_at)
        extreme = min(leg, key=lambda bar: (bars[bar][2] if side > 0 else -bars[bar][1], -bar))
        assert (ref_bar, top, bottom) == (extreme, bars[extreme][1], bars[extreme][2])


@pytest.mark.parametrize("seed", WALKS)
def test_displacement_matches_plain_sums_of_bodies(seed: int) -> None:
    bars = walk(seed, 800)
    found = [(e[3], e[1]) for e in events_of(bars, parameters()) if e[0] == "displacement"]
    expected = []
    ranges = [
        max(h, p) - min(low, p) for (_, h, low, _), p in zip(bars, [bars[0][0], *[b[3] for b in bars]], strict=False)
    ]
    for bar in range(14, len(bars)):
        atr = sum(ranges[bar - 14 : bar]) / 14
        side = (bars[bar][3] > bars[bar][0]) - (bars[bar][3] < bars[bar][0])
        for length in (1, 2, 3):
            run = bars[bar - length + 1 : bar + 1]
            bodies = [(close - open_) * side for open_, _, _, close in run]
            if not side or min(bodies) <= 0:
                break
            if sum(bodies) >= 1.5 * atr and sum(bodies) >= 0.6 * sum(high - low for _, high, low, _ in run):
                expected.append((bar, side))
                break
    assert found == expected
    assert len(found) > 20
