"""Is the score high enough, and is every survivor explained?"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.mutation.mutants import Mutant, Outcome
from tests.mutation.workspace import module_of

WANTED_PERCENT = 90

Change = tuple[str, str, str, str]
"""Module, function, line and what became of it: never a line number, which would move with every edit above it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A survivor that stays, and why. `times` for the same change on several equal lines of one function."""

    module: str
    function: str
    line: str
    mutant: str
    reason: str
    times: int = 1

    def __post_init__(self) -> None:
        if not self.reason.strip().endswith("."):
            raise ValueError(f"Survivor {self.mutant!r} of {self.module}.{self.function} has no sentence as reason.")

    @property
    def change(self) -> Change:
        return (self.module, self.function, self.line, self.mutant)


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Counts of one module or stage. What runs into the time limit is killed, what no test reaches survives."""

    name: str
    mutants: int
    killed: int
    survived: int
    timed_out: int

    @property
    def percent(self) -> float:
        return 100 * (self.killed + self.timed_out) / self.mutants


def read_accepted(path: Path) -> list[Accepted]:
    rows = tomllib.loads(path.read_text(encoding="utf-8")).get("survivor", [])
    return [Accepted(**row) for row in rows]


def score(name: str, mutants: Sequence[Mutant]) -> Score:
    return Score(
        name=name,
        mutants=len(mutants),
        killed=sum(each.outcome is Outcome.KILLED for each in mutants),
        survived=sum(each.survived for each in mutants),
        timed_out=sum(each.outcome is Outcome.TIMED_OUT for each in mutants),
    )


def score_modules(mutants: Iterable[Mutant]) -> list[Score]:
    by_module: dict[str, list[Mutant]] = {}
    for each in mutants:
        by_module.setdefault(each.module, []).append(each)
    return [score(module, by_module[module]) for module in sorted(by_module)]


def change_of(mutant: Mutant) -> Change:
    return (mutant.module, mutant.function, mutant.line, mutant.mutant)


def problems(mutants: Mapping[str, Sequence[Mutant]], accepted: Iterable[Accepted]) -> list[str]:
    """Every reason, one sentence each, for which the run (mutants by stage) fails; nothing when all is well."""
    prefixes = tuple(f"{module_of(stage)}." for stage in mutants)
    allowed = Counter({each.change: each.times for each in accepted if each.module.startswith(prefixes)})
    found = Counter(change_of(each) for group in mutants.values() for each in group if each.survived)
    return [
        *_low_scores(mutants),
        *(_sentence("An unlisted mutant survives", change, times) for change, times in (found - allowed).items()),
        *(_sentence("A listed survivor is gone", change, times) for change, times in (allowed - found).items()),
    ]


def _low_scores(mutants: Mapping[str, Sequence[Mutant]]) -> list[str]:
    empty = [f"Stage {stage} has no mutants: expected at least one." for stage, group in mutants.items() if not group]
    scores = [score(module_of(stage), group) for stage, group in mutants.items() if group]
    return empty + [
        f"The score of {each.name} is {each.percent:.1f} %, expected at least {WANTED_PERCENT} %."
        for each in scores
        if each.percent < WANTED_PERCENT
    ]


def _sentence(what: str, change: Change, times: int) -> str:
    module, function, line, mutant = change
    often = f" ({times} times)" if times > 1 else ""
    return f"{what}{often} in {module}.{function}: {line!r} became {mutant!r}."
