"""A market that is not online: nothing executes in it, neither orders nor liquidations; what was passed waits."""

import pytest

from tests.unit.matching.scripted import COIN, ScriptedFeed, at, d, engine, fills, market, order, placed, position
from trading.matching import EditRequest, Liquidity, MarketStatus, MatchingEngine, opening_books

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
    assert position(venue) == 2
    venue.settle()
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


def test_account_that_cannot_be_liquidated_opens_nothing_more() -> None:
    """What it holds cannot be closed: its entries are taken off, and nothing else happens."""
    listed = {COIN: market(), OTHER: market(OTHER)}
    feed = ScriptedFeed({COIN: ((0, 100), (10, 70)), OTHER: ((0, 100), (10, 90))}, "0")
    venue = MatchingEngine(opening_books(at(0), d(1000), 1), listed, feed)
    placed(venue.send(order("mkt", "buy", 40)))
    placed(venue.send(order("post", "buy", 1, 95, symbol=OTHER)))
    venue.set_status(COIN, MarketStatus.SUSPENDED)
    venue.advance(at(10))
    assert (venue.books.live, venue.books.size_of(COIN), venue.books.size_of(OTHER)) == ({}, 40, 0)


@pytest.mark.parametrize(
    ("status", "limit", "answer"),
    [
        (MarketStatus.SUSPENDED, 96, "marketSuspended"),
        (MarketStatus.INACTIVE, 96, "marketInactive"),
        (MarketStatus.POST_ONLY, 101, "marketIsPostOnly"),
        (MarketStatus.POST_ONLY, 96, "edited"),
        (MarketStatus.ONLINE, 101, "edited"),
    ],
)
def test_edit_takes_nothing_in_a_halt(status: MarketStatus, limit: int, answer: str) -> None:
    venue = engine((0, 100), (10, 100))
    order_id = placed(venue.send(order("lmt", "buy", 1, 95)))
    venue.set_status(COIN, status)
    assert venue.edit(EditRequest(order_id=order_id, limit_price=d(limit))).status == answer
    assert bool(fills(venue)) is (status is MarketStatus.ONLINE)


def test_resting_orders_may_meet_another_book_than_takers() -> None:
    """A sell at 101 is reached when its own bid is: at a mark of 102 with a bid that lies a percent below."""
    far = Liquidity(half_spread=d("0.01"), level_size=d(1000))
    for resting, filled in ((None, 1), (far, 0)):
        venue = engine((0, 100), (10, 101.5), listed=market(resting_liquidity=resting))
        placed(venue.send(order("mkt", "buy", 1)))
        placed(venue.send(order("post", "sell", 1, 101, reduce_only=True)))
        venue.advance(at(10))
        assert position(venue) == 1 - filled


def test_restored_statuses_execute_nothing() -> None:
    """A venue that is put together again sets one status after the other."""
    venue = engine((0, 100), (10, 50), balance="1000")
    placed(venue.send(order("mkt", "buy", 100)))
    venue.set_status(COIN, MarketStatus.SUSPENDED)
    venue.advance(at(10))
    venue.set_status(COIN, MarketStatus.ONLINE)
    assert position(venue) == 100
