"""Not written yet."""

from __future__ import annotations

from tests.simulation.judge import Invariant

RECORDS: tuple[type[Invariant], ...] = ()
