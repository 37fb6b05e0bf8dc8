"""`python -m tests.mutation [stage ...]`: mutates stages in a folder of their own and judges their tests."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path
from time import monotonic

from rich.console import Console

from tests.mutation import report
from tests.mutation.mutants import Mutant, RunStopped, run
from tests.mutation.verdict import Accepted, problems, read_accepted, score, score_modules
from tests.mutation.workspace import Stage, module_of

STAGES = ("risk", "exits", "control")
OUT = Path("out/mutation")
SURVIVORS = Path("tests/mutation/survivors.toml")
WIDTH = 160


def main() -> int:
    """0 when all is well, 1 when mutants survive that may not, 2 when the tests fail without any mutant."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument(
        "stages", nargs="*", metavar="stage", help=f"{', '.join(STAGES)} without any; or other folders of trading"
    )
    parser.add_argument("--root", type=Path, default=Path.cwd(), help="the project; the current folder without it")
    parser.add_argument("--document", type=Path, help="the page of survivors to write")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="mutants at a time")
    given = parser.parse_args()
    root = given.root.resolve()
    try:
        stages = [Stage(root, name) for name in given.stages or STAGES]
    except ValueError as wrong:
        parser.error(str(wrong))
    accepted = read_accepted(root / SURVIVORS)
    # A run that is told to stop takes mutmut and the folder of mutants with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    try:
        findings = judge(stages, accepted, given.processes)
    except RunStopped as stopped:
        console.print(str(stopped), highlight=False, markup=False, soft_wrap=True)
        return 2
    report.show(findings, console)
    console.print(f"Written to {report.write(findings, accepted, root / OUT)}", highlight=False)
    if given.document:
        given.document.write_text(report.document(findings, accepted), encoding="utf-8")
    return 1 if findings.problems else 0


def judge(stages: list[Stage], accepted: list[Accepted], processes: int) -> report.Findings:
    """Run the stages one after the other, each with its own tests only, and compare with what is accepted."""
    began = monotonic()
    mutants: dict[str, list[Mutant]] = {}
    for stage in stages:
        log = stage.root / OUT / f"{stage.name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        mutants[stage.name] = run(stage, processes, log)
    totals = [score(module_of(name), group) for name, group in mutants.items() if group]
    return report.Findings(
        scores=[*(each for group in mutants.values() for each in score_modules(group)), *totals],
        survivors=[each for group in mutants.values() for each in group if each.survived],
        decorated=[name for stage in stages for name in stage.decorated()],
        problems=problems(mutants, accepted),
        seconds=monotonic() - began,
    )


if __name__ == "__main__":
    sys.exit(main())
