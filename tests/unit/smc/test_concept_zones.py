"""Small hand-made markets: flipped zones, inducement, dealing range and trade entry. The detector speaks by hand."""

from __future__ import annotations

import pytest

from tests.unit.smc.concept_bars import of_kinds, only, timed
from tests.unit.smc.test_concept_pools import play, swing
from trading.smc.events import EventKey, RawEvent

BLOCK: EventKey = ("order_block", 1, 2, 4, 2)
BREAKERS = only("pools", "breakers")


def dots(*prices: float) -> list[tuple[float, float, float, float]]:
    """One bar a price, half a unit of wick each way."""
    return [(price, price + 0.5, price - 0.5, price) for price in prices]


def zone(kind: str, key: EventKey, known_at: int, top: float, bottom: float) -> RawEvent:
    """A zone at its own bar, or a change of it later."""
    causes = () if known_at == key[3] else (key,)
    return (kind, key[1], key[2], known_at, key[4], top, bottom, causes, 0)


def test_block_flips_to_a_breaker_if_its_leg_swept() -> None:
    """The leg from bar 2 reaches 110 at bar 5, over a high of 109, and closes back; then the block at 100 fails."""
    bars = timed([*dots(105, 103, 100, 104, 108), (108.0, 110.0, 105.0, 106.0), *dots(103, 99, 100, 102)])
    core = [swing(-1, 3, 109.0), zone("order_block", BLOCK, 4, 100.5, 99.5)]
    core.append(zone("order_block_violated", BLOCK, 7, 100.5, 99.5))
    told, concepts = play(bars, core, BREAKERS)
    assert [(event[0], event[1], event[3]) for event in of_kinds(told, "breaker", "mitigation")] == [
        ("breaker", -1, 7),
        ("breaker_touched", -1, 8),
        ("breaker_violated", -1, 9),
    ]
    flipped = of_kinds(told, "breaker")[0]
    assert flipped[4:8] == (2, 100.5, 99.5, (BLOCK, ("sweep", -1, 2, 5, 1)))
    assert concepts.state().breakers == ()


def test_block_flips_to_a_mitigation_block_without_a_sweep() -> None:
    """The same, but bar 6 goes higher than the bar that swept: it is the extreme, and it swept nothing."""
    higher = (106.0, 110.25, 103.0, 104.0)
    bars = timed([*dots(105, 103, 100, 104, 108), (108.0, 110.0, 105.0, 106.0), higher, *dots(99)])
    core = [swing(-1, 3, 109.0), zone("order_block", BLOCK, 4, 100.5, 99.5)]
    core.append(zone("order_block_violated", BLOCK, 7, 100.5, 99.5))
    told, concepts = play(bars, core, BREAKERS)
    assert of_kinds(told, "breaker") == []
    assert [(view.kind, view.side, view.touched) for view in concepts.state().breakers] == [
        ("mitigation_block", -1, False)
    ]


def test_sweep_by_the_block_bar_itself_does_not_count() -> None:
    """Bar 2, the block, swept a high of 109 at 110; its leg reaches the same 110 at bar 5 and sweeps nothing."""
    block_bar = (103.0, 110.0, 99.5, 100.0)
    bars = timed([*dots(105, 103), block_bar, *dots(104, 108), (108.0, 110.0, 105.0, 106.0), *dots(103, 99)])
    core = [swing(-1, 2, 109.0), zone("order_block", BLOCK, 4, 110.0, 99.5)]
    core.append(zone("order_block_violated", BLOCK, 7, 110.0, 99.5))
    told, _ = play(bars, core, BREAKERS)
    assert [event[3] for event in of_kinds(told, "sweep")] == [2]
    assert [event[0] for event in of_kinds(told, "breaker", "mitigation")] == ["mitigation_block"]


@pytest.mark.parametrize(("close", "flips"), [(99.5, False), (99.25, True)])
def test_filled_gap_inverts_if_its_bar_closes_beyond(close: float, flips: bool) -> None:
    gap: EventKey = ("fvg", 1, 0, 2, 1)
    bars = timed([*dots(98, 100, 102), (102.0, 102.0, 99.0, close), *dots(98, 99)])
    core = [zone("fvg", gap, 2, 101.5, 99.5), zone("fvg_filled", gap, 3, 101.5, 99.5)]
    told, _ = play(bars, core, only("inversions"))
    expected = [("ifvg", -1, 0, 3, 1, 101.5, 99.5, (gap,), 0)] if flips else []
    assert [event for event in told if event[0] == "ifvg"] == expected
    assert [event[3] for event in of_kinds(told, "ifvg_touched")] == ([5] if flips else [])


