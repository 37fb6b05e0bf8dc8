"""Which rules were looked at and which of them acted: gates of scoring, limits of risk, exits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from trading.exits.registry import REGISTRY
from trading.model.decisions import Decision
from trading.model.risk import RefusalReason


@dataclass(kw_only=True)
class RuleTally:
    """Counts by rule name: a gate or a limit acts when it refuses, an exit when it closes or moves a stop.

    The limits of the risk gate are counted apart too: two of them (`spread`, `levels`) have the name of a gate. So are
    the exits: two of them (`funding`, `market_disorder`) have the name of a limit.
    """

    evaluated: Counter[str] = field(default_factory=Counter)
    fired: Counter[str] = field(default_factory=Counter)
    limits_evaluated: Counter[str] = field(default_factory=Counter)
    limits_refused: Counter[str] = field(default_factory=Counter)
    exits_evaluated: Counter[str] = field(default_factory=Counter)
    exits_without_input: Counter[str] = field(default_factory=Counter)
    exits_fired: Counter[str] = field(default_factory=Counter)

    def add_response(self, response: Any) -> None:
        """Take what a function says it evaluated: exits as `evaluated`, `without_input` and `fired`, limits as `limits`
        ({"name:passed": n})."""
        if not isinstance(response, Mapping):
            return
        self.evaluated.update(response.get("evaluated") or {})
        self.fired.update(response.get("fired") or {})
        self.exits_evaluated.update(response.get("evaluated") or {})
        self.exits_without_input.update(response.get("without_input") or {})
        self.exits_fired.update(response.get("fired") or {})
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
        """(evaluated, fired), each naming every rule that was evaluated, and every exit rule."""
        names = sorted({*self.evaluated, *self.fired, *(name for name, _ in REGISTRY)})
        return {name: self.evaluated[name] for name in names}, {name: self.fired[name] for name in names}

    def exits(self) -> dict[str, dict[str, int]]:
        """`evaluated`, `without_input` and `fired` of every registered exit rule, also of those never evaluated."""
        return {
            name: {
                "evaluated": self.exits_evaluated[name],
                "without_input": self.exits_without_input[name],
                "fired": self.exits_fired[name],
            }
            for name, _ in REGISTRY
        }

    def limits(self) -> tuple[dict[str, int], dict[str, int]]:
        """(evaluated, refused), each naming every limit of the risk gate, also those that were never asked."""
        return (
            {each.value: self.limits_evaluated[each.value] for each in RefusalReason},
            {each.value: self.limits_refused[each.value] for each in RefusalReason},
        )
