"""The order books before an entry: how much they let in, and that a book which is not known holds up nothing else."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from functions.execute_signals.execute import execute_signals
from shared.storage.ledger import SignalState
from tests.fakes.cloud import Cloud
from tests.fakes.records import RULES, rules_with
from tests.integration.trading.interleaving import Meanwhile
from tests.integration.trading.test_taking_signals import states
from tests.integration.trading.world import World, new_world
from trading.model.depth import OrderBook
from trading.rules import Rules

NO_DEPTH = rules_with('{"risk": {"depth": false}}')


def thin_out(world: World, contract: str, coins: int) -> None:
    """Ten levels of so many coins a side."""
    engine = world.venue.engine
    market = engine.market(contract)
    liquidity = replace(market.liquidity, level_size=Decimal(coins))
    engine.markets[contract] = replace(market, liquidity=liquidity)  # type: ignore[index]


@pytest.mark.parametrize(("rules", "quantity"), [(RULES, 5), (NO_DEPTH, Decimal("23.36"))])
def test_thin_book_makes_the_entry_smaller(cloud: Cloud, rules: Rules, quantity: Decimal) -> None:
    """Ticks of 10 bps: five of the levels are within 50 bps of the mid, and half of their ten coins may be ours."""
    world = new_world(cloud, rules=rules)
    thin_out(world, "PF_COINUSD", 2)
    world.add_signal()
    world.execute()
    assert world.position().planned == quantity


@pytest.mark.parametrize(
    ("rules", "state", "failures"), [(RULES, SignalState.NEW, 1), (NO_DEPTH, SignalState.TAKEN, 0)]
)
def test_unknown_book_holds_only_its_own_idea_up(cloud: Cloud, rules: Rules, state: SignalState, failures: int) -> None:
    world = new_world(cloud, ["A", "B"], rules)
    world.add_signal("A", score=90)
    world.add_signal("B", score=80)
    world.venue.faults.reads = {"order_book PF_AUSD"}
    report = world.execute()
    assert states(world) == {"A": state, "B": SignalState.TAKEN}
    assert len(report.failures) == failures


def test_idea_is_taken_once_its_book_answers(world: World) -> None:
    world.add_signal()
    world.venue.faults.reads = {"order_book"}
    assert world.execute().failures == ["PF_COINUSD: order_book does not answer"]
    assert world.venue.placed == []
    world.venue.faults.reads = set()
    world.minute()
    assert states(world) == {"COIN": SignalState.TAKEN}


class CountedBooks(Meanwhile):
    """Every book takes so many seconds."""

    def __init__(self, world: World, seconds: float) -> None:
        super().__init__(world.venue, "", lambda: None)
        self.world, self.seconds, self.asked = world, seconds, list[str]()

    def order_book(self, contract: str) -> OrderBook:
        self.asked.append(contract)
        self.world.venue.advance(self.seconds)
        return self.world.venue.order_book(contract)


def test_each_book_is_asked_for_once(cloud: Cloud) -> None:
    world = new_world(cloud, ["A", "B"])
    world.add_signal("A", structure_id="one")
    world.add_signal("A", structure_id="two")
    world.add_signal("B")
    venue = CountedBooks(world, 0.1)
    execute_signals(world.desk(venue))
    assert sorted(venue.asked) == ["PF_AUSD", "PF_BUSD"]


def test_no_signal_asks_for_no_book(world: World) -> None:
    venue = CountedBooks(world, 0)
    execute_signals(world.desk(venue))
    assert venue.asked == []


def test_books_that_hang_end_the_asking(cloud: Cloud) -> None:
    """The ideas whose books were not asked for wait for the next minute; the prices are those of after the wait."""
    names = ["A", "B", "C"]
    world = new_world(cloud, names)
    for name in names:
        world.add_signal(name)
    venue = CountedBooks(world, 5)
    report = execute_signals(world.desk(venue))
    assert len(venue.asked) == 2
    assert [each.split(": ")[1] for each in report.failures] == [
        "its order book was not asked for, others took too long"
    ]
    assert sorted(states(world).values()) == [SignalState.NEW, SignalState.TAKEN, SignalState.TAKEN]
