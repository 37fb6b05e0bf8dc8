"""Reads of the venue that fail for long: what can still be known is acted upon, what cannot is not concluded."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from tests.fakes.cloud import Cloud
from tests.fakes.records import NOW, coin
from tests.fakes.venue import VenueInMemory
from tests.integration.trading.risk_scene import published, risk_day_of, switch
from tests.integration.trading.test_repairs import by_hand, cancel_stop, kinds
from tests.integration.trading.world import World, new_world
from trading.errors import VenueAuthenticationFailed, VenueUnavailable
from trading.model.control import Guard, KillLevel
from trading.model.orders import IntentState, OrderSide, Purpose
from trading.model.positions import PositionState
from trading.model.units import Money
from trading.model.venue import Fill
from trading.reconciliation.view import DiscrepancyKind

COIN = "PF_COINUSD"
S = IntentState


def without_fills(world: World, minutes: int, **prices: object) -> None:
    """Minutes of the schedule in which the venue does not answer for its fills."""
    world.venue.faults.reads.add("fills")
    world.minute(**prices)
    world.minutes(minutes - 1)
    world.venue.faults.reads.clear()


def test_naked_position_is_repaired_while_fills_do_not_answer(world: World) -> None:
    position = world.open_position()
    cancel_stop(world)
    without_fills(world, 5)
    stop = world.intent(Purpose.STOP)
    assert (stop.generation, stop.state, stop.quantity) == (2, S.LIVE, position.quantity)
    assert world.venue.naked_seconds_max() <= 180
    assert published("naked_position")
    assert "fills: fills does not answer" in world.runs[-1][0].failures


class LockedFills(VenueInMemory):
    """The key may read everything but the fills."""

    def fills(self, since: datetime | None = None) -> tuple[Fill, ...]:
        raise VenueAuthenticationFailed(f"no permission for the fills since {since}")


def test_key_without_the_fills_still_protects(world: World) -> None:
    world.venue = LockedFills((coin("COIN"),), NOW)
    world.add_signal()
    world.execute()
    world.minute(COIN="99.5")
    cancel_stop(world)
    world.minutes(3)
    assert world.intent(Purpose.STOP).state is S.LIVE
    assert world.intent(Purpose.STOP).generation == 2
    assert world.runs[-1][0].failures[0].startswith("fills: no permission")


def test_entry_filled_in_the_dark_keeps_its_stop(world: World) -> None:
    world.add_signal()
    world.execute()
    world.venue.faults.reads.add("fills")
    world.minute(COIN="99.5")
    for _ in range(8):
        # Past the life of the entry, inside that of the position.
        world.venue.advance(600)
        world.minute(COIN="100.2")
        assert world.venue.positions()[0].quantity == world.position().quantity
        assert world.intent(Purpose.STOP).state is S.LIVE
        assert not world.intent(Purpose.ENTRY).state.terminal
    assert world.runs[-1][0].discrepancies == ()
    world.venue.faults.reads.clear()
    world.minutes(2)
    position = world.position()
    assert (position.state, position.entered) == (PositionState.PROTECTED, position.quantity)
    assert world.intent(Purpose.ENTRY).state is S.FILLED


def test_entry_cancelled_in_the_dark_ends_with_the_fills(world: World) -> None:
    world.add_signal()
    world.execute()
    world.venue.cancel(world.intent(Purpose.ENTRY).client_order_id)
    without_fills(world, 5)
    assert world.intent(Purpose.ENTRY).state is S.LIVE
    assert world.intent(Purpose.STOP).state is S.LIVE
    world.minutes(3)
    assert world.cloud.ledger.open_positions() == ()
    assert world.venue.open_orders() == ()


def test_position_gone_in_the_dark_is_booked_later(world: World) -> None:
    world.open_position()
    without_fills(world, 8, COIN="97")
    assert world.trades() == ()
    assert (world.position().quantity, world.position().missing_since) == (0, None)
    assert world.runs[-1][0].discrepancies == ()
    world.minutes(2)
    (trade,) = world.trades()
    assert (trade.exit_reason, trade.net < 0) == ("stop", True)


def test_position_missing_before_the_dark_is_not_ended(world: World) -> None:
    world.open_position()
    world.venue.faults.hidden_fills = True
    world.minute(COIN="97")
    assert world.position().missing_since == world.venue.now()
    world.venue.faults.hidden_fills = False
    without_fills(world, 5)
    assert world.trades() == ()
    world.minutes(2)
    assert [each.exit_reason for each in world.trades()] == ["stop"]


def test_target_of_unknown_fate_waits_for_the_fills(world: World) -> None:
    world.add_signal()
    world.execute()
    world.venue.faults.sends = ["lost request", "", "lost request"]  # target 1, target 2, target 1 again
    world.minute(COIN="99.5")
    assert world.intent(Purpose.TARGET_1).state is S.UNKNOWN
    without_fills(world, 6)
    assert world.intent(Purpose.TARGET_1).state is S.UNKNOWN
    assert len(world.position().resting(Purpose.TARGET_1)) == 1
    world.minutes(4)
    assert world.intent(Purpose.TARGET_1).state is S.LIVE


def test_position_back_in_the_dark_is_not_missing(world: World) -> None:
    world.open_position()
    world.cloud.ledger.save_position(replace(world.position(), missing_since=world.venue.now()))
    without_fills(world, 1)
    assert world.position().missing_since is None


def test_ghost_in_the_dark_gets_its_stop_next(world: World) -> None:
    by_hand(world, "mkt", "buy", "3")
    without_fills(world, 1)
    assert world.cloud.ledger.open_positions() == ()
    assert kinds(world.runs[-1][0]) == {DiscrepancyKind.GHOST}
    without_fills(world, 1)
    assert world.position().state is PositionState.FOREIGN
    assert [(each.reduce_only, each.open_quantity) for each in world.venue.open_orders()] == [(True, 3)]
    assert world.venue.naked_seconds_max() <= 120


@pytest.mark.parametrize(("apart", "stops"), [(14, 0), (15, 1)])
def test_two_looks_in_the_dark_have_their_distance(world: World, apart: int, stops: int) -> None:
    by_hand(world, "mkt", "buy", "3")
    world.venue.faults.reads.add("fills")
    world.reconcile()
    world.venue.advance(apart)
    world.reconcile()
    assert len(world.venue.open_orders()) == stops


def test_second_look_counts_also_beyond_the_full_hour(world: World) -> None:
    world.venue.advance(3600 - 30 - 20)
    by_hand(world, "mkt", "buy", "3")
    world.venue.faults.reads.add("fills")
    world.reconcile()
    world.venue.advance(30)
    assert world.venue.now().minute == 0
    world.reconcile()
    assert len(world.venue.open_orders()) == 1


def test_flip_in_the_dark_gets_its_stop_too(world: World) -> None:
    world.open_position()
    by_hand(world, "mkt", "sell", str(world.position().quantity + 5))
    without_fills(world, 2)
    buys = [each for each in world.venue.open_orders() if each.side is OrderSide.BUY]
    assert [(each.open_quantity, each.reduce_only) for each in buys] == [(5, True)]


def test_flatten_closes_what_is_shown_in_the_dark(world: World) -> None:
    world.open_position()
    world.set_level(KillLevel.FLATTEN)
    without_fills(world, 3)
    assert world.venue.positions() == ()
    assert world.trades() == ()
    world.minutes(2)
    assert [each.exit_reason for each in world.trades()] == ["flatten"]


def below_yesterdays_peak(world: World, peak: int) -> None:
    """A risk day of yesterday whose week has seen more equity than there is now."""
    day = risk_day_of(world)
    world.cloud.control.save_risk_day(
        replace(day, day=day.day - timedelta(days=1), week_peak_equity=Money(peak), highest_equity=Money(peak))
    )


@pytest.mark.parametrize("read", ["positions", "open_orders"])
def test_account_is_marked_while_positions_do_not_answer(cloud: Cloud, read: str) -> None:
    world = new_world(cloud)
    world.minute()
    below_yesterdays_peak(world, 11_500)
    world.venue.faults.reads.add(read)
    with pytest.raises(VenueUnavailable, match=f"{read} does not answer"):
        world.reconcile()
    assert risk_day_of(world).day == world.venue.now().date()
    assert risk_day_of(world).reached == (Guard.WEEKLY_LOSS,)
    assert (switch(world).level, switch(world).changed_by) == (KillLevel.NO_ENTRIES, "guards")


def test_unanswered_account_does_not_hide_what_stopped_the_run(world: World) -> None:
    world.venue.faults.reads |= {"positions", "account"}
    with pytest.raises(VenueUnavailable, match="positions does not answer"):
        world.reconcile()
    assert world.cloud.control.risk_day() is None
