"""Processes of the local stack: started, recognised after a restart of the runner, and ended, each by its own id.

A child gets a session and log files of its own, so that it survives a killed runner and never writes to a closed pipe.
An id alone does not name a process for ever (ids are used again), so its start time is kept with it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trading.errors import InvalidInput

READY_SECONDS = 60.0
STOP_SECONDS = 5.0
POLL_SECONDS = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A started process. `birth` is the system's record of its start; `log` the start of its log files' names."""

    pid: int
    birth: str
    log: str

    @property
    def alive(self) -> bool:
        return birth_of(self.pid) == self.birth

    @property
    def out(self) -> Path:
        return Path(self.log + ".out")

    @property
    def err(self) -> Path:
        return Path(self.log + ".err")

    def remove_logs(self) -> None:
        """What it complained about is kept."""
        self.out.unlink(missing_ok=True)
        if self.err.exists() and not self.err.stat().st_size:
            self.err.unlink()


def spawn(module: str, arguments: Sequence[str], log: Path) -> Running:
    """Run `python -m module` with its output in `log`.out and `log`.err; see `ready_line`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with Path(f"{log}.out").open("wb") as out, Path(f"{log}.err").open("wb") as err:
        child = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
        )
    return Running(pid=child.pid, birth=birth_of(child.pid) or "", log=str(log))


def ready_line(process: Running) -> dict[str, Any]:
    """The first line it prints, a JSON object with its `port`.

    Raises InvalidInput with the process's own last words when it ends instead.
    """
    found: dict[str, Any] = {}

    def done() -> bool:
        first, newline, _ = process.out.read_text(encoding="utf-8", errors="replace").partition("\n")
        if newline:
            found.update(json.loads(first))
        return bool(found) or not process.alive

    _wait(done, READY_SECONDS)
    if "port" not in found:
        words = process.err.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        said = words[-1] if words else f"it said nothing (see {process.err})"
        raise InvalidInput(f"{process.out.stem} was not ready: {said}" if process.alive else said)
    return found


def stop(process: Running) -> None:
    """End it and wait until it is gone. Does nothing when its id now belongs to another process."""
    for way in (signal.SIGTERM, signal.SIGKILL):
        if not process.alive:
            break
        os.kill(process.pid, way)
        _wait(lambda: not process.alive, STOP_SECONDS)
    if process.alive:
        raise InvalidInput(f"process {process.pid} of the local stack could not be ended; end it by hand")
    _reap(process.pid)


def birth_of(pid: int) -> str | None:
    """The start time of a living process in the system's own words, None when there is none (a zombie is dead)."""
    if Path("/proc/self/stat").exists():
        try:
            # The command in parentheses may hold anything; state is the first field after it, start time the 20th.
            rest = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            return None
        return None if rest[0] in "ZX" else rest[19]
    answer = subprocess.run(["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    state, _, started = answer.stdout.strip().partition(" ")
    return None if not started or state.startswith("Z") else started.strip()


def cpu_seconds_of(pid: int) -> float:
    """Processor time a living process has used, 0 where the system does not say."""
    try:
        rest = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return (int(rest[11]) + int(rest[12])) / os.sysconf("SC_CLK_TCK")


def _wait(done: Callable[[], bool], seconds: float) -> None:
    until = time.monotonic() + seconds
    while not done() and time.monotonic() < until:
        time.sleep(POLL_SECONDS)


def _reap(pid: int) -> None:
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return  # it was started by an earlier runner; its new parent collects it
