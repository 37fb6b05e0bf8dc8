"""A failure that is kept: what went wrong, by value, so that it is the same run for ever."""

from __future__ import annotations

import gc
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from tests.simulation.faults import Fault, Tape
from tests.simulation.judge import Violation
from tests.simulation.options import DAY_MS, MINUTE_MS, Options, draw_options
from tests.simulation.people import People
from tests.simulation.playing import play
from tests.simulation.report import commit
from tests.simulation.workload import Workload
from tests.simulation.world import QUIET_MS, SimulatedWorld

KEPT = Path(__file__).parent / "kept"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A run that violates `invariant`: only these faults happen and only these signals are offered (all when None).

    Nothing goes wrong from `quiet_from_ms` on; the run ends at `until_ms`, judged as at the end of a day when that is
    the end of its quiet phase.
    """

    invariant: str
    options: Options
    faults: tuple[str, ...] | None = None
    signals: tuple[int, ...] | None = None
    until_ms: int = DAY_MS + QUIET_MS
    quiet_from_ms: int = DAY_MS

    @property
    def ends_quiet(self) -> bool:
        return self.until_ms >= self.quiet_from_ms + QUIET_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """What a case did. `faults` are those that happened, `offered` the numbers of the signals."""

    violations: tuple[Violation, ...]
    faults: tuple[Fault, ...]
    offered: int
    cpu_s: float

    def violation_of(self, invariant: str) -> Violation | None:
        return next((each for each in self.violations if each.name == invariant), None)


class SomeSignals(Workload):
    """A day of which only these signals are offered; the dice are thrown for all of them."""

    only: frozenset[int] | None = None

    def _signal(self, number: int, coin_roll: float, depth: float, width: float) -> Callable[[], None]:
        if self.only is not None and number not in self.only:
            return lambda: None
        return super()._signal(number, coin_roll, depth, width)


def replay(case: Case) -> Replay:
    only = None if case.faults is None else frozenset(case.faults)
    world = SimulatedWorld(options=case.options, tape=Tape(only=only))
    faults = world.faults
    faults.quiet_from_ms = case.quiet_from_ms
    faults.windows = [replace(each, end_ms=min(each.end_ms, case.quiet_from_ms)) for each in faults.windows]
    workload = SomeSignals(world)
    workload.only = None if case.signals is None else frozenset(case.signals)
    played = play(workload, case.until_ms, people=People(world), quiet=case.ends_quiet)
    gc.collect()
    return Replay(
        violations=played.violations,
        faults=tuple(world.tape.faults),
        offered=case.options.signals,
        cpu_s=played.cpu_s,
    )


def case_of(seed: int, profile: str, invariant: str) -> Case:
    return Case(invariant=invariant, options=draw_options(seed, profile))


def to_json(case: Case, found: Replay) -> str:
    """Options that differ from those of a perfect day are kept by value: a later change of the dice changes nothing."""
    plain = asdict(Options(seed=0, profile="calm"))
    options = {name: value for name, value in asdict(case.options).items() if plain[name] != value}
    violation = found.violation_of(case.invariant)
    body = {
        "invariant": case.invariant,
        "text": violation.text if violation else "",
        "at_ms": violation.at_ms if violation else case.until_ms,
        "commit": commit(),
        "seed": case.options.seed,
        "profile": case.options.profile,
        "faults": [{"key": each.key, "kind": each.kind, "at_ms": each.at_ms} for each in found.faults],
        "signals": None if case.signals is None else list(case.signals),
        "until_ms": case.until_ms,
        "quiet_from_ms": case.quiet_from_ms,
        "options": options,
    }
    return json.dumps(body, indent=2) + "\n"


def from_json(text: str) -> Case:
    body = json.loads(text)
    known = {each.name for each in fields(Options)}
    if unknown := body["options"].keys() - known:
        raise ValueError(f"the kept case names options {sorted(unknown)} that a day no longer has")
    signals = body["signals"]
    options = {"seed": body["seed"], "profile": body["profile"]} | body["options"]
    return Case(
        invariant=body["invariant"],
        options=Options(**options),
        faults=tuple(each["key"] for each in body["faults"]),
        signals=None if signals is None else tuple(signals),
        until_ms=body["until_ms"],
        quiet_from_ms=body["quiet_from_ms"],
    )


def keep(case: Case, folder: Path = KEPT) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / f"{case.invariant}-{case.options.profile}-{case.options.seed}.json"
    path.write_text(to_json(case, replay(case)))
    return path


def told(case: Case, found: Replay) -> str:
    """The case as a test to read: what goes wrong, in order, and what follows."""
    name = f"test_{case.invariant}_holds_on_{case.options.profile}_day_{case.options.seed}".lower()
    lines = [f"def {name}() -> None:"]
    lines += [f"    # {_clock(each.at_ms)} {each.kind}: {each.key}" for each in found.faults] or [
        "    # no fault at all"
    ]
    violation = found.violation_of(case.invariant)
    if violation is not None:
        lines.append(f"    # {_clock(violation.at_ms)} {violation.text}")
    file_name = f"{case.invariant}-{case.options.profile}-{case.options.seed}.json"
    lines.append(f'    assert not replay(from_json((KEPT / "{file_name}").read_text())).violations')
    return "\n".join(lines)


def _clock(at_ms: int) -> str:
    return f"{at_ms // 3_600_000:02d}:{at_ms // MINUTE_MS % 60:02d}:{at_ms / 1000 % 60:06.3f}"
