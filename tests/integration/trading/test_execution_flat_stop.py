"""A venue that takes no stop while flat: nothing rests unattended, the level is watched, the stop follows at once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from pynamodb.exceptions import GetError

from functions.execute_signals import handler
from functions.execute_signals.execute import execute_signals
from tests.fakes.cloud import Cloud
from tests.fakes.records import NOW, levels, risk_day, rules_with
from tests.integration.limits.local_stack import _environment
from tests.integration.trading.interleaving import Meanwhile
from tests.integration.trading.test_events_are_told import told
from tests.integration.trading.test_failures_are_told import CONTEXT
from tests.integration.trading.test_repairs import cancel_stop
from tests.integration.trading.world import World, new_world
from trading.model.alerts import AlertKind
from trading.model.control import KillLevel
from trading.model.decisions import Outcome
from trading.model.disorder import DisorderPause, MarketWatch
from trading.model.flat_stop import FlatStop
from trading.model.instruments import Side
from trading.model.orders import IntentState, OrderType, Purpose
from trading.model.positions import PositionState

S = IntentState


def behave(world: World, *, accepts: bool) -> None:
    switches = world.venue.engine.switches
    world.venue.engine.switches = replace(switches, accept_stop_when_flat=accepts)


@pytest.fixture
def flat(world: World) -> World:
    """The venue refuses stops while flat, and one plan is watched."""
    behave(world, accepts=False)
    world.add_signal()
    world.execute()
    return world


def types(world: World) -> list[OrderType]:
    return [each.type for each in world.venue.placed]


@pytest.mark.parametrize(("accepts", "sent"), [(True, [OrderType.STOP, OrderType.POST]), (False, [OrderType.STOP])])
def test_answer_is_remembered_and_shown(world: World, accepts: bool, sent: list[OrderType]) -> None:
    behave(world, accepts=accepts)
    world.add_signal()
    report = world.execute()
    assert types(world) == sent
    stop = world.intent(Purpose.STOP)
    answer = FlatStop(accepted=accepts, at=NOW, source=f"PF_COINUSD {stop.client_order_id}")
    assert world.cloud.ledger.flat_stop() == answer
    assert report.flat_stop == answer.sentence()
    assert ("refuses" in report.flat_stop) is not accepts


def test_unasked_venue_is_said_to_be_unasked(world: World) -> None:
    assert world.execute().flat_stop == "The venue was not yet asked for a stop while flat."


def test_nothing_rests_while_the_level_is_watched(flat: World) -> None:
    flat.minutes(5)
    assert flat.venue.open_orders() == ()
    assert flat.intent(Purpose.ENTRY).state is S.PLANNED
    assert flat.runs[-1][1].watched == ["PF_COINUSD"]
    assert flat.runs[-1][1].failures == []


@pytest.mark.parametrize(("side", "price"), [(Side.LONG, "99.9"), (Side.SHORT, "100.1")])
def test_entry_at_its_level_is_protected_at_once(world: World, side: Side, price: str) -> None:
    behave(world, accepts=False)
    world.add_signal(levels=levels(side))
    world.execute()
    world.venue.advance(60, COIN=price)
    report = world.execute()
    assert types(world) == [OrderType.STOP, OrderType.IMMEDIATE, OrderType.STOP]
    assert world.venue.placed[1].limit_price == 100
    assert (report.failures, report.watched) == ([], [])
    assert (world.position().state, world.intent(Purpose.STOP).generation) == (PositionState.PROTECTED, 2)
    assert world.venue.naked_seconds_max() == 0
    world.minutes(3)
    assert world.position().quantity == world.intent(Purpose.STOP).open_quantity
    assert world.entries_placed() == 1


def test_whole_trade_without_a_stop_while_flat(flat: World) -> None:
    flat.minute(COIN="99.9")
    flat.minute(COIN="100.2")
    assert {flat.intent(each).state for each in (Purpose.TARGET_1, Purpose.TARGET_2)} == {S.LIVE}
    flat.minute(COIN="97")
    flat.minutes(3)
    assert flat.trades()[0].exit_reason == "stop"
    assert flat.venue.naked_seconds_max() == 0
    assert flat.venue.open_orders() == ()


@pytest.mark.parametrize("hidden", ["positions", "lag"])
def test_unseen_position_is_protected_by_reconcile(flat: World, hidden: str) -> None:
    flat.venue.advance(60, COIN="99.9")
    flat.venue.faults.hidden_positions = hidden == "lag"
    gone = Meanwhile(flat.venue, "place", partial(flat.venue.faults.reads.add, hidden), after=True)
    execute_signals(flat.desk(gone))
    assert flat.intent(Purpose.STOP).generation == 1
    flat.venue.faults.hidden_positions, flat.venue.faults.reads = False, set()
    flat.venue.advance(50)
    flat.reconcile()
    assert flat.intent(Purpose.STOP).state is S.LIVE
    flat.minutes(2)
    assert flat.position().state is PositionState.PROTECTED
    assert flat.venue.naked_seconds_max() <= 60
    assert flat.entries_placed() == 1


@pytest.mark.parametrize(
    "sends",
    [["", "lost request", "lost request"], ["", "invalidPrice", "marketSuspended"], ["", "wouldNotReducePosition"]],
)
def test_stop_failing_after_the_entry_comes_soon(flat: World, sends: list[str]) -> None:
    flat.venue.advance(60, COIN="99.9")
    flat.venue.faults.sends = sends
    report = flat.execute()
    assert report.failures == ["COIN: entered without a sound stop: the stop is not among the working orders"]
    assert flat.position().state is PositionState.UNPROTECTED
    flat.venue.advance(50)
    flat.reconcile()
    flat.minutes(2)
    assert flat.position().state is PositionState.PROTECTED
    assert flat.venue.naked_seconds_max() == 50


def test_stop_waits_for_no_count_of_answers(flat: World) -> None:
    """A store that is too busy to count the entry's answer makes the position no less protected."""
    flat.venue.advance(60, COIN="99.9")
    desk = flat.desk()

    def busy() -> None:
        raise GetError("throttled")

    counting: Any = Meanwhile(desk.control, "note_entry_answer", busy)  # type: ignore[arg-type]
    report = execute_signals(replace(desk, control=counting))
    assert report.failures == ["COIN: throttled"]
    assert flat.position().state is PositionState.PROTECTED
    assert flat.venue.naked_seconds_max() == 0


