"""An account without money, as a new one is: nothing is lost, nothing is traded, and a deposit is all it needs."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from moto.core import DEFAULT_ACCOUNT_ID
from moto.sns.models import sns_backends

from tests.fakes.cloud import REGION, Cloud
from tests.fakes.records import NOW, coin
from tests.fakes.venue import VenueInMemory
from tests.integration.trading.risk_scene import pay_in, propose, published, resumed_by_a_person, risk_day_of, switch
from tests.integration.trading.world import World, new_world
from trading.model.control import KillLevel


def texts(kind: str) -> list[str]:
    """What the alerts of this kind that reached the topic say."""
    topics = sns_backends[DEFAULT_ACCOUNT_ID][REGION].topics.values()
    sent = [json.loads(message) for topic in topics for _, message, *_ in topic.sent_notifications]
    return [alert["text"] for alert in sent if alert["kind"] == kind]


@pytest.fixture
def empty(cloud: Cloud) -> World:
    world = new_world(cloud)
    world.venue = VenueInMemory((coin("COIN"),), NOW, balance="0")
    return world


def test_empty_account_raises_neither_halt_nor_level(empty: World) -> None:
    empty.minutes(3)
    day = risk_day_of(empty)
    assert (day.last_equity, day.halted, day.reached) == (0, False, ())
    assert switch(empty).level is KillLevel.NORMAL
    assert published("daily_loss") == published("kill_level") == []


def test_empty_account_sends_no_entry(empty: World) -> None:
    empty.minute()
    propose(empty, "COIN")
    (outcome,) = empty.execute().outcomes
    assert outcome.startswith("RISK_REFUSED:")
    assert (empty.entries_placed(), empty.cloud.ledger.open_positions()) == (0, ())


def test_first_deposit_trades_the_same_day(empty: World) -> None:
    empty.minute()
    pay_in(empty, Decimal(10_000))
    empty.minute()
    day = risk_day_of(empty)
    assert (day.peak_equity, day.highest_equity, day.implausible, day.halted) == (10_000, 10_000, None, False)
    propose(empty, "COIN")
    assert empty.execute().outcomes == {"SENT": 1}


def test_loss_after_the_first_deposit_still_halts(empty: World) -> None:
    empty.minute()
    pay_in(empty, Decimal(10_000))
    empty.minute()
    pay_in(empty, Decimal(-500))
    empty.minute()
    assert risk_day_of(empty).halted


def test_emptied_account_is_refilled_without_a_halt(cloud: Cloud) -> None:
    world = new_world(cloud)
    world.minute()
    pay_in(world, Decimal(-10_000))
    world.minute()
    assert risk_day_of(world).implausible == 0
    assert "a person accepts it with resume." in texts("discrepancy")[0]
    resumed_by_a_person(world)
    world.minute()
    assert (risk_day_of(world).last_equity, risk_day_of(world).halted) == (0, False)
    pay_in(world, Decimal(10_000))
    world.minute()
    propose(world, "COIN")
    assert world.execute().outcomes == {"SENT": 1}
