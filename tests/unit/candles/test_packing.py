"""Candles as bytes."""

from __future__ import annotations

import math
import struct
import zlib
from array import array
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.local.market.generated import generate_bars
from infra.local.market.listings import list_coin
from shared.storage.number_columns import compress
from shared.storage.packing import Slab, pack_block, pack_slab, unpack_block, unpack_slab
from tests.fakes.spot_market import wave
from trading.errors import CorruptRecord
from trading.model.candles import Candle, CandleSeries
from trading.model.instruments import InstrumentId
from trading.model.times import Timeframe

FIRST_VERSION_BLOCK = (
    "534d43420101010003000000a0bb0d0000000000789c6360000285480710c59000a51740e90b505a200a42074439a481c0b10808cd1609"
    "a1dd221dce9e01821c28bd064abf81ea0782a927260adc9db5df1e429fb70700db74277bd4d50081"
)
FIRST_VERSION_BLOCK_WITH_TIMES = (
    "534d43420102010003000000a0bb0d0000000000789c5bb09b97010454f643e80d2721341828443a80e90428bd004a5f80d20251103a20"
    "ca210d048e454068b64808ed16e970f60c10e440e93550fa0d543f104c3d3151e0eeacfdf610fabc3d00e6192b59c612a84d"
)
FIRST_VERSION_SLAB = (
    "534d43420103020002000000201c000000000000789c63676060700a71e6720df100b218047cde3a188340c1720710dfc1f72d98662882"
    "f04f78bd75387b0608f2217c05a0fa3410285cee30f5c44481bbb3f6db83d533283b00001bcc1a15d29a09c5"
)


def decimals(largest: int) -> st.SearchStrategy[float]:
    """Numbers as exchanges write them, and what adding up such numbers leaves."""
    written = st.builds(lambda digits, exponent: digits / 10**exponent, st.integers(1, largest), st.integers(0, 14))
    return written | st.lists(written, min_size=2, max_size=4).map(sum)


prices = decimals(10**15) | st.floats(min_value=5e-324, max_value=1.7e308)
volumes = decimals(10**17) | st.just(0.0) | st.floats(min_value=0, max_value=1.7e308)
VALUES = ("open", "high", "low", "close", "volume")
EVERY_FLOAT = st.floats(width=64)


@st.composite
def series(draw: st.DrawFn, price: st.SearchStrategy[float] = prices) -> CandleSeries:
    timeframe = draw(st.sampled_from(list(Timeframe)))
    slots = sorted(draw(st.sets(st.integers(0, 40_000), max_size=12)))
    candles = []
    for slot in slots:
        low, first, last, high = sorted(draw(st.tuples(price, price, price, price)))
        row = {"open": first, "high": high, "low": low, "close": last, "volume": draw(volumes)}
        candles.append(Candle(open_time=slot * timeframe.seconds, **row))
    return CandleSeries(timeframe, candles)


@st.composite
def columns(draw: st.DrawFn, value: st.SearchStrategy[float]) -> tuple[array[float], ...]:
    """Open, high, low, close, volume that nobody checked."""
    rows = draw(st.lists(st.tuples(value, value, value, value, value), min_size=1, max_size=12))
    return tuple(array("d", column) for column in zip(*rows, strict=True))


def same_bits(found: Sequence[array[Any]], packed: Sequence[array[Any]]) -> bool:
    return [column.tobytes() for column in found] == [column.tobytes() for column in packed]


def plain_bars(*slots: int) -> CandleSeries:
    candles = []
    for row, slot in enumerate(slots):
        prices = {"open": 100.5 + row, "high": 103.25 + row, "low": 99.1 + row, "close": 101.7 + row}
        candles.append(Candle(open_time=900 * slot, **prices, volume=0.12345678 * row))
    return CandleSeries(Timeframe.M15, candles)


def a_slab(coins: int = 3) -> Slab:
    names = tuple(InstrumentId(f"COIN{index}") for index in range(coins))
    columns = tuple(array("d", (index + value / 8 for index in range(coins))) for value in range(5))
    return Slab(timeframe=Timeframe.H1, open_time=7200, instruments=names, columns=columns)


@settings(max_examples=150, deadline=None)
@given(bars=series() | series(decimals(10**6)))
def test_block_gives_back_exactly_what_was_packed(bars: CandleSeries) -> None:
    found = unpack_block(pack_block(bars))
    assert found == bars
    assert same_bits(found.columns, bars.columns)


@settings(max_examples=150, deadline=None)
@given(values=columns(EVERY_FLOAT) | columns(decimals(10**12)) | columns(st.integers(0, 2**70).map(float)))
def test_block_keeps_every_bit_of_any_double(values: tuple[array[float], ...]) -> None:
    times = array("q", (900 * index for index in range(len(values[0]))))
    bars = CandleSeries.from_columns(Timeframe.M15, (times, *values))
    assert same_bits(unpack_block(pack_block(bars)).columns, bars.columns)


