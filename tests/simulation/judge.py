"""Holds a run against the invariants: after effects, every minute, when an invocation ends, and at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from operator import is_not
from typing import ClassVar

from tests.simulation.kernel import Process
from tests.simulation.options import MINUTE_MS
from tests.simulation.workload import Workload
from tests.simulation.world import SimulatedWorld

ASKS_THE_VENUE = frozenset({"venue.place", "venue.cancel", "venue.cancel_order"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """`name` is the invariant's of the reference (S1 ... L10)."""

    name: str
    at_ms: int
    text: str


class Invariant:
    """One rule that always holds. Each method yields a sentence for everything that breaks it.

    `changed()` after an effect that changed the venue's books or a position record, `effect(what)` after every effect
    that changed something or asked the venue to place or cancel, `minute()` once a minute, `ended(process)` when an
    invocation ended or was killed, `quiet()` at the end of the quiet phase. `examined` counts how often there was
    something to judge: a rule that never judges proves nothing.
    """

    name: ClassVar[str]

    def __init__(self, world: SimulatedWorld, workload: Workload) -> None:
        self.world = world
        self.workload = workload
        self.examined = 0

    def changed(self) -> Iterable[str]:
        return ()

    def effect(self, what: str) -> Iterable[str]:
        return ()

    def minute(self) -> Iterable[str]:
        return ()

    def ended(self, process: Process) -> Iterable[str]:
        return ()

    def quiet(self) -> Iterable[str]:
        return ()


@dataclass
class Judge:
    """`found` keeps the first violation of each invariant. With `stops` the first of all ends the run."""

    world: SimulatedWorld
    workload: Workload
    kinds: Iterable[type[Invariant]]
    found: dict[str, Violation] = field(default_factory=dict)
    stops: bool = False

    def __post_init__(self) -> None:
        self.invariants = [kind(self.world, self.workload) for kind in self.kinds]
        self._effects = [each for each in self.invariants if type(each).effect is not Invariant.effect]
        self._changes = [each for each in self.invariants if type(each).changed is not Invariant.changed]
        self._minutes = [each for each in self.invariants if type(each).minute is not Invariant.minute]
        self._ends = [each for each in self.invariants if type(each).ended is not Invariant.ended]
        self._seen: tuple[object, ...] = ()
        self._risk_day: object = None
        self.world.observers.append(self._effect)
        self.world.endings.append(self._ended)

    def watch(self, until_ms: int) -> None:
        for minute in range(1, until_ms // MINUTE_MS + 1):
            self.world.kernel.at(minute * MINUTE_MS - 1, self._minute)

    def close(self) -> None:
        for each in self.invariants:
            self._note(each, each.quiet())

    def examined(self) -> Counter[str]:
        return Counter({each.name: each.examined for each in self.invariants})

    def _effect(self, what: str) -> None:
        """Nine effects in ten are reads, or write what no rule looks at: they cost one comparison."""
        tables = self.world.tables
        # The versions themselves are kept, not their `id`, which may come back once a version is forgotten.
        seen = (self.world.venue.engine.books.counter, tables.control, *tables.positions.values())
        changed = len(seen) != len(self._seen) or any(map(is_not, seen, self._seen))
        if changed or tables.risk_day is not self._risk_day or what in ASKS_THE_VENUE:
            self._risk_day = tables.risk_day
            for each in self._effects:
                self._note(each, each.effect(what))
        if changed:
            self._seen = seen
            for each in self._changes:
                self._note(each, each.changed())

    def _minute(self) -> None:
        self.world.venue.catch_up(self.world.kernel.now())
        self._effect("minute")
        for each in self._minutes:
            self._note(each, each.minute())

    def _ended(self, process: Process) -> None:
        for each in self._ends:
            self._note(each, each.ended(process))

    def _note(self, invariant: Invariant, sentences: Iterable[str]) -> None:
        for sentence in sentences:
            if invariant.name not in self.found:
                at = self.world.kernel.now_ms
                self.world.kernel.stopped = self.stops
                self.found[invariant.name] = Violation(name=invariant.name, at_ms=at, text=sentence)
