"""What was planned before the switch went up is not sent after it came down again."""

from __future__ import annotations

import pytest

from functions.execute_signals.execute import execute_signals
from shared.storage.codec import from_json, to_json
from tests.fakes.records import filled
from tests.integration.trading.interleaving import Meanwhile
from tests.integration.trading.test_order_desk import planned_in
from tests.integration.trading.world import World
from trading.errors import StoreConflict
from trading.model.control import KillLevel
from trading.model.orders import IntentState, Purpose
from trading.model.positions import Position

S = IntentState


def pause_and_resume(world: World) -> None:
    world.set_level(KillLevel.NO_ENTRIES)
    world.set_level(KillLevel.NORMAL)


@pytest.mark.parametrize("paused", [True, False])
def test_write_of_an_entry_send_knows_a_resume(world: World, paused: bool) -> None:
    position = planned_in(world)
    assert position.control_version == 1
    if not paused:
        assert world.cloud.ledger.save_entry_send(position).version == 2
        return
    pause_and_resume(world)
    with pytest.raises(StoreConflict, match="not sent"):
        world.cloud.ledger.save_entry_send(position)


def test_plan_from_before_a_resume_ends_abandoned(world: World) -> None:
    planned_in(world)
    pause_and_resume(world)
    world.execute()
    assert world.venue.placed == []
    assert {each.state for each in world.position().intents} == {S.ABANDONED}
    world.minutes(2)
    (ended,) = world.cloud.ledger.closed_positions(["2024-05"])
    assert ended.close_reason == "the switch was changed after it was planned"


def test_resume_between_stop_and_entry_lets_no_entry_out(world: World) -> None:
    world.add_signal()
    busy = Meanwhile(world.venue, "place", lambda: pause_and_resume(world), after=True)
    report = execute_signals(world.desk(busy))
    assert len(report.failures) == 1
    assert world.entries_placed() == 0
    world.minutes(3)
    assert world.cloud.ledger.open_positions() == ()
    assert world.venue.open_orders() == ()
    assert world.entries_placed() == 0


def test_record_of_an_older_version_still_reads(world: World) -> None:
    text = to_json(filled()).replace('"control_version":0,', "").replace('"resent_at":null,', "")
    assert "control_version" not in text
    assert "resent_at" not in text
    assert from_json(Position, text) == filled()


def test_plan_without_a_recorded_switch_is_not_sent(world: World) -> None:
    position = planned_in(world)
    sent = world.desk().orders.send(position, world.intent(Purpose.STOP))
    unknown = world.cloud.ledger.save_position(_unfenced(sent))
    entry = unknown.intent(Purpose.ENTRY)
    assert entry is not None
    with pytest.raises(StoreConflict, match="not sent"):
        world.desk().orders.send(unknown, entry)


def _unfenced(position: Position) -> Position:
    return from_json(Position, to_json(position).replace('"control_version":1', '"control_version":0'))
