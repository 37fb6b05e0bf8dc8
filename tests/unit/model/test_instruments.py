"""A contract's terms that cannot be are refused before anything is sized by them."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from shared.storage.codec import from_json, to_json
from tests.fakes.records import coin
from trading.errors import CorruptRecord, InvalidInput
from trading.model.costs import MarketConditions
from trading.model.instruments import Instrument, MarginLevel, Universe
from trading.model.units import BasisPoints, Quantity


def level(start: str = "0", initial: str = "0.02", maintenance: str = "0.01") -> MarginLevel:
    return MarginLevel(from_notional=Decimal(start), initial=Decimal(initial), maintenance=Decimal(maintenance))


@pytest.mark.parametrize(
    ("values", "named"),
    [
        (("-1", "0.02", "0.01"), "starts at -1"),
        (("NaN", "0.02", "0.01"), "starts at NaN"),
        (("0", "0.02", "0"), "maintenance 0"),
        (("0", "0.02", "-0.01"), "maintenance -0.01"),
        (("0", "0.02", "0.03"), "initial 0.02 and maintenance 0.03"),
        (("0", "1.01", "0.01"), "initial 1.01"),
        (("0", "NaN", "0.01"), "initial NaN"),
        (("0", "0.02", "Infinity"), "maintenance Infinity"),
    ],
)
def test_margin_level_that_cannot_be_is_refused(values: tuple[str, str, str], named: str) -> None:
    with pytest.raises(InvalidInput, match=named):
        level(*values)


@pytest.mark.parametrize(("initial", "maintenance"), [("1", "1"), ("0.02", "0.02"), ("0.01", "0.005")])
def test_margin_level_takes_the_edges(initial: str, maintenance: str) -> None:
    assert level("0", initial, maintenance).maintenance == Decimal(maintenance)


NONSENSE: list[tuple[dict[str, Any], str]] = [
    ({"tick": Decimal(0)}, "tick 0"),
    ({"tick": Decimal("-0.1")}, "tick -0.1"),
    ({"tick": Decimal("NaN")}, "tick NaN"),
    ({"step": Decimal("Infinity")}, "step Infinity"),
    ({"minimum": Quantity(0)}, "minimum 0"),
    ({"maximum_position": Quantity(0)}, "maximum position 0"),
    ({"maximum_position": Quantity("0.001")}, "maximum position 0.001; expected at least its minimum 0.01"),
    ({"maker_fee": BasisPoints("100.1")}, "maker fee 100.1 bps"),
    ({"maker_fee": BasisPoints("-100.1")}, "maker fee -100.1 bps"),
    ({"taker_fee": BasisPoints("100.1")}, "taker fee 100.1 bps"),
    ({"taker_fee": BasisPoints("-0.1")}, "taker fee -0.1 bps"),
    ({"margin_levels": ()}, "no margin levels"),
    ({"margin_levels": (level("5"),)}, "margin levels from 5 USD on"),
    ({"margin_levels": (level(), level("9"), level("9"))}, "from 9 USD after one from 9"),
    ({"margin_levels": (level(), level("9"), level("8"))}, "from 8 USD after one from 9"),
    ({"margin_levels": (level(), level("9", "0.01", "0.01"))}, "demands 0.01 and 0.01 from 9 USD"),
    ({"margin_levels": (level(), level("9", "0.02", "0.005"))}, "demands 0.02 and 0.005 from 9 USD"),
]


@pytest.mark.parametrize(("changes", "named"), NONSENSE, ids=[named for _, named in NONSENSE])
def test_instrument_with_nonsense_is_refused_by_name(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        coin(**changes)
    assert str(caught.value).startswith("COIN ")
    assert named in str(caught.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"maker_fee": BasisPoints(-100), "taker_fee": BasisPoints(0)},
        {"maker_fee": BasisPoints(100), "taker_fee": BasisPoints(100)},
        {"maximum_position": Quantity("0.01")},
        {"margin_levels": (level(), level("9"))},
    ],
)
def test_instrument_takes_the_edges(changes: dict[str, Any]) -> None:
    assert coin(**changes) == replace(coin(), **changes)


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ('"tick":"0.1"', '"tick":"0"'),
        ('"tick":"0.1"', '"tick":"NaN"'),
        ('"taker_fee":"5"', '"taker_fee":"500"'),
        ('"maintenance":"0.01"', '"maintenance":"0.03"'),
        ('"from_notional":"0"', '"from_notional":"10"'),
    ],
)
def test_stored_nonsense_is_a_corrupt_record(good: str, bad: str) -> None:
    text = to_json(Universe(instruments=(coin(),)))
    assert from_json(Universe, text) == Universe(instruments=(coin(),))
    assert good in text
    with pytest.raises(CorruptRecord):
        from_json(Universe, text.replace(good, bad))
    with pytest.raises(CorruptRecord):
        from_json(Instrument, to_json(coin()).replace(good, bad))


@pytest.mark.parametrize(("spread", "funding"), [("-0.1", "0"), ("4", "NaN"), ("4", "-Infinity")])
def test_conditions_never_flatter_the_cost(spread: str, funding: str) -> None:
    with pytest.raises(InvalidInput, match=r"(spread|hourly funding) is "):
        MarketConditions(spread=BasisPoints(spread), hourly_funding=Decimal(funding))
