"""Every send of a whole trade, spoiled in every way, one at a time: never two entries, never unprotected for long."""

from __future__ import annotations

from contextlib import suppress

import pytest

from tests.integration.trading.world import World
from trading.model.positions import PositionState

FAULTS = ["lost request", "lost reply", "killed before", "killed after"]
# stop, entry, target 1, target 2, smaller stop, stop at break-even
SENDS = range(6)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("number", SENDS)
def test_spoiled_send_never_harms_the_trade(world: World, number: int, fault: str) -> None:
    world.venue.faults.sends = [""] * number + [fault]
    world.add_signal()
    prices = ["100.2", "99.5", "100.1", "100.2", "102.3", "102.4", "102.4", "102.4", "101"]
    for price in prices:
        world.venue.advance(60, COIN=price)
        for run in (world.reconcile, world.execute, world.manage):
            with suppress(SystemExit):
                run()
    assert world.entries_placed() <= 1
    assert world.venue.naked_seconds_max() <= 60
    for position in world.cloud.ledger.open_positions():
        assert position.state in (PositionState.PROTECTED, PositionState.OPENING)
    world.venue.advance(60, COIN="97")
    world.minutes(6)
    world.venue.advance(3600)
    world.minutes(5)
    assert world.venue.positions() == ()
    assert world.venue.open_orders() == ()
    assert world.cloud.ledger.open_positions() == ()
    assert world.venue.account().equity == 10_000 + sum(each.net for each in world.trades())
