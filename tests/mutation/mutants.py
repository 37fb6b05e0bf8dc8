"""Runs mutmut (through its command line only) and reads what became of every mutant."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.mutation.workspace import PYTEST_OPTIONS, Stage, prepare

MUTMUT = (sys.executable, "-c", "from mutmut.__main__ import cli; cli()")
CLASS_MARK = "ǁ"
LINES_OF_LOG = 30
SECONDS_ALONE = 300


class RunStopped(Exception):
    """mutmut gave no answer for every mutant: most often the tests fail on the sources as they are."""


class Outcome(StrEnum):
    KILLED = "killed"
    SURVIVED = "survived"
    UNREACHED = "no tests"
    TIMED_OUT = "timeout"


SURVIVING = (Outcome.SURVIVED, Outcome.UNREACHED)
Row = tuple[str, Outcome]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One changed function. `line` and `mutant` are the changed lines before and after, without indentation; they and
    `diff` are read for survivors only."""

    module: str
    function: str
    outcome: Outcome
    line: str = ""
    mutant: str = ""
    diff: str = ""

    @property
    def survived(self) -> bool:
        return self.outcome in SURVIVING


def run(stage: Stage, processes: int, log: Path) -> list[Mutant]:
    """Mutate every function of the stage and run its tests on each mutant; mutmut's own output goes to `log`."""
    with TemporaryDirectory(prefix="smc-mutation-") as name:
        folder = Path(name)
        prepare(stage, folder)
        with log.open("w", encoding="utf-8") as output:
            done = subprocess.run(
                [*MUTMUT, "run", "--max-children", str(processes)],
                cwd=folder,
                env=_environment(),
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
            )
        if done.returncode:
            raise RunStopped(f"mutmut stopped with exit code {done.returncode} on {stage.name}:\n{_end_of(log)}")
        with ThreadPoolExecutor(processes) as pool:
            rows = _second_look(list(_rows(folder)), stage, folder, pool)
            return list(pool.map(lambda row: _mutant(row, folder), rows))


def _end_of(log: Path) -> str:
    """The last lines, without what a spinner has overwritten."""
    with log.open(encoding="utf-8", newline="\n") as lines:
        shown = [line.rstrip("\n").rpartition("\r")[2] for line in lines]
    return "\n".join([line for line in shown if line][-LINES_OF_LOG:])


def _environment() -> dict[str, str]:
    """Ours without PYTHONPATH: the package has to come from the workspace."""
    ours = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "MUTANT_UNDER_TEST")}
    return ours | {"PYTHONDONTWRITEBYTECODE": "1"}


def _answer(folder: Path, *words: str) -> str:
    return subprocess.run(
        [*MUTMUT, *words], cwd=folder, env=_environment(), capture_output=True, text=True, check=True
    ).stdout


def _rows(folder: Path) -> Iterator[Row]:
    """Names and outcomes. An outcome that proves nothing (interrupted, crashed) ends the run: the score would lie."""
    known = {each.value for each in Outcome}
    for row in _answer(folder, "results", "--all", "true").splitlines():
        name, _, status = row.strip().rpartition(": ")
        if status not in known:
            raise RunStopped(f"Mutant {name} ended as {status!r}, expected one of {', '.join(sorted(known))}.")
        yield name, Outcome(status)


def _second_look(rows: list[Row], stage: Stage, folder: Path, pool: ThreadPoolExecutor) -> list[Row]:
    """mutmut chooses the mutant when a function is called, in a process that has imported everything. What is called
    during the import was never the mutant there; such survivors are tested again, each in a process of its own."""
    early = stage.called_on_import()
    doubtful = [
        name for name, outcome in rows if outcome in SURVIVING and place_of(name)[1].rpartition(".")[2] in early
    ]
    if doubtful and _alone("", stage, folder) is not Outcome.SURVIVED:
        raise RunStopped(f"The tests of {stage.name} fail in a process of their own, without any mutant.")
    seen = dict(zip(doubtful, pool.map(lambda name: _alone(name, stage, folder), doubtful), strict=True))
    return [(name, seen.get(name, outcome)) for name, outcome in rows]


def _alone(name: str, stage: Stage, folder: Path) -> Outcome:
    words = [sys.executable, "-m", "pytest", "-x", "-q", "--rootdir=.", *PYTEST_OPTIONS, stage.tests]
    environment = _environment() | {"MUTANT_UNDER_TEST": name}
    try:
        done = subprocess.run(
            words, cwd=folder / "mutants", env=environment, capture_output=True, check=False, timeout=SECONDS_ALONE
        )
    except subprocess.TimeoutExpired:
        return Outcome.TIMED_OUT
    return Outcome.KILLED if done.returncode else Outcome.SURVIVED


def _mutant(row: Row, folder: Path) -> Mutant:
    name, outcome = row
    module, function = place_of(name)
    found = Mutant(module=module, function=function, outcome=outcome)
    if not found.survived:
        return found
    diff = _answer(folder, "show", name).partition("\n")[2].strip("\n")
    line, mutant = changed_lines(diff)
    return Mutant(module=module, function=function, outcome=outcome, line=line, mutant=mutant, diff=diff)


def place_of(name: str) -> tuple[str, str]:
    """Module and function (`Class.method`) of mutmut's name, such as `trading.risk.sizing.x_size__mutmut_3`."""
    module, _, marked = name.rpartition(".")
    function = marked.rpartition("__mutmut_")[0].removeprefix("x")
    return module, function.strip(CLASS_MARK).replace(CLASS_MARK, ".") if CLASS_MARK in function else function[1:]


def changed_lines(diff: str) -> tuple[str, str]:
    """What a diff takes away and what it adds, without its file names and without indentation."""
    body = [each for each in diff.splitlines() if not each.startswith(("---", "+++"))]
    gone, added = ([each[1:].strip() for each in body if each.startswith(sign)] for sign in "-+")
    return "\n".join(gone), "\n".join(added)
