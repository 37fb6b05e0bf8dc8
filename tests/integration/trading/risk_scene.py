"""Losing, resuming and looking at the switch: what the scenarios of the risk day are made of."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from moto.core import DEFAULT_ACCOUNT_ID
from moto.sns.models import sns_backends

from functions.control_trading.control import status
from functions.control_trading.desk import ControlDesk
from functions.control_trading.payloads import ResumeRequest
from functions.control_trading.resuming import resume
from shared.storage.tables import LedgerItem
from tests.fakes.cloud import REGION
from tests.integration.trading.world import World
from trading.model.control import Control, RiskDay
from trading.model.positions import Trade
from trading.model.times import Timeframe

DAY = 24 * 3600
SMALL_LIMITS = (
    '{"risk": {"maximum_positions": 1, "maximum_positions_per_cluster": 1, "daily_loss_pct": 0.6, '
    '"weekly_loss_pct": %s, "drawdown_pct": %s, "%s": true}}'
)
"""One stop loses 0.5 % of the equity: the limits stand so near each other that two losers reach them."""


def propose(world: World, name: str, **changes: Any) -> None:
    """A signal of the hour that it is now in the world."""
    world.add_signal(name, decision_bar=Timeframe.H1.floor(world.venue.now()), **changes)


def enter(world: World, name: str) -> None:
    """An entry that fills, protected, with its targets resting."""
    propose(world, name)
    world.execute()
    world.minute(**{name: "99.5"})
    world.minute(**{name: "100.2"})
    assert world.position(name).quantity > 0


def lose(world: World, name: str) -> Trade:
    """A whole losing trade: entered, protected, stopped out, booked."""
    before = world.trades()
    enter(world, name)
    world.minute(**{name: "97"})
    world.minutes(2)
    (trade,) = world.trades()[len(before) :]
    assert trade.exit_reason == "stop"
    return trade


def next_day(world: World, days: int = 1) -> None:
    """To the same time of a later day; nothing runs in between but a discovery of the same markets."""
    world.venue.advance(days * DAY)
    stored = world.cloud.market.universe()
    assert stored is not None
    world.cloud.market.save_universe(stored.universe, world.venue.now(), stored)
    world.minute()


def switch(world: World) -> Control:
    return world.cloud.control.control(world.venue.now())


def risk_day_of(world: World) -> RiskDay:
    day = world.cloud.control.risk_day()
    assert day is not None
    return day


def operator(world: World) -> ControlDesk:
    """What one manual invocation works with; pause, resume and status reach neither venue nor universe."""
    return ControlDesk(
        control=world.cloud.control,
        ledger=world.cloud.ledger,
        alerts=world.cloud.alerts,
        rules=world.rules,
        now=world.venue.now(),
        request_id="request-7",
        universe=world.desk().universe,
        venue_positions=world.venue.positions,
        close=lambda scope: {"scope": scope},
        cancel_entries=lambda: {},
    )


def resumed_by_a_person(world: World) -> dict[str, Any]:
    """Both steps, where there are two."""
    asked = ResumeRequest(action="resume", operator="anna", reason="looked at it")
    answer = resume(operator(world), asked)
    token = answer.get("token")
    return resume(operator(world), asked.model_copy(update={"token": token})) if token else answer


def status_of(world: World) -> dict[str, Any]:
    return status(operator(world))


def told(kind: str) -> list[str]:
    """What was told about, as `severity/subject`."""
    return [item.sk.split("/", 1)[1] for item in LedgerItem.query("TOLD") if item.sk.startswith(f"{kind}/")]


def published(kind: str) -> list[str]:
    """Titles of the alerts of this kind that reached the topic."""
    topics = sns_backends[DEFAULT_ACCOUNT_ID][REGION].topics.values()
    sent = [json.loads(message) for topic in topics for _, message, *_ in topic.sent_notifications]
    return [alert["title"] for alert in sent if alert["kind"] == kind]


def pay_in(world: World, usd: Decimal) -> None:
    """A deposit, or a withdrawal below zero: the venue's cash changes, no order and no trade does."""
    world.venue.engine.books.balance += usd
