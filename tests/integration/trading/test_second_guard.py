"""The run of the exits looks for what stands without a full stop and guards it: reconcile may have died on the way."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from functions.manage_exits.exit import ExitReport, manage_exits
from functions.manage_exits.inputs import READING_LASTS
from tests.fakes.records import beside, coin, rules_with
from tests.fakes.venue import VenueInMemory
from tests.integration.trading.test_repairs import COIN, by_hand, cancel_stop
from tests.integration.trading.world import World
from trading.model.orders import IntentState, Purpose
from trading.model.positions import PositionState
from trading.reconciliation.adopting import adopt_ghost


class Watched:
    """The venue in memory, and the names of what it was asked for."""

    def __init__(self, venue: VenueInMemory) -> None:
        self._venue = venue
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> Any:
        self.asked.append(name)
        return getattr(self._venue, name)


def naked(world: World) -> World:
    """The stop was taken off by hand; reconcile has seen it and died before it placed another."""
    position = world.open_position()
    for stop in position.resting(Purpose.STOP):
        world.venue.cancel(stop.client_order_id)
        position = position.with_intent(replace(stop, state=IntentState.CANCELLED))
    bare = position.moved(PositionState.UNPROTECTED, unprotected_since=world.venue.now())
    world.cloud.ledger.save_position(bare)
    return world


def test_exits_place_the_stop_reconcile_could_not(world: World) -> None:
    naked(world).manage()
    assert world.intent(Purpose.STOP).state is IntentState.LIVE
    assert world.venue.engine.naked_seconds() == 0


def test_exits_send_nothing_for_a_covered_position(world: World) -> None:
    world.open_position()
    before = len(world.venue.placed)
    world.manage()
    assert len(world.venue.placed) == before


@pytest.mark.parametrize("repairs", [True, False])
def test_second_guard_obeys_the_rule_of_repair(world: World, repairs: bool) -> None:
    world.rules = rules_with(f'{{"reconciliation": {{"repair_missing_stop": {str(repairs).lower()}}}}}')
    naked(world)
    before = len(world.venue.placed)
    world.manage()
    assert (len(world.venue.placed) > before) is repairs


def seen_by(world: World) -> tuple[ExitReport, list[str]]:
    """One run of the exits while reconcile is dead, and what it asked the venue for."""
    watched = Watched(world.venue)
    return manage_exits(world.desk(watched)), watched.asked


def test_covered_account_costs_two_more_requests(world: World) -> None:
    report, asked = seen_by(world)
    assert (report.guarded, asked) == (None, ["positions", "open_orders"])
    world.open_position()
    report, asked = seen_by(world)
    assert (report.guarded, asked) == (None, ["quotes", "positions", "open_orders"])


def test_exits_alone_replace_the_stop_the_owner_cancelled(world: World) -> None:
    world.open_position()
    cancel_stop(world)
    report, _ = seen_by(world)
    assert report.guarded is not None
    assert report.guarded.repaired == [COIN]
    stop = world.intent(Purpose.STOP)
    assert (stop.generation, stop.state) == (2, IntentState.LIVE)
    assert world.venue.engine.naked_seconds() == 0


def test_exits_alone_cover_what_the_owner_opened(world: World) -> None:
    by_hand(world, "mkt", "buy", "5")
    seen_by(world)
    assert world.position().state is PositionState.FOREIGN
    assert world.venue.engine.naked_seconds() == 0
    report, _ = seen_by(world)
    assert report.guarded is None
    world.minute()
    assert len([each for each in world.venue.open_orders() if each.trigger_price is not None]) == 1


def test_adoption_that_died_halfway_is_completed(world: World) -> None:
    """Reconcile has written the record and nothing more."""
    by_hand(world, "mkt", "buy", "5")
    (shown,) = world.venue.positions()
    mark = world.venue.quotes()[COIN].mark
    world.cloud.ledger.adopt_position(adopt_ghost(shown, coin("COIN"), mark, world.rules, world.venue.now()))
    seen_by(world)
    assert world.intent(Purpose.STOP).state is IntentState.LIVE


def test_silent_positions_keep_no_exit_from_being_judged(world: World) -> None:
    world.open_position()
    world.venue.faults.reads = {"positions"}
    report, _ = seen_by(world)
    assert report.evaluated
    assert report.failures == ["second guard: positions does not answer"]


@pytest.mark.parametrize("silent", ["positions", "open_orders"])
def test_known_naked_position_waits_for_no_view(world: World, silent: str) -> None:
    naked(world)
    world.venue.faults.reads = {silent}
    seen_by(world)
    assert world.intent(Purpose.STOP).state is IntentState.LIVE


def test_stop_of_a_dead_run_is_sent_at_once(world: World) -> None:
    world.open_position()
    cancel_stop(world)
    world.venue.faults.sends = ["killed before"]
    with pytest.raises(SystemExit):
        world.reconcile()
    assert world.intent(Purpose.STOP).state is IntentState.SENDING
    world.venue.advance(1)
    seen_by(world)
    assert world.intent(Purpose.STOP).state is IntentState.LIVE
    assert world.venue.naked_seconds_max() == 1


def test_lost_stop_gets_its_new_name_next_run(world: World) -> None:
    """Of exits and guard together: known to be naked, both ask for the stop."""
    naked(world)
    world.venue.faults.sends = ["lost request"] * 2
    before = len(world.venue.placed)
    seen_by(world)
    assert len(world.venue.placed) == before + 2
    assert world.intent(Purpose.STOP).generation == 2
    world.venue.advance(60)
    seen_by(world)
    stop = world.intent(Purpose.STOP)
    assert (stop.generation, stop.state) == (3, IntentState.LIVE)


def test_slow_exits_leave_the_guard_out(world: World) -> None:
    world.open_position()
    cancel_stop(world)
    desk = world.desk()
    world.venue.advance((READING_LASTS + timedelta(seconds=1)).total_seconds())
    report = manage_exits(desk)
    assert report.failures == ["second guard: left out, the exits took too long"]
    assert report.evaluated


def test_guard_of_the_exits_keeps_what_failed(world: World) -> None:
    world.open_position()
    cancel_stop(world)
    world.venue.faults.reads = {"order_reports"}
    report, _ = seen_by(world)
    assert any("look-up: order_reports does not answer" in each for each in report.failures)


def without_any_answer(world: World) -> World:
    """Nothing reaches the venue: no read, and no send comes back."""
    world.venue.faults.reads = {"quotes", "order_reports", "open_orders", "fills", "positions"}
    world.venue.faults.sends = ["lost request"] * 100
    return world


def test_exit_fires_once_while_nothing_answers(world: World) -> None:
    position = world.open_position()
    world.venue.advance(timedelta(hours=72).total_seconds())
    without_any_answer(world)
    sent = []
    for _ in range(5):
        world.venue.advance(60)
        world.manage()
        sent.append(len(world.position().intents) - len(position.intents))
    assert world.position().state is PositionState.CLOSING
    assert sent[0] > 0
    assert sent == [sent[0]] * 5


def test_exit_goes_out_again_once_the_venue_answers(world: World) -> None:
    world.open_position()
    world.venue.advance(timedelta(hours=72).total_seconds())
    without_any_answer(world)
    world.manage()
    world.venue.faults.reads = set()
    world.venue.faults.sends = []
    world.minutes(3)
    assert not world.venue.positions()


def test_ghost_that_was_adopted_twice_ends_with_one_record(world: World) -> None:
    """Two runs at once, of which one could not read the universe: the records bear different names."""
    by_hand(world, "mkt", "buy", "5")
    (shown,) = world.venue.positions()
    mark = world.venue.quotes()[COIN].mark
    for market in (coin("COIN"), beside()):
        world.cloud.ledger.adopt_position(adopt_ghost(shown, market, mark, world.rules, world.venue.now()))
    world.reconcile()
    world.minutes(4)
    (left,) = world.cloud.ledger.open_positions()
    assert (left.instrument, left.quantity) == ("COIN", 5)
    assert len([each for each in world.venue.open_orders() if each.trigger_price is not None]) == 1
    assert world.venue.naked_seconds_max() == 0
