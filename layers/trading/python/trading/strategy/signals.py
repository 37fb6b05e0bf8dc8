"""The signal of a case that passed everything."""

from __future__ import annotations

from decimal import Decimal

from trading.model.decisions import Alignment
from trading.model.signals import Levels, Signal, signal_id
from trading.model.times import Timeframe
from trading.rules import Rules
from trading.strategy.gates import Case


def build_signal(case: Case, levels: Levels, score: int, rules: Rules) -> Signal:
    """The idea as it leaves scoring; its id depends on instrument, decision bar, setup and structure only."""
    snapshot, setup = case.snapshot, case.candidate.setup
    return Signal(
        id=signal_id(snapshot.instrument.id, snapshot.decision_bar, setup, case.structure_id),
        instrument=snapshot.instrument.id,
        decision_bar=snapshot.decision_bar,
        expires_at=snapshot.decision_bar + rules.execution.entry_life_bars * Timeframe.M15.length,
        setup=setup,
        structure_id=case.structure_id,
        score=score,
        aligned=case.alignment is Alignment.ALIGNED,
        levels=levels,
        atr=Decimal(repr(case.reading.atr)),
        rules_fingerprint=rules.fingerprint,
        code_version=snapshot.code_version,
    )
