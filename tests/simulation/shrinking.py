"""From a day that violates an invariant to the few faults that do it, kept as a file that is replayed for ever."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.simulation.campaign import DayResult, profile_of
from tests.simulation.judge import Violation
from tests.simulation.kept_cases import KEPT, Case, Replay, case_of, keep, replay, told
from tests.simulation.options import MINUTE_MS, PROFILES, Options
from tests.simulation.world import QUIET_MS

BUDGET_S = 60.0
LATEST = (1, 2, 4, 8, 16, 32, 64)
"""So many of the last faults are tried alone before the search begins: the cause is mostly near."""

ENVIRONMENT = ("orders_lag_ms", "positions_lag_ms", "fills_lag_ms", "history_lag_ms", "log_lag_ms")
PLAINER = (*ENVIRONMENT, "partial_fills", "clock_offset_ms")
"""Options that may be put back to those of a perfect day without another throw of the dice."""


@dataclass
class Shrinker:
    """Tries smaller cases while the budget of CPU seconds lasts; `tries` counts them."""

    budget_s: float = BUDGET_S
    tries: int = 0

    def __post_init__(self) -> None:
        self._end = time.process_time() + self.budget_s

    @property
    def left(self) -> bool:
        return time.process_time() < self._end

    def fails(self, case: Case) -> bool:
        self.tries += 1
        return replay(case).violation_of(case.invariant) is not None

    def shrink(self, case: Case) -> Case:
        """A smaller case that violates the same invariant. ValueError when this one does not."""
        whole = replay(case)
        violation = whole.violation_of(case.invariant)
        if violation is None:
            raise ValueError(f"seed {case.options.seed} {case.options.profile} does not violate {case.invariant}")
        case = self._cut(case, whole, violation)
        happened = [each.key for each in sorted(whole.faults, key=lambda each: each.at_ms)]
        known = [each for each in happened if case.faults is None or each in case.faults]
        case = self._near(case, known)
        case = self._fewer_faults(case)
        case = self._fewer_signals(case)
        case = self._plainer(case)
        case = self._fewer_faults(case)
        return self._cut(case, last := replay(case), last.violation_of(case.invariant) or violation)

    def _cut(self, case: Case, seen: Replay, violation: Violation) -> Case:
        """End at the violation; one that is found at the end is looked for after a quiet phase that begins earlier."""
        before = tuple(each.key for each in seen.faults if each.at_ms <= violation.at_ms)
        case = replace(case, faults=before)
        minute = (violation.at_ms // MINUTE_MS + 1) * MINUTE_MS
        if violation.at_ms < case.until_ms:
            shorter = replace(case, until_ms=min(minute, case.until_ms))
            return shorter if self.fails(shorter) else case
        last = max((each.at_ms for each in seen.faults), default=0)
        for minutes in (2, 15, 60, 240):
            quiet = (last // MINUTE_MS + minutes) * MINUTE_MS
            shorter = replace(case, quiet_from_ms=quiet, until_ms=quiet + QUIET_MS)
            if quiet < case.quiet_from_ms and self.left and self.fails(shorter):
                return shorter
        return case

    def _near(self, case: Case, keys: Sequence[str]) -> Case:
        for count in (0, *LATEST):
            if count >= len(keys):
                break
            few = replace(case, faults=tuple(keys[len(keys) - count :]))
            if self.left and self.fails(few):
                return few
        return replace(case, faults=tuple(keys))

    def _fewer_faults(self, case: Case) -> Case:
        kept = self._minimal(case.faults or (), lambda keys: replace(case, faults=tuple(keys)))
        return replace(case, faults=tuple(kept))

    def _fewer_signals(self, case: Case) -> Case:
        numbers = range(case.options.signals) if case.signals is None else case.signals
        kept = self._minimal(tuple(numbers), lambda some: replace(case, signals=tuple(some)))
        return replace(case, signals=tuple(kept))

    def _plainer(self, case: Case) -> Case:
        plain = Options(seed=0, profile="calm")
        for name in PLAINER:
            if getattr(case.options, name) == getattr(plain, name) or not self.left:
                continue
            simpler = replace(case, options=replace(case.options, **{name: getattr(plain, name)}))
            if self.fails(simpler):
                case = simpler
        return case

    def _minimal(self, items: Sequence[Any], with_items: Callable[[Sequence[Any]], Case]) -> list[Any]:
        """Delta debugging: nothing at all, then ever smaller parts are left out while the case goes on failing."""
        kept, parts = list(items), 2
        if kept and self.left and self.fails(with_items(())):
            return []
        while len(kept) > 1 and self.left:
            size = max(len(kept) // parts, 1)
            for at in range(0, len(kept), size):
                fewer = kept[:at] + kept[at + size :]
                if fewer and self.left and self.fails(with_items(fewer)):
                    kept, parts = fewer, max(parts - 1, 2)
                    break
            else:
                if size == 1:
                    break
                parts = min(parts * 2, len(kept))
        return kept


def shrink_and_keep(case: Case, budget_s: float = BUDGET_S, folder: Path = KEPT) -> Path:
    """Print what is left of the case and write it."""
    shrinker = Shrinker(budget_s)
    smaller = shrinker.shrink(case)
    found = replay(smaller)
    print(told(smaller, found))
    offered = "all" if smaller.signals is None else len(smaller.signals)
    path = keep(smaller, folder)
    print(
        f"  {len(found.faults)} faults, {offered} signals after {shrinker.tries} tries, kept as {path.name}", flush=True
    )
    return path


def keep_failures(failures: Sequence[DayResult]) -> None:
    """The first day on which each invariant was violated."""
    first: dict[str, DayResult] = {}
    for result in failures:
        for violation in result.violations:
            first.setdefault(violation.name, result)
    for invariant, result in sorted(first.items()):
        shrink_and_keep(case_of(result.seed, result.profile, invariant))


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation shrink", description=__doc__)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--profile", choices=PROFILES)
    parser.add_argument("--invariant", help="the first that is violated when none is named")
    parser.add_argument("--budget", type=float, default=BUDGET_S, help="CPU seconds")
    given = parser.parse_args(arguments)
    profile = profile_of(given.seed, given.profile)
    invariant = given.invariant
    if invariant is None:
        violations = replay(case_of(given.seed, profile, "")).violations
        if not violations:
            print(f"seed {given.seed} profile {profile} violates nothing")
            return 1
        invariant = violations[0].name
    shrink_and_keep(case_of(given.seed, profile, invariant), given.budget)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
