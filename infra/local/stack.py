"""The processes of one local stack: AWS emulator, venue sandbox, alert receiver. Opened, reattached to, closed.

What lives where is written to `stack.json` in the state directory before it is used, so that a runner that was killed
finds everything again. One runner at a time: the directory is locked while one works.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

from infra.local.code_version import code_version
from infra.local.processes import Running, cpu_seconds_of, ready_line, spawn, stop
from infra.local.provision import provision
from infra.local.sandbox_client import SandboxClient
from infra.local.template import LocalTemplate, Names, read_template
from infra.local.wall_time import WallTime
from trading.errors import InvalidInput

FORMAT = 1
STACK_NAME = "local"
EMULATOR, SANDBOX, RECEIVER = "emulator", "sandbox", "receiver"
PROCESSES = (EMULATOR, SANDBOX, RECEIVER)
KRAKEN = "kraken"
# A key of the sandbox alone: nothing else in the world knows it.
TRADING_KEY = {"api_key": "local-trading-key", "api_secret": "bG9jYWwgc3RhY2sgdHJhZGluZyBzZWNyZXQ="}
OWN_FILES = ("stack.json", "progress.json", "posts.jsonl", "logs.jsonl", "summary.json", "report.html")


@dataclass(frozen=True, slots=True, kw_only=True)
class StackParameters:
    """What a stack was started with; another stack cannot go on from its state, nor (but on paper) can changed code.

    `prices`: where prices come from and time with them. Empty: the sandbox that the stack starts. `KRAKEN`: the
    addresses in the template. Else the address of a venue. From anywhere but the sandbox only on paper.
    """

    candles: str | None
    seed: int
    coins: int
    rules_override: str = ""
    mode: str = "live"
    prices: str = ""
    code_version: str = field(default_factory=code_version)

    def __post_init__(self) -> None:
        if self.prices and self.mode != "paper":
            raise InvalidInput(
                f"mode is {self.mode!r} with prices from {self.prices}; expected paper: no order leaves here"
            )

    @property
    def processes(self) -> tuple[str, ...]:
        return tuple(name for name in PROCESSES if name != SANDBOX or not self.prices)

    def goes_on_from(self, kept: Mapping[str, Any]) -> bool:
        """Whether a stack that was started with `kept` is this one. A paper account outlives a change of the code."""
        changed = {"code_version": self.code_version} if self.mode == "paper" else {}
        return {**kept, **changed} == asdict(self)

    def sandbox_arguments(self) -> list[str]:
        source = [] if self.candles is None else ["--candles", self.candles]
        key = ["--api-key", TRADING_KEY["api_key"], "--api-secret", TRADING_KEY["api_secret"]]
        return [*source, "--seed", str(self.seed), "--coins", str(self.coins), *key]


class StackFiles:
    """The files of one state directory. Only files named here are ever removed."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.stack = directory / "stack.json"
        self.progress = directory / "progress.json"
        self.posts = directory / "posts.jsonl"
        self.logs = directory / "logs.jsonl"
        self.summary = directory / "summary.json"
        self.report = directory / "report.html"

    def clear(self) -> None:
        for name in OWN_FILES:
            (self.directory / name).unlink(missing_ok=True)


