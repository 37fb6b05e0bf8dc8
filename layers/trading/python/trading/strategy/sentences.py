"""One sentence a person understands, for every way a decision can end."""

from __future__ import annotations

from trading.model.decisions import GateResult, Outcome
from trading.model.snapshots import Snapshot
from trading.rules import Rules
from trading.strategy.gates import Case
from trading.strategy.reading import Reading
from trading.strategy.regime import is_consolidation

_GATES = {
    "universe_health": "only {value:.1f} % of all coins have sound candles, needed {limit:g}",
    "bias": "the higher timeframes stand against it",
    "adx": "the market has no direction: ADX {value:.1f}, needed {limit:g}",
    "fibonacci": "the entry is {value:.0f} bps from the nearest Fibonacci place, allowed {limit:g}",
    "spread": "the spread is {value:.1f} bps, allowed {limit:g}",
    "cooldown": "the last signal is {value:.0f} minutes ago, needed {limit:g}",
    "structure_reuse": "its structure was used {value:.0f} minutes ago, needed {limit:g}",
    "levels": "its prices do not make a ladder on the contract's ticks",
    "cost_tight": "the round trip costs {value:.1f} bps, allowed {limit:g}",
    "cost_wide": "the first target is {value:.1f} times the cost, needed {limit:g}",
    "funding_wide": "funding would cost {value:.1f} bps, allowed {limit:g}",
    "net_reward": "net reward to risk is {value:.2f}, needed {limit:g}",
}
_WITHOUT_VALUE = {
    "spread": "the contract has no quote",
    "fibonacci": "no confirmed leg stands to measure the entry on",
}


def no_decision(snapshot: Snapshot, outcome: Outcome, rules: Rules) -> str:
    """Why a coin could not be looked at."""
    name, h1, m15 = snapshot.instrument.id, len(snapshot.h1), len(snapshot.m15)
    if outcome is Outcome.NO_DATA:
        return f"{name}: there are no 1h bars."
    if outcome in (Outcome.DEGRADED, Outcome.SUSPENDED):
        return f"{name}: its candles are {snapshot.quality.lower()}: {snapshot.quality_reason or 'no reason is known'}."
    if outcome is Outcome.INSUFFICIENT_HISTORY:
        return f"{name}: {h1} bars of 1h and {m15} of 15m, needed {rules.data.bars_required} of each."
    newest = f"1h closed at {snapshot.h1.closed_at}, 15m at {snapshot.m15.closed_at}"
    return f"{name}: the newest bars are old: {newest}, expected {snapshot.decision_bar}."


def no_setup(snapshot: Snapshot, reading: Reading, rules: Rules) -> str:
    """Why nothing was found to trade."""
    consolidation = is_consolidation(None, reading.adx, rules.gates.adx_minimum)
    market = f"consolidation, ADX {reading.adx:.1f}" if consolidation else f"ADX {reading.adx:.1f}"
    higher = f"daily bias {reading.daily}{_short_history(reading)}, 4h structure {reading.structure}"
    return f"{snapshot.instrument.id}: no setup near {reading.close:g} ({higher}; {market})."


def gate_failed(case: Case, gate: GateResult) -> str:
    """Which gate stopped an idea, with its figures."""
    if gate.value is None and gate.name in _WITHOUT_VALUE:
        return f"{idea(case)} was dropped: {_WITHOUT_VALUE[gate.name]}."
    return f"{idea(case)} was dropped: {_GATES[gate.name].format(value=gate.value, limit=gate.limit)}."


def below_threshold(case: Case, score: int, needed: int) -> str:
    """An idea that was not good enough."""
    return f"{idea(case)} scores {score}, needed {needed}."


def signal_given(case: Case, score: int, needed: int) -> str:
    """An idea that goes on, with its prices."""
    levels = case.levels
    assert levels is not None
    return (
        f"{idea(case)} scores {score} of {needed} needed: stop {levels.stop}, targets {levels.target_1} and "
        f"{levels.target_2}."
    )


def idea(case: Case) -> str:
    """The idea in words: coin, side, setup, entry, how the higher timeframes stand."""
    candidate = case.candidate
    kind = candidate.setup.replace("_", " ")
    higher = f"{case.alignment}{_short_history(case.reading)}"
    return f"{case.snapshot.instrument.id}: {candidate.side} from the {kind} at {candidate.entry:g} ({higher})"


def _short_history(reading: Reading) -> str:
    return ", too few daily bars for a bias" if reading.daily_average is None else ""
