"""The venue's books as one serialisable value, and the switches for behaviour that Kraken leaves open."""

import types
import typing
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any, TypeAlias

from trading.errors import InvalidInput
from trading.matching.orders import Order
from trading.matching.records import Fill, HistoryRow, LogRow, Position, PositionRow
from trading.matching.rounding import ZERO

Json: TypeAlias = Any
"""Whatever `json.loads` may return."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Switches:
    """Behaviour that Kraken documents ambiguously or not at all; each has a default and an alternative.

    `accept_stop_when_flat`: a reduce-only trigger is accepted without a position (else wouldNotReducePosition).
    `reuse_client_id_after_close`: a cliOrdId may be used again once its order is closed (else never).
    `trim_reduce_only`: an oversized reduce-only order is trimmed to the position (else wouldNotReducePosition).
    `partial_liquidation`: a liquidation closes halves of a position until the account is healthy (else all of it). The
    venue does begin with parts since March 2026; how large they are is not public.
    """

    accept_stop_when_flat: bool = True
    reuse_client_id_after_close: bool = False
    trim_reduce_only: bool = True
    partial_liquidation: bool = False


@dataclass(slots=True, kw_only=True)
class Cover:
    """How long a position of one symbol stood without a live reduce-only stop for all of it."""

    naked_since: datetime | None = None
    longest_seconds: Decimal = ZERO


@dataclass(slots=True, kw_only=True)
class Books:
    """Everything the venue remembers. Mutated only by the matching core; `to_json` and `books_from_json` keep it."""

    now: datetime
    seed: int
    balance: Decimal
    starting_balance: Decimal
    counter: int = 0
    realised: Decimal = ZERO
    fees: Decimal = ZERO
    funding: Decimal = ZERO
    orders_accepted: int = 0
    liquidations: int = 0
    live: dict[str, Order] = field(default_factory=dict)
    closed: dict[str, Order] = field(default_factory=dict)
    client_ids: dict[str, str] = field(default_factory=dict)
    positions: dict[str, Position] = field(default_factory=dict)
    covers: dict[str, Cover] = field(default_factory=dict)
    fills: list[Fill] = field(default_factory=list)
    log: list[LogRow] = field(default_factory=list)
    history: list[HistoryRow] = field(default_factory=list)
    position_log: list[PositionRow] = field(default_factory=list)

    def orders_of(self, symbol: str) -> list[Order]:
        """Live orders of one symbol in the order in which they were accepted."""
        return [order for order in self.live.values() if order.symbol == symbol]

    def size_of(self, symbol: str) -> Decimal:
        """Signed position in base units, 0 when flat."""
        position = self.positions.get(symbol)
        return position.size if position else ZERO


def to_json(value: Json) -> Json:
    """Turn books (or any of their parts) into values that `json.dumps` accepts, losing nothing."""
    if is_dataclass(value) and not isinstance(value, type):
        return {item.name: to_json(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, dict):
        return {key: to_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    return value


def books_from_json(data: Json) -> Books:
    """Inverse of `to_json` for books. Raises InvalidInput for anything `to_json` would not have written."""
    try:
        books = _decode(Books, data)
    except (KeyError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
        raise InvalidInput(f"saved venue state does not read back: {type(error).__name__} {error}") from error
    if not isinstance(books, Books):
        raise InvalidInput(f"saved venue state is a {type(books).__name__}, expected an object")
    return books


def _decode(kind: Any, data: Json) -> Any:
    origin = typing.get_origin(kind)
    if origin in (types.UnionType, typing.Union):
        if data is None:
            return None
        return _decode(next(part for part in typing.get_args(kind) if part is not type(None)), data)
    if origin is dict:
        return {key: _decode(typing.get_args(kind)[1], item) for key, item in data.items()}
    if origin is list:
        return [_decode(typing.get_args(kind)[0], item) for item in data]
    if is_dataclass(kind) and isinstance(kind, type):
        hints = _hints(kind)
        return kind(**{name: _decode(hints[name], data[name]) for name in hints})
    return _decode_scalar(kind, data)


def _decode_scalar(kind: Any, data: Json) -> Any:
    if kind is datetime:
        return datetime.fromisoformat(data)
    if kind is Decimal:
        return Decimal(data)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(data)
    if not isinstance(data, kind):
        raise TypeError(f"{data!r} is not {kind.__name__}")
    return data


_HINTS: dict[type, dict[str, Any]] = {}


def _hints(kind: type) -> dict[str, Any]:
    found = _HINTS.get(kind)
    if found is None:
        found = _HINTS[kind] = typing.get_type_hints(kind)
    return found
