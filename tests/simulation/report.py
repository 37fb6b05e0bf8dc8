"""What a campaign prints: progress while it runs, one line to reproduce each failure, and the summary."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable

from tests.simulation.campaign import LOST_REPLY, LOST_SHARE, DayResult, Summary, percentile
from tests.simulation.coverage import every_edge

EVERY_S = 10.0


class Progress:
    """One line every ten seconds, and one for each failing day at once."""

    def __init__(self, wanted: int) -> None:
        self.summary = Summary()
        self._wanted = wanted
        self._told = time.monotonic()

    def show(self, result: DayResult) -> None:
        self.summary.add(result)
        if result.violations:
            _print_failure(result)
        if time.monotonic() - self._told >= EVERY_S:
            self._told = time.monotonic()
            done = len(self.summary.results)
            print(f"{done} of {self._wanted} days, {len(self.summary.failures)} failing", file=sys.stderr, flush=True)


def _print_failure(result: DayResult) -> None:
    for each in result.violations:
        print(f"VIOLATION {each.name} at {_clock(each.at_ms)}: {each.text}")
    tier = "" if result.tier == "A" else f" TIER={result.tier}"
    given = f"SEED={result.seed} PROFILE={result.profile}{tier}"
    print(f"  reproduce: make simulate {given}   (commit {commit()})", flush=True)


def _clock(at_ms: int) -> str:
    seconds = at_ms // 1000
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def commit() -> str:
    """The commit that is simulated; `unknown` outside a repository."""
    found = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return found.stdout.strip() or "unknown"


def tell_day(result: DayResult, again: DayResult) -> int:
    """One day in full; it was run twice, and both must be the same."""
    print(f"seed {result.seed} profile {result.profile}: {result.options}")
    print(f"{result.invocations} invocations, {result.orders} orders, {result.fills} fills, {result.trades} trades")
    _table("faults", result.faults)
    _table("what happened", result.counts)
    _table("examined", result.examined)
    if result.violations:
        _print_failure(result)
    same = result.digest == again.digest
    print(f"trace {result.digest}, run again {again.digest}: {'equal' if same else 'NOT EQUAL'}")
    return 1 if result.violations or not same else 0


def tell_summary(summary: Summary, profile: str | None) -> int:
    results = summary.results
    faults, counts = summary.counted("faults"), summary.counted("counts")
    _table("faults by kind and call", faults)
    _table("edges of life cycles", _only(counts, ("intent ", "position ")))
    _table("entries and protective orders", _only(counts, ("entry ", "protective ")))
    _table("found and done", _only(counts, ("discrepancy", "repaired", "booked", "exit ", "rejected")))
    _table("invariants examined", summary.counted("examined"))
    missing = [edge for edge in every_edge() if not counts[edge]]
    print(f"\nprofile {profile or 'mixed'}, days: {dict(Counter(each.profile for each in results))}")
    a_day = (
        f"{sum(faults.values()) / len(results):.0f} a day, at least {summary.fewest_faults()} on days that are not calm"
    )
    print(f"days {len(results)}, faults {sum(faults.values())} ({a_day})")
    print(
        f"orders {summary.total('orders')}, entries {summary.total('entries')}, fills {summary.total('fills')}, "
        f"trades {summary.total('trades')}"
    )
    print(
        f"replies lost on sends of orders {faults[LOST_REPLY]} of {summary.total('sends')}, "
        f"on {LOST_SHARE:.0%} or more of a day's on {summary.lossy_days()} days"
    )
    for name, calm in (("calm", True), ("all other", False)):
        naked = summary.naked(calm)
        longest, p99 = naked[-1] if naked else 0.0, percentile(naked, 0.99)
        print(
            f"time without a full stop while reachable, {name} days: {len(naked)} times, p99 {p99:.1f} s, "
            f"longest {longest:.1f} s"
        )
    failing = Counter(each.name for result in summary.failures for each in result.violations)
    print(f"duplicate entries {failing['S7']}, orphans {failing['L3']}, unresolved intents {failing['L2']}")
    slots, thinned = summary.total("slots"), summary.total("thinned")
    print(f"schedule slots {slots}, of which idle and skipped {thinned}; invocations {summary.total('invocations')}")
    print(f"edges never taken: {', '.join(missing) or 'none'}")
    print(f"{summary.days_per_cpu_hour():.0f} days per CPU-hour, {sum(each.cpu_s for each in results):.0f} CPU-s")
    print(f"violations: {sum(failing.values())} on {len(summary.failures)} days {dict(failing)}")
    missed = summary.missed() if profile is None else []
    for each in missed:
        print(f"TOO FEW FAULTS: {each}")
    return 1 if summary.failures or missed else 0


def _only(counts: Counter[str], prefixes: Iterable[str]) -> Counter[str]:
    return Counter({name: count for name, count in counts.items() if name.startswith(tuple(prefixes))})


def _table(title: str, counts: Counter[str]) -> None:
    print(f"\n{title}")
    for name, count in sorted(counts.items(), key=lambda each: (-each[1], each[0])):
        print(f"  {count:8d}  {name}")
