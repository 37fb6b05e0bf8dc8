"""What the rules of the quiet phase have in common."""

from __future__ import annotations

from tests.simulation.invariants.seen import at_ms, seen_in
from tests.simulation.judge import Invariant
from tests.simulation.options import MINUTE_MS
from tests.simulation.workload import Workload
from tests.simulation.world import SimulatedWorld
from trading.matching import MarketStatus

SETTLING_MS = 2 * MINUTE_MS
"""2 R: what changed at the venue within this time may not have been looked at yet."""


class QuietRule(Invariant):
    """What the rules of the end have in common."""

    def __init__(self, world: SimulatedWorld, workload: Workload) -> None:
        super().__init__(world, workload)
        self.seen = seen_in(world)

    def moved_lately(self) -> set[str]:
        """Contracts on which something happened too short a time ago to have been looked at."""
        books, options = self.world.venue.engine.books, self.world.options
        lag = max(options.orders_lag_ms, options.positions_lag_ms, options.fills_lag_ms)
        since = self.world.kernel.now_ms - SETTLING_MS - lag
        found = {each.symbol for each in books.fills[-50:] if at_ms(each.time) > since}
        return found | {each.order.symbol for each in books.history[-100:] if at_ms(each.time) > since}

    def damaged(self) -> set[str]:
        return {each.contract for each in self.world.instruments if each.id in self.seen.damaged}

    def online(self, contract: str) -> bool:
        return self.world.venue.engine.market(contract).status is MarketStatus.ONLINE
