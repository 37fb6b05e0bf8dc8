"""Time as the machine has it, for a stack whose prices come from a venue that is not its own sandbox."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from decimal import Decimal

from infra.local.sandbox_client import Advanced, SandboxState

LAST = datetime(9999, 1, 1, tzinfo=UTC)
"""Prices of a real venue do not end."""


class WallTime:
    """Answers what a runner asks the sandbox: the time, and to be there when it is later. It has no books."""

    def state(self) -> SandboxState:
        return SandboxState(
            now=datetime.now(UTC),
            last=LAST,
            kind="live",
            positions={},
            client_order_ids=(),
            equity=Decimal(0),
            fills=0,
            seconds_without_stop_max=Decimal(0),
        )

    def advance(self, to: datetime) -> Advanced:
        """Wait until then. Something may always be live: every minute is looked at."""
        time.sleep(max(0.0, (to - datetime.now(UTC)).total_seconds()))
        return Advanced(now=datetime.now(UTC), live=True)
