"""The owner trades by hand in our contract: the quantity follows the venue, a stop covers the whole, and what is his
own is neither cancelled nor closed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from pynamodb.exceptions import PutError

from functions.reconcile_positions.reconcile import reconcile_positions
from shared.storage.control import ControlStore
from tests.fakes.cloud import Cloud, write_raw
from tests.fakes.records import coin
from tests.integration.trading.interleaving import Meanwhile
from tests.integration.trading.risk_scene import propose, published
from tests.integration.trading.test_repairs import by_hand, cancel_stop, kinds
from tests.integration.trading.world import World, new_world
from trading import matching
from trading.model.instruments import Side
from trading.model.orders import IntentState, OrderSide, Purpose
from trading.model.positions import Position, PositionState
from trading.reconciliation.view import DiscrepancyKind

CONTRACT = "PF_COINUSD"
S = IntentState


def beside(world: World) -> Position:
    """The record that stands beside our own, under the contract's name."""
    (found,) = [each for each in world.cloud.ledger.readable_positions()[0] if each.instrument == CONTRACT]
    return found


def our_orders(world: World) -> list[tuple[OrderSide, Decimal]]:
    working = [each for each in world.venue.open_orders() if each.client_order_id]
    return [(each.side, each.open_quantity) for each in working]


def net_of_account(world: World) -> Decimal:
    books = world.venue.engine.books
    return books.realised - books.fees + books.funding


def test_part_closed_by_the_owner_leaves_a_smaller_stop(world: World) -> None:
    position = world.open_position()
    by_hand(world, "mkt", "sell", "4", reduce_only=True)
    world.minutes(2)
    assert world.position().quantity == position.quantity - 4
    stops = [each for each in world.venue.open_orders() if each.trigger_price is not None]
    assert [each.open_quantity for each in stops] == [position.quantity - 4]
    targets = sum(each.open_quantity for each in world.venue.open_orders() if each.trigger_price is None)
    assert targets <= position.quantity - 4
    world.minute(COIN="97")
    world.minutes(2)
    (trade,) = world.trades()
    assert (trade.quantity, trade.net) == (position.quantity, net_of_account(world))


def test_position_closed_by_the_owner_is_one_trade(world: World) -> None:
    position = world.open_position()
    by_hand(world, "mkt", "sell", str(position.quantity), reduce_only=True)
    world.minutes(3)
    (trade,) = world.trades()
    assert (trade.exit_reason, trade.net) == ("closed by somebody else", net_of_account(world))
    assert world.venue.open_orders() == ()


def test_owner_adding_is_covered_until_the_end(world: World) -> None:
    position = world.open_position()
    by_hand(world, "mkt", "buy", "5")
    world.minutes(2)
    assert world.position().quantity == position.quantity + 5
    world.minute(COIN="97")
    world.minutes(2)
    assert world.venue.positions() == ()
    assert len(world.trades()) == 1
    assert world.cloud.ledger.open_positions() == ()


def test_flip_protects_the_opposite_in_the_same_run(world: World) -> None:
    position = world.open_position()
    by_hand(world, "mkt", "sell", str(position.quantity + 5))
    world.venue.advance(30)
    world.reconcile()
    ghost = beside(world)
    assert (ghost.side, ghost.state, ghost.quantity) == (Side.SHORT, PositionState.FOREIGN, 5)
    assert (OrderSide.BUY, Decimal(5)) in our_orders(world)
    assert world.venue.naked_seconds_max() == 30


def test_flip_ends_our_position_with_its_fee_share(world: World) -> None:
    position = world.open_position()
    before = world.venue.engine.books.fees
    by_hand(world, "mkt", "sell", str(position.quantity * 3))
    world.minutes(3)
    (trade,) = world.trades()
    crossing = world.venue.engine.books.fees - before
    assert trade.fees == before + crossing / 3
    assert trade.exit_reason == "closed by somebody else"
    assert our_orders(world) == [(OrderSide.BUY, position.quantity * 2)]


