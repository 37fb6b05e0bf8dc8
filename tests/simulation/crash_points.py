"""Every call of a core scenario fails once in every way it can: killed before or after, refused, unanswered, late."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing import get_context
from random import Random

from tests.simulation.campaign import percentile
from tests.simulation.fault_model import SENDS
from tests.simulation.faults import Mode, Tape, Verdict
from tests.simulation.invariants.protection import CoveredInTime
from tests.simulation.judge import Judge, Violation
from tests.simulation.kernel import Call, Process
from tests.simulation.playing import play
from tests.simulation.scenario_list import SCENARIOS, TIER_B, scenario_of
from tests.simulation.scenarios import Scenario, ScriptedWorkload
from tests.simulation.tiers import TIERS
from tests.simulation.world import QUIET_MS, SimulatedWorld

LONGEST_NAKED_S = 60.0
RUNS_PER_TASK = 60
"""Killed processes are never resumed and slow their operating-system process down."""

TASKS_PER_PROCESS = 4
EVERYWHERE = (Mode.KILLED_BEFORE, Mode.KILLED_AFTER, Mode.ERROR, Mode.LOST)
LATE_MS = 3_000
"""After the caller gave up, and still before the time by which the venue has to process the order."""

AGAIN_MS = 700
NEAR = 30  # calls at most from the first fault of a pair to the second one, in every other pair


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One call of a run without faults, by its number; `told` is process, port and operation."""

    number: int
    kind: str
    name: str
    writes: bool
    told: str

    def modes(self) -> tuple[Mode, ...]:
        send = self.name in SENDS
        garbled = (Mode.GARBLED,) if self.kind in ("venue", "spot") and (send or not self.writes) else ()
        again = (Mode.DUPLICATE,) if self.writes and self.kind in ("venue", "store") else ()
        return (*EVERYWHERE, *garbled, *again, *((Mode.LATE,) if send else ()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One run. `naked_s` are the stretches without a full stop, `counts` as for a day."""

    scenario: str
    faults: tuple[str, ...]
    sites: tuple[Site, ...]
    violations: tuple[Violation, ...]
    naked_s: tuple[float, ...]
    counts: Counter[str]
    digest: str
    cpu_s: float

    @property
    def longest_naked_s(self) -> float:
        return max(self.naked_s, default=0.0)

    @property
    def stands_too_long(self) -> bool:
        """Of more faults than one each may cost its share."""
        return len(self.faults) < 2 and self.longest_naked_s > LONGEST_NAKED_S


@dataclass
class Injector:
    """Decides as the world would, but for the numbered calls. The dice are thrown as in a run without faults.

    `hit`: what came about of `planned`; after one fault there may be fewer calls, or some that cannot fail so."""

    world: SimulatedWorld
    planned: Mapping[int, Mode]
    sites: list[Site] = field(default_factory=list)
    hit: list[str] = field(default_factory=list)

    def decide(self, process: Process, call: Call) -> Verdict:
        plain = self.world.faults.decide(process, call)
        now_ms = self.world.kernel.now_ms
        if now_ms >= self.world.faults.quiet_from_ms:
            return plain
        number = len(self.sites)
        told = f"{process.invocation.name}#{process.calls} {call.kind}.{call.name}"
        site = Site(number=number, kind=call.kind, name=call.name, writes=call.writes, told=told)
        self.sites.append(site)
        mode = self.planned.get(number, Mode.FINE)
        if mode not in site.modes() or not self.world.tape.admit(told, f"{call.kind}.{call.name} {mode}", now_ms):
            return plain
        self.hit.append(f"{told} {mode}")
        return _verdict(mode, call, plain)


def _verdict(mode: Mode, call: Call, plain: Verdict) -> Verdict:
    if mode is Mode.LOST:
        return Verdict(mode, plain.effect_ms, call.timeout_ms)
    if mode is Mode.LATE:
        return Verdict(mode, call.timeout_ms + LATE_MS, call.timeout_ms)
    if mode is Mode.DUPLICATE:
        return Verdict(mode, plain.effect_ms, plain.answer_ms + AGAIN_MS, AGAIN_MS, second_answer=True)
    return Verdict(mode, plain.effect_ms, plain.answer_ms)


def run_scenario(scenario: Scenario, planned: Mapping[int, Mode]) -> Outcome:
    """The scenario with exactly these faults, and its quiet end."""
    world = scenario.world(Tape())
    injector = Injector(world, planned)
    world.kernel.decide = injector.decide
    played = play(ScriptedWorkload(world, scenario), world.day_ms + QUIET_MS)
    return Outcome(
        scenario=scenario.name,
        faults=tuple(injector.hit),
        sites=tuple(injector.sites) if not planned else (),
        violations=played.violations,
        naked_s=_stretches(played.judge, world),
        counts=played.counts,
        digest=played.digest,
        cpu_s=played.cpu_s,
    )


def _stretches(judge: Judge, world: SimulatedWorld) -> tuple[float, ...]:
    """Those that ended, and those that still last."""
    covered = next(each for each in judge.invariants if isinstance(each, CoveredInTime))
    lasting = [(world.kernel.now() - each.since).total_seconds() for each in covered.running.values()]
    return (*covered.stretches, *lasting)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A scenario without faults, and what is to be tried on it."""

    base: Outcome
    missing: tuple[str, ...]
    single: tuple[Mapping[int, Mode], ...]

    def pairs(self, count: int, seed: int) -> tuple[Mapping[int, Mode], ...]:
        """`count` pairs drawn from all, every other one of calls near each other; the second fault is numbered as the
        run with the first one counts."""
        random, sites = Random(f"{self.base.scenario}:{seed}"), self.base.sites
        found = []
        for number in range(count):
            first, second = sorted(random.sample(range(len(sites)), 2))
            if number % 2:
                second = min(first + random.randint(1, NEAR), len(sites) - 1)
            found.append({each: random.choice(sites[each].modes()) for each in (first, second)})
        return tuple(found)


def plan(scenario: Scenario) -> Plan:
    base = run_scenario(scenario, {})
    return Plan(
        base=base,
        missing=tuple(each for each in scenario.expects if not base.counts[each]),
        single=tuple({site.number: mode} for site in base.sites for mode in site.modes()),
    )


Task = tuple[str, Sequence[Mapping[int, Mode]]]


def _task(task: Task) -> list[Outcome]:
    scenario = scenario_of(task[0])
    return [run_scenario(scenario, each) for each in task[1]]


def run_all(work: Iterable[Task], workers: int) -> Iterator[Outcome]:
    """Everything planned, in order; each task in a process that is renewed before it becomes slow."""
    tasks: list[Task] = [
        (name, batch[at : at + RUNS_PER_TASK]) for name, batch in work for at in range(0, len(batch), RUNS_PER_TASK)
    ]
    if workers < 2:
        for task in tasks:
            yield from _task(task)
        return
    # Not a ProcessPoolExecutor: it can wait for ever once its processes are renewed.
    with get_context("spawn").Pool(workers, maxtasksperchild=TASKS_PER_PROCESS) as pool:
        for found in pool.imap(_task, tasks):
            yield from found


# printed


@dataclass
class Tally:
    """All runs of one scenario."""

    plan: Plan
    wanted: int = 0
    runs: int = 0
    cpu_s: float = 0.0
    hits: int = 0
    naked: list[float] = field(default_factory=list)
    worst: Outcome | None = None
    violations: Counter[str] = field(default_factory=Counter)

    def add(self, outcome: Outcome) -> None:
        self.runs += 1
        self.cpu_s += outcome.cpu_s
        self.hits += len(outcome.faults)
        self.naked.append(outcome.longest_naked_s)
        self.violations.update(each.name for each in outcome.violations)
        if outcome.stands_too_long:
            self.violations["too long without a stop"] += 1
        if self.worst is None or outcome.longest_naked_s > self.worst.longest_naked_s:
            self.worst = outcome

    def row(self) -> str:
        base, longest = self.plan.base, max(self.naked, default=0.0)
        return (
            f"{base.scenario:40s} {len(base.sites):6d} {self.runs:5d} {base.longest_naked_s:9.1f} s {longest:8.1f} s  "
            f"{dict(self.violations) or 0}"
        )


def show_failures(outcome: Outcome) -> None:
    for each in outcome.violations:
        print(f"VIOLATION {each.name} in {outcome.scenario!r}, {' and '.join(outcome.faults) or 'no fault'}")
        print(f"  at {each.at_ms / 1000:.1f} s: {each.text}", flush=True)


def tell(tallies: Sequence[Tally], modes: Counter[str]) -> int:
    print(f"\n{'scenario':40s} points  runs  naked without/longest  violations")
    for each in tallies:
        print(each.row())
        if max(each.naked, default=0.0) > LONGEST_NAKED_S and each.worst:
            print(f"    longest without a stop: {' and '.join(each.worst.faults)}")
    total: Counter[str] = Counter()
    for each in tallies:
        total.update(each.violations)
    naked = sorted(value for each in tallies for value in each.naked)
    runs, points = sum(each.runs for each in tallies), sum(len(each.plan.base.sites) for each in tallies)
    print(
        f"\nscenarios {len(tallies)}, points {points}, modes {dict(modes)}, runs {runs}, "
        f"faults that came about {sum(each.hits for each in tallies)}"
    )
    print(
        f"longest without a stop: {max(naked, default=0.0):.1f} s, p99 of the runs {percentile(naked, 0.99):.1f} s; "
        f"{sum(each > LONGEST_NAKED_S for each in naked)} runs above {LONGEST_NAKED_S:.0f} s"
    )
    added = max((max(each.naked, default=0.0) - each.plan.base.longest_naked_s for each in tallies), default=0.0)
    print(f"a fault adds at most {added:.1f} s to what the same scenario has without one")
    print(f"{sum(each.cpu_s for each in tallies):.0f} CPU-s")
    print(f"violations: {sum(total.values())} {dict(total)}")
    return 1 if total else 0


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="make crash-points", description=__doc__)
    parser.add_argument("--scenario", action="append", choices=[each.name for each in SCENARIOS])
    parser.add_argument(
        "--pairs", type=int, default=0, help="this many pairs of faults a scenario in place of single ones"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the drawn pairs")
    parser.add_argument("--point", type=int, help="only this call; with one --scenario")
    parser.add_argument("--tier", choices=TIERS, default="A", help="B: points are requests of real adapters and stores")
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args(arguments)
    tallies = {}
    work, modes = [], Counter[str]()
    names = given.scenario or [each.name for each in SCENARIOS]
    for scenario in (scenario_of(each if given.tier == "A" else TIER_B + each) for each in names):
        planned = plan(scenario)
        tallies[scenario.name] = tally = Tally(planned)
        show_failures(planned.base)
        tally.violations.update(each.name for each in planned.base.violations)
        for missing in planned.missing:
            print(f"{scenario.name}: without a fault there is no {missing!r}")
            tally.violations["script"] += 1
        batch = planned.pairs(given.pairs, given.seed) if given.pairs else planned.single
        if given.point is not None:
            batch = tuple(each for each in batch if given.point in each)
        tally.wanted = len(batch)
        modes.update(str(mode) for each in batch for mode in each.values())
        work.append((scenario.name, batch))
    for outcome in run_all(work, given.workers):
        tally = tallies[outcome.scenario]
        tally.add(outcome)
        show_failures(outcome)
        if tally.runs == tally.wanted:
            # Told as soon as it is known: the whole takes an hour, and may be ended before.
            print(tally.row(), file=sys.stderr, flush=True)
    return tell(list(tallies.values()), modes)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
