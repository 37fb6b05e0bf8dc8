"""Decimal rounding used by the matching core. All functions are exact and free of float."""

from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal

ZERO = Decimal(0)
ONE = Decimal(1)

_MONEY_STEP = Decimal("1e-10")
_PRICE_CONTEXT = Context(prec=12, rounding=ROUND_HALF_EVEN)


def floor_to(value: Decimal, step: Decimal) -> Decimal:
    """Largest multiple of `step` that is not above `value`."""
    return (value / step).to_integral_value(rounding=ROUND_FLOOR) * step


def ceil_to(value: Decimal, step: Decimal) -> Decimal:
    """Smallest multiple of `step` that is not below `value`."""
    return (value / step).to_integral_value(rounding=ROUND_CEILING) * step


def nearest_to(value: Decimal, step: Decimal) -> Decimal:
    """Multiple of `step` nearest to `value`, halves to the even multiple."""
    return (value / step).to_integral_value(rounding=ROUND_HALF_EVEN) * step


def is_multiple(value: Decimal, step: Decimal) -> bool:
    """True when `value` is a whole number of `step`."""
    return value % step == ZERO


def to_money(value: Decimal) -> Decimal:
    """USD rounded to 1e-10, so that long sums keep a bounded number of digits; zero has no sign."""
    return value.quantize(_MONEY_STEP) + ZERO


def to_price(value: Decimal) -> Decimal:
    """Unrounded price cut to 12 significant digits (enough for any tick, few enough for JSON floats)."""
    return _PRICE_CONTEXT.plus(value)