def test_flipped_position_of_the_owner_is_never_closed(world: World) -> None:
    position = world.open_position()
    by_hand(world, "mkt", "sell", str(position.quantity + 5))
    world.minutes(5)
    (shown,) = world.venue.positions()
    assert (shown.side, shown.quantity) == (Side.SHORT, 5)
    by_hand(world, "mkt", "buy", "5", reduce_only=True)
    world.minutes(4)
    assert world.cloud.ledger.open_positions() == ()
    assert world.venue.open_orders() == ()
    assert len(world.trades()) == 1


def test_flip_is_protected_while_the_log_says_nothing(world: World) -> None:
    position = world.open_position()
    by_hand(world, "mkt", "sell", str(position.quantity + 5))
    world.venue.faults.reads.add("ledger_rows")
    world.minutes(12)
    assert (OrderSide.BUY, Decimal(5)) in our_orders(world)
    assert world.trades() == ()
    assert "COIN long has ended and cannot be booked" in published("discrepancy")
    world.venue.faults.reads.clear()
    world.minutes(2)
    assert len(world.trades()) == 1
    assert beside(world).quantity == 5


def test_owners_opposite_position_takes_our_waiting_entry_off(world: World) -> None:
    world.add_signal()
    world.execute()
    world.venue.advance(30, COIN="101.5")
    by_hand(world, "mkt", "sell", "5")
    world.minutes(2)
    assert beside(world).quantity == 5
    entries = [each for each in world.venue.open_orders() if not each.reduce_only]
    assert entries == []
    world.minutes(3)
    (shown,) = world.venue.positions()
    assert (shown.side, shown.quantity) == (Side.SHORT, 5)


def test_no_entry_on_a_contract_of_the_owner(world: World) -> None:
    position = world.open_position()
    by_hand(world, "mkt", "sell", str(position.quantity + 5))
    world.minutes(4)
    propose(world, "COIN", structure_id="ob-2")
    assert [each for each in world.execute().outcomes if each == "SENT"] == []


def test_owners_own_stop_is_left_alone(world: World) -> None:
    position = world.open_position()
    by_hand(world, "stp", "sell", "2", "95", reduce_only=True)
    world.minutes(3)
    theirs = [each for each in world.venue.open_orders() if each.client_order_id is None]
    assert [(each.open_quantity, each.trigger_price) for each in theirs] == [(2, 95)]
    assert world.position().state is PositionState.PROTECTED
    assert world.intent(Purpose.STOP).quantity == position.quantity
    by_hand(world, "mkt", "sell", str(position.quantity), reduce_only=True)
    world.minutes(3)
    assert [each.client_order_id for each in world.venue.open_orders()] == [None]
    assert kinds(world.runs[-1][0]) == {DiscrepancyKind.FOREIGN_ORDER}


def test_owners_stop_does_not_count_as_cover(world: World) -> None:
    position = world.open_position()
    by_hand(world, "stp", "sell", str(position.quantity), "98", reduce_only=True)
    cancel_stop(world)
    world.minute()
    assert world.intent(Purpose.STOP).state is S.LIVE
    assert world.intent(Purpose.STOP).generation == 2


def test_stop_of_a_lost_record_stays_until_covered(world: World) -> None:
    position = world.open_position()
    stop = world.intent(Purpose.STOP)
    # The table was restored from before the entry: venue and ledger know nothing of each other.
    ended = world.position().moved(PositionState.CLOSED)
    world.cloud.ledger.close_position(ended, None)
    world.venue.faults.sends = ["apiLimitExceeded"]
    world.venue.advance(30)
    world.reconcile()
    working = {each.client_order_id for each in world.venue.open_orders()}
    assert stop.client_order_id in working
    world.minutes(3)
    stops = [each for each in world.venue.open_orders() if each.trigger_price is not None]
    assert [each.open_quantity for each in stops] == [position.quantity]
    assert stops[0].client_order_id != stop.client_order_id
    assert world.venue.naked_seconds_max() == 0


