"""One winner per version, one taker per signal, and no entry out while entries are stopped."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.storage.ledger import SignalState
from tests.fakes.cloud import Cloud, write_raw
from tests.fakes.records import BAR, NOW, control, filled, planned, signal, trade
from trading.errors import CorruptRecord, StoreConflict
from trading.model.control import KillLevel
from trading.model.positions import Position, PositionState
from trading.model.units import Quantity


def opened(cloud: Cloud, name: str = "COIN") -> Position:
    """A position written ahead under K0."""
    if cloud.control.control(NOW).version == 0:
        cloud.control.set_control(control())
    cloud.ledger.add_signal(signal(name))
    return cloud.ledger.open_position(planned(name), signal(name), cloud.ledger.book(NOW))


def states(cloud: Cloud) -> list[SignalState]:
    return [each.state for each in cloud.ledger.signals_decided_since(BAR, NOW)]


def test_signal_is_recorded_once(cloud: Cloud) -> None:
    assert cloud.ledger.add_signal(signal())
    assert not cloud.ledger.add_signal(signal())
    assert states(cloud) == [SignalState.NEW]


def test_signals_of_other_bars_are_not_due(cloud: Cloud) -> None:
    old = BAR - timedelta(hours=2)
    cloud.ledger.add_signal(signal(decision_bar=old, expires_at=NOW))
    cloud.ledger.add_signal(signal("OTHER", decision_bar=BAR - timedelta(hours=1), expires_at=NOW))
    found = cloud.ledger.signals_decided_since(BAR - timedelta(hours=1), NOW)
    assert [each.signal.instrument for each in found] == ["OTHER"]


def test_signal_is_taken_once_only(cloud: Cloud) -> None:
    position = opened(cloud)
    assert states(cloud) == [SignalState.TAKEN]
    again = replace(planned("OTHER"), id=position.id)
    with pytest.raises(StoreConflict, match="signal taken"):
        cloud.ledger.open_position(again, signal(), cloud.ledger.book(NOW))
    assert [each.instrument for each in cloud.ledger.open_positions()] == ["COIN"]


def test_settled_signal_is_never_taken(cloud: Cloud) -> None:
    cloud.control.set_control(control())
    cloud.ledger.add_signal(signal())
    assert cloud.ledger.settle_signal(signal(), SignalState.REFUSED)
    assert not cloud.ledger.settle_signal(signal(), SignalState.EXPIRED)
    with pytest.raises(StoreConflict):
        cloud.ledger.open_position(planned(), signal(), cloud.ledger.book(NOW))
    assert states(cloud) == [SignalState.REFUSED]


def test_taken_signal_is_not_settled_again(cloud: Cloud) -> None:
    opened(cloud)
    assert not cloud.ledger.settle_signal(signal(), SignalState.EXPIRED)


def test_one_position_per_instrument(cloud: Cloud) -> None:
    opened(cloud)
    second = signal(structure_id="ob-2")
    cloud.ledger.add_signal(second)
    with pytest.raises(StoreConflict, match="occupied"):
        cloud.ledger.open_position(planned(), second, cloud.ledger.book(NOW))
    with pytest.raises(StoreConflict, match="already has"):
        cloud.ledger.adopt_position(filled())


@pytest.mark.parametrize("level", [level for level in KillLevel if level])
def test_nothing_is_planned_while_entries_are_stopped(cloud: Cloud, level: KillLevel) -> None:
    cloud.control.set_control(control(level))
    cloud.ledger.add_signal(signal())
    with pytest.raises(StoreConflict, match="entries stopped"):
        cloud.ledger.open_position(planned(), signal(), cloud.ledger.book(NOW))
    assert cloud.ledger.open_positions() == ()
    assert states(cloud) == [SignalState.NEW]


def test_missing_control_record_stops_entries(cloud: Cloud) -> None:
    cloud.ledger.add_signal(signal())
    with pytest.raises(StoreConflict):
        cloud.ledger.open_position(planned(), signal(), cloud.ledger.book(NOW))


@pytest.mark.parametrize("level", [level for level in KillLevel if level])
def test_entry_send_is_refused_when_not_normal(cloud: Cloud, level: KillLevel) -> None:
    position = opened(cloud)
    cloud.control.set_control(control(level, version=1))
    with pytest.raises(StoreConflict, match="not sent"):
        cloud.ledger.save_entry_send(position)
    assert cloud.ledger.position(position.instrument) == position
    saved = cloud.ledger.save_position(position)
    assert saved.version == position.version + 1


def test_entry_send_passes_under_normal(cloud: Cloud) -> None:
    position = opened(cloud)
    assert cloud.ledger.save_entry_send(position).version == 2
    with pytest.raises(StoreConflict):
        cloud.ledger.save_entry_send(position)


def test_one_writer_wins_per_version(cloud: Cloud) -> None:
    position = opened(cloud)
    mine, theirs = replace(position, close_reason="mine"), replace(position, close_reason="theirs")
    saved = cloud.ledger.save_position(mine)
    with pytest.raises(StoreConflict, match="version 1"):
        cloud.ledger.save_position(theirs)
    assert cloud.ledger.position(position.instrument) == saved
    assert saved.close_reason == "mine"


def test_unknown_position_cannot_be_saved(cloud: Cloud) -> None:
    with pytest.raises(StoreConflict):
        cloud.ledger.save_position(planned())


def test_closed_position_keeps_its_whole_record(cloud: Cloud) -> None:
    position = cloud.ledger.save_position(replace(opened(cloud), quantity=Quantity(3)))
    closed = position.moved(PositionState.CLOSED)
    cloud.ledger.close_position(closed, trade())
    assert cloud.ledger.open_positions() == ()
    assert cloud.ledger.position(position.instrument) is None
    assert cloud.ledger.trades(["2024-05"]) == (trade(),)
    assert cloud.ledger.closed_positions(["2024-05"]) == (closed,)
    assert cloud.ledger.trades(["2024-06"]) == ()


def test_stale_writer_cannot_close(cloud: Cloud) -> None:
    position = opened(cloud)
    cloud.ledger.save_position(position)
    with pytest.raises(StoreConflict):
        cloud.ledger.close_position(position.moved(PositionState.CLOSED), trade())
    assert cloud.ledger.trades(["2024-05"]) == ()
    assert len(cloud.ledger.open_positions()) == 1


def test_unfilled_position_is_kept_without_trade(cloud: Cloud) -> None:
    position = opened(cloud)
    cloud.ledger.close_position(position.moved(PositionState.CLOSED), None)
    assert cloud.ledger.trades(["2024-05"]) == ()
    assert [each.id for each in cloud.ledger.closed_positions(["2024-05"])] == [position.id]


def test_damaged_position_is_refused_loudly(cloud: Cloud) -> None:
    write_raw("POSITION", "COIN", body='{"id": 3}')
    with pytest.raises(CorruptRecord, match="Position"):
        cloud.ledger.position(planned().instrument)
