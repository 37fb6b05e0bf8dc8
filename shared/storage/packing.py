"""Candles as bytes: a versioned, checksummed binary format that is read back without making an object per bar.

A record is a header, a compressed body of columns, and a CRC-32 over both. A *block* holds many bars of one coin, a
*slab* one bar of each of many coins, all of the same open time. Version 2 is written: prices and volumes as integers of
decimals, bit for bit the doubles that were packed (`number_columns`). Version 1, plain doubles, is still read.
"""

from __future__ import annotations

import struct
import zlib
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, chain
from operator import add, sub
from typing import Any

from shared.storage import number_columns
from shared.storage.number_columns import AS_BITS, Column
from trading.errors import CorruptRecord
from trading.model.candles import CandleSeries
from trading.model.instruments import InstrumentId
from trading.model.times import Timeframe

MAGIC, FIRST_VERSION, VERSION = b"SMCB", 1, 2
BLOCK, BLOCK_WITH_TIMES, SLAB = 1, 2, 3
"""Layouts. BLOCK_WITH_TIMES is of version 1 only: since then each block says where bars are missing."""
VALUES = 5  # open, high, low, close, volume
VALUE_COLUMNS = 12
"""Exponent, four columns and their corrections of the prices; exponent, integers and corrections of the volumes."""

_HEADER = struct.Struct("<4sBBBxIq")  # magic, version, layout, timeframe code, count, first open time
_CHECKSUM = struct.Struct("<I")
_CODES = {timeframe: code for code, timeframe in enumerate(Timeframe, start=1)}
_TIMEFRAMES = {code: timeframe for timeframe, code in _CODES.items()}

