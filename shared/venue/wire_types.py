"""Field types of the venue's bodies: tolerant of text for numbers and of case, strict about everything else."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict
from pydantic.alias_generators import to_camel

_LARGEST_EXPONENT = 40


def _number(value: object) -> Decimal:
    """Exact digits: a float is read by its shortest text, never by its binary value."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise ValueError(f"expected a number, not {type(value).__name__}")
    try:
        number = Decimal(repr(value) if isinstance(value, float) else value)
    except InvalidOperation:
        raise ValueError("expected a number") from None
    if not number.is_finite() or abs(number.adjusted()) > _LARGEST_EXPONENT:
        raise ValueError("expected a finite number of a usable size")
    return number


def _optional_number(value: object) -> Decimal | None:
    return None if value is None or value == "" else _number(value)


def _moment(value: object) -> datetime:
    """ISO 8601 with or without fractions, or whole milliseconds since 1970 as number or text."""
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError(f"expected a time, not {type(value).__name__}")
    if isinstance(value, int) or value.isdecimal():
        return _from_milliseconds(int(value))
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError("expected a time with its zone")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("expected a time that exists in UTC") from None


def _from_milliseconds(value: int) -> datetime:
    try:
        return datetime.fromtimestamp(value // 1000, UTC).replace(microsecond=value % 1000 * 1000)
    except (OverflowError, OSError):
        raise ValueError("expected milliseconds since 1970") from None


def _text(value: object) -> str:
    """Identifiers arrive as text or as numbers."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError(f"expected text, not {type(value).__name__}")
    return str(value)


def _optional_text(value: object) -> str | None:
    return None if value is None or value == "" else _text(value)


def _positive(value: Decimal) -> Decimal:
    if value <= 0:
        raise ValueError("expected a number above 0")
    return value


def _not_negative(value: Decimal) -> Decimal:
    if value < 0:
        raise ValueError("expected 0 or more")
    return value


def _none_or_more(value: Decimal | None) -> Decimal | None:
    return None if value is None else _not_negative(value)


def _above_zero_or_none(value: Decimal | None) -> Decimal | None:
    """The venue writes 0 where there is no price."""
    return value if value is None or value > 0 else None


Number = Annotated[Decimal, BeforeValidator(_number)]
PositiveNumber = Annotated[Decimal, BeforeValidator(_number), AfterValidator(_positive)]
NotNegative = Annotated[Decimal, BeforeValidator(_number), AfterValidator(_not_negative)]
OptionalNumber = Annotated[Decimal | None, BeforeValidator(_optional_number)]
OptionalNotNegative = Annotated[Decimal | None, BeforeValidator(_optional_number), AfterValidator(_none_or_more)]
OptionalPrice = Annotated[Decimal | None, BeforeValidator(_optional_number), AfterValidator(_above_zero_or_none)]
Moment = Annotated[datetime, BeforeValidator(_moment)]
Text = Annotated[str, BeforeValidator(_text)]
OptionalText = Annotated[str | None, BeforeValidator(_optional_text)]
Upper = Annotated[str, BeforeValidator(_text), AfterValidator(str.upper)]
Lower = Annotated[str, BeforeValidator(_text), AfterValidator(str.lower)]


class Body(BaseModel):
    """Any piece of the venue's JSON: camelCase names, unknown extra fields ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True, alias_generator=to_camel, populate_by_name=True)
