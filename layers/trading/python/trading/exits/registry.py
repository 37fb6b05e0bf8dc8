"""The exit rules in the order in which they are asked, and the one verdict that is made of their answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from trading.exits.case import Answer, Close, ExitCase, MoveStop, NoInput, words
from trading.exits.closing import abandon_ship, basis_after_fill, funding, maximum_hold, premise, time_exit
from trading.exits.tightening import break_even, market_disorder, progressive_tightening, trailing

ExitRule = Callable[[ExitCase], Answer]

REGISTRY: tuple[tuple[str, ExitRule], ...] = (
    ("basis_after_fill", basis_after_fill),
    ("premise", premise),
    ("abandon_ship", abandon_ship),
    ("funding", funding),
    ("time_exit", time_exit),
    ("maximum_hold", maximum_hold),
    ("break_even", break_even),
    ("market_disorder", market_disorder),
    ("trailing", trailing),
    ("progressive_tightening", progressive_tightening),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExitVerdict:
    """What every rule that is on has answered, in the registry's order, and the one that is followed."""

    answers: tuple[tuple[str, Answer], ...]
    fired: str | None = None
    action: MoveStop | Close | None = None

    @property
    def evaluated(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.answers)

    @property
    def without_input(self) -> tuple[str, ...]:
        return tuple(name for name, answer in self.answers if isinstance(answer, NoInput))

    @property
    def details(self) -> tuple[tuple[str, str], ...]:
        """Each rule with what it saw, for a person."""
        return tuple((name, words(answer)) for name, answer in self.answers)


def decide_exit(case: ExitCase) -> ExitVerdict:
    """Ask every rule that is on. The first that closes goes before all that move the stop; of these the tightest."""
    answers = tuple((name, rule(case)) for name, rule in REGISTRY if getattr(case.rules.exits, name))
    for name, answer in answers:
        if isinstance(answer, Close):
            return ExitVerdict(answers=answers, fired=name, action=answer)
    moves = [(name, answer) for name, answer in answers if isinstance(answer, MoveStop)]
    if not moves:
        return ExitVerdict(answers=answers)
    name, move = max(moves, key=lambda each: each[1].to * case.position.side.sign)
    return ExitVerdict(answers=answers, fired=name, action=move)
