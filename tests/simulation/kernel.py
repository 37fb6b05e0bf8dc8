"""Deterministic time and processes: one heap of events, one greenlet for each Lambda invocation.

A process runs until it calls a port; the kernel decides when the effect of the call happens, when its answer comes and
whether either ever does. A killed process is never resumed, so that no `finally` of it runs, as at Lambda; when Python
collects it at last, its ports refuse (`Gone`).
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from greenlet import getcurrent, greenlet

from tests.simulation.faults import EFFECTLESS, FATAL, Mode, Verdict

MILLISECOND = timedelta(milliseconds=1)


class Gone(BaseException):
    """A dead process reached for a port while Python was collecting it."""


@dataclass(slots=True, kw_only=True)
class Call:
    """One call of a port. `effect` runs when the request reaches its service, once or twice or never.

    `spoiled(mode, answer)` says what the caller gets instead of an answer: a value, or it raises. `answer` is what the
    effect returned, None without one. `stale(age_s)` answers from an older state, where a port can do that.
    """

    kind: str
    name: str
    effect: Callable[[], Any]
    spoiled: Callable[[Mode, Any], Any]
    writes: bool
    timeout_ms: int
    stale: Callable[[float], Any] | None = None
    subject: str = ""


@dataclass(slots=True, kw_only=True)
class Invocation:
    """What a process is for: function name, slot and copy name it uniquely within a run."""

    function: str
    name: str
    timeout_s: float
    clock_offset_ms: int = 0
    slow_factor: float = 1.0


class Process(greenlet):
    """One invocation. `failure` is what it raised at its end, None when it returned (`answer`) or is not over."""

    def __init__(self, kernel: Kernel, invocation: Invocation, work: Callable[[], Any]) -> None:
        super().__init__(self._body, parent=kernel.hub)
        self.kernel = kernel
        self.invocation = invocation
        self.work = work
        self.random = Random(f"{kernel.seed}:{invocation.name}")
        self.calls = 0
        self.started_ms = kernel.now_ms
        self.faults = 0
        self.over = False
        self.answer: Any = None
        self.failure: BaseException | None = None

    def _body(self) -> None:
        try:
            self.answer = self.work()
        except Exception as error:  # noqa: BLE001 - what leaves a handler is judged by the invariants
            self.failure = error
        self.kernel.ended(self)


@dataclass
class Kernel:
    """`decide(process, call)` draws what happens to a call; `observe(call)` runs after every effect."""

    seed: int
    start: datetime
    decide: Callable[[Process, Call], Verdict]
    observe: Callable[[Process, Call, Verdict], None] = lambda _process, _call, _verdict: None
    on_end: Callable[[Process], None] = lambda _process: None
    now_ms: int = 0
    steps: int = 0
    running: int = 0
    stopped: bool = False

    def __post_init__(self) -> None:
        self.hub = getcurrent()
        self._heap: list[tuple[int, int, Callable[[], None]]] = []
        self._sequence = 0
        self._dead: list[Process] = []
        self._digest = hashlib.blake2b(digest_size=16)

    # time

    def now(self) -> datetime:
        return self.start + self.now_ms * MILLISECOND

    def at(self, when_ms: int, thunk: Callable[[], None]) -> None:
        """Run `thunk` in the hub at this simulated millisecond; what is due at once keeps the order of asking."""
        self._sequence += 1
        heapq.heappush(self._heap, (max(when_ms, self.now_ms), self._sequence, thunk))

    def after(self, delay_ms: float, thunk: Callable[[], None]) -> None:
        self.at(self.now_ms + int(delay_ms), thunk)

    def run(self, until_ms: int) -> None:
        """Everything that is due until then, in order, unless it is stopped."""
        heap = self._heap
        while heap and heap[0][0] <= until_ms and not self.stopped:
            self.now_ms, _, thunk = heapq.heappop(heap)
            self.steps += 1
            thunk()
        self.now_ms = until_ms

    def note(self, text: str) -> None:
        """Into the trace whose digest two runs of one seed must share."""
        self._digest.update(f"{self.now_ms} {text}\n".encode())

    def digest(self) -> str:
        return self._digest.hexdigest()

    # processes

    def spawn(self, invocation: Invocation, work: Callable[[], Any]) -> Process:
        """Start an invocation now. It dies at its timeout, or up to a second later, whatever it is doing."""
        process = Process(self, invocation, work)
        self.running += 1
        self.note(f"start {invocation.name}")
        self.after(invocation.timeout_s * 1000 + process.random.random() * 1000, lambda: self.kill(process, "timeout"))
        self._switch(process)
        return process

    def kill(self, process: Process, why: str) -> None:
        """Never resume it. Without effect on one that is over."""
        if process.over:
            return
        process.over = True
        self.running -= 1
        process.failure = TimeoutError(why)
        self.note(f"{why} {process.invocation.name}")
        self._dead.append(process)
        self.on_end(process)

    def ended(self, process: Process) -> None:
        """Called by a process as its last act."""
        process.over = True
        self.running -= 1
        self.note(f"end {process.invocation.name} {type(process.failure).__name__ if process.failure else ''}")
        self.on_end(process)

    def current(self) -> Process | None:
        """The process that runs now, None in the hub."""
        found = getcurrent()
        return found if isinstance(found, Process) else None

    def forget_dead(self) -> None:
        """Let Python collect the killed; only when nothing runs any more."""
        self._dead.clear()

    def _switch(self, process: Process) -> None:
        if not process.over:
            process.switch()

    # ports

    def io(self, call: Call) -> Any:
        """A call of a port by the running process; in the hub (the simulation itself) it simply happens."""
        process = self.current()
        if process is None:
            return call.effect()
        if process.over:
            raise Gone(call.name)
        process.calls += 1
        verdict = self.decide(process, call)
        if verdict.mode is not Mode.FINE:
            process.faults += 1
        exchange = _Exchange(kernel=self, process=process, call=call, verdict=verdict)
        exchange.begin()
        return self._wait(exchange)

    def _wait(self, exchange: _Exchange) -> Any:
        self.hub.switch()
        if exchange.process.over:
            raise Gone(exchange.call.name)
        return exchange.outcome()


@dataclass(slots=True, kw_only=True)
class _Exchange:
    """A call under way: the effect after half its latency, the answer after all of it, or what its verdict says."""

    kernel: Kernel
    process: Process
    call: Call
    verdict: Verdict
    answer: Any = None
    error: BaseException | None = None
    happened: bool = field(default=False)

    def begin(self) -> None:
        kernel, verdict, mode = self.kernel, self.verdict, self.verdict.mode
        kernel.note(f"{self.process.invocation.name} {self.call.kind}.{self.call.name} {mode}")
        if mode is Mode.KILLED_BEFORE:
            kernel.kill(self.process, "killed")
            return
        if mode is Mode.KILLED_AFTER:
            kernel.kill(self.process, "killed")
        if mode not in EFFECTLESS:
            kernel.after(verdict.effect_ms, self._happen)
        if mode is Mode.DUPLICATE:
            kernel.after(verdict.effect_ms + verdict.again_ms, self._happen)
        if mode not in FATAL:
            kernel.after(verdict.answer_ms, self._resume)

    def _happen(self) -> None:
        mode = self.verdict.mode
        if mode is Mode.STALE and self.call.stale is not None:
            work: Callable[[], Any] = lambda: self.call.stale(self.verdict.stale_s)  # type: ignore[misc]  # noqa: E731
        else:
            work = self.call.effect
        try:
            answer, error = work(), None
        except Exception as raised:  # noqa: BLE001 - the service's own refusal goes to the caller
            answer, error = None, raised
        # Of a doubled request the caller sees the first answer or the second one, as the proxy likes.
        if not self.happened or self.verdict.second_answer:
            self.answer, self.error = answer, error
        self.happened = True
        self.kernel.observe(self.process, self.call, self.verdict)

    def _resume(self) -> None:
        self.kernel._switch(self.process)

    def outcome(self) -> Any:
        if self.verdict.mode.spoils:
            return self.call.spoiled(self.verdict.mode, self.answer)
        if self.error is not None:
            raise self.error
        return self.answer
