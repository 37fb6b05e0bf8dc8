"""What can go wrong with one call, how often, and the tape of what did: a fault can be taken out of a run again."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Mode(StrEnum):
    """One call's fate. The caller of LOST, LATE and SLOW cannot know whether the effect happened."""

    FINE = "fine"
    KILLED_BEFORE = "killed before"
    KILLED_AFTER = "killed after"
    ERROR = "error"
    LOST = "lost reply"
    LATE = "late"
    DUPLICATE = "duplicate"
    SLOW = "slow"
    GARBLED = "garbled"
    STALE = "stale"
    DOWN = "outage"

    @property
    def spoils(self) -> bool:
        """The caller gets no usable answer."""
        return self in _SPOILS


_SPOILS = frozenset({Mode.ERROR, Mode.LOST, Mode.LATE, Mode.GARBLED, Mode.DOWN})
FATAL = frozenset({Mode.KILLED_BEFORE, Mode.KILLED_AFTER})
EFFECTLESS = frozenset({Mode.KILLED_BEFORE, Mode.ERROR, Mode.DOWN})


@dataclass(frozen=True, slots=True)
class Verdict:
    """`effect_ms` and `answer_ms` after the call began; `again_ms` between the two effects of a duplicate."""

    mode: Mode
    effect_ms: float
    answer_ms: float
    again_ms: float = 40.0
    stale_s: float = 0.0
    second_answer: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that went wrong, by a key that stays the same when other faults are taken out."""

    key: str
    kind: str
    at_ms: int


@dataclass
class Tape:
    """The faults of a run. `only` keeps some of them (all when None): the shrinker takes the others away."""

    only: frozenset[str] | None = None
    faults: list[Fault] = field(default_factory=list)

    def admit(self, key: str, kind: str, at_ms: int) -> bool:
        """Whether this fault may happen; what may is remembered."""
        if self.only is not None and key not in self.only:
            return False
        self.faults.append(Fault(key=key, kind=kind, at_ms=at_ms))
        return True
