"""Every prefix of a long series: what is known by bar n is what the series cut off at n would have told."""

from __future__ import annotations

import pytest

from tests.unit.smc.bars import NO_SPOT, SPOT, Bar, columns, parameters, spot_bars, walk
from trading.smc import Detector
from trading.smc.events import RawEvent

COUNT = 3_000
REAL = ["BTC_USDT-15m-20240101-20240906", "DOGE_USDT-15m-20220101-20220806", "ETH_USDT-1h-20221023-20241231"]
GIVEN = parameters()


def _check_every_prefix(bars: list[Bar]) -> list[RawEvent]:
    """By streaming: after n bars nothing else can have been told than by the n first calls of `update`."""
    whole = Detector(GIVEN).read(*columns(bars))
    stream, told = Detector(GIVEN), 0
    for number, bar in enumerate(bars):
        events = stream.update(*bar)
        assert events == whole[told : told + len(events)]
        told += len(events)
        assert all(event[3] == number for event in events)
        assert told == len(whole) or whole[told][3] > number
    assert told == len(whole)
    return whole


def _check_by_recompute(bars: list[Bar], whole: list[RawEvent], step: int) -> None:
    for end in range(1, len(bars), step):
        assert Detector(GIVEN).read(*columns(bars[:end])) == [event for event in whole if event[3] < end]


@pytest.mark.skipif(not SPOT.exists(), reason=NO_SPOT)
@pytest.mark.parametrize("name", REAL)
def test_every_prefix_of_real_bars_agrees(name: str) -> None:
    bars = spot_bars(name, COUNT)
    whole = _check_every_prefix(bars)
    assert len(whole) > COUNT
    _check_by_recompute(bars, whole, 61)


@pytest.mark.parametrize("seed", [51, 52])
def test_every_prefix_of_generated_bars_agrees(seed: int) -> None:
    bars = walk(seed, COUNT, tick=0.25 if seed % 2 else 1.0)
    whole = _check_every_prefix(bars)
    assert len(whole) > COUNT
    _check_by_recompute(bars, whole, 61)
