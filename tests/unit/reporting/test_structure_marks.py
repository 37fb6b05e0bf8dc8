"""The detector's events become marks at their own prices and times, and no mark knows more than its events."""

from __future__ import annotations

from tests.unit.reporting.structure_events import SCALES, found
from trading.model.instruments import Side
from trading.model.times import from_epoch
from trading.reporting.structure import BREAKS, ENDINGS, SWING, ZONES, Structure, structure_of, within
from trading.smc import Event
from trading.smc.events import KINDS, WITH_DISPLACEMENT


def marks(events: tuple[Event, ...], strong: tuple[str, ...] = ()) -> Structure:
    return structure_of(events, found()[0], major=SCALES[-1], strong=strong)


def test_kinds_that_are_drawn_are_the_detectors() -> None:
    endings = {kind + ending for kind in ZONES for ending in ENDINGS} & KINDS
    assert {SWING, *BREAKS, *ZONES} <= KINDS
    assert {"order_block_violated", "order_block_expired", "fvg_filled", "fvg_expired"} <= endings
    assert {next(kind for kind in ZONES if name.startswith(f"{kind}_")) for name in endings} == set(ZONES)


def test_every_swing_break_and_zone_is_drawn() -> None:
    events = found()[1]
    drawn = marks(events)
    assert len(drawn.swings) == sum(event.kind == SWING for event in events) > 20
    assert len(drawn.breaks) == sum(event.kind in BREAKS for event in events) > 10
    assert len(drawn.zones) == sum(event.kind in ZONES for event in events) > 20


def test_swing_stands_on_the_extreme_of_its_bar() -> None:
    bars, events = found()
    place = {from_epoch(time): number for number, time in enumerate(bars.times)}
    for swing in marks(events).swings:
        column = bars.highs if swing.high else bars.lows
        assert column[place[swing.at]] == swing.price


def test_break_ends_at_a_close_beyond_its_level() -> None:
    bars, events = found()
    half = bars.timeframe.seconds // 2
    for mark in marks(events).breaks:
        close = bars.closes[bars.times.index(int(mark.until.timestamp()) - half)]
        assert (close - mark.price) * mark.side.sign > 0
        assert mark.since < mark.until


def test_zone_ends_where_its_ending_became_known() -> None:
    bars, events = found()
    ended = {event.rests_on[0]: event for event in events if event.kind.endswith(ENDINGS)}
    known = [event for event in events if event.kind in ZONES]
    assert ended
    for event, zone in zip(known, marks(events).zones, strict=True):
        end = ended.get(event.id)
        assert zone.faint is (end is not None)
        assert zone.until == (end and from_epoch(bars.times[end.known_at] + bars.timeframe.seconds))
        assert (zone.top, zone.bottom, zone.side is Side.LONG) == (event.top, event.bottom, event.side == "bullish")


def test_change_with_displacement_is_named_a_shift() -> None:
    events = tuple(event for event in found()[1] if event.kind == "choch")
    labels = [mark.label for mark in marks(events).breaks]
    assert labels == ["MSS" if event.detail == WITH_DISPLACEMENT else "CHoCH" for event in events]
    assert set(labels) == {"MSS", "CHoCH"}


def test_structure_of_the_decision_is_strong() -> None:
    bars, events = found()
    block = next(event for event in events if event.kind == "order_block")
    name = f"order_block.{block.side}.{block.scale}.{bars.times[block.known_at]}.{bars.times[block.ref_bar]}"
    strong = [zone for zone in marks(events, (name,)).zones if zone.strong]
    assert [(zone.top, zone.bottom, zone.faint) for zone in strong] == [(block.top, block.bottom, False)]
    assert strong[0].label == f"OB {block.scale} (this idea)"


def test_window_keeps_only_what_reaches_into_it() -> None:
    bars, events = found()
    window = bars.last(100)
    first = from_epoch(window.times[0])
    kept = within(marks(events), window)
    assert 0 < len(kept.swings) < len(marks(events).swings)
    assert min(swing.at for swing in kept.swings) >= first
    assert all(zone.until is None or zone.until > first for zone in kept.zones)
    assert all(mark.until > first for mark in kept.breaks)
