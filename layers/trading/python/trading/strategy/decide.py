"""The decision pipeline: one coin, one closed decision bar, exactly one `Decision` in every path."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

from trading.model.candles import CandleSeries
from trading.model.decisions import Alignment, CandleMark, Decision, DecisionInputs, GateResult, Outcome
from trading.model.instruments import InstrumentId, Side
from trading.model.quality import QualityState
from trading.model.snapshots import Snapshot
from trading.rules import Rules
from trading.strategy import sentences
from trading.strategy.fibonacci import fibonacci_place
from trading.strategy.gates import AFTER_SCORE, BEFORE_SCORE, COOLDOWN, STRUCTURE_REUSE, Case, ask_gates, case_cost
from trading.strategy.levels import build_levels, stop_buffer
from trading.strategy.reading import Reading, take_reading
from trading.strategy.regime import regime_of
from trading.strategy.scoring import major_break, score_case, threshold
from trading.strategy.setups import Candidate, find_setup
from trading.strategy.signals import build_signal

_OUTCOME_OF_QUALITY = {QualityState.DEGRADED: Outcome.DEGRADED, QualityState.SUSPENDED: Outcome.SUSPENDED}
_OUTCOME_OF_GATE = {COOLDOWN: Outcome.COOLDOWN, STRUCTURE_REUSE: Outcome.DUPLICATE_STRUCTURE}


@dataclass(slots=True)
class _Trace:
    """The decision while it is being made: opened first, filled step by step, finished once."""

    snapshot: Snapshot
    rules: Rules
    known: dict[str, Any] = field(default_factory=dict)

    def note(self, **values: Any) -> None:
        """Add what a step found out."""
        self.known.update(values)

    def finish(self, outcome: Outcome, sentence: str, **values: Any) -> Decision:
        """Close the trace."""
        inputs = decision_inputs(self.snapshot, self.rules)
        return Decision(
            instrument=self.snapshot.instrument.id,
            decision_bar=self.snapshot.decision_bar,
            outcome=outcome,
            sentence=sentence,
            code_version=self.snapshot.code_version,
            rules_fingerprint=self.rules.fingerprint,
            inputs_fingerprint=inputs_fingerprint(self.snapshot.instrument.id, inputs),
            inputs=inputs,
            **self.known,
            **values,
        )


def decide(snapshot: Snapshot, rules: Rules) -> Decision:
    """Decide one coin at one decision bar. Pure: the same snapshot and rules give the same decision for ever."""
    trace = _Trace(snapshot, rules)
    unusable = unusable_data(snapshot, rules)
    if unusable is not None:
        return trace.finish(unusable, sentences.no_decision(snapshot, unusable, rules))
    reading = take_reading(snapshot, rules)
    trace.note(daily_bias=reading.daily, structure_trend=reading.structure, indicators=_indicators(reading))
    candidate = _best_candidate(reading, rules)
    if candidate is None:
        return trace.finish(Outcome.NO_SETUP, sentences.no_setup(snapshot, reading, rules))
    return _judge(trace, _open_case(snapshot, reading, candidate, rules))


def unusable_data(snapshot: Snapshot, rules: Rules) -> Outcome | None:
    """Why the candles cannot be decided on, or None."""
    if not len(snapshot.h1):
        return Outcome.NO_DATA
    distrusted = _OUTCOME_OF_QUALITY.get(snapshot.quality) if rules.quality.enabled else None
    if distrusted is not None:
        return distrusted
    if min(len(snapshot.h1), len(snapshot.m15)) < rules.data.bars_required:
        return Outcome.INSUFFICIENT_HISTORY
    fresh = snapshot.h1.closed_at == snapshot.decision_bar == snapshot.m15.closed_at
    return Outcome.STALE_DATA if rules.gates.freshness and not fresh else None


def decision_inputs(snapshot: Snapshot, rules: Rules) -> DecisionInputs:
    """What the decision is made from, small enough for its trace. Candles are marked as far as a decision reads them:
    older bars, which the store drops one day, change nothing."""
    data, bias = rules.data, rules.bias
    read = (data.bars_required, data.bars_required, data.bars_required, bias.ema_history_days)
    return DecisionInputs(
        candles=tuple(mark_candles(series.last(bars)) for series, bars in zip(snapshot.series, read, strict=True)),
        tick=snapshot.instrument.tick,
        maker_fee=snapshot.instrument.maker_fee,
        taker_fee=snapshot.instrument.taker_fee,
        market=snapshot.market,
        last_signal_at=snapshot.last_signal_at,
        used_structures=snapshot.used_structures,
        quality=snapshot.quality,
        quality_reason=snapshot.quality_reason,
        healthy_share=snapshot.healthy_share,
    )


def mark_candles(series: CandleSeries) -> CandleMark:
    """How many bars these are, and a digest of every time, price and volume."""
    digest = hashlib.sha256()
    for column in series.columns:
        digest.update(column)
    return len(series), digest.hexdigest()[:8]


def inputs_fingerprint(instrument: InstrumentId, inputs: DecisionInputs) -> str:
    """16 hex digits over all the decision was made from: candles, contract, quote, earlier signals, quality."""
    return hashlib.sha256(repr((instrument, inputs)).encode()).hexdigest()[:16]


def _best_candidate(reading: Reading, rules: Rules) -> Candidate | None:
    """A setup on a side the bias allows; failing that, one it forbids, so that the trace can name the bias gate."""
    allowed = [side for side in Side if reading.stands(side) is not Alignment.OPPOSED]
    opposed = [side for side in Side if reading.stands(side) is Alignment.OPPOSED]
    return find_setup(reading, allowed, rules) or find_setup(reading, opposed, rules)


def _open_case(snapshot: Snapshot, reading: Reading, candidate: Candidate, rules: Rules) -> Case:
    buffer = stop_buffer(reading.atr, reading.atr_ratio, candidate.setup.regime, rules.levels)
    return Case(
        snapshot=snapshot,
        reading=reading,
        candidate=candidate,
        structure_id=reading.name(candidate.structure),
        alignment=reading.stands(candidate.side),
        place=fibonacci_place(reading, candidate, rules.gates),
        cost=case_cost(snapshot, candidate, rules),
        levels=build_levels(candidate, buffer, snapshot.instrument, rules.levels),
    )


def _judge(trace: _Trace, case: Case) -> Decision:
    """Gates, score, gates on the levels: all are asked and recorded, the first that fails names the outcome."""
    rules, candidate = trace.rules, case.candidate
    before, after = ask_gates(BEFORE_SCORE, case, rules), ask_gates(AFTER_SCORE, case, rules)
    parts = score_case(case, rules)
    score = sum(part.points for part in parts)
    needed = threshold(candidate.setup.regime, case.alignment, rules.score)
    trace.note(
        side=candidate.side,
        alignment=case.alignment,
        regime=regime_of(candidate.setup),
        setup=candidate.setup,
        structure=_structure_used(case, rules),
        gates=before + after,
        score_parts=parts,
        score=score,
        threshold=needed,
        levels=case.levels,
    )
    failed = _first_failed(before)
    if failed is None and score < needed:
        return trace.finish(Outcome.BELOW_THRESHOLD, sentences.below_threshold(case, score, needed))
    failed = failed or _first_failed(after)
    if failed is not None:
        outcome = _OUTCOME_OF_GATE.get(failed.name, Outcome.GATE_FAILED)
        name = failed.name if outcome is Outcome.GATE_FAILED else None
        return trace.finish(outcome, sentences.gate_failed(case, failed), failed_gate=name)
    assert case.levels is not None, "the levels gate is always asked"
    signal = build_signal(case, case.levels, score, rules)
    return trace.finish(Outcome.SIGNAL, sentences.signal_given(case, score, needed), signal=signal)


def _first_failed(results: tuple[GateResult, ...]) -> GateResult | None:
    return next((result for result in results if not result.passed), None)


def _structure_used(case: Case, rules: Rules) -> tuple[str, ...]:
    """The structure the idea is named by, the breaks behind it, and the major break that agrees with it."""
    agreeing = major_break(case.reading, case.candidate, rules)
    keys = (*case.candidate.rests_on, *((agreeing,) if agreeing else ()))
    return (case.structure_id, *(case.reading.name(key) for key in keys))


def _indicators(reading: Reading) -> tuple[tuple[str, float], ...]:
    """The numbers behind the decision, by name; `warm` is 1 when the window was long enough."""
    values = {
        "close": reading.close,
        "atr": reading.atr,
        "atr_ratio": reading.atr_ratio,
        "adx": reading.adx,
        "daily_close": reading.daily_close,
        "daily_average": reading.daily_average,
        "warm": float(reading.state.warm),
    }
    return tuple((name, value) for name, value in values.items() if value is not None)
