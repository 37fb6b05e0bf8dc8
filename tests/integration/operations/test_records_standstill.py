"""Signals of which none became an order: told only when nobody wrote down why."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from functions.maintain_records.maintain import maintain
from functions.maintain_records.standstill import StandstillReport, look_for_standstill
from shared.storage.decisions import StageRecord
from shared.storage.ledger import SignalState
from shared.storage.tables import DecisionItem
from tests.fakes.records import signal
from tests.integration.operations.conftest import World
from tests.integration.operations.records_scene import HOUR, records_of
from tests.unit.control.records import NOW
from trading.model.alerts import AlertKind, Severity
from trading.model.decisions import Outcome
from trading.model.instruments import InstrumentId
from trading.model.times import to_text

BAR = NOW - 3 * HOUR


def emit(world: World, *names: str, bar: datetime = BAR) -> None:
    assert all(world.ledger.add_signal(signal(name, decision_bar=bar)) for name in names)


def stage(world: World, name: str, outcome: Outcome, bar: datetime = BAR) -> None:
    made = StageRecord(
        instrument=InstrumentId(name), decision_bar=bar, outcome=outcome, sentence="said", at=bar + timedelta(minutes=1)
    )
    world.decisions.add_stage(made)


def look(world: World) -> StandstillReport:
    return look_for_standstill(world.ledger, world.decisions, NOW)


def test_signals_that_nobody_took_are_told(world: World) -> None:
    emit(world, "BTC", "ETH")
    stage(world, "ETH", Outcome.RISK_REFUSED)
    report = look(world)
    alert = report.alert(NOW)
    assert alert is not None
    assert (alert.kind, alert.severity) == (AlertKind.SIGNALS_WITHOUT_ORDERS, Severity.WARNING)
    assert alert.title == "2 signals, no order"
    assert "for 1 of them no reason is on record. Reasons of the others: 1 RISK_REFUSED." in alert.text
    assert alert.fields == (("BTC", f"{to_text(BAR)} NEW"),)


@pytest.mark.parametrize("outcome", [Outcome.RISK_REFUSED, Outcome.NOT_ALLOCATED, Outcome.FAILED])
def test_recorded_reasons_are_no_standstill(world: World, outcome: Outcome) -> None:
    emit(world, "BTC")
    stage(world, "BTC", outcome)
    report = look(world)
    assert report.alert(NOW) is None
    assert report.proof() == {
        "signals": 1,
        "ordered": 0,
        "reasons": {str(outcome): 1},
        "waiting": 0,
        "unexplained": [],
    }


def test_one_order_ends_the_standstill(world: World) -> None:
    emit(world, "BTC", "ETH")
    stage(world, "BTC", Outcome.SENT)
    assert (look(world).ordered, look(world).alert(NOW)) == (1, None)


def test_taken_signal_counts_as_an_order(world: World) -> None:
    emit(world, "BTC")
    world.ledger.settle_signal(signal("BTC", decision_bar=BAR), SignalState.TAKEN)
    assert (look(world).ordered, look(world).alert(NOW)) == (1, None)


def test_reason_of_another_bar_explains_nothing(world: World) -> None:
    emit(world, "BTC")
    stage(world, "BTC", Outcome.RISK_REFUSED, BAR - HOUR)
    assert look(world).alert(NOW) is not None


def test_living_signal_is_still_waited_for(world: World) -> None:
    emit(world, "BTC", bar=NOW)
    assert (look(world).waiting, look(world).alert(NOW)) == (1, None)


def test_expired_signal_without_reason_is_unexplained(world: World) -> None:
    emit(world, "BTC")
    world.ledger.settle_signal(signal("BTC", decision_bar=BAR), SignalState.EXPIRED)
    alert = look(world).alert(NOW)
    assert alert is not None
    assert alert.fields == (("BTC", f"{to_text(BAR)} EXPIRED"),)


def test_older_signals_are_left_alone(world: World) -> None:
    emit(world, "BTC", bar=NOW - 7 * HOUR)
    assert look(world).signals == 0


def test_maintenance_tells_a_standstill(world: World) -> None:
    emit(world, "BTC")
    report = maintain(records_of(world, NOW), NOW)
    assert [each.kind for each in report.alerts()] == [AlertKind.SIGNALS_WITHOUT_ORDERS]
    assert len(report.proof()["signals"]["unexplained"]) == 1


def test_unreadable_stage_stops_nothing_else(world: World) -> None:
    emit(world, "BTC")
    DecisionItem(f"BAR#{to_text(BAR)}", "STAGE#BTC#SENT", body="{").save()
    report = maintain(records_of(world, NOW), NOW)
    assert report.standstill is None
    assert "what became of the last signals is unknown" in report.proof()["failures"][0]
