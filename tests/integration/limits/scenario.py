"""What a scenario is: one limit, one cause in the world, and the same world without that cause."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.integration.limits.local_stack import LocalStack
from trading.model.risk import RefusalReason
from trading.model.signals import Signal

Play = Callable[[LocalStack, bool], Signal]
"""Brings the world to the moment before the run and returns the signal that is judged in it. With False one thing is
not done, and the same signal gets through. Its docstring is one sentence that says what happens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """`rules`: overrides by section, the starting values where empty. `backstop`: why the starting values never let
    this limit refuse alone. `also`: limits that refuse with it in the same world."""

    play: Play
    rules: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    backstop: str = ""
    also: frozenset[RefusalReason] = frozenset()

    @property
    def says(self) -> str:
        return " ".join((self.play.__doc__ or "").split())
