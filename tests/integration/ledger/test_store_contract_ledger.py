"""Ledger contract: DynamoDB and its twin in memory accept, refuse and order alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.storage.ledger import SignalState
from tests.fakes.records import BAR, NOW, control, filled, planned, risk_day, seconds, signal
from tests.simulation.memory.either import KINDS, Stores, everything, opened, stores_of
from trading.errors import StoreConflict
from trading.model.book import EntryBook
from trading.model.control import Guard, KillLevel, RiskDay
from trading.model.instruments import InstrumentId
from trading.model.positions import PositionState
from trading.model.units import Money

COIN = InstrumentId("COIN")


@pytest.fixture(params=KINDS)
def stores(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stores]:
    with stores_of(request.param, monkeypatch) as either:
        yield either


# signals


def test_signals_come_by_bar_then_by_id(stores: Stores) -> None:
    earlier = BAR - timedelta(hours=1)
    made = [signal(name, decision_bar=bar, expires_at=NOW) for bar in (BAR - seconds(0), earlier) for name in "CAB"]
    assert all(stores.ledger.add_signal(each) for each in made)
    found = [each.signal for each in stores.ledger.signals_decided_since(earlier, NOW)]
    assert found == sorted(made, key=lambda each: (each.decision_bar, each.id))
    assert {each.state for each in stores.ledger.signals_decided_since(BAR, NOW)} == {SignalState.NEW}


@pytest.mark.parametrize(("since", "count"), [(0, 1), (1, 0), (-3600, 2), (-3599, 1)])
def test_span_of_signals_includes_its_whole_hours(stores: Stores, since: float, count: int) -> None:
    for bar in (BAR, BAR - timedelta(hours=1), BAR + timedelta(hours=1)):
        stores.ledger.add_signal(signal(decision_bar=bar, expires_at=bar + timedelta(hours=1)))
    assert len(stores.ledger.signals_decided_since(BAR + seconds(since), NOW)) == count


def test_known_signal_keeps_what_was_recorded_first(stores: Stores) -> None:
    assert stores.ledger.add_signal(signal())
    assert not stores.ledger.add_signal(signal(score=99))
    assert stores.ledger.settle_signal(signal(score=98), SignalState.EXPIRED)
    (found,) = stores.ledger.signals_decided_since(BAR, NOW)
    assert (found.signal, found.state) == (signal(), SignalState.EXPIRED)


def test_signal_is_settled_by_one_caller_only(stores: Stores) -> None:
    assert not stores.ledger.settle_signal(signal(), SignalState.REFUSED)
    assert stores.ledger.signals_decided_since(BAR, NOW) == ()
    stores.ledger.add_signal(signal())
    answers = [stores.ledger.settle_signal(signal(), state) for state in (SignalState.REFUSED, SignalState.EXPIRED)]
    assert answers == [True, False]


# opening


def test_opening_writes_position_signal_and_book(stores: Stores) -> None:
    position = opened(stores)
    assert position == replace(planned(), version=1, control_version=1)
    assert stores.ledger.position(COIN) == position
    book = stores.ledger.book(NOW)
    assert (book.version, [each.instrument for each in book.entries]) == (1, ["COIN"])
    assert [each.state for each in stores.ledger.signals_decided_since(BAR, NOW)] == [SignalState.TAKEN]


def raised(stores: Stores) -> None:
    stores.control.set_control(control(KillLevel.NO_ENTRIES, version=1))


def halted(stores: Stores) -> None:
    stores.control.save_risk_day(risk_day(halted_on=NOW.date()))


def guarded(stores: Stores) -> None:
    stores.control.save_risk_day(risk_day(reached=(Guard.DRAWDOWN,)))


def implausible(stores: Stores) -> None:
    stores.control.save_risk_day(risk_day(implausible=Money(1)))


def damaged_without_state(stores: Stores) -> None:
    stores.damage.risk_day("{")


STOPS = [raised, halted, guarded, implausible, damaged_without_state]


@pytest.mark.parametrize("stop", STOPS)
def test_stopped_entries_refuse_plan_and_send(stores: Stores, stop: Callable[[Stores], None]) -> None:
    position = opened(stores)
    stores.ledger.add_signal(signal("OTHER"))
    stop(stores)
    before = everything(stores)
    with pytest.raises(StoreConflict, match="position id-OTHER was not opened: entries stopped, signal taken, OTHER"):
        stores.ledger.open_position(planned("OTHER"), signal("OTHER"), stores.ledger.book(NOW))
    with pytest.raises(StoreConflict, match="the entry of position id-COIN was not sent: entries stopped"):
        stores.ledger.save_entry_send(position)
    assert everything(stores) == before


@pytest.mark.parametrize("day", [None, risk_day(), risk_day(rejections=3)])
def test_open_risk_day_lets_entries_out(stores: Stores, day: RiskDay | None) -> None:
    if day is not None:
        stores.control.save_risk_day(day)
    sent = stores.ledger.save_entry_send(opened(stores))
    assert (sent.version, stores.ledger.position(COIN)) == (2, sent)


def test_missing_switch_refuses_plan_and_send(stores: Stores) -> None:
    stores.ledger.add_signal(signal())
    with pytest.raises(StoreConflict):
        stores.ledger.open_position(planned(), signal(), EntryBook())
    with pytest.raises(StoreConflict):
        stores.ledger.save_entry_send(stores.ledger.adopt_position(planned()))


@pytest.mark.parametrize("recorded", [False, True])
def test_signal_must_be_recorded_and_new(stores: Stores, recorded: bool) -> None:
    stores.control.set_control(control())
    if recorded:
        stores.ledger.add_signal(signal())
        stores.ledger.settle_signal(signal(), SignalState.REFUSED)
    before = everything(stores)
    with pytest.raises(StoreConflict, match="signal taken"):
        stores.ledger.open_position(planned(), signal(), EntryBook())
    assert everything(stores) == before


@pytest.mark.parametrize("version", [0, 2])
def test_moved_book_refuses_a_second_plan(stores: Stores, version: int) -> None:
    opened(stores)
    stores.ledger.add_signal(signal("OTHER"))
    before = everything(stores)
    with pytest.raises(StoreConflict, match="another run planned meanwhile"):
        stores.ledger.open_position(planned("OTHER"), signal("OTHER"), EntryBook(version=version))
    assert everything(stores) == before


def test_occupied_instrument_refuses_a_second_plan(stores: Stores) -> None:
    stores.control.set_control(control())
    adopted = stores.ledger.adopt_position(filled())
    stores.ledger.add_signal(signal())
    before = everything(stores)
    with pytest.raises(StoreConflict, match="COIN occupied"):
        stores.ledger.open_position(planned(), signal(), EntryBook())
    with pytest.raises(StoreConflict, match="COIN already has a position record"):
        stores.ledger.adopt_position(planned())
    assert everything(stores) == before
    assert adopted.version == 1


def test_book_forgets_what_is_a_day_old(stores: Stores) -> None:
    opened(stores)
    later = NOW + timedelta(hours=24)
    stores.ledger.add_signal(signal("OTHER"))
    book = stores.ledger.book(later)
    stores.ledger.open_position(planned("OTHER", planned_at=later), signal("OTHER"), book)
    after = stores.ledger.book(later)
    assert (after.version, [each.instrument for each in after.entries]) == (2, ["OTHER"])


def test_damaged_book_is_made_from_position_records(stores: Stores) -> None:
    opened(stores)
    gone = opened(stores, "GONE")
    stores.ledger.close_position(gone.moved(PositionState.CLOSED), None)
    stores.damage.book("{")
    book = stores.ledger.book(NOW + seconds(1))
    assert (book.version, sorted(each.instrument for each in book.entries)) == (2, ["COIN", "GONE"])
    stores.damage.book("")
    assert stores.ledger.book(NOW) == EntryBook(version=2)


def test_switch_moved_since_the_plan_refuses_its_send(stores: Stores) -> None:
    position = opened(stores)
    lifted = stores.control.set_control(control(KillLevel.FLATTEN, version=1))
    stores.control.set_control(replace(lifted, level=KillLevel.NORMAL))
    with pytest.raises(StoreConflict, match="or the switch or the record moved"):
        stores.ledger.save_entry_send(position)
    stores.ledger.add_signal(signal("LATER"))
    later = stores.ledger.open_position(planned("LATER"), signal("LATER"), stores.ledger.book(NOW))
    assert later.control_version == 3
    assert stores.ledger.save_entry_send(later).version == 2