def test_position_of_an_unreadable_record_gets_a_stop(cloud: Cloud) -> None:
    world = new_world(cloud)
    world.open_position()
    cancel_stop(world)
    write_raw("POSITION", "COIN", body="{nonsense")
    world.venue.advance(30)
    world.reconcile()
    assert len(world.venue.open_orders()) >= 1
    assert beside(world).state is PositionState.FOREIGN
    assert any(each.trigger_price is not None for each in world.venue.open_orders())


def test_plan_that_fills_meanwhile_is_no_ghost(world: World) -> None:
    """The position is read, then another run records it: the place is taken by a readable record."""
    by_hand(world, "mkt", "buy", "5")
    world.venue.advance(30)
    adopted = Meanwhile(world.venue, "quotes", world.reconcile)
    report = reconcile_positions(world.desk(venue=adopted))
    (ours,) = world.cloud.ledger.open_positions()
    assert ours.instrument == coin("COIN").id
    assert report.failures == [f"{CONTRACT}: COIN already has a position record"]
    assert len(world.venue.open_orders()) == 1


@pytest.mark.parametrize("wrong", ["target", "entry"])
def test_wrong_order_that_rests_is_taken_off(world: World, wrong: str) -> None:
    if wrong == "entry":
        world.add_signal()
        world.execute()
        purpose, change = Purpose.ENTRY, {"size": Decimal(500)}
    else:
        world.open_position()
        purpose, change = Purpose.TARGET_1, {"reduce_only": False}
    name = world.intent(purpose).client_order_id
    tamper(world, name, **change)
    world.venue.advance(30)
    report = world.reconcile()
    assert DiscrepancyKind.WRONG_ORDER in kinds(report)
    assert name in world.venue.cancelled
    assert "Exchange and ledger differ: wrong_order" in published("discrepancy")


def tamper(world: World, name: str, **changes: object) -> None:
    """Somebody edits our order at the venue."""
    live = world.venue.engine.books.live
    key = next(each for each, order in live.items() if order.client_order_id == name)
    live[key] = replace(live[key], **changes)  # type: ignore[arg-type]


def test_stop_moved_by_the_owner_is_put_back(world: World) -> None:
    world.open_position()
    stop = world.intent(Purpose.STOP)
    tamper(world, stop.client_order_id, stop_price=Decimal(90))
    world.minutes(2)
    stops = [each.trigger_price for each in world.venue.open_orders() if each.trigger_price is not None]
    assert stops == [stop.trigger_price]


@dataclass
class FailingOnce:
    """The real control store, whose first observation is not written."""

    control: ControlStore
    failed: bool = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self.control, name)

    def first_observed(self, key: str, now: datetime) -> datetime:
        if not self.failed:
            self.failed = True
            raise PutError("throttled")
        return self.control.first_observed(key, now)


def test_stranger_that_cannot_be_counted_delays_no_other(cloud: Cloud) -> None:
    """While the fills are silent a stranger gets its record at the second look, which the store remembers."""
    world = new_world(cloud, ("COIN", "TWO"))
    for name in ("COIN", "TWO"):
        request = matching.OrderRequest(
            symbol=f"PF_{name}USD", side=matching.Side.BUY, order_type=matching.OrderType.MARKET, size=Decimal(5)
        )
        assert world.venue.engine.send(request).status == "placed"
    world.venue.faults.reads.add("fills")
    world.venue.advance(20)
    world.reconcile()
    world.venue.advance(20)
    desk = replace(world.desk(), control=FailingOnce(world.cloud.control))  # type: ignore[arg-type]
    report = reconcile_positions(desk)
    assert [each.partition(":")[0] for each in report.failures] == ["fills", CONTRACT]
    assert [each.contract for each in world.cloud.ledger.open_positions()] == ["PF_TWOUSD"]
    assert len(world.venue.open_orders()) == 1