def test_flipped_zone_expires_after_its_maximum_age() -> None:
    gap: EventKey = ("fvg", 1, 0, 2, 1)
    core = [zone("fvg", gap, 2, 101.5, 99.5), zone("fvg_filled", gap, 3, 101.5, 99.5)]
    told, concepts = play(timed(dots(98, 100, 102, *[95] * 20)), core, only("inversions"), age=6)
    assert [(event[0], event[3]) for event in told] == [("ifvg", 3), ("ifvg_expired", 9)]
    assert concepts.state().inversions == ()


BOS: RawEvent = ("bos", 1, 2, 4, 1, 106.0, 106.0, (), 0)


def _inducement_core(price: float) -> list[RawEvent]:
    return [BOS, zone("order_block", BLOCK, 4, 100.5, 99.5), swing(1, 8, price)]


def test_first_pullback_before_a_block_is_its_inducement() -> None:
    """The low of bar 6, told at bar 8, lies over the block; bar 10 goes below it and the block is cleared."""
    bars = timed(dots(105, 103, 100, 104, 107, 106, 104, 106, 107, 105, 103))
    told, _ = play(bars, _inducement_core(103.5), only("inducements"))
    key: EventKey = ("inducement", 1, 2, 8, 6)
    assert [event[:8] for event in told] == [
        (*key, 103.5, 103.5, (BOS[:5], ("swing", 1, 2, 8, 6), BLOCK)),
        ("inducement_taken", 1, 2, 10, 6, 103.5, 103.5, (key,)),
        ("order_block_idm_cleared", 1, 2, 10, 2, 100.5, 99.5, (BLOCK, ("inducement_taken", 1, 2, 10, 6))),
    ]


@pytest.mark.parametrize("price", [100.5, 107.0])
def test_pullback_not_between_block_and_price_is_none(price: float) -> None:
    bars = timed(dots(105, 103, 100, 104, 107, 106, 104, 106, 107, 105, 103))
    told, _ = play(bars, [*_inducement_core(price), swing(1, 9, 104.0)], only("inducements"))
    assert told == []


def test_block_violated_by_the_taking_bar_is_not_cleared() -> None:
    bars = timed(dots(105, 103, 100, 104, 107, 106, 104, 106, 107, 105, 99))
    core = [*_inducement_core(103.5), zone("order_block_violated", BLOCK, 10, 100.5, 99.5)]
    told, _ = play(bars, core, only("inducements"))
    assert [(event[0], event[3]) for event in told] == [("inducement", 8), ("inducement_taken", 10)]


def test_inducement_ends_with_its_expired_block() -> None:
    bars = timed(dots(105, 103, 100, 104, 107, 106, 104, 106, 107, 105, 103))
    core = [*_inducement_core(103.5), zone("order_block_expired", BLOCK, 9, 100.5, 99.5)]
    told, concepts = play(bars, core, only("inducements"))
    assert [(event[0], event[3]) for event in told] == [("inducement", 8), ("inducement_expired", 9)]
    assert concepts.state().inducements == ()


def test_dealing_range_moves_with_bos_and_restarts_with_choch() -> None:
    prices = dots(104, 105.5, 101, 103, 106, 108, 107, 106, 107, 109, 105, 100)
    first: RawEvent = ("bos", 1, 2, 4, 1, 106.0, 106.0, (), 2)
    second: RawEvent = ("bos", 1, 2, 9, 5, 108.5, 108.5, (), 0)
    turn: RawEvent = ("choch", -1, 2, 11, 7, 105.5, 105.5, (), 0)
    told, concepts = play(timed(prices), [first, second, turn], only("dealing_ranges"))
    assert [(event[0], event[3], event[4], event[6], event[5]) for event in told] == [
        ("dealing_range", 4, 2, 100.5, 106.5),
        ("dealing_range_reanchored", 9, 7, 105.5, 109.5),
        ("dealing_range", 11, 9, 99.5, 109.5),
    ]
    view = concepts.state().dealing_range(2)
    assert view is not None
    assert (view.side, view.low, view.high, view.position, view.place) == (-1, 99.5, 109.5, 0.05, "discount")


