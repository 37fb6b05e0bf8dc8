"""Candles as bytes: a versioned, checksummed binary format that is read back without making an object per bar.

A record is a header, a zlib-compressed body of little-endian columns, and a CRC-32 over both. A *block* holds many
bars of one coin; its open times are stored only when bars are missing between them. A *slab* holds one bar of each
of many coins, all of the same open time.
"""

from __future__ import annotations

import struct
import sys
import zlib
from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from trading.errors import CorruptRecord
from trading.model.candles import CandleSeries
from trading.model.instruments import InstrumentId
from trading.model.times import Timeframe

MAGIC, VERSION = b"SMCB", 1
BLOCK, BLOCK_WITH_TIMES, SLAB = 1, 2, 3
VALUES = 5  # open, high, low, close, volume

_HEADER = struct.Struct("<4sBBBxIq")  # magic, version, layout, timeframe code, count, first open time
_CHECKSUM = struct.Struct("<I")
_CODES = {timeframe: code for code, timeframe in enumerate(Timeframe, start=1)}
_TIMEFRAMES = {code: timeframe for timeframe, code in _CODES.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Slab:
    """One bar of each coin, all opened at `open_time`. `columns`: open, high, low, close, volume."""

    timeframe: Timeframe
    open_time: int
    instruments: tuple[InstrumentId, ...]
    columns: tuple[array[float], ...]


def pack_block(series: CandleSeries) -> bytes:
    """Bytes of one coin's series; `unpack_block` gives the same series back."""
    first = series.times[0] if series.times else 0
    layout = BLOCK_WITH_TIMES if series.gaps else BLOCK
    columns = series.columns if series.gaps else series.columns[1:]
    return _seal(layout, series.timeframe, len(series), first, _to_bytes(columns))


def unpack_block(data: bytes) -> CandleSeries:
    """Raises CorruptRecord for anything that is not exactly what `pack_block` wrote."""
    layout, timeframe, count, first, body = _open(data)
    if layout not in (BLOCK, BLOCK_WITH_TIMES):
        raise CorruptRecord(f"candle record has layout {layout}; expected a block ({BLOCK} or {BLOCK_WITH_TIMES})")
    stored = VALUES + (layout == BLOCK_WITH_TIMES)
    _require_size(body, stored * count * 8)
    if layout == BLOCK_WITH_TIMES:
        times = _from_bytes(array("q"), body[: count * 8])
        body = body[count * 8 :]
    else:
        times = array("q", range(first, first + count * timeframe.seconds, timeframe.seconds))
    return CandleSeries.from_columns(timeframe, (times, *_values(body, count)))


def pack_slab(slab: Slab) -> bytes:
    names = "\n".join(slab.instruments).encode()
    body = _CHECKSUM.pack(len(names)) + names + _to_bytes(slab.columns)
    return _seal(SLAB, slab.timeframe, len(slab.instruments), slab.open_time, body)


def unpack_slab(data: bytes) -> Slab:
    """Raises CorruptRecord for anything that is not exactly what `pack_slab` wrote."""
    layout, timeframe, count, open_time, body = _open(data)
    if layout != SLAB:
        raise CorruptRecord(f"candle record has layout {layout}; expected a slab ({SLAB})")
    if len(body) < _CHECKSUM.size:
        raise CorruptRecord(f"slab body has {len(body)} bytes; expected at least {_CHECKSUM.size}")
    values_from = _CHECKSUM.size + _CHECKSUM.unpack_from(body)[0]
    _require_size(body, values_from + VALUES * count * 8)
    names = body[_CHECKSUM.size : values_from].decode()
    instruments = tuple(InstrumentId(name) for name in names.split("\n")) if count else ()
    if len(instruments) != count:
        raise CorruptRecord(f"slab names {len(instruments)} coins; expected {count}")
    columns = _values(body[values_from:], count)
    return Slab(timeframe=timeframe, open_time=open_time, instruments=instruments, columns=columns)


def _seal(layout: int, timeframe: Timeframe, count: int, first: int, body: bytes) -> bytes:
    sealed = _HEADER.pack(MAGIC, VERSION, layout, _CODES[timeframe], count, first) + zlib.compress(body)
    return sealed + _CHECKSUM.pack(zlib.crc32(sealed))


def _open(data: bytes) -> tuple[int, Timeframe, int, int, bytes]:
    if len(data) < _HEADER.size + _CHECKSUM.size:
        raise CorruptRecord(f"candle record has {len(data)} bytes; expected at least {_HEADER.size + _CHECKSUM.size}")
    magic, version, layout, code, count, first = _HEADER.unpack_from(data)
    if magic != MAGIC or version != VERSION:
        raise CorruptRecord(f"candle record is {magic!r} version {version}; expected {MAGIC!r} version {VERSION}")
    sealed, checksum = data[: -_CHECKSUM.size], _CHECKSUM.unpack(data[-_CHECKSUM.size :])[0]
    if zlib.crc32(sealed) != checksum:
        raise CorruptRecord(f"candle record has CRC-32 {zlib.crc32(sealed):08x}; expected {checksum:08x}")
    if code not in _TIMEFRAMES:
        raise CorruptRecord(f"candle record has timeframe code {code}; expected one of {sorted(_TIMEFRAMES)}")
    try:
        body = zlib.decompress(sealed[_HEADER.size :])
    except zlib.error as error:
        raise CorruptRecord(f"candle record does not decompress: {error}") from None
    return layout, _TIMEFRAMES[code], count, first, body


def _require_size(body: bytes, expected: int) -> None:
    if len(body) != expected:
        raise CorruptRecord(f"candle record body has {len(body)} bytes; expected {expected}")


def _values(body: bytes, count: int) -> tuple[array[float], ...]:
    size = count * 8
    return tuple(_from_bytes(array("d"), body[index * size : (index + 1) * size]) for index in range(VALUES))


def _to_bytes(columns: Iterable[array[Any]]) -> bytes:
    return b"".join(_little_endian(column[:]).tobytes() for column in columns)


def _from_bytes(column: array[Any], data: bytes) -> array[Any]:
    column.frombytes(data)
    return _little_endian(column)


def _little_endian(column: array[Any]) -> array[Any]:
    """Swap the column's bytes in place on a big-endian machine."""
    if sys.byteorder == "big":
        column.byteswap()
    return column
