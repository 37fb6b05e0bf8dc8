"""No lease: versioned records decide. Several runs at once protect as fast as one, and book each position once.

Decision record 0016 rests on these tests.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from itertools import cycle

import pytest

from functions.manage_exits.exit import manage_exits
from functions.reconcile_positions.reconcile import reconcile_positions
from shared.failures import FAILURES
from shared.trading_desk import TradingDesk
from tests.fakes.cloud import Cloud, emulated
from tests.integration.trading.baton import Baton, HandedVenue, hand_over_at_every_store_call
from tests.integration.trading.interleaving import Meanwhile
from tests.integration.trading.killed_writes import watched
from tests.integration.trading.test_repairs import by_hand, cancel_stop
from tests.integration.trading.world import World, new_world
from trading.model.positions import PositionState

CALLS = ["positions", "open_orders", "fills", "order_reports", "order_history", "quotes", "place", "account"]
SEEDS = range(5)


def stops(world: World) -> list[object]:
    return [each.open_quantity for each in world.venue.open_orders() if each.trigger_price is not None]


def race(monkeypatch: pytest.MonkeyPatch, world: World, runs: int, seed: int) -> None:
    """So many guards at the same moment, by turns those of reconcile and of the exits; the baton may change hands at
    every call of venue and store."""
    baton = Baton(seed, restless=(0.3, 0.6, 1.0)[seed % 3])
    with monkeypatch.context() as patched:
        hand_over_at_every_store_call(patched, baton)

        def run(function: Callable[[TradingDesk], object]) -> None:
            # A run that loses a write gives way: the winner does the work.
            with suppress(*FAILURES):
                function(world.desk(venue=HandedVenue(world.venue, baton)))

        both = cycle((reconcile_positions, manage_exits) if seed % 2 else (reconcile_positions,))
        baton.race([partial(run, next(both)) for _ in range(runs)])
    assert len(set(baton.hands)) > runs


@pytest.mark.parametrize("runs", [2, 3])
@pytest.mark.parametrize("seed", SEEDS)
def test_racing_runs_cover_as_fast_as_one(monkeypatch: pytest.MonkeyPatch, cloud: Cloud, runs: int, seed: int) -> None:
    world = new_world(cloud)
    position = world.open_position()
    cancel_stop(world)
    world.venue.advance(20)
    race(monkeypatch, world, runs, seed)
    assert position.quantity in stops(world)
    assert world.venue.naked_seconds_max() == 20
    world.minute()
    assert stops(world) == [position.quantity]
    assert world.position().state is PositionState.PROTECTED


@pytest.mark.parametrize("runs", [2, 3])
@pytest.mark.parametrize("seed", SEEDS)
def test_racing_runs_adopt_a_ghost_once(monkeypatch: pytest.MonkeyPatch, cloud: Cloud, runs: int, seed: int) -> None:
    world = new_world(cloud)
    by_hand(world, "mkt", "buy", "5")
    world.venue.advance(20)
    race(monkeypatch, world, runs, seed)
    assert len(cloud.ledger.open_positions()) == 1
    assert stops(world) == [5]
    assert world.venue.naked_seconds_max() == 20


@pytest.mark.parametrize("runs", [2, 3])
@pytest.mark.parametrize("seed", SEEDS)
def test_racing_runs_book_one_trade(monkeypatch: pytest.MonkeyPatch, cloud: Cloud, runs: int, seed: int) -> None:
    world = new_world(cloud)
    world.open_position()
    world.venue.advance(60, COIN="97")
    for step in range(3):
        race(monkeypatch, world, runs, 10 * seed + step)
        world.venue.advance(20)
    (trade,) = world.trades()
    assert world.venue.account().equity == 10_000 + trade.net
    day = cloud.control.risk_day()
    assert day is not None
    assert sum(each.losses for each in day.streaks) == 1
    assert world.venue.open_orders() == ()


@pytest.mark.parametrize("call", CALLS)
def test_whole_run_within_any_call_lengthens_nothing(world: World, call: str) -> None:
    position = world.open_position()
    cancel_stop(world)
    world.venue.advance(20)
    with suppress(*FAILURES):
        reconcile_positions(world.desk(venue=Meanwhile(world.venue, call, world.reconcile)))
    assert position.quantity in stops(world)
    assert world.venue.naked_seconds_max() == 20
    world.minutes(2)
    assert stops(world) == [position.quantity]


def life(fatal: int) -> bool:
    """Opened, stopped out and booked by runs of which one dies after its write number `fatal`; False without a kill."""
    with pytest.MonkeyPatch.context() as patch, emulated(patch) as cloud:
        world, writes = new_world(cloud), watched(patch)
        world.open_position()
        world.venue.advance(60, COIN="97")
        writes.fatal = fatal
        for _ in range(5):
            writes.run(world, World.reconcile)
            world.venue.advance(20)
        (trade,) = world.trades()
        assert world.venue.account().equity == 10_000 + trade.net
        assert world.cloud.ledger.open_positions() == () == world.venue.open_orders()
        day = world.cloud.control.risk_day()
        assert day is not None
        assert sum(each.losses for each in day.streaks) == 1
        return writes.kills > 0


def test_process_killed_after_any_write_books_one_trade() -> None:
    fatal = 1
    while life(fatal):
        fatal += 1
    print(f"\n{fatal - 1} kill points of an end")
    assert fatal - 1 >= 4
