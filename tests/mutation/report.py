"""What a run found: a table for people, report.json for machines, the list of survivors for the documentation."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.mutation.mutants import Mutant
from tests.mutation.verdict import WANTED_PERCENT, Accepted, Score, change_of

HEAD = f"""# Mutation score

Written by `make mutate`, which changes one thing at a time in the sources (mutmut 3) and runs the unit tests of that
stage, without those marked slow, on each change. A change that no test notices is a survivor. At least
{WANTED_PERCENT} % of the changes have to be noticed, and every survivor is listed here with the reason why it stays
(`tests/mutation/survivors.toml`).

Not changed: what stands outside functions (constants, tables, defaults of fields) and functions with a decorator
other than `staticmethod` and `classmethod`. A change that runs into the time limit counts as noticed.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    scores: Sequence[Score]
    survivors: Sequence[Mutant]
    decorated: Sequence[str]
    problems: Sequence[str]
    seconds: float


def show(findings: Findings, console: Console) -> None:
    table = Table("module", "mutants", "killed", "survived", "timed out", "score")
    for each in findings.scores:
        table.add_row(each.name, *map(str, _numbers(each)), f"{each.percent:.1f} %")
    console.print(table)
    for name in findings.decorated:
        console.print(f"Not mutated, because it is decorated: {name}", highlight=False)
    for problem in findings.problems:
        console.print(problem, highlight=False, markup=False, soft_wrap=True)


def _numbers(score: Score) -> tuple[int, int, int, int]:
    return (score.mutants, score.killed, score.survived, score.timed_out)


def write(findings: Findings, accepted: Iterable[Accepted], folder: Path) -> Path:
    """report.json, and unlisted.toml with the survivors to explain, ready for survivors.toml."""
    reasons = {each.change: each.reason for each in accepted}
    survivors = [asdict(each) | {"reason": reasons.get(change_of(each))} for each in findings.survivors]
    scores = [asdict(each) | {"percent": round(each.percent, 2)} for each in findings.scores]
    content = {
        "seconds": round(findings.seconds, 1),
        "scores": scores,
        "problems": list(findings.problems),
        "decorated": list(findings.decorated),
        "survivors": survivors,
    }
    path = folder / "report.json"
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    unlisted = [each for each in findings.survivors if change_of(each) not in reasons]
    (folder / "unlisted.toml").write_text("\n".join(map(_toml, unlisted)), encoding="utf-8")
    return path


def _toml(mutant: Mutant) -> str:
    names = ("module", "function", "line", "mutant")
    rows = [f"{name} = {json.dumps(getattr(mutant, name), ensure_ascii=False)}" for name in names]
    return "\n".join(["[[survivor]]", *rows, 'reason = ""', ""])


def document(findings: Findings, accepted: Iterable[Accepted]) -> str:
    """The page of all survivors."""
    reasons = {each.change: each.reason for each in accepted}
    rows = [
        " | ".join([f"| `{each.name}`", *map(str, _numbers(each)), f"{each.percent:.1f} % |"])
        for each in findings.scores
    ]
    table = ["| Module | Mutants | Killed | Survived | Timed out | Score |", "|---|---:|---:|---:|---:|---:|", *rows]
    decorated = [f"- `{name}`" for name in findings.decorated]
    skipped = ["", "## Not changed, because decorated", "", *decorated] if decorated else []
    stories = [_story(each, reasons.get(change_of(each), "Not explained yet.")) for each in findings.survivors]
    survivors = ["", "## Survivors", *stories] if stories else ["", "No change survives."]
    return "\n".join([HEAD, *table, *skipped, *survivors]) + "\n"


def _story(mutant: Mutant, reason: str) -> str:
    changed = [f"- {each}" for each in mutant.line.splitlines()] + [f"+ {each}" for each in mutant.mutant.splitlines()]
    return "\n".join(["", f"### {mutant.module}.{mutant.function}", "", reason, "", "```diff", *changed, "```"])
