"""From signal to booked trade through the three use cases, against the matching core."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from functions.execute_signals.execute import execute_signals
from shared.storage.ledger import SignalState
from tests.fakes.cloud import Cloud
from tests.fakes.records import BAR, NOW, levels, rules_with
from tests.integration.trading.interleaving import Meanwhile
from tests.integration.trading.world import World, new_world
from trading.errors import VenueUnavailable
from trading.model.control import KillLevel
from trading.model.decisions import Outcome
from trading.model.instruments import Side
from trading.model.orders import IntentState, OrderType, Purpose
from trading.model.positions import PositionState
from trading.model.units import Money

S = IntentState


def test_signal_becomes_stop_then_entry(world: World) -> None:
    world.add_signal()
    report = world.execute()
    assert report.outcomes == {Outcome.SENT: 1}
    assert [each.type for each in world.venue.placed] == [OrderType.STOP, OrderType.POST]
    assert {each.state for each in world.position().intents} == {S.LIVE}
    assert [each.state for each in world.cloud.ledger.signals_decided_since(BAR, NOW)] == [SignalState.TAKEN]
    stages = world.cloud.decisions.stages(BAR)
    assert [(each.outcome, len(each.details)) for each in stages] == [(Outcome.SENT, 44)]


def test_repeated_run_sends_no_second_entry(world: World) -> None:
    world.add_signal()
    for _ in range(3):
        world.execute()
        world.venue.advance(1)
    assert world.entries_placed() == 1
    assert len(world.venue.placed) == 2


def test_winner_runs_from_entry_to_break_even(world: World) -> None:
    world.open_position()
    assert world.position().state is PositionState.PROTECTED
    assert {world.intent(each).state for each in (Purpose.TARGET_1, Purpose.TARGET_2)} == {S.LIVE}
    world.minute(COIN="102.2")
    position = world.position()
    assert position.first_target_at is not None
    assert position.stop == Decimal("100.4")
    assert world.intent(Purpose.STOP).quantity == position.quantity
    world.minute(COIN="99")
    trade = world.trades()[0]
    assert (trade.exit_reason, trade.net > 0) == ("break_even_stop", True)
    assert world.cloud.ledger.open_positions() == ()
    assert world.venue.open_orders() == ()
    assert world.venue.account().equity == 10_000 + trade.net


def test_trade_is_what_the_venue_booked(world: World) -> None:
    world.venue.charge_funding("PF_COINUSD", "0.01")
    world.open_position()
    world.venue.advance(2 * 3600)
    world.minute(COIN="97")
    world.minutes(2)
    trade = world.trades()[0]
    books = world.venue.engine.books
    assert trade.exit_reason == "stop"
    assert (trade.gross, trade.fees, trade.funding) == (books.realised, books.fees, books.funding)
    assert trade.funding < 0
    assert world.venue.account().equity == 10_000 + trade.net
    assert world.venue.naked_seconds_max() == 0


def test_loser_costs_no_more_than_its_risk(world: World) -> None:
    position = world.open_position()
    world.minute(COIN="97.5")
    trade = world.trades()[0]
    assert trade.exit_reason == "stop"
    assert Decimal("-1.1") < trade.r_multiple < Decimal("-0.9")
    assert -trade.net <= position.risk * Decimal("1.1")
    day = world.cloud.control.risk_day()
    assert day is not None
    assert day.streak(trade.regime).losses == 1


def test_both_targets_close_most_of_it(world: World) -> None:
    world.open_position()
    world.minute(COIN="102.3")
    world.minute(COIN="105.3")
    position = world.position()
    assert position.quantity == position.entered - position.left
    assert Decimal("0.19") < position.quantity / position.entered < Decimal("0.21")
    assert world.intent(Purpose.STOP).open_quantity == position.quantity


def test_short_is_the_mirror(world: World) -> None:
    world.add_signal(levels=levels(Side.SHORT))
    world.execute()
    world.minute(COIN="100.5")
    world.minute(COIN="99.8")
    assert world.position().state is PositionState.PROTECTED
    world.minute(COIN="97.8")
    assert world.position().stop == Decimal("99.6")
    world.minute(COIN="101")
    assert world.trades()[0].net > 0
    assert world.venue.naked_seconds_max() == 0


def test_idea_without_progress_is_closed_in_time(world: World) -> None:
    world.open_position()
    world.venue.advance(5 * 3600)
    world.minute()
    assert world.position().state is PositionState.CLOSING
    assert world.intent(Purpose.STOP).state is S.LIVE
    world.minutes(2)
    assert world.trades()[0].exit_reason == "time_exit"
    assert world.venue.open_orders() == ()


def test_switched_off_time_exit_lets_it_run(cloud: Cloud) -> None:
    world = new_world(cloud, rules=rules_with('{"exits": {"time_exit": false}}'))
    world.open_position()
    world.venue.advance(5 * 3600)
    world.minute()
    assert world.position().state is PositionState.PROTECTED


def test_unfilled_entry_is_cancelled_when_it_expires(world: World) -> None:
    world.add_signal()
    world.execute()
    world.venue.advance(3600, COIN="101")
    world.minutes(4)
    assert world.cloud.ledger.open_positions() == ()
    assert world.venue.open_orders() == ()
    assert [each.close_reason for each in world.cloud.ledger.closed_positions(["2024-05"])] == [
        "entry CANCELLED (entry expired)"
    ]
    assert world.trades() == ()


def test_partly_filled_entry_is_protected_for_its_part(world: World) -> None:
    world.add_signal()
    world.execute()
    entry = world.intent(Purpose.ENTRY)
    world.venue.advance(60, COIN="99.95")
    assert 0 < world.venue.engine.books.size_of("PF_COINUSD") < entry.quantity
    world.venue.advance(1, COIN="100.1")
    world.minutes(4)
    position = world.position()
    assert position.state is PositionState.PROTECTED
    assert world.intent(Purpose.ENTRY).state is S.CANCELLED
    assert world.intent(Purpose.STOP).open_quantity == position.quantity < entry.quantity
    assert world.venue.naked_seconds_max() == 0


def test_cancel_level_takes_entries_off_not_stops(cloud: Cloud) -> None:
    world = new_world(cloud, ["COIN", "HELD"])
    world.open_position("HELD")
    world.add_signal()
    world.execute()
    world.set_level(KillLevel.CANCEL_ENTRIES)
    world.minutes(4)
    assert [each.instrument for each in cloud.ledger.open_positions()] == ["HELD"]
    assert {each.contract for each in world.venue.open_orders()} == {"PF_HELDUSD"}
    assert world.venue.naked_seconds_max() == 0


@pytest.mark.parametrize("level", [KillLevel.FLATTEN, KillLevel.LOCK])
def test_flatten_level_closes_all_behind_their_stops(cloud: Cloud, level: KillLevel) -> None:
    world = new_world(cloud, ["COIN", "HELD"])
    world.open_position("HELD")
    world.add_signal()
    world.execute()
    world.set_level(level)
    world.venue.faults.sends = ["lost request"]
    world.minutes(6)
    assert world.venue.positions() == ()
    assert world.venue.open_orders() == ()
    assert cloud.ledger.open_positions() == ()
    assert [trade.exit_reason for trade in world.trades()] == ["flatten"]
    assert world.venue.naked_seconds_max() == 0


def test_stopped_entries_leave_the_signal_refused(world: World) -> None:
    world.set_level(KillLevel.NO_ENTRIES)
    world.add_signal()
    assert world.execute().outcomes == {"RISK_REFUSED:kill_level": 1}
    assert world.venue.placed == []


def test_refused_stop_means_no_entry(world: World) -> None:
    world.venue.faults.sends = ["invalidPrice"]
    world.add_signal()
    assert world.execute().outcomes == {Outcome.FAILED: 1}
    assert [each.type for each in world.venue.placed] == [OrderType.STOP]
    world.minutes(2)
    assert world.cloud.ledger.open_positions() == ()


def test_expired_signal_is_settled_unsent(world: World) -> None:
    world.venue.advance(120)
    world.add_signal(expires_at=world.venue.now())
    assert world.execute().outcomes == {"EXPIRED": 1}
    assert world.venue.placed == []


def test_best_signals_take_the_last_places(cloud: Cloud) -> None:
    names = [f"C{number}" for number in range(5)]
    world = new_world(cloud, names)
    for number, name in enumerate(names):
        world.add_signal(name, score=60 + number)
    report = world.execute()
    assert report.outcomes == {Outcome.SENT: 3, "RISK_REFUSED:cluster_positions": 2}
    assert {each.instrument for each in cloud.ledger.open_positions()} == {"C4", "C3", "C2"}


def test_failed_plan_still_counts_for_the_next(cloud: Cloud) -> None:
    world = new_world(
        cloud, ["A", "B"], rules_with('{"risk": {"maximum_positions": 1, "maximum_positions_per_cluster": 1}}')
    )
    world.add_signal("A", score=90)
    world.add_signal("B", score=80)
    reads = world.venue.faults.reads
    silent = Meanwhile(world.venue, "place", lambda: reads.add("open_orders"), after=True)
    with pytest.raises(VenueUnavailable):
        execute_signals(world.desk(silent))
    assert [each.instrument for each in cloud.ledger.open_positions()] == ["A"]
    reads.clear()
    assert world.execute().outcomes == {"RISK_REFUSED:positions": 1}
    assert [each.contract for each in world.venue.placed] == ["PF_AUSD"] * 2


def test_impossible_levels_stop_no_other_signal(cloud: Cloud) -> None:
    world = new_world(cloud, ["A", "B"])
    flat = levels(stop="99.98", invalidation="99.99", target_1="100.01", target_2="100.02")
    world.add_signal("A", score=90, levels=flat)
    world.add_signal("B", score=80)
    assert world.execute().outcomes == {"RISK_REFUSED:levels": 1, Outcome.SENT: 1}
    assert [each.instrument for each in cloud.ledger.open_positions()] == ["B"]


def test_coin_that_left_is_still_managed(world: World) -> None:
    world.open_position()
    stored = world.cloud.market.universe()
    assert stored is not None
    world.cloud.market.save_universe(type(stored.universe)(instruments=()), NOW, stored)
    world.minute(COIN="97")
    assert world.trades()[0].exit_reason == "stop"


def test_daily_loss_halts_new_entries(cloud: Cloud) -> None:
    world = new_world(cloud, ["COIN", "NEXT"])
    world.reconcile()
    day = cloud.control.risk_day()
    assert day is not None
    cloud.control.save_risk_day(replace(day, peak_equity=Money(10_600)))
    world.reconcile()
    halted = cloud.control.risk_day()
    assert halted is not None
    assert halted.halted
    world.add_signal("NEXT")
    assert world.execute().outcomes == {"RISK_REFUSED:daily_loss": 1}
