"""A decision is made again out of its trace and the candles, and every difference is named with its cause."""

from __future__ import annotations

import json
from array import array
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from functions.score_setups.score import too_late
from infra.cli.replay import IDENTICAL, Replay, replay_on
from shared.storage.decisions import decode_trace, encode_trace
from tests.unit.strategy.markets import DECISION_BAR, INSTRUMENT, UP, hours, snapshot
from trading.model.candles import CandleSeries
from trading.model.decisions import Decision, Outcome
from trading.model.instruments import Instrument
from trading.model.snapshots import Snapshot
from trading.model.times import Timeframe
from trading.model.units import BasisPoints
from trading.rules import Rules, load_rules
from trading.strategy.decide import decide

RULES = load_rules()
SIGNAL = snapshot(hours(33, 60, direction=UP))


def again(
    decision: Decision, seen: Snapshot = SIGNAL, *, instrument: Instrument = INSTRUMENT, rules: Rules = RULES
) -> Replay:
    stored = decode_trace(encode_trace(decision))
    assert stored.inputs is not None
    return replay_on(stored, stored.inputs, instrument, dict(zip(Timeframe, seen.series, strict=True)), rules)


def changed(series: CandleSeries, price: float) -> CandleSeries:
    """The same bars with another last but one close (and high or low, where it lies beyond)."""
    columns = [array(column.typecode, column) for column in series.columns]
    times, opens, highs, lows, closes, volumes = columns
    closes[-2], highs[-2], lows[-2] = price, max(highs[-2], price), min(lows[-2], price)
    return CandleSeries.from_columns(series.timeframe, (times, opens, highs, lows, closes, volumes))


@pytest.mark.parametrize("seed", range(12))
def test_any_decision_is_replayed_identically(seed: int) -> None:
    used = (("order_block.bullish.5.1.1", DECISION_BAR - timedelta(hours=1)),)
    seen = snapshot(hours(seed), last_signal_at=DECISION_BAR - timedelta(hours=1), used_structures=used)
    found = again(decide(seen, RULES), seen)
    assert (found.sentence, found.again) == (IDENTICAL, found.decision)


def test_contract_figures_of_then_are_used() -> None:
    other = replace(INSTRUMENT, tick=Decimal("0.5"), maker_fee=BasisPoints(9))
    assert again(decide(SIGNAL, RULES), instrument=other).identical


def test_late_decision_is_replayed_as_late() -> None:
    late = too_late(decide(SIGNAL, RULES))
    assert late.outcome is Outcome.STALE_DATA
    assert late.inputs is not None
    assert late.inputs.late
    assert again(late).identical


def test_older_bars_that_were_dropped_do_not_matter() -> None:
    longer = snapshot(hours(33, 10, direction=UP, count=650))
    assert again(decide(longer, RULES), SIGNAL).identical


def test_needed_bars_that_were_dropped_are_named() -> None:
    short = replace(SIGNAL, m15=SIGNAL.m15.last(590))
    found = again(decide(SIGNAL, RULES), short)
    assert found.again is None
    assert found.sentence == (
        "cannot be replayed: the store no longer holds its candles (590 of 600 bars of 15m are left; "
        "it keeps the newest 720, 7.5 days)"
    )


def test_changed_candles_are_named_as_the_cause() -> None:
    found = again(decide(SIGNAL, RULES), replace(SIGNAL, h1=changed(SIGNAL.h1, 500.0)))
    assert found.causes == ("the 1h candles up to its bar have changed since (filled in or replaced)",)
    assert "outcome" in {name for name, _, _ in found.changes}
    assert found.sentence.startswith("replayed to another decision (changed: outcome, ")


def test_changed_candles_without_effect_say_so() -> None:
    found = again(decide(SIGNAL, RULES), replace(SIGNAL, m15=changed(SIGNAL.m15, 101.0)))
    assert (found.identical, found.changes) == (False, ())
    assert found.sentence.startswith("replayed to the same decision, although the 15m candles")


def test_other_rules_name_what_they_change() -> None:
    rules = load_rules(json.dumps({"gates": {"adx_minimum": 90}}))
    found = again(decide(SIGNAL, RULES), rules=rules)
    then_and_now = {name: (then, now) for name, then, now in found.changes}
    assert found.causes == (f"the rules were {RULES.fingerprint} and are now {rules.fingerprint}",)
    assert then_and_now["outcome"] == ("SIGNAL", "GATE_FAILED")
    assert then_and_now["gates.adx.limit"] == ("25.0", "90.0")
    assert then_and_now["gates.adx.passed"] == ("True", "False")


def test_altered_trace_blames_the_code() -> None:
    decision = decide(SIGNAL, RULES)
    found = again(replace(decision, score=(decision.score or 0) + 1))
    assert found.changes == (("score", str((decision.score or 0) + 1), str(decision.score)),)
    assert found.sentence == "replayed to another decision (changed: score): the code reads the same inputs differently"