@pytest.mark.parametrize(
    ("close", "place"), [(105.5, "equilibrium"), (104.5, "equilibrium"), (105.625, "premium"), (104.375, "discount")]
)
def test_close_is_in_premium_discount_or_between(close: float, place: str) -> None:
    """A range from 100 to 110 and a middle band from 104.5 to 105.5, both included."""
    given = only("dealing_ranges", equilibrium_low=0.45, equilibrium_high=0.55)
    first: RawEvent = ("bos", 1, 2, 3, 0, 105.5, 105.5, (), 2)
    bars = timed([*dots(105), (103.0, 103.0, 100.0, 103.0), (103.0, 104.0, 102.0, 104.0), (104.0, 110.0, 104.0, 108.0)])
    bars += timed([(108.0, 108.0, 104.0, close)], bars[-1][0] + 3_600)
    _, concepts = play(bars, [first], given)
    view = concepts.state().dealing_range(2)
    assert view is not None
    assert (view.low, view.high, view.place) == (100.0, 110.0, place)


def test_long_dealing_range_remembers_its_extreme_to_the_end() -> None:
    first: RawEvent = ("bos", 1, 2, 4, 1, 106.0, 106.0, (), 2)
    bars = timed(dots(104, 105.5, 101, 103, 106, 120, *[107.0] * 700))
    told, _ = play(bars, [first], only("dealing_ranges"), age=600)
    assert [(event[0], event[3], event[6], event[5]) for event in told] == [
        ("dealing_range", 4, 100.5, 106.5),
        ("dealing_range_expired", 604, 100.5, 120.5),
    ]


LEG = [swing(1, 3, 100.0), swing(-1, 6, 110.0)]
"""From 100 at bar 1 to 110 at bar 4: the zone lies from 103.8 down to 102.1."""


def _after_the_leg(*prices: float) -> list[tuple[str, int]]:
    bars = timed(dots(102, 100.5, 103, 106, 109.5, 108, 107, *prices))
    told, _ = play(bars, LEG, only("ote"), age=8)
    return [(event[0], event[3]) for event in told]


def test_trade_entry_is_armed_when_its_end_is_confirmed() -> None:
    told, concepts = play(timed(dots(102, 100.5, 103, 106, 109.5, 108, 107)), LEG, only("ote"))
    causes = (LEG[0][:5], LEG[1][:5])
    top, bottom = 110.0 - 10.0 * 0.62, 110.0 - 10.0 * 0.79
    assert told == [("ote", 1, 2, 6, 4, top, bottom, causes, 0)]
    view = concepts.state().ote[0]
    assert (view.start, view.end, view.sweet, view.entered) == (100.0, 110.0, 110.0 - 10.0 * 0.705, False)


@pytest.mark.parametrize(
    ("prices", "expected"),
    [
        ((104.5, 104.3), [("ote", 6), ("ote_entered", 8)]),
        ((103, 100.5, 100.25), [("ote", 6), ("ote_entered", 7), ("ote_invalid", 9)]),
        ((103, 109.5, 109.75), [("ote", 6), ("ote_entered", 7), ("ote_reanchored", 9)]),
        ((108,) * 9, [("ote", 6), ("ote_expired", 14)]),
    ],
)
def test_trade_entry_is_entered_invalid_or_reanchored(prices: tuple[float, ...], expected: object) -> None:
    assert _after_the_leg(*prices) == expected


def test_leg_without_height_arms_no_trade_entry() -> None:
    flat = [(100.0, 100.0, 100.0, 100.0)] * 7
    told, _ = play(timed(flat), [swing(1, 3, 100.0), swing(-1, 6, 100.0)], only("ote"))
    assert told == []


def test_leg_already_undone_arms_no_trade_entry() -> None:
    told, _ = play(timed(dots(102, 100.5, 103, 106, 109.5, 100, 107)), LEG, only("ote"))
    assert told == []
