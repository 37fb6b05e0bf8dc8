"""The policy table decides: every kind once with its policy and once with it switched off, on the same venue."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from functions.reconcile_positions.reconcile import reconcile_positions
from tests.fakes.records import NOW, coin
from tests.fakes.venue import VenueInMemory
from tests.integration.trading.risk_scene import published
from tests.integration.trading.test_repairs import by_hand, cancel_stop
from tests.integration.trading.world import World
from tests.unit.reconciliation.views import changed
from trading.execution.plan import stop_intent
from trading.model.orders import IntentState, OrderSide, Purpose
from trading.model.units import Quantity
from trading.model.venue import VenuePosition
from trading.reconciliation.policy import POLICIES, Policies
from trading.reconciliation.view import DiscrepancyKind

D = DiscrepancyKind
Scene = Callable[[World, Policies], Any]


def looks(world: World, policies: Policies, count: int = 1) -> None:
    """Minutes in which only reconcile runs."""
    for _ in range(count):
        world.venue.advance(60)
        reconcile_positions(world.desk(), policies)


def stops(world: World, side: OrderSide = OrderSide.SELL) -> list[Quantity]:
    working = world.venue.open_orders()
    return [each.open_quantity for each in working if each.trigger_price is not None and each.side is side]


def missing_stop(world: World, policies: Policies) -> Any:
    world.open_position()
    cancel_stop(world)
    looks(world, policies)
    return len(stops(world))


def lost_entry(world: World, policies: Policies) -> Any:
    world.venue.faults.sends = ["", "lost request"]
    world.add_signal()
    world.execute()
    looks(world, policies, 4)
    return [each.state for each in world.position().intents if each.purpose is Purpose.ENTRY] or "ended"


def ghost(world: World, policies: Policies) -> Any:
    by_hand(world, "mkt", "buy", "5")
    looks(world, policies)
    return stops(world)


def flip(world: World, policies: Policies) -> Any:
    position = world.open_position()
    by_hand(world, "mkt", "sell", str(position.quantity + 5))
    looks(world, policies)
    return stops(world, OrderSide.BUY)


def zombie(world: World, policies: Policies) -> Any:
    position = world.open_position()
    by_hand(world, "mkt", "sell", str(position.quantity), reduce_only=True)
    world.venue.engine.books.fills.pop()
    looks(world, policies, 3)
    return [each.exit_reason for each in world.trades()]


def unpriced(world: World, policies: Policies) -> Any:
    world.open_position()
    world.venue.faults.reads.add("ledger_rows")
    world.venue.advance(60, COIN="97")
    looks(world, policies, 12)
    assert world.trades() == ()
    return published("discrepancy")


def orphan(world: World, policies: Policies) -> Any:
    world.add_signal()
    world.execute()
    ended = world.position()
    for intent in ended.intents:
        ended = ended.with_intent(replace(intent, state=IntentState.CANCELLED))
    world.cloud.ledger.close_position(world.cloud.ledger.save_position(ended), None)
    looks(world, policies)
    return len(world.venue.open_orders())


def wrong_stop(world: World, policies: Policies) -> Any:
    world.open_position()
    stop = world.intent(Purpose.STOP)
    live = world.venue.engine.books.live
    key = next(each for each, order in live.items() if order.client_order_id == stop.client_order_id)
    live[key] = replace(live[key], reduce_only=False)
    looks(world, policies, 2)
    return [each.reduce_only for each in world.venue.open_orders() if each.trigger_price is not None]


def second_stop(world: World, policies: Policies) -> Any:
    position = world.open_position()
    world.desk().orders.send(position, stop_intent(position, position.quantity, world.venue.now()))
    looks(world, policies, 2)
    return len(stops(world))


def drift(world: World, policies: Policies) -> Any:
    world.open_position()
    by_hand(world, "mkt", "buy", "5")
    looks(world, policies, 2)
    return [each - world.position().planned for each in stops(world)]


def order_by_hand(world: World, policies: Policies) -> Any:
    by_hand(world, "lmt", "sell", "1", "110")
    looks(world, policies)
    assert len(world.venue.open_orders()) == 1
    return published("discrepancy")


class Isolated(VenueInMemory):
    def positions(self) -> tuple[VenuePosition, ...]:
        return tuple(replace(each, isolated=True) for each in super().positions())


def isolated(world: World, policies: Policies) -> Any:
    world.venue = Isolated((coin("COIN"),), NOW)
    world.open_position()
    before = len(published("discrepancy"))
    world.venue.advance(660)
    looks(world, policies)
    return len(published("discrepancy")) - before


@dataclass(frozen=True, slots=True)
class Case:
    scene: Scene
    obeyed: Any
    off: Any


DIFFER = "Exchange and ledger differ"
CASES: dict[DiscrepancyKind, Case] = {
    D.NAKED_POSITION: Case(missing_stop, 1, 0),
    D.UNKNOWN_INTENT: Case(lost_entry, [IntentState.NOT_PLACED], [IntentState.UNKNOWN]),
    D.GHOST: Case(ghost, [5], []),
    D.OPPOSITE_POSITION: Case(flip, [5], []),
    D.ZOMBIE: Case(zombie, ["gone"], []),
    D.UNPRICED: Case(unpriced, ["COIN long has ended and cannot be booked"], []),
    D.ORPHAN_ORDER: Case(orphan, 0, 2),
    D.WRONG_ORDER: Case(wrong_stop, [True], [False]),
    D.DUPLICATE_STOP: Case(second_stop, 1, 2),
    D.QUANTITY_DRIFT: Case(drift, [5], [0]),
    D.FOREIGN_ORDER: Case(order_by_hand, [f"{DIFFER}: foreign_order"], []),
    D.ISOLATED_MARGIN: Case(isolated, 1, 0),
}


def test_every_policy_has_a_case_of_its_own() -> None:
    assert set(CASES) == set(POLICIES) == set(DiscrepancyKind)


@pytest.mark.parametrize("kind", list(CASES))
def test_policy_is_obeyed_on_the_real_path(world: World, kind: DiscrepancyKind) -> None:
    assert CASES[kind].scene(world, POLICIES) == CASES[kind].obeyed


@pytest.mark.parametrize("kind", list(CASES))
def test_switched_off_policy_changes_the_outcome(world: World, kind: DiscrepancyKind) -> None:
    assert CASES[kind].scene(world, changed(kind, active=False)) == CASES[kind].off
