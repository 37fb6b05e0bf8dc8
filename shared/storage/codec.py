"""Frozen dataclasses to JSON text and back, driven by their own type hints: no second schema to keep in step."""

from __future__ import annotations

import json
import types
import typing
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from math import isfinite
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from trading.errors import CorruptRecord, TradingError
from trading.model.times import from_text, to_text

Kind = TypeVar("Kind")

_DOES_NOT_FIT = (ValueError, KeyError, TypeError, ArithmeticError, AssertionError, RecursionError, TradingError)
"""What a text that is no record of the kind may raise; RecursionError is nesting deeper than Python reads."""


def to_json(value: Any) -> str:
    """Compact JSON text with sorted keys: the same value always gives the same text."""
    return json.dumps(_encode(value), separators=(",", ":"), sort_keys=True)


def from_json(kind: type[Kind], text: str) -> Kind:
    """Rebuild `kind` from `to_json`'s text. Raises CorruptRecord with the reason when it does not fit."""
    try:
        return typing.cast(Kind, _decode(kind, json.loads(text)))
    except _DOES_NOT_FIT as error:
        raise CorruptRecord(f"stored {kind.__name__} does not decode: {error!r}") from error


def object_from_json(text: str, what: str) -> dict[str, Any]:
    """A JSON object that is kept as it is. Raises CorruptRecord, naming `what` it should have been."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CorruptRecord(f"stored {what} is no JSON ({error!r})") from error
    if not isinstance(found, dict):
        raise CorruptRecord(f"stored {what} is a {type(found).__name__}; expected a JSON object")
    return found


def _encode(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _encode(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, datetime):
        return to_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple | list):
        return [_encode(each) for each in value]
    if isinstance(value, dict):
        return {key: _encode(each) for key, each in value.items()}
    return value


@lru_cache(maxsize=256)
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _decode(kind: Any, value: Any) -> Any:
    origin = get_origin(kind)
    if origin in (types.UnionType, typing.Union):
        inner = [each for each in get_args(kind) if each is not type(None)]
        return None if value is None else _decode(inner[0], value)
    if origin is tuple:
        return _decode_tuple(get_args(kind), value)
    if isinstance(kind, typing.NewType):
        return _decode(kind.__supertype__, value)
    if is_dataclass(kind):
        return _decode_record(typing.cast(type, kind), value)
    return _decode_plain(kind, value)


def _decode_tuple(arguments: tuple[Any, ...], value: Any) -> tuple[Any, ...]:
    if arguments[-1] is Ellipsis:
        return tuple(_decode(arguments[0], each) for each in value)
    return tuple(_decode(each, part) for each, part in zip(arguments, value, strict=True))


def _decode_record(kind: type, value: Any) -> Any:
    if not isinstance(value, dict):
        raise TypeError(f"{value!r} is not a record of {kind.__name__}")
    hints = _hints(kind)
    unknown = set(value) - set(hints)
    if unknown:
        raise KeyError(f"unknown field {sorted(unknown)[0]}")
    return kind(**{name: _decode(hints[name], part) for name, part in value.items()})


def _decode_plain(kind: Any, value: Any) -> Any:
    if kind is datetime:
        return from_text(value)
    if kind is date:
        return date.fromisoformat(value)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(value)
    if isinstance(kind, type) and issubclass(kind, Decimal | float):
        return _decode_number(kind, value)
    if kind in (int, str, bool) and not isinstance(value, kind):
        raise TypeError(f"{value!r} is not {kind.__name__}")
    return value


def _decode_number(kind: type[Decimal] | type[float], value: Any) -> Any:
    """Nothing here is ever infinite, and no comparison with such a number would say what it seems to say."""
    number = kind(value)
    if not isfinite(number):
        raise ValueError(f"{value!r} is not finite")
    return number
