"""What all kinds of cases have in common: entries with their real text, and a judge of what came of a mutation."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Protocol

from tests.fuzz.mutations import Mutated, mutate


class Failed(AssertionError):
    """A mutated text was taken for something it cannot be, or did something it must not."""


class Kind(Protocol):
    """One kind of corpus. `judge` returns a word for the outcome; any exception that leaves it is a failure."""

    name: str
    http: bool

    def entries(self) -> tuple[str, ...]: ...

    def body(self, entry: str) -> bytes:
        """The real text of the entry."""
        ...

    def judge(self, entry: str, given: Mutated) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One mutated entry; the same seed and number always give the same one."""

    kind: str
    number: int
    entry: str
    given: Mutated


def case_of(kind: Kind, seed: int, number: int) -> Case:
    """Entries take turns, so that every one is met equally often."""
    entries = kind.entries()
    entry = entries[number % len(entries)]
    rng = random.Random(f"{seed}/{kind.name}/{number}")
    return Case(kind=kind.name, number=number, entry=entry, given=mutate(rng, kind.body(entry), http=kind.http))


def require(holds: bool, what: str) -> None:
    if not holds:
        raise Failed(what)
