"""The rules a run is held against, by the names of the reference."""

from __future__ import annotations

from tests.simulation.invariants.closing import OneIsClosed
from tests.simulation.invariants.control import CONTROL
from tests.simulation.invariants.entries import ENTRIES
from tests.simulation.invariants.exits import EveryExitRuleIsAsked
from tests.simulation.invariants.held import NoEntryWhereSomethingIsHeld
from tests.simulation.invariants.liveness import LIVENESS
from tests.simulation.invariants.protection import PROTECTION
from tests.simulation.invariants.records import RECORDS
from tests.simulation.judge import Invariant

INVARIANTS: tuple[type[Invariant], ...] = (
    *PROTECTION,
    *ENTRIES,
    NoEntryWhereSomethingIsHeld,
    *CONTROL,
    OneIsClosed,
    EveryExitRuleIsAsked,
    *RECORDS,
    *LIVENESS,
)
