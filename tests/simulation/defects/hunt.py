"""Look for each planted defect until the simulation sees it: `make simulate-defects`."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import get_context

from tests.simulation.campaign import simulate
from tests.simulation.defects import DEFECTS

DAYS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Catch:
    """`days` simulated until then; `invariant` empty when the defect was never seen."""

    name: str
    story: str
    invariant: str
    text: str
    days: int
    cpu_s: float


def hunt(number: int, days: int = DAYS) -> Catch:
    """One defect, day after day over its profiles in turn, until an invariant that holds without it is violated."""
    defect = DEFECTS[number]
    cpu_s = 0.0
    for day in range(days):
        profile = defect.profiles[day % len(defect.profiles)]
        with defect.plant():
            result = simulate(day, profile, stops=True)
        cpu_s += result.cpu_s
        gc.collect()
        for violation in result.violations:
            return _catch(number, violation.name, violation.text, day + 1, cpu_s)
    return _catch(number, "", "", days, cpu_s)


def _catch(number: int, invariant: str, text: str, days: int, cpu_s: float) -> Catch:
    defect = DEFECTS[number]
    return Catch(name=defect.name, story=defect.story, invariant=invariant, text=text, days=days, cpu_s=cpu_s)


def hunt_all(numbers: Sequence[int], workers: int) -> Iterator[Catch]:
    """In their order, as they come."""
    with get_context("spawn").Pool(workers, maxtasksperchild=1) as pool:
        yield from pool.imap(hunt, numbers)
