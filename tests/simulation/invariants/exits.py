"""Not of the reference: a run of the exits asks every rule that is on for every position, and says so in its proof."""

from __future__ import annotations

from collections.abc import Iterator

from tests.simulation.invariants.seen import records
from tests.simulation.judge import Invariant
from tests.simulation.kernel import Process
from trading.exits.registry import REGISTRY
from trading.model.positions import PositionState
from trading.rules import Rules

NAMES = tuple(name for name, _ in REGISTRY)
"""As the code has them; a rule that somebody takes out of the registry later is still expected."""


def switched_on(rules: Rules) -> set[str]:
    return {name for name in NAMES if getattr(rules.exits, name)}


class EveryExitRuleIsAsked(Invariant):
    """Whatever the state of a coin: as often as one rule was asked in a run, so often was each other."""

    name = "EXITS"

    def ended(self, process: Process) -> Iterator[str]:
        answer = process.answer
        if process.invocation.function != "manage_exits" or not isinstance(answer, dict) or not answer["positions"]:
            return
        self.examined += 1
        asked = answer["evaluated"]
        on = switched_on(self.world.rules)
        if asked and (set(asked) != on or len(set(asked.values())) != 1):
            missing = sorted(on - set(asked)) or sorted(asked, key=lambda name: int(asked[name]))[:1]
            yield f"exit rule {missing[0]} was not asked for every position: {dict(asked)}"
        leaving = any(each.state is PositionState.CLOSING for each in records(self.world))
        if not asked and not leaving and not answer["failures"]:
            yield f"{answer['positions']} positions are held and no exit rule was asked"
