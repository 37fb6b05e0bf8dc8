"""Whole decisions on generated markets: every setup and outcome is reached, and every rule that can be off matters."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.unit.strategy.markets import DECISION_BAR, DOWN, QUOTE, UP, hours, snapshot
from trading.errors import InvalidInput
from trading.model.candles import CandleSeries
from trading.model.costs import MarketConditions
from trading.model.decisions import Alignment, Decision, Outcome
from trading.model.instruments import Side
from trading.model.quality import QualityState
from trading.model.signals import Regime, Setup
from trading.model.snapshots import Snapshot
from trading.model.times import Timeframe
from trading.model.units import BasisPoints
from trading.rules import Rules, load_rules
from trading.strategy.decide import decide

RULES = load_rules()
# (setup, direction) -> seed of the walk and how far into it the decision falls
FOUND = {
    (Setup.ORDER_BLOCK, UP): (33, 60),
    (Setup.ORDER_BLOCK, DOWN): (37, 216),
    (Setup.FAIR_VALUE_GAP, UP): (21, 78),
    (Setup.FAIR_VALUE_GAP, DOWN): (31, 102),
    (Setup.BREAK_OF_STRUCTURE, UP): (48, 6),
    (Setup.BREAK_OF_STRUCTURE, DOWN): (23, 6),
    (Setup.TREND, UP): (2, 186),
    (Setup.TREND, DOWN): (0, 60),
}


def _market(setup: Setup, direction: int = UP, **changes: Any) -> Snapshot:
    seed, skipped = FOUND[setup, direction]
    given = {"daily": direction, "structure": direction, **changes}
    return snapshot(hours(seed, skipped, direction=direction), **given)


def _rules(section: str, **values: object) -> Rules:
    return load_rules(json.dumps({section: values}))


@pytest.mark.parametrize(("setup", "direction"), FOUND)
def test_every_setup_gives_a_signal_on_both_sides(setup: Setup, direction: int) -> None:
    decision = decide(_market(setup, direction), RULES)
    assert (decision.outcome, decision.setup) == (Outcome.SIGNAL, setup)
    assert decision.side is (Side.LONG if direction == UP else Side.SHORT)
    assert decision.signal is not None
    assert decision.signal.regime is (Regime.TIGHT_SMC if "order" in setup or "gap" in setup else Regime.WIDE_STRUCTURE)
    assert decision.score is not None
    assert decision.threshold is not None
    assert decision.score >= decision.threshold
    assert all(gate.passed for gate in decision.gates)


def test_signal_carries_its_reasons_and_its_life() -> None:
    decision = decide(_market(Setup.ORDER_BLOCK), RULES)
    signal = decision.signal
    assert signal is not None
    assert signal.expires_at - signal.decision_bar == timedelta(hours=1)
    assert sum(part.points for part in decision.score_parts) == signal.score == decision.score
    assert decision.structure[0] == signal.structure_id
    assert decision.alignment is Alignment.ALIGNED
    assert [gate.name for gate in decision.gates] == [
        *("universe_health", "bias", "adx", "fibonacci", "spread", "cooldown", "structure_reuse"),
        *("levels", "cost_tight", "net_reward"),
    ]


def test_same_inputs_give_the_same_decision() -> None:
    assert decide(_market(Setup.TREND), RULES) == decide(_market(Setup.TREND), RULES)


def test_bars_beyond_the_window_change_nothing() -> None:
    seed, skipped = FOUND[Setup.ORDER_BLOCK, UP]
    longer = snapshot(hours(seed, skipped - 50, count=650))
    one, other = decide(_market(Setup.ORDER_BLOCK), RULES), decide(longer, RULES)
    assert one.signal == other.signal
    assert one.inputs_fingerprint == other.inputs_fingerprint


RECENTLY = DECISION_BAR - timedelta(minutes=30)
DEAR = MarketConditions(spread=BasisPoints(60), hourly_funding=Decimal(0))
FUNDED = MarketConditions(spread=BasisPoints(4), hourly_funding=Decimal("0.00005"))


def _used(setup: Setup) -> Snapshot:
    signal = decide(_market(setup), RULES).signal
    assert signal is not None
    return _market(setup, used_structures=((signal.structure_id, RECENTLY),))


def _stale(setup: Setup) -> Snapshot:
    return replace(_market(setup), decision_bar=DECISION_BAR + timedelta(hours=1))


def _distrusted(state: QualityState) -> Snapshot:
    return replace(_market(Setup.TREND), quality=state, quality_reason="30 of the newest 96 bars are missing, limit 24")


TOGGLES: list[tuple[str, str, Snapshot, dict[str, Any], tuple[Outcome, str | None]]] = [
    (
        "bias",
        "enabled",
        _market(Setup.ORDER_BLOCK, daily=DOWN, structure=DOWN),
        {},
        (Outcome.GATE_FAILED, "bias"),
    ),
    ("gates", "adx", _market(Setup.ORDER_BLOCK), {"adx_minimum": 99}, (Outcome.GATE_FAILED, "adx")),
    (
        "gates",
        "fibonacci",
        _market(Setup.ORDER_BLOCK),
        {"fibonacci_near_bps": 0, "ote_low": 0.001, "ote_high": 0.002},
        (Outcome.GATE_FAILED, "fibonacci"),
    ),
    ("gates", "spread", _market(Setup.TREND, market=DEAR), {}, (Outcome.GATE_FAILED, "spread")),
    ("gates", "freshness", _stale(Setup.TREND), {}, (Outcome.STALE_DATA, None)),
    ("gates", "cooldown", _market(Setup.TREND, last_signal_at=RECENTLY), {}, (Outcome.COOLDOWN, None)),
    ("gates", "structure_reuse", _used(Setup.TREND), {}, (Outcome.DUPLICATE_STRUCTURE, None)),
    (
        "gates",
        "net_reward",
        _market(Setup.TREND),
        {"net_reward_minimum_wide": 2.49},
        (Outcome.GATE_FAILED, "net_reward"),
    ),
    (
        "gates",
        "cost_tight",
        _market(Setup.ORDER_BLOCK),
        {"cost_tight_maximum_bps": 1},
        (Outcome.GATE_FAILED, "cost_tight"),
    ),
    (
        "gates",
        "cost_wide",
        _market(Setup.TREND),
        {"cost_wide_target_multiple": 500},
        (Outcome.GATE_FAILED, "cost_wide"),
    ),
    (
        "gates",
        "funding_wide",
        _market(Setup.BREAK_OF_STRUCTURE, market=FUNDED),
        {},
        (Outcome.GATE_FAILED, "funding_wide"),
    ),
    ("quality", "enabled", _distrusted(QualityState.DEGRADED), {}, (Outcome.DEGRADED, None)),
    ("quality", "enabled", _distrusted(QualityState.SUSPENDED), {}, (Outcome.SUSPENDED, None)),
    (
        "quality",
        "universe_health",
        replace(_market(Setup.TREND), healthy_share=0.49),
        {},
        (Outcome.GATE_FAILED, "universe_health"),
    ),
]


@pytest.mark.parametrize(
    ("section", "name", "market", "values", "expected"), TOGGLES, ids=[f"{t[0]}.{t[1]}" for t in TOGGLES]
)
def test_rule_stops_the_idea_only_when_switched_on(
    section: str, name: str, market: Snapshot, values: dict[str, Any], expected: tuple[Outcome, str | None]
) -> None:
    on = decide(market, _rules(section, **values, **{name: True}))
    off = decide(market, _rules(section, **values, **{name: False}))
    assert (on.outcome, on.failed_gate) == expected
    assert (off.outcome, off.failed_gate) != expected
    assert name == "freshness" or off.setup is not None
    assert on.sentence != off.sentence


def test_every_outcome_of_scoring_can_be_reached() -> None:
    strict = _rules("score", threshold_wide_aligned=70, threshold_wide_neutral=70)
    reached = {decide(market, _rules(section, **values)).outcome for section, _, market, values, _ in TOGGLES}
    reached |= {
        decide(replace(_market(Setup.TREND), h1=CandleSeries(Timeframe.H1)), RULES).outcome,
        decide(_market(Setup.TREND, m15_bars=599), RULES).outcome,
        decide(snapshot([(100.0, 100.1, 99.9, 100.0)] * 600), RULES).outcome,
        decide(_market(Setup.TREND), strict).outcome,
        decide(_market(Setup.TREND), RULES).outcome,
    }
    later = {Outcome.RISK_REFUSED, Outcome.NOT_ALLOCATED, Outcome.PLANNED, Outcome.SENT, Outcome.FAILED}
    later |= {Outcome.STOP_MOVED, Outcome.EXIT}
    assert reached == set(Outcome) - later


@pytest.mark.parametrize("state", [QualityState.DEGRADED, QualityState.SUSPENDED])
def test_distrusted_candles_are_named_before_other_flaws(state: QualityState) -> None:
    distrusted = replace(_distrusted(state), m15=CandleSeries(Timeframe.M15))
    decision = decide(distrusted, RULES)
    assert decision.outcome == state.value
    assert decision.sentence == f"TEST: its candles are {state.lower()}: {distrusted.quality_reason}."
    assert (decision.gates, decision.setup) == ((), None)
    nothing = replace(distrusted, h1=CandleSeries(Timeframe.H1))
    assert decide(nothing, RULES).outcome is Outcome.NO_DATA


@pytest.mark.parametrize(("share", "passed"), [(0.5, True), (0.499, False)])
def test_sick_universe_stops_every_sound_coin(share: float, passed: bool) -> None:
    decision = decide(replace(_market(Setup.TREND), healthy_share=share), RULES)
    gate = decision.gates[0]
    assert (gate.name, gate.passed, gate.value, gate.limit) == ("universe_health", passed, 100 * share, 50)
    assert (decision.outcome is Outcome.SIGNAL) == passed
    assert passed or "only 49.9 % of all coins have sound candles, needed 50" in decision.sentence
    off = decide(replace(_market(Setup.TREND), healthy_share=share), _rules("quality", enabled=False))
    assert off.outcome is Outcome.SIGNAL


@pytest.mark.parametrize(
    "change", [{"quality": QualityState.DEGRADED}, {"quality_reason": "late"}, {"healthy_share": 0.9}]
)
def test_quality_is_part_of_the_inputs(change: dict[str, Any]) -> None:
    market = _market(Setup.TREND)
    one, other = decide(market, RULES), decide(replace(market, **change), RULES)
    assert one.inputs_fingerprint != other.inputs_fingerprint


@pytest.mark.parametrize("share", [-0.01, 1.01, float("nan")])
def test_share_of_healthy_coins_must_be_possible(share: float) -> None:
    with pytest.raises(InvalidInput, match="healthy share"):
        replace(_market(Setup.TREND), healthy_share=share)


@pytest.mark.parametrize("setup", Setup)
def test_setup_switched_off_changes_the_decision(setup: Setup) -> None:
    off = decide(_market(setup), _rules("setup", **{setup.value: False}))
    assert off.setup is not setup
    assert off.outcome is not Outcome.SIGNAL or off.signal != decide(_market(setup), RULES).signal


def test_coin_without_bars_gives_no_data() -> None:
    empty = replace(_market(Setup.TREND), h1=CandleSeries(Timeframe.H1))
    assert decide(empty, RULES).outcome is Outcome.NO_DATA


@pytest.mark.parametrize(("h1", "m15"), [(599, 600), (600, 599)])
def test_short_history_is_told_apart(h1: int, m15: int) -> None:
    seed, skipped = FOUND[Setup.TREND, UP]
    decision = decide(snapshot(hours(seed, skipped)[-h1:], m15_bars=m15), RULES)
    assert decision.outcome is Outcome.INSUFFICIENT_HISTORY
    assert f"{h1} bars of 1h and {m15} of 15m" in decision.sentence


def test_market_without_quote_fails_closed() -> None:
    for rules in (RULES, _rules("gates", spread=False)):
        decision = decide(_market(Setup.ORDER_BLOCK, market=None), rules)
        assert (decision.outcome, decision.failed_gate) == (Outcome.GATE_FAILED, "spread")
        assert "no quote" in decision.sentence


def test_few_daily_bars_need_the_neutral_threshold() -> None:
    decision = decide(_market(Setup.ORDER_BLOCK, daily_bars=199), RULES)
    assert (decision.alignment, decision.threshold) == (Alignment.NEUTRAL, 75)
    assert "too few daily bars" in decision.sentence


def test_idea_below_the_threshold_names_both_numbers() -> None:
    decision = decide(_market(Setup.TREND), _rules("score", threshold_wide_aligned=70, threshold_wide_neutral=70))
    assert decision.outcome is Outcome.BELOW_THRESHOLD
    assert f"scores {decision.score}, needed 70" in decision.sentence


def test_quiet_market_without_setup_is_called_consolidation() -> None:
    flat = [(100.0, 100.1, 99.9, 100.0)] * 600
    decision: Decision = decide(snapshot(flat), RULES)
    assert (decision.outcome, decision.regime) == (Outcome.NO_SETUP, None)
    assert "consolidation" in decision.sentence


def test_cooldown_ends_after_its_minutes() -> None:
    minutes = RULES.gates.cooldown_after_signal_minutes
    rested = _market(Setup.TREND, last_signal_at=DECISION_BAR - timedelta(minutes=minutes), market=QUOTE)
    assert decide(rested, RULES).outcome is Outcome.SIGNAL
