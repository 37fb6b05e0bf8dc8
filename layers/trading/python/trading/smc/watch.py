"""What is common to everything that waits for a price or for its age."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Final, final

from trading.smc.events import RawEvent

NEVER: Final = float("-inf")
FAR_AWAY: Final = float("inf")
NO_EXPIRY: Final = 2**62


class Watch(ABC):
    """Nothing happens at a bar with a low above `low_guard`, a high below `high_guard` and before bar `expires_at`.

    Whoever reads bars looks at the guards first: most bars change nothing, and a call would cost more than the rest.
    """

    __slots__ = ("expires_at", "high_guard", "low_guard")

    def __init__(self) -> None:
        self.low_guard = NEVER
        self.high_guard = FAR_AWAY
        self.expires_at = NO_EXPIRY

    @abstractmethod
    def advance(self, bar: int, high: float, low: float, close: float, events: list[RawEvent]) -> None:
        """Read a bar that may change something, add the events and set the guards anew."""


@final
class Rest(Watch):
    """Waits for nothing: stands where a concept is switched off."""

    __slots__ = ()

    def advance(self, bar: int, high: float, low: float, close: float, events: list[RawEvent]) -> None:
        """Nothing ever happens."""
