"""Endpoints that hang take their own time and nobody else's: every position has its turn within one run."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest

from functions.reconcile_positions.reconcile import reconcile_positions
from tests.fakes.cloud import Cloud
from tests.integration.trading.world import World, new_world
from trading.errors import VenueUnavailable
from trading.model.orders import Purpose

COINS = ("COIN", "TWO", "SIX")


@dataclass
class Hanging:
    """The venue with one endpoint that answers nothing, and takes five seconds for that."""

    world: World
    endpoint: str
    asked: list[Any] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        return self._hang if name == self.endpoint else getattr(self.world.venue, name)

    def _hang(self, about: Any) -> Any:
        self.asked.append(about)
        self.world.venue.advance(5)
        raise VenueUnavailable("no answer in 5 s")


@pytest.fixture
def three(cloud: Cloud) -> World:
    world = new_world(cloud, COINS)
    for name in COINS:
        world.open_position(name)
    return world


def uncover(world: World, *names: str) -> None:
    for name in names:
        world.venue.engine.cancel(client_order_id=world.intent(Purpose.STOP, name).client_order_id)
    world.venue.advance(30)


def stops(world: World) -> int:
    return sum(each.trigger_price is not None for each in world.venue.open_orders())


def test_hanging_look_ups_keep_no_stop_away(three: World) -> None:
    uncover(three, *COINS)
    venue = Hanging(three, "order_reports")
    began = three.venue.now()
    report = reconcile_positions(three.desk(venue))
    assert len(venue.asked) == 1
    assert sum("not asked, the others have taken more than 4 s" in each for each in report.failures) == 2
    assert (three.venue.now() - began).total_seconds() < 10
    three.venue.advance(50)
    reconcile_positions(three.desk(venue))
    assert stops(three) == 3


def test_another_look_up_comes_first_every_minute(three: World) -> None:
    uncover(three, *COINS)
    venue = Hanging(three, "order_reports")
    firsts = set()
    for _ in COINS:
        uncover(three, *COINS)
        reconcile_positions(three.desk(venue))
        firsts.add(venue.asked[-1][0])
        three.venue.advance(25)
    assert len(firsts) == 3


def test_hanging_account_log_keeps_no_stop_away(three: World) -> None:
    """Two are over and wait for their prices; the third has lost its stop."""
    uncover(three, "SIX")
    three.venue.advance(20, COIN="97.5", TWO="97.5")
    venue = Hanging(three, "ledger_rows")
    reconcile_positions(three.desk(venue))
    assert len(venue.asked) == 1
    three.venue.advance(55)
    reconcile_positions(three.desk(venue))
    assert len(venue.asked) == 2
    assert stops(three) == 1
    assert three.trades() == ()
    three.minutes(2)
    assert len(three.trades()) == 2
    assert all(each.net < Decimal(0) for each in three.trades())
