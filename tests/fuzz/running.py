"""Runs cases of a kind, counts what came of them and keeps what failed."""

from __future__ import annotations

import json
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tests.fuzz.corpus import Case, Kind, case_of
from tests.fuzz.mutations import Mutated

KEPT = Path(__file__).parent / "kept"
ROOT = Path(__file__).parents[2]


@dataclass(slots=True)
class Tally:
    """`failures`: the first case of each place in the code at which cases fail, and how many fail there."""

    kind: str
    cases: int = 0
    cpu_s: float = 0.0
    outcomes: Counter[str] = field(default_factory=Counter)
    failures: dict[str, tuple[int, Case, str]] = field(default_factory=dict)

    @property
    def failed(self) -> int:
        return sum(count for count, _, _ in self.failures.values())

    def add_failure(self, case: Case, error: BaseException) -> None:
        frame = _own_frame(error)
        place = f"{type(error).__name__} at {Path(frame.filename).name}:{frame.lineno}"
        if isinstance(error, AssertionError):
            place += f" in {case.entry}"
        count, first, why = self.failures.get(place, (0, case, f"{place}: {error!s:.200}"))
        self.failures[place] = (count + 1, first, why)


def _own_frame(error: BaseException) -> traceback.FrameSummary:
    """The innermost frame of this project's own code: libraries fail in the same place for many reasons."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [each for each in frames if each.filename.startswith(str(ROOT)) and ".venv" not in each.filename]
    return (own or frames)[-1]


def run(kind: Kind, seed: int, numbers: range) -> Tally:
    """Every number of the range; a failing case never keeps the others from their turn."""
    tally = Tally(kind.name)
    kind.entries()
    started = time.process_time()
    for number in numbers:
        case = case_of(kind, seed, number)
        tally.cases += 1
        try:
            tally.outcomes[kind.judge(case.entry, case.given)] += 1
        except Exception as error:  # noqa: BLE001 - whatever leaves the code under test is what is looked for
            tally.add_failure(case, error)
    tally.cpu_s = time.process_time() - started
    return tally


def line_of(case: Case, seed: int, why: str) -> str:
    """One line that says what failed and how to have it again."""
    again = f"python -m tests.fuzz --seed {seed} --only '{case.kind}:{case.number}'"
    return f"FAILED {why} | {case.entry} | {case.given.note} | again: {again}"


def keep(case: Case, seed: int, why: str) -> Path:
    """Write a failing case where the slice finds it."""
    document = {
        "kind": case.kind,
        "entry": case.entry,
        "status": case.given.status,
        "body": case.given.body.decode("utf-8", errors="surrogateescape"),
        "note": case.given.note,
        "found": f"seed {seed}, number {case.number}: {why}",
    }
    path = KEPT / f"{case.kind.replace(' ', '-')}-{seed}-{case.number}.json"
    path.write_text(json.dumps(document, indent=1) + "\n")
    return path


def kept_cases() -> list[tuple[str, Case]]:
    """By file name; their bodies stand as they were, whatever became of the mutators since."""
    found = []
    for path in sorted(KEPT.glob("*.json")):
        told = json.loads(path.read_text())
        body = told["body"].encode("utf-8", errors="surrogateescape")
        given = Mutated(body=body, note=told["note"], status=told["status"])
        found.append((path.stem, Case(kind=told["kind"], number=-1, entry=told["entry"], given=given)))
    return found
