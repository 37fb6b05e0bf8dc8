"""Candles as bytes."""

from __future__ import annotations

import struct
import zlib
from array import array

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.storage.packing import Slab, pack_block, pack_slab, unpack_block, unpack_slab
from tests.fakes.spot_market import wave
from trading.errors import CorruptRecord
from trading.model.candles import Candle, CandleSeries
from trading.model.instruments import InstrumentId
from trading.model.times import Timeframe

prices = st.floats(min_value=1e-9, max_value=1e7, allow_nan=False)
volumes = st.floats(min_value=0, max_value=1e12, allow_nan=False)


@st.composite
def series(draw: st.DrawFn) -> CandleSeries:
    timeframe = draw(st.sampled_from(list(Timeframe)))
    slots = sorted(draw(st.sets(st.integers(0, 40_000), max_size=12)))
    candles = []
    for slot in slots:
        low, first, last, high = sorted(draw(st.tuples(prices, prices, prices, prices)))
        row = {"open": first, "high": high, "low": low, "close": last, "volume": draw(volumes)}
        candles.append(Candle(open_time=slot * timeframe.seconds, **row))
    return CandleSeries(timeframe, candles)


def a_slab(coins: int = 3) -> Slab:
    names = tuple(InstrumentId(f"COIN{index}") for index in range(coins))
    columns = tuple(array("d", (index + value / 8 for index in range(coins))) for value in range(5))
    return Slab(timeframe=Timeframe.H1, open_time=7200, instruments=names, columns=columns)


@settings(max_examples=80, deadline=None)
@given(bars=series())
def test_block_gives_back_exactly_what_was_packed(bars: CandleSeries) -> None:
    assert unpack_block(pack_block(bars)) == bars


@pytest.mark.parametrize("coins", [0, 1, 300])
def test_slab_gives_back_exactly_what_was_packed(coins: int) -> None:
    assert unpack_slab(pack_slab(a_slab(coins))) == a_slab(coins)


@settings(max_examples=80, deadline=None)
@given(position=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_any_flipped_bit_is_refused(position: int, bit: int) -> None:
    data = bytearray(pack_block(wave(900 * 1000, 40)))
    data[position % len(data)] ^= 1 << bit
    with pytest.raises(CorruptRecord):
        unpack_block(bytes(data))


@pytest.mark.parametrize("cut", [0, 3, 20, 200])
def test_truncated_record_is_refused(cut: int) -> None:
    with pytest.raises(CorruptRecord):
        unpack_block(pack_block(wave(900, 40))[:cut])


def resealed(data: bytes, offset: int, value: int) -> bytes:
    """The record with one header byte changed and a checksum that fits it."""
    changed = bytearray(data[:-4])
    changed[offset] = value
    return bytes(changed) + struct.pack("<I", zlib.crc32(bytes(changed)))


@pytest.mark.parametrize(
    ("offset", "value", "named"),
    [(4, 2, "version 2"), (5, 9, "layout 9"), (6, 7, "timeframe code 7"), (8, 1, "bytes; expected")],
)
def test_unknown_header_is_refused_by_name(offset: int, value: int, named: str) -> None:
    with pytest.raises(CorruptRecord, match=named):
        unpack_block(resealed(pack_block(wave(900, 40)), offset, value))


def test_block_and_slab_are_never_confused() -> None:
    with pytest.raises(CorruptRecord, match="layout"):
        unpack_block(pack_slab(a_slab()))
    with pytest.raises(CorruptRecord, match="layout"):
        unpack_slab(pack_block(wave(900, 3)))


def test_full_block_stays_far_below_item_limit() -> None:
    assert len(pack_block(wave(900, 720))) < 40_000
