"""The two tiers of the simulation: one kernel, one workload and one set of rules over two worlds."""

from __future__ import annotations

from tests.simulation.faults import Tape
from tests.simulation.invariants import INVARIANTS
from tests.simulation.judge import Invariant
from tests.simulation.options import Options
from tests.simulation.world import SimulatedWorld

TIERS = ("A", "B")
"""A: real handlers over ports in memory. B: decorated handlers, real stores and adapters over simulated transports."""


def world_kind(tier: str) -> type[SimulatedWorld]:
    # What tier B needs (PynamoDB, ccxt) takes a second to import: tier A and its tests do without.
    if tier == "A":
        return SimulatedWorld
    from tests.simulation.tier_b.world import WorldB

    return WorldB


def make_world(options: Options, tape: Tape, tier: str = "A") -> SimulatedWorld:
    return world_kind(tier)(options=options, tape=tape)


def invariants_of(tier: str) -> tuple[type[Invariant], ...]:
    """All of them; tier B has secrets and prints, so it is held against one more."""
    if tier == "A":
        return INVARIANTS
    from tests.simulation.tier_b.secrecy import NothingSecretLeaves

    return (*INVARIANTS, NothingSecretLeaves)
