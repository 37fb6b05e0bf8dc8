"""Reconciliation: what is naked gets its stop, what is not ours is never flattened, one empty answer proves nothing."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from functools import partial

import pytest

from functions.reconcile_positions.reconcile import reconcile_positions
from functions.reconcile_positions.report import ReconcileReport
from tests.fakes.cloud import Cloud
from tests.fakes.records import rules_with
from tests.integration.trading.interleaving import Meanwhile
from tests.integration.trading.world import World, new_world
from trading import matching
from trading.errors import VenueAnswerInvalid
from trading.execution.protection import protective_steps
from trading.model.orders import IntentState, OrderType, Purpose
from trading.model.positions import PositionState
from trading.reconciliation.view import DiscrepancyKind

S = IntentState
COIN = "PF_COINUSD"


def by_hand(world: World, kind: str, side: str, size: str, price: str | None = None, reduce_only: bool = False) -> None:
    """The owner trades on the same account."""
    trigger = kind == "stp"
    request = matching.OrderRequest(
        symbol=COIN,
        side=matching.Side(side),
        order_type=matching.OrderType(kind),
        size=Decimal(size),
        limit_price=None if trigger or price is None else Decimal(price),
        stop_price=Decimal(price) if trigger and price else None,
        reduce_only=reduce_only,
    )
    assert world.venue.engine.send(request).status == "placed"


def cancel_stop(world: World) -> None:
    world.venue.engine.cancel(client_order_id=world.intent(Purpose.STOP).client_order_id)


def kinds(report: ReconcileReport) -> set[DiscrepancyKind]:
    return {each.kind for each in report.discrepancies}


def test_naked_position_is_repaired_in_one_run(world: World) -> None:
    position = world.open_position()
    cancel_stop(world)
    world.venue.advance(30)
    report = world.reconcile()
    assert report.repaired == [COIN]
    stop = world.intent(Purpose.STOP)
    assert (stop.generation, stop.state, stop.quantity, stop.trigger_price) == (2, S.LIVE, position.quantity, 98)
    assert world.venue.naked_seconds_max() == 30
    world.minute()
    assert world.position().state is PositionState.PROTECTED
    assert world.runs[-1][0].discrepancies == ()


def test_repair_can_be_switched_off_alone(cloud: Cloud) -> None:
    world = new_world(cloud, rules=rules_with('{"reconciliation": {"repair_missing_stop": false}}'))
    world.open_position()
    cancel_stop(world)
    world.minute()
    assert world.runs[-1][0].repaired == []
    assert kinds(world.runs[-1][0]) == {DiscrepancyKind.NAKED_POSITION}


def test_switched_off_repair_still_lets_a_closing_end(cloud: Cloud) -> None:
    world = new_world(cloud, rules=rules_with('{"reconciliation": {"repair_missing_stop": false}}'))
    position = world.open_position()
    assert world.intent(Purpose.TARGET_1).state is S.LIVE
    cloud.ledger.save_position(position.moved(PositionState.CLOSING, close_reason="test"))
    world.minutes(4)
    assert world.trades()[0].exit_reason == "test"


def test_one_empty_answer_takes_no_stop_off(world: World) -> None:
    world.open_position()
    world.venue.faults.hidden_positions = True
    with pytest.raises(VenueAnswerInvalid):
        world.minute()
    assert world.venue.cancelled == []
    world.venue.faults.hidden_positions = False
    world.minute()
    assert world.position().state is PositionState.PROTECTED
    assert world.runs[-1][0].discrepancies == ()
    assert world.venue.naked_seconds_max() == 0


def test_position_closed_by_the_owner_is_booked(world: World) -> None:
    position = world.open_position()
    by_hand(world, "mkt", "sell", str(position.quantity), reduce_only=True)
    world.minutes(3)
    assert world.trades()[0].exit_reason == "closed by somebody else"
    assert world.venue.open_orders() == ()


def test_zombie_ends_only_after_two_looks(world: World) -> None:
    position = world.open_position()
    by_hand(world, "mkt", "sell", str(position.quantity), reduce_only=True)
    world.venue.engine.books.fills.pop()
    world.minute()
    assert world.position().missing_since == world.venue.now()
    world.minutes(2)
    assert world.trades()[0].exit_reason == "gone"
    assert world.cloud.ledger.open_positions() == ()


def test_ghost_is_protected_and_never_flattened(world: World) -> None:
    by_hand(world, "mkt", "buy", "5")
    world.minutes(3)
    ghost = world.position()
    assert (ghost.state, ghost.quantity, ghost.stop) == (PositionState.FOREIGN, 5, 97)
    assert [(each.type, each.quantity) for each in world.venue.placed] == [(OrderType.STOP, 5)]
    by_hand(world, "mkt", "sell", "5", reduce_only=True)
    world.minutes(3)
    assert world.cloud.ledger.open_positions() == ()
    assert world.venue.open_orders() == ()
    assert world.trades() == ()


def test_flattened_ghost_record_comes_to_its_end(world: World) -> None:
    by_hand(world, "mkt", "buy", "5")
    world.minute()
    ghost = world.cloud.ledger.save_position(world.position().moved(PositionState.CLOSING, close_reason="flatten"))
    decide = partial(protective_steps, mark=None, rules=world.rules, now=world.venue.now())
    world.desk().orders.carry_out(ghost, decide)
    world.minutes(4)
    assert world.cloud.ledger.open_positions() == ()
    assert world.venue.open_orders() == ()
    assert world.venue.positions() == ()


def test_orders_by_hand_are_reported_and_left_alone(world: World) -> None:
    world.open_position()
    by_hand(world, "lmt", "sell", "1", "110")
    world.minutes(2)
    assert kinds(world.runs[-1][0]) == {DiscrepancyKind.FOREIGN_ORDER}
    assert any(each.client_order_id is None for each in world.venue.open_orders())


def test_owner_adding_by_hand_is_drift_and_covered(world: World) -> None:
    position = world.open_position()
    by_hand(world, "mkt", "buy", "5")
    world.minutes(2)
    assert kinds(world.runs[-1][0]) == {DiscrepancyKind.QUANTITY_DRIFT}
    assert world.position().quantity == position.quantity + 5
    assert world.intent(Purpose.STOP).quantity == position.quantity + 5


def test_order_of_an_ended_record_is_cancelled(world: World) -> None:
    world.add_signal()
    world.execute()
    entry, stop = world.intent(Purpose.ENTRY), world.intent(Purpose.STOP)
    ended = world.position()
    for intent in (entry, stop):
        ended = ended.with_intent(replace(intent, state=S.CANCELLED))
    world.cloud.ledger.close_position(world.cloud.ledger.save_position(ended), None)
    report = world.reconcile()
    assert len(report.repaired) == 2
    assert world.venue.open_orders() == ()


def test_stop_sent_meanwhile_is_no_orphan(world: World) -> None:
    world.add_signal()
    busy = Meanwhile(world.venue, "open_orders", world.execute)
    report = reconcile_positions(world.desk(venue=busy))
    assert world.venue.cancelled == []
    assert report.discrepancies == ()
    assert len(world.venue.open_orders()) == 2


def test_stop_moved_meanwhile_is_no_orphan(world: World) -> None:
    world.open_position()
    world.venue.advance(60, COIN="102.2")
    world.reconcile()
    busy = Meanwhile(world.venue, "open_orders", world.manage)
    reconcile_positions(world.desk(venue=busy))
    assert world.position().stop == Decimal("100.4")
    live = [each for each in world.venue.open_orders() if each.trigger_price == Decimal("100.4")]
    assert len(live) == 1
    assert world.venue.naked_seconds_max() == 0


def test_entry_whose_fill_shows_late_keeps_its_stop(world: World) -> None:
    world.add_signal()
    world.execute()
    world.venue.advance(30)
    fill = partial(world.venue.advance, 20, COIN="99")
    world.venue.faults.hidden_fills = True
    reconcile_positions(world.desk(venue=Meanwhile(world.venue, "open_orders", fill)))
    world.execute()
    assert world.intent(Purpose.STOP).client_order_id not in world.venue.cancelled
    world.venue.faults.hidden_fills = False
    world.minutes(2)
    assert world.position().state is PositionState.PROTECTED
    assert world.venue.naked_seconds_max() == 0


def test_entry_without_its_stop_does_not_rest(world: World) -> None:
    world.add_signal()
    world.execute()
    cancel_stop(world)
    world.minute()
    assert world.venue.open_orders() == ()
    world.minutes(2)
    assert world.cloud.ledger.open_positions() == ()


@pytest.mark.parametrize("down", ["order_history", "order_reports", "account", "quotes", "ledger_rows"])
def test_failing_read_never_delays_the_stop(world: World, down: str) -> None:
    world.open_position()
    cancel_stop(world)
    world.venue.advance(20)
    world.venue.faults.reads = {down}
    for _ in range(3):
        world.venue.advance(20)
        world.reconcile()
    assert world.intent(Purpose.STOP).state is S.LIVE
    assert world.venue.naked_seconds_max() <= 60


def test_stop_that_vanished_silently_is_replaced(world: World) -> None:
    world.open_position()
    cancel_stop(world)
    world.venue.faults.no_history = True
    world.venue.advance(10)
    world.minutes(3)
    assert world.intent(Purpose.STOP).generation == 2
    assert world.position().state is PositionState.PROTECTED


def test_refused_stop_and_passed_level_mean_leaving(world: World) -> None:
    world.open_position()
    cancel_stop(world)
    world.venue.faults.sends = ["invalidPrice"] * 3
    world.minutes(3)
    assert world.venue.positions() == ()
    assert world.trades()[0].exit_reason == "stops_refused"


def test_position_beyond_its_stop_leaves_at_market(world: World) -> None:
    world.open_position()
    cancel_stop(world)
    world.minute(COIN="97")
    assert world.venue.positions() == ()
    world.minutes(2)
    assert world.trades()[0].exit_reason == "beyond_stop"


def test_lost_exit_is_followed_by_another(world: World) -> None:
    position = world.open_position()
    world.cloud.ledger.save_position(position.moved(PositionState.CLOSING, close_reason="test"))
    world.venue.faults.sends = ["lost request"]
    world.minutes(2)
    assert world.venue.positions() == ()
    world.minutes(3)
    assert world.trades()[0].exit_reason == "test"
    assert world.cloud.ledger.open_positions() == ()


def test_failing_position_does_not_delay_others(cloud: Cloud) -> None:
    world = new_world(cloud, ["A", "B"])
    for name in ("A", "B"):
        world.open_position(name)
    for name in ("A", "B"):
        world.venue.engine.cancel(client_order_id=world.intent(Purpose.STOP, name).client_order_id)
    world.venue.advance(10)
    spoiled = partial(cloud.ledger.save_position, world.position("A"))
    report = reconcile_positions(world.desk(venue=Meanwhile(world.venue, "fills", spoiled)))
    assert [each.split(":")[0] for each in report.failures] == ["A"]
    assert world.intent(Purpose.STOP, "B").state is S.LIVE
    assert report.repaired == ["PF_BUSD"]