def test_stop_that_is_dropped_means_none_while_flat(cloud: Cloud) -> None:
    """It is taken and gone again: people are told, and the next plan is watched."""
    world = new_world(cloud, ("COIN", "OTHER"))
    world.add_signal()
    dropping = Meanwhile(world.venue, "place", lambda: cancel_stop(world), after=True)
    assert execute_signals(world.desk(dropping)).outcomes == {Outcome.PLANNED: 1}
    world.minutes(3)
    assert world.entries_placed() == 0
    (alert,) = told(AlertKind.ORDER_FAILED)
    assert "the venue took its stop and let it go again" in alert["text"]
    known = world.cloud.ledger.flat_stop()
    assert known is not None
    assert (known.accepted, known.source.endswith("which was taken and gone again")) == (False, True)
    world.add_signal("OTHER")
    world.execute()
    world.minute(OTHER="99.9")
    assert world.position("OTHER").state is PositionState.PROTECTED


def test_position_not_seen_yet_is_not_left(flat: World) -> None:
    flat.venue.advance(60, COIN="99.9")
    flat.venue.faults.sends = ["", *["wouldNotReducePosition"] * 3]
    flat.execute()
    for _ in range(3):
        flat.venue.advance(15)
        flat.reconcile()
    assert flat.position().state is not PositionState.CLOSING
    assert flat.intent(Purpose.STOP).state is S.LIVE
    assert OrderType.MARKET not in types(flat)


def test_entry_answer_counts_for_the_row_of_refusals(flat: World) -> None:
    flat.cloud.control.save_risk_day(risk_day(rejections=4))
    flat.venue.advance(60, COIN="99.9")
    flat.execute()
    day = flat.cloud.control.risk_day()
    assert day is not None
    assert day.rejections == 0


