"""A healthy system on the emulator, for tests of health."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from functions.check_health.check import PERIODS, Checked
from functions.check_health.coins import CoinSources
from functions.check_health.look import Places
from shared.queues import QueueDepth
from shared.storage.quality import QualityStore
from tests.integration.operations.conftest import MARKET, RULES, StoppedClock, World
from tests.unit.control.records import NOW, quote
from trading.model.control import KillLevel


def made_well(world: World) -> World:
    """Every function has proven a run a minute ago, and entries are allowed."""
    world.set_level(KillLevel.NORMAL)
    for function in (*PERIODS, "check_health"):
        world.control.record_run(function, NOW - timedelta(minutes=1), {})
    world.venue.tickers = {"PF_BTCUSD": quote()}
    return world


def checked(world: World, **changes: Any) -> Checked:
    """Empty queues, secrets in place, no coin looked at before the first close is due."""
    sources = CoinSources(
        market=world.market,
        quality=QualityStore(MARKET),
        decisions=world.decisions,
        late_after=timedelta(seconds=RULES.data.decision_bar_late_after_s),
    )
    places = Places(
        queues={"bars": "bars-url"},
        dead_letters={"runs": "runs-url"},
        secrets={"trading": "trading-id"},
        depth=lambda url: QueueDepth(waiting=0, taken=0),
        has_value=lambda secret: True,
        coins=sources,
    )
    values: dict[str, Any] = {"control": world.control, "ledger": world.ledger, "market": world.venue, "mode": "live"}
    values |= {"places": places, "rules": RULES, "clock": StoppedClock(NOW), "emailed": False}
    return Checked(**(values | changes))
