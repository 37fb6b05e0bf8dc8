"""Columns of numbers as few bytes, without loss: decimals as integers, integers as byte planes.

Prices and volumes are short decimals: 60000.5 is 600005 tenths. Those integers are small once what the bar before
already says is taken off, and their bytes, sorted into planes (all lowest bytes, then all second ones ...), compress
well where the bytes of doubles do not. What a decimal does not hit exactly, such as a sum of volumes, is a few units in
the last place away from one: that distance is a column of its own, mostly zeros. Only numbers too small or too large
for all this are kept as their 64 bits.
"""

from __future__ import annotations

import sys
import zlib
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isfinite
from operator import add, sub, truediv
from typing import Any, NamedTuple

from trading.errors import CorruptRecord

AS_BITS = -1
"""Stands for an exponent: the integers are the bits of the doubles."""
LARGEST_EXPONENT = 22
"""Powers of ten up to here are exact as doubles, so that a decimal divided by one is rounded once, as its text is."""
LARGEST_INTEGER = 2.0**60
"""Sums and differences of a few such integers fit into 64 bits."""
NEAR = 2.0**-48
"""Relative distance from a decimal that counts as rounding: at most 64 units in the last place."""

_POWERS = tuple(float(10**exponent) for exponent in range(LARGEST_EXPONENT + 1))
_KINDS = ("B", "B", "H", "I", "I", "Q", "Q", "Q", "Q")
"""The array that holds integers of 0 to 8 bytes."""


class Column(NamedTuple):
    """Integers as stored: `offsets` from `base`, None when all are `base` itself."""

    base: int
    offsets: array[int] | None
    length: int

    def integers(self) -> Sequence[int]:
        if self.offsets is None:
            return [self.base] * self.length
        base = self.base
        return [base + offset for offset in self.offsets] if base else self.offsets

    def are_all(self, number: int) -> bool:
        return self.offsets is None and self.base == number


@dataclass(frozen=True, slots=True)
class Decimals:
    """`integers[i] / 10 ** exponents[i]`, moved by `corrections[i]` units in the last place, is the double."""

    exponents: Sequence[int]
    integers: Sequence[int]
    corrections: Sequence[int]


def common_exponent(values: Iterable[float]) -> int:
    """The fewest decimals that all of them come near with; AS_BITS when there is no such number."""
    known = list(values)
    if not all(map(isfinite, known)):
        return AS_BITS
    largest, exponent, scale = max(map(abs, known), default=0.0), 0, 1.0
    if largest >= LARGEST_INTEGER:
        return AS_BITS
    for value in known:
        while abs(round(value * scale) / scale - value) > NEAR * abs(value):
            exponent += 1
            if exponent > LARGEST_EXPONENT or largest * _POWERS[exponent] >= LARGEST_INTEGER:
                return AS_BITS
            scale = _POWERS[exponent]
    return exponent


def to_decimals(values: array[float], exponents: Sequence[int]) -> Decimals:
    if AS_BITS in exponents:
        return Decimals([AS_BITS] * len(values), _bits(values), [0] * len(values))
    scales = [_POWERS[exponent] for exponent in exponents]
    integers = [round(value * scale) for value, scale in zip(values, scales, strict=True)]
    near = array("d", map(truediv, integers, scales))
    return Decimals(exponents, integers, list(map(sub, _bits(values), _bits(near))))


def to_doubles(integers: Sequence[int], exponents: Column, corrections: Column) -> array[float]:
    """The doubles that `to_decimals` was given. Raises CorruptRecord."""
    if exponents.are_all(AS_BITS):
        return _from_bits(array("q", integers))
    if exponents.offsets is None:
        scale = _scale(exponents.base)
        near = array("d", [integer / scale for integer in integers])
    else:
        near = array("d", map(truediv, integers, map(_scale, exponents.integers())))
    if corrections.are_all(0):
        return near
    return _from_bits(array("q", map(add, _bits(near), corrections.integers())))


def _scale(exponent: int) -> float:
    if not 0 <= exponent <= LARGEST_EXPONENT:
        raise CorruptRecord(f"candle record has exponent {exponent}; expected 0 to {LARGEST_EXPONENT}")
    return _POWERS[exponent]


def _bits(values: array[float]) -> array[int]:
    return array("q", values.tobytes())


def _from_bits(bits: array[int]) -> array[float]:
    return array("d", bits.tobytes())


def write_columns(columns: Iterable[Sequence[int]]) -> list[bytes]:
    """Parts of a body: one with each column's width and base, then each column's planes."""
    heads, planes = bytearray(), []
    for column in columns:
        base = min(column, default=0)
        width = _bytes_of(max(column, default=0) - base)
        size = _bytes_of(2 * abs(base))
        heads.append(width << 4 | size)
        heads += base.to_bytes(size, "little", signed=True)
        offsets = little_endian(array(_KINDS[width], [number - base for number in column])) if width else array("B")
        stored = offsets.tobytes()
        planes += [stored[plane :: offsets.itemsize] for plane in range(width)]
    return [bytes(heads), *planes]


def read_columns(body: bytes, columns: int, count: int) -> list[Column]:
    """What `write_columns` wrote. Raises CorruptRecord when `body` is not exactly that long."""
    heads, position = [], 0
    for _ in range(columns):
        width, size = divmod(body[position], 16) if position < len(body) else (0, 0)
        heads.append((width, int.from_bytes(body[position + 1 : position + 1 + size], "little", signed=True)))
        position += 1 + size
    widest = max(width for width, _ in heads)
    if widest >= len(_KINDS):
        raise CorruptRecord(f"candle record has integers of {widest} bytes; expected at most {len(_KINDS) - 1}")
    expected = position + count * sum(width for width, _ in heads)
    if len(body) != expected:
        raise CorruptRecord(f"candle record body has {len(body)} bytes; expected {expected}")
    found = []
    for width, base in heads:
        found.append(Column(base, _offsets(body[position : position + width * count], width) if width else None, count))
        position += width * count
    return found


def _offsets(planes: bytes, width: int) -> array[int]:
    offsets = array(_KINDS[width])
    count = len(planes) // width
    stored = bytearray(count * offsets.itemsize)
    for plane in range(width):
        stored[plane :: offsets.itemsize] = planes[plane * count : (plane + 1) * count]
    offsets.frombytes(stored)
    return little_endian(offsets)


def _bytes_of(number: int) -> int:
    return (number.bit_length() + 7) // 8


def compress(parts: Iterable[bytes]) -> bytes:
    """Deflate with codes of its own for each part: bytes of one plane are alike, those of two are not."""
    deflate = zlib.compressobj(level=9, wbits=-zlib.MAX_WBITS, memLevel=9, strategy=zlib.Z_RLE)
    return b"".join(deflate.compress(part) + deflate.flush(zlib.Z_BLOCK) for part in parts) + deflate.flush()


def decompress(data: bytes, *, headed: bool = False) -> bytes:
    """`headed`: with zlib's own header and checksum, which `compress` leaves out. Raises CorruptRecord."""
    try:
        return zlib.decompress(data, wbits=zlib.MAX_WBITS if headed else -zlib.MAX_WBITS)
    except zlib.error as error:
        raise CorruptRecord(f"candle record does not decompress: {error}") from None


def little_endian(column: array[Any]) -> array[Any]:
    """Swap the column's bytes in place on a big-endian machine."""
    if sys.byteorder == "big":
        column.byteswap()
    return column
