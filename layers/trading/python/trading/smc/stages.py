"""The order of events within a bar, section 3b of the SMC reference."""

from __future__ import annotations

from typing import Final

from trading.smc.events import (
    BLOCK_CLEARED,
    BOS,
    BREAKER,
    CHOCH,
    CHOCH_FAILED,
    EQUAL_LEVELS,
    EXPIRED,
    GAP,
    INDUCEMENT,
    INDUCEMENT_TAKEN,
    INVERSE_GAP,
    KINDS,
    MITIGATION_BLOCK,
    ORDER_BLOCK,
    OTE,
    PERIOD_LEVEL,
    POOL,
    REINFORCED,
    RUN,
    SWEEP,
    SWING,
    SWING_SUPERSEDED,
    RawEvent,
)

PIVOTS: Final = 1
LIVES: Final = 2
POOLS: Final = 3
BREAKS: Final = 4
BLOCKS: Final = 5
GAPS: Final = 6
FEATURES: Final = 7

# What is not named is the life of a zone if it is a change of one, else a feature.
_NAMED: Final = {
    PIVOTS: (SWING, SWING_SUPERSEDED, POOL, EQUAL_LEVELS, PERIOD_LEVEL, INDUCEMENT),
    LIVES: (BREAKER, MITIGATION_BLOCK, INVERSE_GAP),
    POOLS: (SWEEP, RUN, POOL + EXPIRED, INDUCEMENT_TAKEN, BLOCK_CLEARED),
    BREAKS: (BOS, CHOCH, CHOCH_FAILED),
    BLOCKS: (ORDER_BLOCK, ORDER_BLOCK + REINFORCED),
    GAPS: (GAP,),
}
_LIVING: Final = (ORDER_BLOCK, GAP, BREAKER, MITIGATION_BLOCK, INVERSE_GAP, OTE, INDUCEMENT)


def _stages() -> dict[str, int]:
    stages = {kind: stage for stage, kinds in _NAMED.items() for kind in kinds}
    for kind in KINDS:
        changes = any(kind.startswith(f"{living}_") for living in _LIVING)
        stages.setdefault(kind, LIVES if changes else FEATURES)
    return stages


STAGES: Final[dict[str, int]] = _stages()


def stage_of(event: RawEvent) -> int:
    """Where an event belongs in the order within its bar, from 1.

    1 pivots and the levels they make, 2 the life of zones known before, 3 pools taken, 4 structure breaks,
    5 new order blocks, 6 new gaps, 7 features.
    """
    return STAGES[event[0]]
