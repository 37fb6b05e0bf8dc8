"""How far the candles of one coin are to be trusted. A coin that is not healthy gets no entries; what is open in it is
managed as before."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from trading.errors import IllegalTransition, InvalidInput
from trading.model.times import require_utc


class QualityState(StrEnum):
    """DEGRADED is fetched like any other coin, but nobody waits for it; SUSPENDED is only probed now and then."""

    HEALTHY = "HEALTHY"
    DEGRADED = "DEGRADED"
    SUSPENDED = "SUSPENDED"


QUALITY_TRANSITIONS: dict[QualityState, frozenset[QualityState]] = {
    QualityState.HEALTHY: frozenset({QualityState.DEGRADED}),
    QualityState.DEGRADED: frozenset({QualityState.HEALTHY, QualityState.SUSPENDED}),
    QualityState.SUSPENDED: frozenset({QualityState.DEGRADED}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CoinQuality:
    """`since`: when it came to this state; `reason`: its latest failure or flaws, empty once it is healthy again.

    `failures` counts runs in a row that brought no bar, `failed_at` is the last of them; `passes` counts sound closes
    in a row while it is not healthy, `passed_close` is the newest close that passed. `failing_since`: first failure
    or flaw since the last pass. `probe_at`: when a suspended coin is looked at again. `absent_until`: open time
    (seconds since 1970) of the newest 15m bar that the exchange is known to have skipped, 0 for none.
    """

    state: QualityState
    since: datetime
    reason: str
    failures: int
    passes: int
    failing_since: datetime | None
    probe_at: datetime | None
    absent_until: int = 0
    failed_at: datetime | None = None
    passed_close: datetime | None = None

    def __post_init__(self) -> None:
        require_utc(self.since, "quality since")
        if (self.probe_at is not None) != (self.state is QualityState.SUSPENDED):
            raise InvalidInput(f"{self.state} coin has its probe at {self.probe_at}; expected one only when suspended")
        if min(self.failures, self.passes, self.absent_until) < 0:
            counts = (self.failures, self.passes, self.absent_until)
            raise InvalidInput(f"quality counts {counts} (failures, passes, absent until); expected 0 or more")

    @classmethod
    def new(cls, now: datetime) -> CoinQuality:
        """A coin nothing is known about: trusted until it fails."""
        return cls(
            state=QualityState.HEALTHY, since=now, reason="", failures=0, passes=0, failing_since=None, probe_at=None
        )

    def moved(self, state: QualityState, now: datetime, **changes: object) -> CoinQuality:
        """The same coin one edge further. Staying is allowed and keeps `since`; any other unlisted edge raises."""
        if state is not self.state and state not in QUALITY_TRANSITIONS[self.state]:
            raise IllegalTransition(f"the quality of a coin cannot go from {self.state} to {state}")
        since = self.since if state is self.state else now
        return replace(self, state=state, since=since, **changes)  # type: ignore[arg-type]
