"""Units over `Decimal`: a price is not a quantity is not money, and none of them was ever a float.

Each type is a `Decimal` that checks itself when made. Arithmetic gives a plain `Decimal`; name the result by
wrapping it again (`Money(price * quantity)`), so that a unit is always a deliberate statement.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, InvalidOperation
from typing import Self

from trading.errors import InvalidInput

NUMBERS = (Decimal, int, str)
type_name = "decimal text, int or Decimal"


def to_decimal(value: Decimal | int | str, what: str) -> Decimal:
    """Parse one number exactly. Floats are refused: their digits are an accident.

    Raises InvalidInput for a float, for text that is no number and for NaN or infinity.
    """
    if isinstance(value, bool) or not isinstance(value, NUMBERS):
        raise InvalidInput(f"{what} is {value!r}; expected {type_name}, not {type(value).__name__}")
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise InvalidInput(f"{what} is {value!r}; expected a number") from None
    if not number.is_finite():
        raise InvalidInput(f"{what} is {value!r}; expected a finite number")
    return number


class Money(Decimal):
    """US dollars, signed."""

    __slots__ = ()

    def __new__(cls, value: Decimal | int | str) -> Self:
        return super().__new__(cls, to_decimal(value, "money"))


class Price(Decimal):
    """US dollars for one unit of the base coin, above zero."""

    __slots__ = ()

    def __new__(cls, value: Decimal | int | str) -> Self:
        number = to_decimal(value, "price")
        if number <= 0:
            raise InvalidInput(f"price is {value!r}; expected a number above 0")
        return super().__new__(cls, number)


class Quantity(Decimal):
    """Units of the base coin, zero or more; the side says the direction."""

    __slots__ = ()

    def __new__(cls, value: Decimal | int | str) -> Self:
        number = to_decimal(value, "quantity")
        if number < 0:
            raise InvalidInput(f"quantity is {value!r}; expected 0 or more")
        return super().__new__(cls, number)


class BasisPoints(Decimal):
    """Hundredths of a percent, signed."""

    __slots__ = ()

    def __new__(cls, value: Decimal | int | str) -> Self:
        return super().__new__(cls, to_decimal(value, "basis points"))

    def of(self, amount: Decimal) -> Decimal:
        """This share of `amount`."""
        return amount * self / 10_000


NOTHING = Quantity(0)


def round_down(value: Decimal, step: Decimal) -> Decimal:
    """The largest multiple of `step` that is not above `value` (both >= 0, step > 0)."""
    return (value / step).to_integral_value(rounding=ROUND_FLOOR) * step


def round_up(value: Decimal, step: Decimal) -> Decimal:
    """The smallest multiple of `step` that is not below `value` (both >= 0, step > 0)."""
    return (value / step).to_integral_value(rounding=ROUND_CEILING) * step


def plain(value: Decimal) -> str:
    """Digits without exponent and without trailing zeros, as the venue's wire and the stored records want them."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
