"""Extreme volatility multiplies initial margin and nothing else; the venue in memory tells it as the core has it."""

import pytest

from tests.fakes.records import coin
from tests.fakes.venue import VenueInMemory
from tests.unit.matching.scripted import COIN, OTHER, START, ScriptedFeed, at, d, engine, market, order, placed
from trading.errors import InvalidInput, VenueUnavailable
from trading.matching import Dislocation, MatchingEngine, Stress, opening_books

VOLATILE = Stress(extreme_volatility=True, initial_margin_multiplier=d(3))


def test_multiplier_raises_initial_margin_of_positions() -> None:
    venue = engine((0, 100), (10, 100))
    placed(venue.send(order("mkt", "buy", 10)))
    calm = venue.margin()
    venue.set_stress(COIN, VOLATILE)
    stressed = venue.margin()
    assert (calm.initial, stressed.initial) == (d(20), d(60))
    assert stressed.maintenance == calm.maintenance == d(10)
    assert calm.available - stressed.available == d(40)
    venue.set_stress(COIN, Stress())
    assert venue.margin() == calm


def test_multiplier_raises_margin_of_working_orders() -> None:
    venue = engine((0, 100), (10, 100))
    placed(venue.send(order("lmt", "buy", 100, 99)))
    venue.set_stress(COIN, VOLATILE)
    assert (venue.margin().initial, venue.margin().initial_with_orders) == (d(0), d(600))


def test_multiplier_of_one_contract_leaves_others() -> None:
    feed = ScriptedFeed({COIN: [(0, 100), (10, 100)], OTHER: [(0, 100), (10, 100)]})
    venue = MatchingEngine(opening_books(START, d(10_000)), {COIN: market(), OTHER: market(OTHER)}, feed)
    placed(venue.send(order("mkt", "buy", 10)))
    venue.set_stress(OTHER, VOLATILE)
    assert venue.margin().initial == d(20)


@pytest.mark.parametrize(
    ("stress", "status"),
    [
        (Stress(), "placed"),
        (Stress(dislocation=Dislocation.BELOW), "placed"),
        (VOLATILE, "insufficientAvailableFunds"),
    ],
)
def test_order_is_refused_for_margin_under_stress(stress: Stress, status: str) -> None:
    venue = engine((0, 100), (10, 100), balance="1000")
    venue.set_stress(COIN, stress)
    assert venue.send(order("lmt", "buy", 400, 99)).status == status


def test_position_can_always_be_reduced_under_stress() -> None:
    venue = engine((0, 100), (10, 100), balance="1000")
    placed(venue.send(order("mkt", "buy", 300)))
    venue.set_stress(COIN, VOLATILE)
    assert venue.margin().available < 0
    placed(venue.send(order("mkt", "sell", 300, reduce_only=True)))
    assert venue.books.size_of(COIN) == 0


def test_multiplier_alone_does_not_liquidate() -> None:
    venue = engine((0, 100), (10, 99.9), balance="1000")
    placed(venue.send(order("mkt", "buy", 300)))
    venue.set_stress(COIN, VOLATILE)
    venue.advance(at(10))
    assert venue.books.liquidations == 0


@pytest.mark.parametrize(("multiplier", "volatile"), [("0.9", True), ("-1", True), ("NaN", True), ("2", False)])
def test_stress_that_cannot_be_is_refused(multiplier: str, volatile: bool) -> None:
    with pytest.raises(InvalidInput, match=f"multiplier is {multiplier}"):
        Stress(extreme_volatility=volatile, initial_margin_multiplier=d(multiplier))


def test_venue_in_memory_tells_stress_and_lives_it() -> None:
    venue = VenueInMemory([coin("A"), coin("B")], START)
    assert venue.stress() == {}
    venue.put_under_stress("PF_AUSD", multiplier="2.5")
    venue.put_under_stress("PF_BUSD", dislocated=True)
    told = venue.stress()
    assert (told["PF_AUSD"].extreme_volatility, told["PF_AUSD"].margin_multiplier) == (True, d("2.5"))
    assert (told["PF_BUSD"].dislocated, told["PF_BUSD"].margin_multiplier) == (True, d(1))
    assert venue.engine.market("PF_AUSD").initial_margin(d(100)) == d(5)
    venue.put_under_stress("PF_AUSD")
    assert set(venue.stress()) == {"PF_BUSD"}
    venue.faults.reads.add("stress")
    with pytest.raises(VenueUnavailable, match="stress"):
        venue.stress()


def test_venue_in_memory_may_not_say_its_funding() -> None:
    venue = VenueInMemory([coin("A")], START)
    assert venue.quotes()["PF_AUSD"].hourly_funding == 0
    venue.faults.no_funding = True
    assert venue.quotes()["PF_AUSD"].hourly_funding is None
