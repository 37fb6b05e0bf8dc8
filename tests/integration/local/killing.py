"""Kills the runner again and again and starts it on the same state, as a crash and a restart would.

`python -m tests.integration.local.killing [KILLS] [SEED]` prints what came of it.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from infra.local.attached import Attached
from infra.local.processes import Running
from infra.local.records import read_records
from infra.local.stack import LocalStack
from infra.local.template import ROOT
from tests.integration.local.commands import smc_trader
from trading.model.orders import Purpose

# Loose gates, so that one simulated day has several entries, stops and exits to be killed in.
LOOSE = {
    "gates": {gate: False for gate in ("adx", "fibonacci", "net_reward", "cost_tight", "cooldown", "structure_reuse")},
    "risk": {"entries_per_coin_day": 60, "repeat_minutes": 0},
    "score": {f"threshold_{regime}_{bias}": 10 for regime in ("tight", "wide") for bias in ("aligned", "neutral")},
}
OPTIONS = ("--coins", "3", "--days", "1", "--trades", "0", "--seed", "3", "--rules-override", json.dumps(LOOSE))
DEADLINE_SECONDS = 600.0


@dataclass
class Killed:
    """What was seen: steps played at each kill, children that died with the runner, and the end of the run."""

    kills: int = 0
    steps: list[int] = field(default_factory=list)
    dead_children: list[str] = field(default_factory=list)
    other_children: list[str] = field(default_factory=list)
    repeated_entries: list[str] = field(default_factory=list)
    exit_code: int = -1
    errors: str = ""
    flatten: dict[str, Any] = field(default_factory=dict)
    status_after: dict[str, Any] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)


def kill_and_resume(state: Path, kills: int, seed: int) -> Killed:
    """Kill `kills` times, at random moments of at most a few seconds of play, then let the run end."""
    seen, dice = Killed(), random.Random(seed)
    command = [sys.executable, "-m", "infra.cli.main", "demo", *OPTIONS, "--keep", "--json", "--state-dir", str(state)]
    until = time.monotonic() + DEADLINE_SECONDS
    first: dict[str, Running] = {}
    try:
        while seen.kills < kills:
            runner = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            _wait_for_progress(state, runner, until, dice)
            if runner.poll() is not None:
                break
            os.kill(runner.pid, signal.SIGKILL)
            runner.wait()
            seen.kills += 1
            _look(state, seen, first)
        ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=DEADLINE_SECONDS, check=False)
        seen.exit_code, seen.errors = ended.returncode, ended.stderr
        seen.summary = json.loads(ended.stdout) if ended.stdout else {}
        seen.repeated_entries = _repeated_entries(state)
        reason = ("--reason", "the end of the test", "--operator", "test", "--yes")
        seen.flatten = _ask(state, "flatten", *reason)
        seen.status_after = _ask(state, "status")
    finally:
        _end(state)
    return seen


def _ask(state: Path, *words: str) -> dict[str, Any]:
    answer = smc_trader(*words, "--state-dir", str(state), "--json")
    document: dict[str, Any] = json.loads(answer.stdout) if answer.returncode == 0 else {"error": answer.stderr}
    return document


def _wait_for_progress(state: Path, runner: subprocess.Popen[bytes], until: float, dice: random.Random) -> None:
    """Until this runner has played a step, and then a random while longer."""
    progress = state / "progress.json"
    before = progress.stat().st_mtime_ns if progress.exists() else 0
    while runner.poll() is None and time.monotonic() < until:
        if progress.exists() and progress.stat().st_mtime_ns != before:
            break
        time.sleep(0.01)
    time.sleep(dice.uniform(0.0, 3.0))


def _look(state: Path, seen: Killed, first: dict[str, Running]) -> None:
    document = json.loads((state / "stack.json").read_text(encoding="utf-8"))
    children = {name: Running(**each) for name, each in document["processes"].items()}
    seen.steps.append(json.loads((state / "progress.json").read_text(encoding="utf-8"))["minutes_fired"])
    seen.dead_children += [name for name, each in children.items() if not each.alive]
    seen.other_children += [name for name, each in children.items() if first.setdefault(name, each) != each]


def _repeated_entries(state: Path) -> list[str]:
    """Signals with more than one position, and positions with more than one entry order that was sent."""
    with Attached.open(state) as local:
        records = read_records(local.template, local.start, local.now)
    positions = Counter((each.instrument, each.id) for each in records.positions)
    repeated = [f"{name} has {count} records" for name, count in positions.items() if count > 1]
    for position in records.positions:
        entries = [each for each in position.intents if each.purpose is Purpose.ENTRY and each.sent_at is not None]
        if len(entries) > 1 or position.entered > position.planned:
            repeated.append(f"{position.id} has {len(entries)} entries and {position.entered} of {position.planned}")
    sent = Counter((each.instrument, each.decision_bar) for each in records.stages if each.outcome == "SENT")
    return repeated + [f"{name} was sent {count} times" for name, count in sent.items() if count > 1]


def _end(state: Path) -> None:
    if (state / "stack.json").exists():
        LocalStack.end(state)


def main() -> None:
    kills, seed = (int(each) for each in (*sys.argv[1:], "20", "1")[:2])
    with TemporaryDirectory() as folder:
        seen = kill_and_resume(Path(folder) / "state", kills, seed)
    summary = seen.summary
    print(f"kills {seen.kills} after {seen.steps} steps, exit code {seen.exit_code}, dead {seen.dead_children}")
    print(f"repeated entries {seen.repeated_entries}, violations {summary.get('violations')}")
    print(f"trades {[(each['id'], each['net_pnl']) for each in summary.get('trades', [])]}")
    print(f"without stop {summary.get('seconds_without_stop_max')} s, discrepancies {summary.get('discrepancies_end')}")
    print(f"flatten {seen.flatten}, open after it {seen.status_after.get('positions')}")
    print(seen.errors)


if __name__ == "__main__":
    main()