Prices = tuple[Sequence[int], Sequence[int], Sequence[int], Sequence[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Slab:
    """One bar of each coin, all opened at `open_time`. `columns`: open, high, low, close, volume."""

    timeframe: Timeframe
    open_time: int
    instruments: tuple[InstrumentId, ...]
    columns: tuple[array[float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Record:
    """`body` is decompressed; `first` is the open time of the first bar, or of the slab."""

    version: int
    layout: int
    timeframe: Timeframe
    count: int
    first: int
    body: bytes


def pack_block(series: CandleSeries) -> bytes:
    """Bytes of one coin's series; `unpack_block` gives the same series back."""
    count, first = len(series), series.times[0] if series.times else 0
    price = number_columns.common_exponent(chain.from_iterable(series.columns[1:VALUES]))
    volume = number_columns.common_exponent(series.volumes)
    values = _value_columns(series.columns[1:], [price] * count, [volume] * count, chained=True)
    missed = _steps([time - series.timeframe.seconds * index for index, time in enumerate(series.times)], first)
    return _seal(BLOCK, series.timeframe, count, first, number_columns.write_columns([missed, *values]))


def unpack_block(data: bytes) -> CandleSeries:
    """Raises CorruptRecord for anything that is not exactly what `pack_block` of this or an earlier version wrote."""
    record = _open(data)
    _require_layout(record, BLOCK, BLOCK_WITH_TIMES if record.version == FIRST_VERSION else BLOCK)
    if record.version == FIRST_VERSION:
        return _first_version_block(record)
    missed, *values = number_columns.read_columns(record.body, 1 + VALUE_COLUMNS, record.count)
    times = _regular_times(record)
    if not missed.are_all(0):
        times = array("q", map(add, times, accumulate(missed.integers())))
    return CandleSeries.from_columns(record.timeframe, (times, *_values(values, chained=True)))


def pack_slab(slab: Slab) -> bytes:
    names = "\n".join(slab.instruments).encode()
    prices = [number_columns.common_exponent(row) for row in zip(*slab.columns[: VALUES - 1], strict=True)]
    volumes = [number_columns.common_exponent((volume,)) for volume in slab.columns[-1]]
    parts = number_columns.write_columns(_value_columns(slab.columns, prices, volumes, chained=False))
    named = _CHECKSUM.pack(len(names)) + names
    return _seal(SLAB, slab.timeframe, len(slab.instruments), slab.open_time, [named, *parts])


def unpack_slab(data: bytes) -> Slab:
    """Raises CorruptRecord for anything that is not exactly what `pack_slab` of this or an earlier version wrote."""
    record = _open(data)
    _require_layout(record, SLAB)
    instruments, body = _named(record)
    if record.version == FIRST_VERSION:
        columns = _plain_values(body, record.count)
    else:
        columns = _values(number_columns.read_columns(body, VALUE_COLUMNS, record.count), chained=False)
    return Slab(timeframe=record.timeframe, open_time=record.first, instruments=instruments, columns=columns)


def _value_columns(
    columns: Sequence[array[float]], price_exponents: Sequence[int], volume_exponents: Sequence[int], *, chained: bool
) -> list[Sequence[int]]:
    """The VALUE_COLUMNS columns of open, high, low, close, volume; in a chained one each close follows the last."""
    prices = [number_columns.to_decimals(column, price_exponents) for column in columns[: VALUES - 1]]
    volumes = number_columns.to_decimals(columns[-1], volume_exponents)
    opens, highs, lows, closes = (column.integers for column in prices)
    stored: Prices = (opens, highs, lows, closes)
    if AS_BITS not in prices[0].exponents:
        stored = _differences(stored, chained=chained)
    corrections = [column.corrections for column in prices]
    return [
        prices[0].exponents, *stored, *corrections, volumes.exponents, volumes.integers, volumes.corrections,
    ]  # fmt: skip


def _differences(prices: Prices, *, chained: bool) -> Prices:
    """Step of the close, open from where the bar started, wick above and below the body."""
    opens, highs, lows, closes = prices
    before = [*closes[:1], *closes[:-1]] if chained else closes
    uppers = [high - (first if first > last else last) for high, first, last in zip(highs, opens, closes, strict=True)]
    lowers = [(first if first < last else last) - low for low, first, last in zip(lows, opens, closes, strict=True)]
    return _steps(closes, 0) if chained else closes, list(map(sub, opens, before)), uppers, lowers


def _prices(stored: Prices, *, chained: bool) -> Prices:
    """Open, high, low and close again."""
    steps, gaps, uppers, lowers = stored
    closes = list(accumulate(steps)) if chained else steps
    opens = list(map(add, [*closes[:1], *closes[:-1]] if chained else closes, gaps))
    highs = [(first if first > last else last) + wick for wick, first, last in zip(uppers, opens, closes, strict=True)]
    lows = [(first if first < last else last) - wick for wick, first, last in zip(lowers, opens, closes, strict=True)]
    return opens, highs, lows, closes


def _steps(numbers: Sequence[int], start: int) -> list[int]:
    return list(map(sub, numbers, [start, *numbers[:-1]]))


def _values(stored: Sequence[Column], *, chained: bool) -> tuple[array[float], ...]:
    exponents, volume_exponents, volumes, volume_corrections = stored[0], *stored[9:]
    first, second, third, fourth = (column.integers() for column in stored[1:5])
    prices: Prices = (first, second, third, fourth)
    if not exponents.are_all(AS_BITS):
        prices = _prices(prices, chained=chained)
    pairs = zip(prices, stored[5:9], strict=True)
    doubles = [number_columns.to_doubles(integers, exponents, corrections) for integers, corrections in pairs]
    return *doubles, number_columns.to_doubles(volumes.integers(), volume_exponents, volume_corrections)


def _seal(layout: int, timeframe: Timeframe, count: int, first: int, parts: Sequence[bytes]) -> bytes:
    header = _HEADER.pack(MAGIC, VERSION, layout, _CODES[timeframe], count, first)
    sealed = header + number_columns.compress(parts)
    return sealed + _CHECKSUM.pack(zlib.crc32(sealed))


def _open(data: bytes) -> _Record:
    if len(data) < _HEADER.size + _CHECKSUM.size:
        raise CorruptRecord(f"candle record has {len(data)} bytes; expected at least {_HEADER.size + _CHECKSUM.size}")
    magic, version, layout, code, count, first = _HEADER.unpack_from(data)
    if magic != MAGIC or version not in (FIRST_VERSION, VERSION):
        raise CorruptRecord(
            f"candle record is {magic!r} version {version}; expected {MAGIC!r} version {FIRST_VERSION} or {VERSION}"
        )
    sealed, checksum = data[: -_CHECKSUM.size], _CHECKSUM.unpack(data[-_CHECKSUM.size :])[0]
    if zlib.crc32(sealed) != checksum:
        raise CorruptRecord(f"candle record has CRC-32 {zlib.crc32(sealed):08x}; expected {checksum:08x}")
    if code not in _TIMEFRAMES:
        raise CorruptRecord(f"candle record has timeframe code {code}; expected one of {sorted(_TIMEFRAMES)}")
    body = number_columns.decompress(sealed[_HEADER.size :], headed=version == FIRST_VERSION)
    return _Record(version=version, layout=layout, timeframe=_TIMEFRAMES[code], count=count, first=first, body=body)


def _require_layout(record: _Record, *layouts: int) -> None:
    if record.layout not in layouts:
        expected = "a slab" if SLAB in layouts else "a block"
        raise CorruptRecord(f"candle record has layout {record.layout}; expected {expected} ({sorted(set(layouts))})")


def _named(record: _Record) -> tuple[tuple[InstrumentId, ...], bytes]:
    """Coins of a slab, and what follows them in its body."""
    body = record.body
    if len(body) < _CHECKSUM.size:
        raise CorruptRecord(f"slab body has {len(body)} bytes; expected at least {_CHECKSUM.size}")
    end = _CHECKSUM.size + _CHECKSUM.unpack_from(body)[0]
    try:
        names = body[_CHECKSUM.size : end].decode()
    except UnicodeDecodeError as error:
        raise CorruptRecord(f"slab names are no UTF-8: {error}") from None
    instruments = tuple(InstrumentId(name) for name in names.split("\n")) if record.count else ()
    if len(instruments) != record.count:
        raise CorruptRecord(f"slab names {len(instruments)} coins; expected {record.count}")
    return instruments, body[end:]


def _regular_times(record: _Record) -> array[int]:
    return array("q", _times_without_gaps(record.first, record.count, record.timeframe.seconds))


@lru_cache(maxsize=16)
def _times_without_gaps(first: int, count: int, seconds: int) -> bytes:
    """Of this machine's byte order. Blocks of many coins that are read together begin and end alike."""
    return array("q", range(first, first + count * seconds, seconds)).tobytes()


def _first_version_block(record: _Record) -> CandleSeries:
    size = record.count * 8 if record.layout == BLOCK_WITH_TIMES else 0
    values = _plain_values(record.body[size:], record.count)
    times = _plain(array("q"), record.body[:size]) if size else _regular_times(record)
    return CandleSeries.from_columns(record.timeframe, (times, *values))


def _plain_values(body: bytes, count: int) -> tuple[array[float], ...]:
    """Little-endian doubles column after column, as version 1 has them."""
    size = count * 8
    if len(body) != VALUES * size:
        raise CorruptRecord(f"candle record body has {len(body)} bytes of values; expected {VALUES * size}")
    return tuple(_plain(array("d"), body[index * size : (index + 1) * size]) for index in range(VALUES))


def _plain(column: array[Any], data: bytes) -> array[Any]:
    column.frombytes(data)
    return number_columns.little_endian(column)
