"""A recompute of the last W bars tells what full history tells, from the bar at which it calls itself warm."""

from __future__ import annotations

import pytest

from tests.unit.smc.bars import NO_SPOT, SPOT, Bar, columns, parameters, shifted, spot_bars, walk
from trading.smc import Detector, StructureState

GIVEN = parameters()
WINDOW = 600
REAL = sorted(path.name.removesuffix(".csv.gz") for path in SPOT.glob("*-15m-2024*.csv.gz"))


def _living(state: StructureState, start: int) -> set[tuple[object, ...]]:
    """Zones by what a decision sees of them, bars counted from the start of the series."""
    return {(z.kind, z.side, z.scale, z.known_at + start, z.ref_bar + start, z.top, z.touches) for z in state.zones}


def _check_windows(bars: list[Bar], starts: range) -> tuple[int, int]:
    """(windows that were warm at their last bar, events compared)."""
    whole = Detector(GIVEN).read(*columns(bars))
    warm, compared = 0, 0
    for start in starts:
        cold, ours, warm_at = Detector(GIVEN), [], len(bars)
        for number, bar in enumerate(bars[start : start + WINDOW], start):
            if cold.warm:
                warm_at = min(warm_at, number)
            ours += cold.update(*bar)
        known = [shifted(event, start) for event in ours if event[3] + start >= warm_at]
        assert known == [event for event in whole if warm_at <= event[3] < start + WINDOW]
        warm += cold.warm
        compared += len(known)
        if cold.warm:
            full = Detector(GIVEN)
            full.read(*columns(bars[: start + WINDOW]))
            assert _living(cold.state(), start) == _living(full.state(), 0)
    return warm, compared


@pytest.mark.skipif(not SPOT.exists(), reason=NO_SPOT)
def test_windows_of_real_bars_agree_once_warm() -> None:
    found = {name: _check_windows(spot_bars(name, 2_000), range(50, 1_400, 450)) for name in REAL[:24]}
    assert len(found) >= 20
    # Two thirds of 1,540 windows of 77 recorded series are warm at their last bar.
    assert sum(warm for warm, _ in found.values()) > 1.5 * len(found)
    assert sum(compared for _, compared in found.values()) > 5_000


@pytest.mark.parametrize("seed", range(60, 64))
def test_windows_of_generated_bars_agree_once_warm(seed: int) -> None:
    warm, compared = _check_windows(walk(seed, 3_000), range(7, 2_400, 240))
    assert warm >= 3
    assert compared > 200
