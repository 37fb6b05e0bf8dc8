"""The spot market of the tests keeps the promises of the real one."""

from __future__ import annotations

import pytest

from tests.fakes.spot_market import SpotInMemory, wave
from trading.model.times import Timeframe, from_epoch

PAIR = "XAAAZUSD"
QUARTER, HOUR = 900, 3600


def market(quarters: float, **settings: object) -> SpotInMemory:
    now = from_epoch(int(quarters * QUARTER))
    return SpotInMemory(history={PAIR: wave(0, 40)}, now=now, **settings)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("hidden", "skipped", "given", "complete_before"),
    [
        (set(), set(), [0, 1, 2, 3], 4),
        ({2}, set(), [0, 1, 3], 2),
        ({4, 7}, set(), [0, 1, 2, 3], 4),
        (set(), {1, 3}, [0, 2], 4),
        ({3}, {3}, [0, 1, 2], 4),
    ],
)
def test_hidden_bars_may_come_and_skipped_ones_never(
    hidden: set[int], skipped: set[int], given: list[int], complete_before: int
) -> None:
    spot = market(4.5, hidden={(PAIR, n * QUARTER) for n in hidden}, skipped={(PAIR, n * QUARTER) for n in skipped})
    answer = spot.candles(PAIR, Timeframe.M15, None)
    assert [time // QUARTER for time in answer.bars.times] == given
    assert answer.complete_before == complete_before * QUARTER


def test_hour_holds_what_its_quarters_traded() -> None:
    spot = market(9, skipped={(PAIR, n * QUARTER) for n in (1, 4, 5, 6, 7)})
    answer = spot.candles(PAIR, Timeframe.H1, None)
    parts = [spot.history[PAIR][number] for number in (0, 2, 3)]
    assert (list(answer.bars.times), answer.complete_before) == ([0], 2 * HOUR)
    assert (answer.bars[0].open, answer.bars[0].close) == (parts[0].open, parts[2].close)
    assert answer.bars[0].high == max(part.high for part in parts)
    assert answer.bars[0].volume == sum(part.volume for part in parts)
