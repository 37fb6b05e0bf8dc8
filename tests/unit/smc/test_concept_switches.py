"""Each concept can be left out: its events are missing, and nothing changes that does not rest on them."""

from __future__ import annotations

import pytest

from tests.unit.smc.bars import parameters
from tests.unit.smc.concept_bars import ALL_OFF, concept_parameters, timed_walk, told
from trading.smc import Detector
from trading.smc.concepts import ConceptParameters, Concepts
from trading.smc.events import OUTSIDE, EventKey, RawEvent

BARS = timed_walk(77, 2_500)
OWN_KINDS = {
    "breakers": ("breaker", "mitigation_block"),
    "inversions": ("ifvg",),
    "inducements": ("inducement", "order_block_idm_cleared"),
    "dealing_ranges": ("dealing_range",),
    "ote": ("ote",),
    "kill_zones": ("kill_zone",),
}
# Whether a block flips to a breaker rests on the sweeps there are not, too; breakers are left out with the pools.
APART = {"equal_levels": False, "breakers": False}
PERIODS = {"previous_day": (-1,), "previous_week": (-2,), "previous_sessions": (-3, -4, -5, -6)}


@pytest.mark.parametrize("switch", list(OWN_KINDS))
def test_switched_off_concept_leaves_the_others_alone(switch: str) -> None:
    whole = told(BARS, concept_parameters())
    rest = [event for event in whole if not event[0].startswith(OWN_KINDS[switch])]
    assert len(rest) < len(whole)
    assert told(BARS, concept_parameters(**{switch: False})) == rest


def _unrelated(events: list[RawEvent], owned: set[EventKey]) -> list[RawEvent]:
    """The events that rest on none of these, directly or not; without the flag of a bar that took both sides."""
    related = set(owned)
    rest = []
    for event in events:
        if event[:5] in related or any(cause in related for cause in event[7]):
            related.add(event[:5])
        else:
            rest.append((*event[:8], event[8] % OUTSIDE))
    return rest


@pytest.mark.parametrize("switch", list(PERIODS))
def test_period_switched_off_leaves_other_pools_alone(switch: str) -> None:
    whole = told(BARS, concept_parameters(**APART))
    owned = {event[:5] for event in whole if event[0] == "period_level" and event[2] in PERIODS[switch]}
    less = told(BARS, concept_parameters(**{**APART, switch: False}))
    assert len(owned) > 10
    assert not owned & {event[:5] for event in less}
    assert set(_unrelated(whole, owned)) <= set(_unrelated(less, set()))


def test_swing_pools_switched_off_leave_period_levels_alone() -> None:
    whole = told(BARS, concept_parameters(**APART))
    owned = {event[:5] for event in whole if event[0] == "pool"}
    less = told(BARS, concept_parameters(**APART, pools=False))
    assert not {event[0] for event in less} & {"pool"}
    assert set(_unrelated(whole, owned)) <= set(_unrelated(less, set()))
    assert any(event[0] == "sweep" for event in less)


def test_equal_levels_switched_off_leave_single_pools_alone() -> None:
    whole = told(BARS, concept_parameters(breakers=False))
    owned = {event[:5] for event in whole if event[0] == "equal_levels"}
    less = told(BARS, concept_parameters(**APART))
    assert len(owned) > 20
    assert not owned & {event[:5] for event in less}
    assert set(_unrelated(whole, owned)) <= set(_unrelated(less, set()))


def test_without_pools_every_flipped_block_is_a_mitigation_block() -> None:
    switches = dict.fromkeys(("pools", *PERIODS), False)
    less = told(BARS, concept_parameters(**switches))
    violated = [event[3:5] for event in less if event[0] == "order_block_violated"]
    assert [event[3:5] for event in less if event[0] == "mitigation_block"] == violated
    assert not {event[0] for event in less} & {"breaker", "sweep", "run"}


def test_everything_off_leaves_the_detector_alone() -> None:
    detector = Detector(parameters(scales=(2, 4), age=40))
    alone = [event for _, *prices in BARS for event in detector.update(*prices)]
    assert told(BARS, concept_parameters(**ALL_OFF)) == alone


def test_state_of_everything_off_is_empty() -> None:
    concepts = Concepts(concept_parameters(**ALL_OFF), (2, 4), 40)
    concepts.advance(0, BARS[0][0], *BARS[0][1:], [])
    state = concepts.state()
    assert (state.pools, state.breakers, state.inversions, state.inducements) == ((), (), (), ())
    assert (state.dealing_ranges, state.ote, state.kill_zones, state.sweep_of_highs) == ((), (), (), None)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("equal_levels_atr_bars", 0, "equal_levels_atr_bars is 0, expected a number above 0"),
        ("equal_levels_atr", -0.1, "equal_levels_atr is -0.1, expected 0 or more"),
        ("ote_sweet", 0.9, "expected them rising from 0 to 1"),
        ("equilibrium_low", 0.6, "expected a low and a high end from 0 to 1"),
        ("asian_minutes", (1_200, 1_500), "expected start before end within 0 to 1440"),
        ("london_open_minutes", (300, 300), "expected start before end"),
    ],
)
def test_wrong_parameter_is_named_in_the_error(name: str, value: object, message: str) -> None:
    values = {field: getattr(concept_parameters(), field) for field in ConceptParameters.__slots__}
    with pytest.raises(ValueError, match=message):
        ConceptParameters(**{**values, name: value})
