"""What the coins of a bar are decided with is put together once, and what was decided too late is never traded."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.fakes.records import BAR, RULES, coin, signal
from tests.unit.control.records import decision
from trading.model.candles import CandleSeries
from trading.model.decisions import Outcome
from trading.model.instruments import InstrumentId
from trading.model.quality import CoinQuality, QualityState
from trading.model.times import Timeframe
from trading.strategy.snapshots import bar_inputs, remembered_from, too_late

COIN, OTHER = InstrumentId("COIN"), InstrumentId("OTHER")
SERIES = {(COIN, each): CandleSeries(each) for each in Timeframe}


def qualities(*states: QualityState) -> dict[InstrumentId, CoinQuality]:
    names = (COIN, OTHER)
    return {name: replace(CoinQuality.new(BAR), state=state) for name, state in zip(names, states, strict=False)}


def test_snapshot_knows_only_its_own_earlier_signals() -> None:
    hours = timedelta(hours=1)
    signals = [signal("COIN", decision_bar=BAR - 2 * hours), signal("OTHER", decision_bar=BAR - hours)]
    inputs = bar_inputs(BAR, qualities(QualityState.HEALTHY, QualityState.HEALTHY), signals, "version")
    snapshot = inputs.snapshot(coin("COIN"), SERIES, None)
    assert (snapshot.last_signal_at, snapshot.code_version) == (BAR - 2 * hours, "version")
    assert snapshot.used_structures == ((signals[0].structure_id, BAR - 2 * hours),)


def test_coin_without_signals_has_no_last_one() -> None:
    inputs = bar_inputs(BAR, qualities(QualityState.HEALTHY), [], "version")
    snapshot = inputs.snapshot(coin("COIN"), SERIES, None)
    assert (snapshot.last_signal_at, snapshot.used_structures) == (None, ())


@pytest.mark.parametrize(
    ("states", "share"),
    [
        ((QualityState.HEALTHY, QualityState.HEALTHY), 1.0),
        ((QualityState.HEALTHY, QualityState.DEGRADED), 0.5),
        ((), 0.0),
    ],
)
def test_healthy_share_is_of_the_whole_universe(states: tuple[QualityState, ...], share: float) -> None:
    assert bar_inputs(BAR, qualities(*states), [], "version").healthy_share == share


def test_longer_of_both_memories_is_read() -> None:
    minutes = max(RULES.gates.cooldown_after_signal_minutes, RULES.gates.structure_reuse_minutes)
    assert BAR - remembered_from(BAR, RULES) == timedelta(minutes=minutes)


def test_signal_decided_too_late_becomes_stale_data() -> None:
    given = replace(
        decision("COIN", BAR, Outcome.NO_SETUP, "A long order block."),
        outcome=Outcome.SIGNAL,
        signal=signal("COIN", decision_bar=BAR),
    )
    late = too_late(given)
    assert (late.outcome, late.signal) == (Outcome.STALE_DATA, None)
    assert late.sentence == "Decided too late to be traded. A long order block."


def test_late_decision_without_signal_keeps_its_outcome() -> None:
    given = decision("COIN", BAR, Outcome.NO_SETUP, "Nothing.")
    assert too_late(given) == given
