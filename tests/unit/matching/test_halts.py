"""A market that is not online: nothing executes in it, neither orders nor liquidations; what was passed waits."""

import pytest

from tests.unit.matching.scripted import COIN, ScriptedFeed, at, d, engine, fills, market, order, placed, position
from trading.matching import MarketStatus, MatchingEngine, opening_books

OFFLINE = [MarketStatus.SUSPENDED, MarketStatus.POST_ONLY, MarketStatus.INACTIVE]
OTHER = "PF_OTHERUSD"


def held_with_stop() -> MatchingEngine:
    """Long 2 with a stop at 95; the mark falls to 90 within ten minutes, and to 80 within twenty."""
    venue = engine((0, 100), (10, 90), (20, 80))
    placed(venue.send(order("mkt", "buy", 2)))
    placed(venue.send(order("stp", "sell", 2, 95, reduce_only=True)))
    return venue


@pytest.mark.parametrize("status", OFFLINE)
def test_stop_waits_until_its_market_opens(status: MarketStatus) -> None:
    venue = held_with_stop()
    venue.set_status(COIN, status)
    venue.advance(at(10))
    assert position(venue) == 2
    venue.set_status(COIN, MarketStatus.ONLINE)
    venue.advance(at(11))
    assert position(venue) == 0
    assert fills(venue)[-1] == ("sell", d(2), d("89.9"), "taker")


@pytest.mark.parametrize("status", OFFLINE)
def test_resting_entry_is_not_filled_in_a_halt(status: MarketStatus) -> None:
    venue = engine((0, 100), (10, 90))
    placed(venue.send(order("post", "buy", 1, 95)))
    venue.set_status(COIN, status)
    venue.advance(at(10))
    assert (fills(venue), position(venue)) == ([], 0)


@pytest.mark.parametrize(("status", "held"), [(MarketStatus.ONLINE, 0), (MarketStatus.SUSPENDED, 100)])
def test_position_is_liquidated_in_an_open_market_only(status: MarketStatus, held: int) -> None:
    venue = engine((0, 100), (10, 50), balance="1000")
    placed(venue.send(order("mkt", "buy", 100)))
    venue.set_status(COIN, status)
    venue.advance(at(10))
    assert position(venue) == held


def test_liquidation_closes_what_can_be_closed() -> None:
    listed = {COIN: market(), OTHER: market(OTHER)}
    feed = ScriptedFeed({COIN: ((0, 100), (10, 50)), OTHER: ((0, 100), (10, 100))}, "0")
    venue = MatchingEngine(opening_books(at(0), d(1000), 1), listed, feed)
    placed(venue.send(order("mkt", "buy", 100)))
    placed(venue.send(order("mkt", "buy", 1, symbol=OTHER)))
    venue.set_status(COIN, MarketStatus.SUSPENDED)
    venue.advance(at(10))
    assert (venue.books.size_of(COIN), venue.books.size_of(OTHER)) == (100, 0)