def write_whole(path: Path, document: Mapping[str, Any]) -> None:
    """Replace a JSON file in one step: a reader sees the old or the new one, also after a kill."""
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(document, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    os.replace(fresh, path)


class LocalStack:
    """Open with `LocalStack.open` (starts or goes on) or `LocalStack.attach` (only a living one)."""

    def __init__(self, files: StackFiles, parameters: StackParameters, lock: TextIO | None) -> None:
        self.files = files
        self.parameters = parameters
        self.resumed = False
        self._lock = lock
        self._processes: dict[str, Running] = {}
        self._ready: dict[str, dict[str, Any]] = {}
        self._untouched = True

    @classmethod
    def open(cls, directory: Path, parameters: StackParameters) -> LocalStack:
        """Go on with the living stack of these parameters in `directory`, or replace whatever is there by a new one."""
        directory.mkdir(parents=True, exist_ok=True)
        stack = cls(StackFiles(directory), parameters, _locked(directory))
        try:
            stack._open()
        except BaseException:
            # Prices that were refused leave an older stack as it was; anything later leaves nothing behind.
            stack.leave() if stack._untouched else stack.close()
            raise
        return stack

    @classmethod
    def attach(cls, directory: Path) -> LocalStack:
        """The living stack in `directory`, for an operator. Starts and ends nothing; `owned` when no runner works."""
        files = StackFiles(directory)
        kept = _read(files.stack)
        processes = _processes(kept)
        wanted = StackParameters(**kept["parameters"]).processes if kept.get("parameters") else PROCESSES
        if set(processes) != set(wanted) or not all(each.alive for each in processes.values()):
            raise InvalidInput(f"no local stack is alive in {directory}; start one with: smc-trader demo --keep")
        if not files.progress.exists():
            raise InvalidInput(f"the local stack in {directory} is still starting; try again in some seconds")
        stack = cls(files, StackParameters(**kept["parameters"]), _lock(directory))
        stack.resumed = True
        stack._processes = processes
        stack._ready = {name: ready_line(each) for name, each in processes.items()}
        return stack

    @classmethod
    def end(cls, directory: Path) -> None:
        """End the stack that was left running in `directory`."""
        stack = cls.attach(directory)
        if not stack.owned:
            raise InvalidInput(f"a run works in {directory}; stop it there")
        stack.close()

    @property
    def owned(self) -> bool:
        """No other runner may move this stack."""
        return self._lock is not None

    @property
    def names(self) -> Names:
        return Names(stack=STACK_NAME, endpoint=self.url(EMULATOR))

    def url(self, process: str) -> str:
        return f"http://127.0.0.1:{int(self._ready[process]['port'])}"

    def template(self) -> LocalTemplate:
        """The system as the template describes it, with the sandbox as its venue unless prices come from elsewhere."""
        venue = "" if self.parameters.prices == KRAKEN else self.parameters.prices or self.url(SANDBOX)
        parameters = {
            "Mode": self.parameters.mode,
            "ConfirmLive": "I-UNDERSTAND" if self.parameters.mode == "live" else "",
            **({"SpotUrl": venue, "FuturesUrl": venue} if venue else {}),
            "RulesOverride": self.parameters.rules_override,
            "CodeVersion": self.parameters.code_version,
        }
        return read_template(self.names, parameters)

    @property
    def trading_key(self) -> Mapping[str, str]:
        return TRADING_KEY

    def sandbox(self) -> SandboxClient:
        return SandboxClient(self.url(SANDBOX))

    def time(self) -> SandboxClient | WallTime:
        """Who moves time: the sandbox, or with prices from elsewhere nobody."""
        return WallTime() if self.parameters.prices else self.sandbox()

    def cpu_seconds(self) -> float:
        return sum(cpu_seconds_of(each.pid) for each in self._processes.values())

    def close(self) -> None:
        """End the processes that this stack started, and give the directory free."""
        for name in [each for each in PROCESSES if each in self._processes]:
            process = self._processes.pop(name)
            stop(process)
            process.remove_logs()
        self._record()
        self.leave()

    def leave(self) -> None:
        """Give the directory free and let the processes live."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def __enter__(self) -> LocalStack:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._lock is not None:
            self.close()

    def _open(self) -> None:
        kept = _read(self.files.stack)
        self._processes = _processes(kept)
        same = kept.get("format") == FORMAT and self.parameters.goes_on_from(kept.get("parameters") or {})
        complete = set(self._processes) == set(self.parameters.processes) and all(
            each.alive for each in self._processes.values()
        )
        self.resumed = same and complete and self.files.progress.exists()
        if not self.resumed:
            self._start_anew(kept)
        self._untouched = False
        self._ready = {name: ready_line(each) for name, each in self._processes.items()}
        provision(self.template(), self._secrets())

    def _start_anew(self, kept: dict[str, Any]) -> None:
        """Replace what is there. The sandbox comes first: prices it refuses must not cost the old stack."""
        if "candidate" in kept:
            stop(Running(**kept.pop("candidate")))
        sandbox = None if self.parameters.prices else self._new_sandbox(kept)
        self._untouched = False
        for process in self._processes.values():
            stop(process)
            process.remove_logs()
        self._processes = {}
        self.files.clear()
        if sandbox is not None:
            self._add(SANDBOX, sandbox)
        self._add(EMULATOR, spawn("infra.local.emulator", [], self._log(EMULATOR)))
        self._add(RECEIVER, spawn("infra.local.receiver", ["--posts", str(self.files.posts)], self._log(RECEIVER)))

    def _new_sandbox(self, kept: dict[str, Any]) -> Running:
        arguments = ["--port", "0", *self.parameters.sandbox_arguments()]
        sandbox = spawn("infra.local.sandbox", arguments, self._log(SANDBOX))
        write_whole(self.files.stack, {**kept, "candidate": asdict(sandbox)})
        try:
            ready_line(sandbox)
        except BaseException:
            stop(sandbox)
            sandbox.remove_logs()
            write_whole(self.files.stack, kept)
            raise
        return sandbox

    def _log(self, name: str) -> Path:
        return self.files.directory / f"{name}-{os.getpid()}"

    def _add(self, name: str, process: Running) -> None:
        self._processes[name] = process
        self._record()

    def _secrets(self) -> dict[str, dict[str, str]]:
        receiver = self.url(RECEIVER)
        return {
            "TradingSecret": TRADING_KEY,
            "WebhooksSecret": {"slack": f"{receiver}/slack", "discord": f"{receiver}/discord"},
        }

    def _record(self) -> None:
        processes = {name: asdict(each) for name, each in self._processes.items()}
        document = {"format": FORMAT, "parameters": asdict(self.parameters), "processes": processes}
        write_whole(self.files.stack, document)


def _locked(directory: Path) -> TextIO:
    lock = _lock(directory)
    if lock is None:
        raise InvalidInput(f"another run works in {directory}; wait for it or choose another --state-dir")
    return lock


def _lock(directory: Path) -> TextIO | None:
    """The directory's lock, None when a living process has it. The system gives it free however its holder ends."""
    lock = (directory / "lock").open("w", encoding="utf-8")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return None
    return lock


def _read(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except json.JSONDecodeError:
        raise InvalidInput(f"{path} is not JSON; remove it to start anew") from None
    return document if isinstance(document, dict) else {}


def _processes(kept: Mapping[str, Any]) -> dict[str, Running]:
    return {name: Running(**each) for name, each in kept.get("processes", {}).items()}
