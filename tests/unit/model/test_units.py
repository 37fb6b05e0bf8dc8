from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.errors import InvalidInput
from trading.model.units import BasisPoints, Money, Price, Quantity, plain, round_down, round_up

STEPS = st.sampled_from([Decimal(text) for text in ("1", "0.5", "0.1", "0.01", "0.00001", "25")])
VALUES = st.decimals(min_value=0, max_value=10**9, places=8)


@pytest.mark.parametrize("kind", [Money, Price, Quantity, BasisPoints])
@pytest.mark.parametrize("value", [1.5, float("nan"), True, None, "abc", "", Decimal("NaN"), Decimal("Infinity")])
def test_units_refuse_what_is_no_number(kind: type, value: object) -> None:
    with pytest.raises(InvalidInput):
        kind(value)


@pytest.mark.parametrize(
    ("kind", "value", "allowed"),
    [
        (Price, "0", False),
        (Price, "-1", False),
        (Price, "0.00000001", True),
        (Quantity, "-0.1", False),
        (Quantity, "0", True),
        (Money, "-5", True),
        (BasisPoints, "-5", True),
    ],
)
def test_units_keep_to_their_range(kind: type, value: str, allowed: bool) -> None:
    if allowed:
        assert kind(value) == Decimal(value)
        return
    with pytest.raises(InvalidInput, match=value):
        kind(value)


def test_basis_points_are_hundredths_of_percent() -> None:
    assert BasisPoints("25").of(Decimal(10_000)) == 25


@given(VALUES, STEPS)
def test_rounding_lands_on_the_grid_around(value: Decimal, step: Decimal) -> None:
    low, high = round_down(value, step), round_up(value, step)
    assert low <= value <= high
    assert high - low in (0, step)
    assert low % step == 0
    assert high % step == 0


@given(st.decimals(allow_nan=False, allow_infinity=False, places=10, min_value=-(10**12), max_value=10**12))
def test_plain_text_has_the_same_value(value: Decimal) -> None:
    text = plain(value)
    assert Decimal(text) == value
    assert "E" not in text.upper()
    assert not (("." in text) and text.endswith(("0", ".")))
