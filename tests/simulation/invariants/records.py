"""S22 - S29, S31 and S32. S30 (no secret in any output) has nothing to judge here: a simulated day knows no secret."""

from __future__ import annotations

from tests.simulation.invariants.bookkeeping import BOOKKEEPING
from tests.simulation.invariants.outcomes import OUTCOMES
from tests.simulation.invariants.provenance import PROVENANCE
from tests.simulation.judge import Invariant

RECORDS: tuple[type[Invariant], ...] = (*BOOKKEEPING, *PROVENANCE, *OUTCOMES)
