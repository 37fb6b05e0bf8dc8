"""The funnel on recorded candles: it decides what `decide` decides, and its own signals hold it back."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

import pytest

from infra.research.archives import named, read
from infra.research.funnel_records import CandidateRow, CoinFunnel
from infra.research.funnel_replay import Period, Recorded, replay
from tests.integration.research.conftest import RECORDED
from tests.unit.research.funnel_candles import GIVEN
from trading.rules import load_rules

ARCHIVE = RECORDED / "spot/binance/AAVE_USDT-15m-20240101-20240907.csv.gz"
MEMORY = '{"gates": {"cooldown_after_signal_minutes": %d, "structure_reuse_minutes": %d}}'

pytestmark = pytest.mark.skipif(not ARCHIVE.exists(), reason=f"the recorded candles in {ARCHIVE} are absent")


@pytest.fixture(scope="module")
def bars() -> Recorded:
    return Recorded(coin="AAVE", quarters=read(named(ARCHIVE)))


def august(bars: Recorded, override: str = "") -> CoinFunnel:
    """The first nine days of August 2024."""
    first, end = datetime(2024, 8, 1, tzinfo=UTC), datetime(2024, 8, 10, tzinfo=UTC)
    period = Period(first=int(first.timestamp()), end=int(end.timestamp()))
    return replay(bars, 2024, period, GIVEN, load_rules(override))


def signals(found: CoinFunnel) -> list[CandidateRow]:
    return [row for row in found.rows if row.outcome == "SIGNAL"]


def test_replay_finds_the_recorded_signals(bars: Recorded) -> None:
    found = {(datetime.fromtimestamp(row.at, UTC), row.setup, row.side) for row in signals(august(bars))}
    assert (datetime(2024, 8, 1, 19, tzinfo=UTC), "order_block", "long") in found
    assert (datetime(2024, 8, 1, 0, tzinfo=UTC), "break_of_structure", "long") in found


def test_both_memories_bind_with_the_rules(bars: Recorded) -> None:
    found = august(bars)
    assert found.outcomes["COOLDOWN"] > 0
    assert found.outcomes["DUPLICATE_STRUCTURE"] > 0


def test_hourly_bars_outlast_shorter_memories(bars: Recorded) -> None:
    found = august(bars, MEMORY % (60, 45))
    assert found.gates["cooldown"][1] == found.gates["structure_reuse"][1] == 0
    at = [row.at for row in signals(found)]
    assert any(later - earlier == 3_600 for earlier, later in pairwise(at))


def test_earlier_signals_hold_a_coin_back(bars: Recorded) -> None:
    plain, cooled = august(bars, MEMORY % (60, 45)), august(bars, MEMORY % (360, 45))
    reused = august(bars, MEMORY % (0, 4320))
    assert cooled.outcomes["COOLDOWN"] > 0
    assert reused.outcomes["DUPLICATE_STRUCTURE"] > 0
    assert len(signals(cooled)) < len(signals(plain))
    structures = [row.structure for row in signals(reused)]
    assert len(structures) == len(set(structures)) < len(signals(plain))
    assert all(later.at - earlier.at >= 360 * 60 for earlier, later in pairwise(signals(cooled)))
