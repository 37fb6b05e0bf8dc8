"""Which rules were looked at and which of them acted: gates of scoring, limits of risk, exits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from trading.model.decisions import Decision
from trading.model.risk import RefusalReason


@dataclass(kw_only=True)
class RuleTally:
    """Counts by rule name: a gate or a limit acts when it refuses, an exit when it closes or moves a stop.

    The limits of the risk gate are counted apart too: two of them (`spread`, `levels`) have the name of a gate.
    """

    evaluated: Counter[str] = field(default_factory=Counter)
    fired: Counter[str] = field(default_factory=Counter)
    limits_evaluated: Counter[str] = field(default_factory=Counter)
    limits_refused: Counter[str] = field(default_factory=Counter)

    def add_response(self, response: Any) -> None:
        """Take what a function says it evaluated: `evaluated`, `fired` and `limits` ({"name:passed": n})."""
        if not isinstance(response, Mapping):
            return
        self.evaluated.update(response.get("evaluated") or {})
        self.fired.update(response.get("fired") or {})
        for key, count in (response.get("limits") or {}).items():
            name, _, verdict = key.partition(":")
            refused = count if verdict == "refused" else 0
            for evaluated, fired in ((self.evaluated, self.fired), (self.limits_evaluated, self.limits_refused)):
                evaluated[name] += count
                fired[name] += refused

    def add_decisions(self, decisions: Iterable[Decision]) -> None:
        for decision in decisions:
            for gate in decision.gates:
                self.evaluated[gate.name] += 1
                self.fired[gate.name] += not gate.passed

    def merged(self, decisions: Iterable[Decision]) -> RuleTally:
        """These counts and those of the decisions' gates."""
        both = replace(self, evaluated=Counter(self.evaluated), fired=Counter(self.fired))
        both.add_decisions(decisions)
        return both

    def document(self) -> tuple[dict[str, int], dict[str, int]]:
        """(evaluated, fired), each naming every rule that was evaluated."""
        names = sorted(set(self.evaluated) | set(self.fired))
        return {name: self.evaluated[name] for name in names}, {name: self.fired[name] for name in names}

    def limits(self) -> tuple[dict[str, int], dict[str, int]]:
        """(evaluated, refused), each naming every limit of the risk gate, also those that were never asked."""
        return (
            {each.value: self.limits_evaluated[each.value] for each in RefusalReason},
            {each.value: self.limits_refused[each.value] for each in RefusalReason},
        )