@settings(max_examples=150, deadline=None)
@given(values=columns(prices) | columns(EVERY_FLOAT))
def test_slab_keeps_every_bit_of_any_double(values: tuple[array[float], ...]) -> None:
    names = tuple(InstrumentId(f"COIN{index}") for index in range(len(values[0])))
    slab = Slab(timeframe=Timeframe.D1, open_time=86400, instruments=names, columns=values)
    found = unpack_slab(pack_slab(slab))
    assert same_bits(found.columns, values)
    assert (found.instruments, found.open_time, found.timeframe) == (names, 86400, Timeframe.D1)


@pytest.mark.parametrize("times", [(0, 900, 2700), (-1800, -900, 900), (7, 8, 100_000_000_000), (5, 5, 4)])
def test_block_keeps_any_open_times(times: tuple[int, ...]) -> None:
    values = (array("d", (1.5, 2.5, 3.5)) for _ in range(5))
    bars = CandleSeries.from_columns(Timeframe.M15, (array("q", times), *values))
    assert unpack_block(pack_block(bars)).times == bars.times


@pytest.mark.parametrize(
    ("stored", "slots"),
    [(FIRST_VERSION_BLOCK, (1000, 1001, 1002)), (FIRST_VERSION_BLOCK_WITH_TIMES, (1000, 1001, 1004))],
)
def test_blocks_of_the_first_version_still_decode(stored: str, slots: tuple[int, ...]) -> None:
    assert unpack_block(bytes.fromhex(stored)) == plain_bars(*slots)


def test_slabs_of_the_first_version_still_decode() -> None:
    slab = unpack_slab(bytes.fromhex(FIRST_VERSION_SLAB))
    assert (slab.timeframe, slab.open_time, slab.instruments) == (Timeframe.H1, 7200, ("BTC", "ETH"))
    rows = ((60000.5, 3000.1), (60010.0, 3001.0), (59990.25, 2999.9), (60001.0, 3000.7), (0.12345678, 9.5))
    assert slab.columns == tuple(array("d", row) for row in rows)


def test_first_version_refuses_what_it_never_wrote() -> None:
    with pytest.raises(CorruptRecord, match="bytes of values; expected"):
        unpack_block(resealed(bytes.fromhex(FIRST_VERSION_BLOCK), 8, 2))
    with pytest.raises(CorruptRecord, match="layout 2"):
        unpack_block(resealed(pack_block(wave(900, 40)), 5, 2))


def test_sums_of_volumes_stay_short() -> None:
    bars = wave(900, 720)
    plain, summed = (CandleSeries.from_columns(Timeframe.M15, bars.columns) for _ in range(2))
    plain.volumes = array("d", (index / 1000 for index in range(720)))
    summed.volumes = array("d", (0.1 + index / 1000 - 0.1 for index in range(720)))
    assert summed.volumes != plain.volumes
    assert len(pack_block(summed)) < len(pack_block(plain)) + 720


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
    [
        (4, 3, "version 3"),
        (4, 0, "version 0"),
        (5, 9, "layout 9"),
        (6, 7, "timeframe code 7"),
        (8, 1, "bytes; expected"),
    ],
)
def test_unknown_header_is_refused_by_name(offset: int, value: int, named: str) -> None:
    with pytest.raises(CorruptRecord, match=named):
        unpack_block(resealed(pack_block(wave(900, 40)), offset, value))


@pytest.mark.parametrize(
    ("heads", "named"),
    [
        (bytes([0, 0x01, 23]) + bytes(11), "exponent 23; expected 0 to 22"),
        (bytes([0, 0x01, 254]) + bytes(11), "exponent -2; expected"),
        (bytes([0x90]) + bytes(12 + 9), "integers of 9 bytes; expected at most 8"),
        (bytes(12), "12 bytes; expected 13"),
        (bytes([0x12]), "1 bytes; expected"),
    ],
)
def test_body_that_nobody_packed_is_refused(heads: bytes, named: str) -> None:
    header = pack_block(wave(900, 1))[:20]
    with pytest.raises(CorruptRecord, match=named):
        unpack_block(resealed(header + compress([heads]) + bytes(4), 0, header[0]))


def test_slab_with_another_number_of_names_is_refused() -> None:
    with pytest.raises(CorruptRecord, match="names 3 coins; expected 2"):
        unpack_slab(resealed(pack_slab(a_slab(3)), 8, 2))


def test_block_and_slab_are_never_confused() -> None:
    with pytest.raises(CorruptRecord, match="layout"):
        unpack_block(pack_slab(a_slab()))
    with pytest.raises(CorruptRecord, match="layout"):
        unpack_slab(pack_block(wave(900, 3)))


def test_full_block_stays_far_below_item_limit() -> None:
    noise = array("d", (1 + math.sin(index) for index in range(720)))
    bars = CandleSeries.from_columns(Timeframe.M15, (wave(900, 720).times, noise, noise, noise, noise, noise))
    assert len(pack_block(bars)) < 40_000


def test_short_decimals_take_far_less_than_plain_doubles() -> None:
    generated = generate_bars(list_coin("ETH", 3000.0), 3000.0, 4, (0, 720)).bars
    candles = (Candle(open_time=int(bar[0]), **dict(zip(VALUES, bar[1:], strict=False))) for bar in generated)
    bars = CandleSeries(Timeframe.M15, candles)
    plain = zlib.compress(b"".join(column.tobytes() for column in bars.columns[1:]))
    assert len(pack_block(bars)) < 0.6 * len(plain)
