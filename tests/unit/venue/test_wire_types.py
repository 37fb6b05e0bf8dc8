from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from shared.venue.wire_types import Body, Lower, Moment, Number, OptionalPrice, OptionalText, PositiveNumber, Upper


class Everything(Body):
    some_number: Number = Decimal(0)
    above_zero: PositiveNumber = Decimal(1)
    a_price: OptionalPrice = None
    a_time: Moment = datetime(2026, 1, 1, tzinfo=UTC)
    a_text: OptionalText = None
    upper: Upper = ""
    lower: Lower = ""


@pytest.mark.parametrize(
    ("wire", "exact"),
    [(0.1, "0.1"), ("0E-20", "0"), (60000.12345678901, "60000.12345678901"), (5, "5"), ("1e-05", "0.00001")],
)
def test_numbers_keep_their_shortest_digits(wire: object, exact: str) -> None:
    assert Everything.model_validate({"someNumber": wire}).some_number == Decimal(exact)


@pytest.mark.parametrize("wire", ["", "much", None, True, [], "NaN", "Infinity", float("nan"), "1e999999"])
def test_what_is_no_number_is_refused(wire: object) -> None:
    with pytest.raises(ValidationError):
        Everything.model_validate({"someNumber": wire})


@pytest.mark.parametrize(("wire", "price"), [(0, None), ("", None), (None, None), ("0.5", Decimal("0.5"))])
def test_zero_and_empty_mean_no_price(wire: object, price: Decimal | None) -> None:
    assert Everything.model_validate({"aPrice": wire}).a_price == price


@pytest.mark.parametrize(
    "wire",
    [
        "2022-03-22T13:15:36.057Z",
        "2022-03-22T13:15:36.057000Z",
        "2022-03-22T14:15:36.057+01:00",
        1647954936057,
        "1647954936057",
    ],
)
def test_every_spelling_of_a_time_is_utc(wire: object) -> None:
    found = Everything.model_validate({"aTime": wire}).a_time
    assert found == datetime(2022, 3, 22, 13, 15, 36, 57_000, tzinfo=UTC)
    assert found.tzinfo is UTC


@pytest.mark.parametrize("wire", ["2022-03-22T13:15:36", "yesterday", "", None, 1.5, True, "9" * 30, []])
def test_what_is_no_time_is_refused(wire: object) -> None:
    with pytest.raises(ValidationError):
        Everything.model_validate({"aTime": wire})


def test_case_is_normalised_and_extra_fields_ignored() -> None:
    wire: dict[str, Any] = {"upper": "pf_xbtUSD", "lower": "BUY", "aText": 5, "news": {"deep": []}}
    found = Everything.model_validate(wire)
    assert (found.upper, found.lower, found.a_text) == ("PF_XBTUSD", "buy", "5")
