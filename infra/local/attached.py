"""A living local stack as an operator reaches it: beside its runner, or in its place when none works."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

from infra.local.runner import Runner
from infra.local.stack import LocalStack
from infra.local.template import LocalTemplate
from shared.runtime import decisions_of
from shared.storage.decisions import DecisionStore
from trading.errors import InvalidInput

SETTLING_STEPS = 3


class Attached:
    """One command against a living stack. Nothing of the stack is started or ended by it."""

    def __init__(self, stack: LocalStack, log: TextIO) -> None:
        self._runner = Runner(stack, log)
        self._stack = stack

    @classmethod
    @contextmanager
    def open(cls, directory: Path) -> Iterator[Attached]:
        stack = LocalStack.attach(directory)
        try:
            with stack.files.logs.open("a", encoding="utf-8") as log:
                yield cls(stack, log)
        finally:
            stack.leave()

    @property
    def start(self) -> datetime:
        return self._runner.progress.start

    @property
    def template(self) -> LocalTemplate:
        """As of here, this process reads the stores as the functions do."""
        self._runner.invoker.enter("maintain_records")
        return self._runner.template

    @property
    def now(self) -> datetime:
        return self._runner.now

    def control(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Invoke `control_trading`. What a flatten starts is played to its end when no runner does that."""
        result = self._runner.control(payload)
        if result.error:
            raise InvalidInput(result.error)
        answer: dict[str, Any] = result.response
        if answer.get("ok") and payload.get("token") and self._stack.owned:
            self._settle()
        return answer

    def decisions(self) -> DecisionStore:
        return decisions_of(self.template.function("maintain_records").environment["SMC_DECISIONS_TABLE"])

    def _settle(self) -> None:
        self._runner.begin()
        for _ in range(SETTLING_STEPS):
            self._runner.step()
