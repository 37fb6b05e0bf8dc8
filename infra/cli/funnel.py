"""How many decisions ended where: by outcome, failed gate, setup and regime, and what became of the signals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.storage.decisions import StageRecord
from trading.model.decisions import Decision, Outcome
from trading.model.times import to_text

Counts = dict[tuple[str, ...], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Funnel:
    """Counts of one period; keys are texts. `gates`: the gates that decided a GATE_FAILED; `every_gate`: all gates that
    said no, also beside another; `setups`: (setup, regime, outcome); `stages`: outcomes of later stages."""

    decisions: int
    coins: int
    bars: int
    first: datetime
    last: datetime
    outcomes: Counts
    gates: Counts
    every_gate: Counts
    setups: Counts
    stages: Counts

    def tables(self) -> list[tuple[str, tuple[str, ...], Counts]]:
        """(title, columns, counts) of every table that has a row."""
        all_of_them = [
            ("Decisions by outcome", ("outcome",), self.outcomes),
            ("GATE_FAILED by the gate that decided", ("gate",), self.gates),
            ("Every gate that said no (several for one decision)", ("gate",), self.every_gate),
            ("Decisions with a setup", ("setup", "regime", "outcome"), self.setups),
            ("What became of signals", ("outcome",), self.stages),
        ]
        return [each for each in all_of_them if each[2]]

    def document(self) -> dict[str, Any]:
        """The same for programs."""
        return {
            "from": to_text(self.first),
            "to": to_text(self.last),
            "decisions": self.decisions,
            "coins": self.coins,
            "bars": self.bars,
            "by_outcome": _flat(self.outcomes),
            "by_failed_gate": _flat(self.gates),
            "gates_that_said_no": _flat(self.every_gate),
            "by_setup": [
                {"setup": setup, "regime": regime, "outcome": outcome, "count": count}
                for (setup, regime, outcome), count in self.setups.items()
            ],
            "by_stage": _flat(self.stages),
        }


def count_funnel(decisions: Sequence[Decision], stages: Iterable[StageRecord]) -> Funnel:
    """Counts in the order of the pipeline for outcomes, most frequent first for the rest. Needs a decision."""
    bars = {each.decision_bar for each in decisions}
    by_outcome = Counter(each.outcome for each in decisions)
    return Funnel(
        decisions=len(decisions),
        coins=len({each.instrument for each in decisions}),
        bars=len(bars),
        first=min(bars),
        last=max(bars),
        outcomes={(outcome.value,): by_outcome[outcome] for outcome in Outcome if by_outcome[outcome]},
        gates=_counted((each.failed_gate,) for each in decisions if each.failed_gate is not None),
        every_gate=_counted((gate.name,) for each in decisions for gate in each.gates if not gate.passed),
        setups=_counted(
            (each.setup.value, each.setup.regime.value, each.outcome.value)
            for each in decisions
            if each.setup is not None
        ),
        stages=_counted((each.outcome.value,) for each in stages),
    )


def _counted(keys: Iterable[tuple[str, ...]]) -> Counts:
    return dict(Counter(keys).most_common())


def _flat(counts: Counts) -> dict[str, int]:
    return {key[0]: count for key, count in counts.items()}
