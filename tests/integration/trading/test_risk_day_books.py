"""The day's loss is what the venue's books say: entries, exits, fees and funding are all in the equity."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from tests.fakes.cloud import Cloud
from tests.fakes.records import rules_with
from tests.integration.trading.risk_scene import (
    enter,
    lose,
    next_day,
    propose,
    resumed_by_a_person,
    risk_day_of,
    switch,
    told,
)
from tests.integration.trading.world import World, new_world
from trading.model.control import KillLevel

HALTED_SOON = '{"risk": {"maximum_positions": 1, "maximum_positions_per_cluster": 1, "daily_loss_pct": 0.6%s}}'
"""One loser is less than the day may lose, and more with three hours of dear funding."""


def test_day_loss_is_what_the_books_say(world: World) -> None:
    world.minute()
    enter(world, "COIN")
    world.venue.charge_funding("PF_COINUSD", "0.05")
    world.venue.advance(3 * 3600)
    world.minute(COIN="97")
    world.minutes(2)
    (trade,) = world.trades()
    day, books = risk_day_of(world), world.venue.engine.books
    assert (trade.fees > 0, trade.funding < 0, trade.gross < 0) == (True, True, True)
    assert day.start_equity == 10_000
    assert day.last_equity - day.start_equity == books.realised - books.fees + books.funding == trade.net
    cash = sum(
        row.realised - row.fee + row.funding for row in world.venue.ledger_rows(world.venue.now() - timedelta(days=1))
    )
    assert cash == trade.net


def test_open_loss_is_in_the_day_before_the_exit(world: World) -> None:
    world.minute()
    enter(world, "COIN")
    world.minute(COIN="98.5")
    day, margin = risk_day_of(world), world.venue.engine.margin()
    assert margin.unrealised < 0
    assert day.last_equity == margin.equity == 10_000 + margin.unrealised - world.venue.engine.books.fees
    assert world.trades() == ()


def test_fee_alone_is_already_a_loss(world: World) -> None:
    world.minute()
    propose(world, "COIN")
    world.execute()
    world.minute(COIN="99.9")
    world.minute(COIN="100")
    day, books = risk_day_of(world), world.venue.engine.books
    assert books.fees > 0
    assert day.last_equity == 10_000 - books.fees + world.venue.engine.margin().unrealised


def halting_world(cloud: Cloud, more: str = "", funding: str = "0.5") -> World:
    world = new_world(cloud, ["COIN", "OTHER", "THIRD"], rules=rules_with(HALTED_SOON % more))
    world.minute()
    enter(world, "COIN")
    world.venue.charge_funding("PF_COINUSD", funding)
    world.venue.advance(3 * 3600)
    world.minute(COIN="97")
    world.minutes(2)
    return world


@pytest.mark.parametrize(("funding", "halted"), [("0.5", True), ("0", False)])
def test_funding_counts_towards_the_daily_limit(cloud: Cloud, funding: str, halted: bool) -> None:
    world = halting_world(cloud, funding=funding)
    assert world.trades()[0].exit_reason == "stop"
    assert risk_day_of(world).halted is halted
    assert (f"critical/{risk_day_of(world).day}:critical" in told("daily_loss")) is halted


def test_halt_of_today_outlives_a_resume(cloud: Cloud) -> None:
    world = halting_world(cloud)
    assert resumed_by_a_person(world)["daily_loss_halt"] is True
    propose(world, "OTHER")
    assert world.execute().outcomes == {"RISK_REFUSED:daily_loss": 1}
    assert world.entries_placed() == 1
    next_day(world)
    assert risk_day_of(world).halted
    assert resumed_by_a_person(world)["daily_loss_halt"] is False
    world.minutes(2)
    propose(world, "THIRD")
    assert world.execute().outcomes == {"SENT": 1}


def test_switched_off_daily_loss_lets_the_next_out(cloud: Cloud) -> None:
    world = halting_world(cloud, ', "daily_loss_limit": false, "open_risk": false')
    assert not risk_day_of(world).halted
    propose(world, "OTHER")
    assert world.execute().outcomes == {"SENT": 1}
    assert switch(world).level is KillLevel.NORMAL


@pytest.mark.parametrize(("seconds", "same_day"), [("-0.000001", True), ("0", False)])
def test_day_rolls_at_midnight_to_the_microsecond(world: World, seconds: str, same_day: bool) -> None:
    world.minute()
    lose(world, "COIN")
    peak = risk_day_of(world).peak_equity
    midnight = world.venue.now().replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    left = midnight - world.venue.now() + timedelta(microseconds=int(Decimal(seconds) * 1_000_000))
    world.venue.advance(left.total_seconds())
    world.reconcile()
    day = risk_day_of(world)
    assert (day.day == midnight.date()) is not same_day
    assert (day.peak_equity == peak) is same_day
    assert (day.peak_equity == world.venue.account().equity) is not same_day
