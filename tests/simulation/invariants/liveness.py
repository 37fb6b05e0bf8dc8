"""Not written yet."""

from __future__ import annotations

from tests.simulation.judge import Invariant

LIVENESS: tuple[type[Invariant], ...] = ()
