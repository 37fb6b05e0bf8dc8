"""Records that live long: orders refused for hours, positions of the owner held for weeks, stores that fail for one."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from pynamodb.exceptions import PutError

from shared.storage.codec import to_json
from shared.storage.market_data import UNIVERSE_KEY
from tests.fakes.cloud import Cloud
from tests.integration.trading.test_repairs import by_hand
from tests.integration.trading.world import World, new_world
from trading.execution.plan import stop_intent
from trading.model.orders import IntentState, Purpose
from trading.model.positions import ORDERS_KEPT, Position, PositionState
from trading.model.units import Price
from trading.model.venue import Fill

CONTRACT = "PF_COINUSD"
S = IntentState
BYTES_OF_AN_ITEM = 400 * 1024


def refused_often(position: Position, count: int) -> Position:
    """So many stops were refused one after the other."""
    for _ in range(count):
        stop = stop_intent(position, position.quantity, position.planned_at)
        position = position.with_intent(replace(stop, state=S.REJECTED, reason="marketSuspended"))
    return position


def test_refused_replacement_is_tried_once_a_run(world: World) -> None:
    """The old stop still works: six tries a minute would only fill the record and the call budget."""
    position = world.open_position()
    world.cloud.ledger.save_position(replace(position, stop=Price("98.5")))
    world.venue.faults.sends = ["invalidPrice"] * 20
    world.reconcile()
    stops = world.position().of(Purpose.STOP)
    assert [each.state for each in stops] == [S.LIVE, S.REJECTED]


def test_record_of_endless_refusals_stays_storable(world: World) -> None:
    position = replace(world.open_position(), state=PositionState.CLOSING)
    world.cloud.ledger.save_position(refused_often(position, ORDERS_KEPT + 50))
    world.venue.faults.sends = ["marketSuspended"] * 4
    world.minutes(2)
    kept = world.position()
    assert len(kept.intents) <= ORDERS_KEPT
    assert len(to_json(kept)) < BYTES_OF_AN_ITEM / 2
    assert kept.intent(Purpose.EXIT) is not None
    assert kept.of(Purpose.STOP)[0].state is S.LIVE


def test_dropped_refusals_never_give_their_names_again(world: World) -> None:
    position = refused_often(world.open_position(), ORDERS_KEPT + 50)
    kept = position.without_old_refusals()
    assert stop_intent(kept, kept.quantity, kept.planned_at) == stop_intent(position, kept.quantity, kept.planned_at)
    assert {each.purpose for each in kept.intents} == {each.purpose for each in position.intents}
    still = [each for each in position.intents if each.state is not S.REJECTED]
    assert [each for each in kept.intents if each.state is not S.REJECTED] == still


def test_owners_old_position_does_not_widen_the_fills(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Held for weeks, it would ask for more fills than the venue gives: then no record of ours ever ended."""
    by_hand(world, "mkt", "buy", "5")
    world.minute()
    assert world.position().adopted
    world.venue.advance(20 * 24 * 3600)
    asked: list[datetime | None] = []
    fills = world.venue.fills

    def noted(since: datetime | None = None) -> tuple[Fill, ...]:
        asked.append(since)
        return fills(since)

    monkeypatch.setattr(world.venue, "fills", noted)
    world.reconcile()
    assert asked[0] is not None
    assert world.venue.now() - asked[0] <= timedelta(days=3)


def test_failing_store_of_one_entry_leaves_others(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    world = new_world(cloud, ("COIN", "OTHER"))
    world.add_signal("COIN")
    world.add_signal("OTHER")
    world.execute()
    world.venue.advance(2 * 3600)
    save = world.cloud.ledger.save_position

    def failing(position: Position) -> Any:
        if position.contract == CONTRACT:
            raise PutError("throttled")
        return save(position)

    monkeypatch.setattr(world.cloud.ledger, "save_position", failing)
    report = world.execute()
    assert any("throttled" in each for each in report.failures)
    assert world.intent(Purpose.ENTRY, "OTHER").state is S.CANCEL_PENDING


def test_unreadable_universe_keeps_no_ghost_from_its_stop(world: World) -> None:
    spoiled = world.cloud.market._item(*UNIVERSE_KEY)
    spoiled.body, spoiled.data = "{nonsense", b"nonsense"
    spoiled.save()
    by_hand(world, "mkt", "buy", "5")
    world.minute()
    stops = [each for each in world.venue.open_orders() if each.trigger_price is not None]
    assert [each.open_quantity for each in stops] == [5]


def test_ghost_without_a_price_waits_for_its_stop(world: World) -> None:
    """A stop reckoned from the entry may be beyond the mark by now: it would close the owner's position at once."""
    by_hand(world, "mkt", "buy", "5")
    world.venue.advance(60, COIN="80")
    world.venue.faults.reads = {"quotes"}
    report = world.reconcile()
    world.venue.advance(60)
    assert [each.quantity for each in world.venue.positions()] == [5]
    assert report.failures == ["PF_COINUSD: no price is known by which it could get a stop"]
    world.venue.faults.reads.clear()
    world.minute()
    assert world.intent(Purpose.STOP).trigger_price == Price("77.6")
