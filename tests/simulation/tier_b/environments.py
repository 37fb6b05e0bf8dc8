"""Lambda's execution environments: who is warm, who starts cold, and of which version of the code."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.simulation.kernel import Kernel, Process

COLD_SHARE = 0.02
"""How often an environment that waits is not used again."""


@dataclass(eq=False)
class Environment:
    """What one process of a function has in memory; `made` are its clients."""

    function: str
    version: int
    made: dict[Hashable, Any] = field(default_factory=dict)

    def once(self, key: Hashable, make: Callable[[], Any]) -> Any:
        if key not in self.made:
            self.made[key] = make()
        return self.made[key]


@dataclass
class Environments:
    """`newest` and `both` say which versions answer now. `cold` counts the starts of new environments."""

    kernel: Kernel
    newest: Callable[[], int]
    both: Callable[[], bool]
    cold: int = 0
    _waiting: dict[tuple[str, int], list[Environment]] = field(default_factory=dict)
    _of: dict[Process, Environment] = field(default_factory=dict)
    outside: Environment = field(default_factory=lambda: Environment("simulation", 0))

    def take(self, process: Process) -> tuple[Environment, bool]:
        """The environment in which this invocation runs, and whether it is a new one."""
        random = Random(f"{self.kernel.seed}:{process.invocation.name}:environment")
        version = self.newest()
        if self.both() and random.random() < 0.5:
            version -= 1
        function = process.invocation.function
        waiting = self._waiting.setdefault((function, version), [])
        cold = not waiting or random.random() < COLD_SHARE
        environment = Environment(function, version) if cold else waiting.pop()
        self.cold += cold
        self._of[process] = environment
        return environment, cold

    def give_back(self, process: Process) -> None:
        """After an invocation: one that was killed takes its environment with it."""
        environment = self._of.pop(process, None)
        if environment is not None and not isinstance(process.failure, TimeoutError):
            self._waiting[environment.function, environment.version].append(environment)

    def current(self) -> Environment:
        """That of the running process."""
        process = self.kernel.current()
        return self.of(process) if process else self.outside

    def of(self, process: Process) -> Environment:
        """That of an invocation which is not over."""
        return self._of.get(process, self.outside)
