"""Ledger contract, after the plan: saving, closing, archive and damage are alike in DynamoDB and in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.fakes.records import NOW, control, filled, planned, risk_day, seconds, trade
from tests.simulation.memory.either import KINDS, Stores, everything, opened, stores_of
from trading.errors import CorruptRecord, StoreConflict
from trading.model.flat_stop import FlatStop
from trading.model.instruments import InstrumentId
from trading.model.orders import PositionId
from trading.model.positions import PositionState

COIN = InstrumentId("COIN")


@pytest.fixture(params=KINDS)
def stores(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stores]:
    with stores_of(request.param, monkeypatch) as either:
        yield either


# saving and closing


@pytest.mark.parametrize("version", [0, -1])
def test_position_without_version_is_never_saved(stores: Stores, version: int) -> None:
    stores.ledger.adopt_position(planned())
    with pytest.raises(StoreConflict, match="position id-COIN was never recorded: it is opened or adopted, not saved"):
        stores.ledger.save_position(planned(version=version))


@pytest.mark.parametrize("version", [1, 3])
def test_stale_or_future_version_is_never_saved(stores: Stores, version: int) -> None:
    saved = stores.ledger.save_position(opened(stores))
    late = replace(saved, version=version)
    for refused in (stores.ledger.save_position, stores.ledger.save_entry_send):
        with pytest.raises(StoreConflict, match="COIN"):
            refused(late)
    with pytest.raises(StoreConflict, match="position id-COIN or the risk day moved meanwhile"):
        stores.ledger.close_position(late.moved(PositionState.CLOSED), None)
    assert stores.ledger.open_positions() == (saved,)


def test_absent_position_is_neither_saved_nor_closed(stores: Stores) -> None:
    stores.control.set_control(control())
    for refused in (stores.ledger.save_position, stores.ledger.save_entry_send):
        with pytest.raises(StoreConflict):
            refused(planned(version=1))
    with pytest.raises(StoreConflict):
        stores.ledger.close_position(planned(version=1), trade())
    assert stores.ledger.closed_positions(["2024-05"]) == ()


def test_loss_is_counted_with_its_trade(stores: Stores) -> None:
    day = stores.control.save_risk_day(risk_day())
    position = stores.ledger.adopt_position(filled())
    stores.ledger.close_position(position, trade(), replace(day, halted_on=NOW.date()))
    assert stores.control.risk_day() == replace(day, halted_on=NOW.date(), version=2)
    stores.control.set_control(control())
    with pytest.raises(StoreConflict):
        stores.ledger.save_entry_send(stores.ledger.adopt_position(planned()))


@pytest.mark.parametrize("version", [0, 1, 3])
def test_moved_risk_day_refuses_the_whole_close(stores: Stores, version: int) -> None:
    day = stores.control.save_risk_day(stores.control.save_risk_day(risk_day()))
    position = stores.ledger.adopt_position(filled())
    before = everything(stores)
    with pytest.raises(StoreConflict, match="or the risk day moved meanwhile"):
        stores.ledger.close_position(position, trade(), replace(day, version=version))
    assert everything(stores) == before


def test_day_that_never_was_refuses_the_close(stores: Stores) -> None:
    position = stores.ledger.adopt_position(filled())
    with pytest.raises(StoreConflict):
        stores.ledger.close_position(position, trade(), risk_day())
    assert stores.ledger.open_positions() == (position,)


def test_record_is_archived_once_per_kind(stores: Stores) -> None:
    for refused in (False, True):
        position = stores.ledger.adopt_position(filled())
        if refused:
            with pytest.raises(StoreConflict):
                stores.ledger.close_position(position, trade())
            stores.ledger.close_position(position, None)
        else:
            stores.ledger.close_position(position, trade())
    assert stores.ledger.trades(["2024-05"]) == (trade(),)
    assert len(stores.ledger.closed_positions(["2024-05"])) == 2


def test_archive_comes_by_kind_month_and_plan(stores: Stores) -> None:
    plans = [("A", 40, True), ("B", 0, False), ("C", 1, True), ("D", 0, True), ("E", 41, False)]
    for name, days, held in plans:
        made = filled(name, id=PositionId(f"id-{name}"), planned_at=NOW + timedelta(days=days))
        stores.ledger.close_position(stores.ledger.adopt_position(made), trade(net=days) if held else None)
    months = ["2024-06", "2024-05"]
    assert [each.instrument for each in stores.ledger.closed_positions(months)] == ["A", "D", "C", "E", "B"]
    assert [each.net for each in stores.ledger.trades(months)] == [40, 0, 1]
    assert [each.net for each in stores.ledger.trades(["2024-05", "2024-05"])] == [0, 1, 0, 1]
    assert stores.ledger.trades([]) == ()


# reading


def test_open_positions_come_by_instrument(stores: Stores) -> None:
    for name in ("b", "B", "A1", "A", "Ä"):
        stores.ledger.adopt_position(planned(name))
    assert [each.instrument for each in stores.ledger.open_positions()] == ["A", "A1", "B", "b", "Ä"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"id": 3}', '{"' + 400 * "x" + '": 1}'])
def test_damaged_position_is_named_and_hides_no_other(stores: Stores, text: str) -> None:
    kept = stores.ledger.adopt_position(planned("KEPT"))
    stores.ledger.adopt_position(planned())
    stores.damage.position(COIN, text)
    found, faults = stores.ledger.readable_positions()
    assert found == (kept,)
    assert [each[: len("COIN: stored Position")] for each in faults] == ["COIN: stored Position"]
    assert all(len(each) <= 300 for each in faults)
    with pytest.raises(CorruptRecord, match="stored Position does not decode"):
        stores.ledger.position(COIN)
    with pytest.raises(CorruptRecord):
        stores.ledger.open_positions()


# what the venue answered


def test_newest_answer_about_flat_stops_is_kept(stores: Stores) -> None:
    assert stores.ledger.flat_stop() is None
    answers = [FlatStop(accepted=taken, at=NOW - seconds(age), source="o") for taken, age in ((True, 0), (False, 60))]
    for answer in answers:
        stores.ledger.note_flat_stop(answer)
        assert stores.ledger.flat_stop() == answer