@pytest.mark.parametrize("fault", ["lost reply", "lost request"])
def test_watched_entry_in_doubt_is_never_sent_twice(flat: World, fault: str) -> None:
    flat.venue.faults.sends = [fault]
    flat.minute(COIN="99.9")
    assert flat.entries_placed() == (1 if fault == "lost reply" else 0)
    flat.minutes(5)
    assert sum(each.type is OrderType.IMMEDIATE for each in flat.venue.placed) == 1
    assert flat.venue.naked_seconds_max() == 0
    assert bool(flat.cloud.ledger.open_positions()) is (fault == "lost reply")


def test_price_that_leaves_meanwhile_is_not_chased(flat: World) -> None:
    flat.venue.advance(60, COIN="99.9")
    gone = Meanwhile(flat.venue, "place", lambda: flat.venue.advance(1, COIN="101"))
    execute_signals(flat.desk(gone))
    flat.minutes(2)
    assert flat.entries_placed() == 0
    (ended,) = flat.cloud.ledger.closed_positions(["2024-05"])
    assert ended.close_reason == "the price had left the entry level 100 (iocWouldNotExecute); it is not chased"


def stopped(world: World) -> None:
    world.set_level(KillLevel.NO_ENTRIES)


def resumed(world: World) -> None:
    world.set_level(KillLevel.NO_ENTRIES)
    world.set_level(KillLevel.NORMAL)


def paused(world: World) -> None:
    pause = DisorderPause(contract="PF_COINUSD", until=world.venue.now() + timedelta(minutes=30), why="test")
    world.cloud.watch.save(replace(world.cloud.watch.read() or MarketWatch(), pauses=(pause,)))


def expired(world: World) -> None:
    world.venue.advance(3600)


@pytest.mark.parametrize("event", [stopped, resumed, paused, expired])
def test_watched_plan_ends_with_what_ends_an_entry(flat: World, event: object) -> None:
    flat.minute()
    event(flat)  # type: ignore[operator]
    flat.minute(COIN="99.9")
    assert flat.entries_placed() == 0
    flat.minutes(2)
    assert flat.cloud.ledger.open_positions() == ()


def test_watched_plan_waits_while_the_market_cannot_be_seen(flat: World) -> None:
    flat.venue.faults.reads = {"quotes"}
    flat.minute(COIN="99.9")
    assert flat.entries_placed() == 0
    flat.venue.faults.reads = set()
    flat.minute()
    assert flat.position().state is PositionState.PROTECTED


def test_halt_between_look_and_send_stops_the_watched_entry(flat: World) -> None:
    flat.venue.advance(60, COIN="99.9")
    execute_signals(flat.desk(Meanwhile(flat.venue, "stress", lambda: stopped(flat))))
    assert flat.entries_placed() == 0


@pytest.mark.parametrize(("hours", "asked"), [(24, 0), (0, 1)])
def test_refusal_is_believed_for_its_time(cloud: Cloud, hours: int, asked: int) -> None:
    rules = rules_with(f'{{"execution": {{"flat_stop_recheck_hours": {hours}}}}}')
    world = new_world(cloud, rules=rules)
    cloud.ledger.note_flat_stop(FlatStop(accepted=False, at=NOW, source="before"))
    world.add_signal()
    world.execute()
    assert len([each for each in types(world) if each is OrderType.STOP]) == asked
    assert world.intent(Purpose.ENTRY).state is (S.LIVE if asked else S.PLANNED)
    answer = cloud.ledger.flat_stop()
    assert answer is not None
    assert answer.accepted is bool(asked)


def test_run_record_shows_the_answer(flat: World, monkeypatch: pytest.MonkeyPatch) -> None:
    flat.venue.advance(60)
    for name, value in _environment("http://127.0.0.1:9", flat.cloud, {}).items():
        monkeypatch.setenv(name, value)
    # The composition is the one of the test's world; the handler is the real one.
    monkeypatch.setattr(handler, "open_desk", lambda *_: flat.desk())
    handler.handler({}, CONTEXT)
    run = flat.cloud.control.last_run("execute_signals")
    assert run is not None
    assert run.proof["watched"] == ["PF_COINUSD"]
    assert run.proof["flat_stop"].startswith("The venue refuses a stop while flat, seen at 2024-05-01 10:00 UTC")
