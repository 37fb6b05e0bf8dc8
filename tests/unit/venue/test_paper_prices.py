from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from shared.storage.paper_books import SeenPrice
from shared.venue.paper_markets import market_of
from shared.venue.paper_prices import Look, PathBetweenLooks
from tests.fakes.futures_market import a_contract, a_quote
from trading.errors import InvalidInput
from trading.matching import Market, MarketStatus, Side
from trading.matching.book import ask, bid, plan_taker, protected_price
from trading.model.units import Price
from trading.model.venue import ContractStress, Quote

START = datetime(2024, 5, 1, 9, 59, tzinfo=UTC)
COIN = "PF_COINUSD"
SEEN = {COIN: SeenPrice(index=Decimal(98), mark=Decimal(100), funding=Decimal("0.01"))}


def look(minutes: float = 2, **ticker: Any) -> Look:
    at = START + timedelta(minutes=minutes)
    quote = a_quote(COIN, **{"mark": Price(101), "index": Price(99), "bid": None, "ask": None, "at": at, **ticker})
    return Look(quotes={COIN: quote}, at=at, seen_at=at)


def a_market(quote: Quote | None, stress: ContractStress | None = None) -> Market:
    """The contract at one look with this ticker."""
    seen = Look(quotes={} if quote is None else {COIN: quote}, at=START, seen_at=START)
    price = seen.price(COIN, SEEN[COIN])
    assert price is not None
    return market_of(a_contract("COIN"), price, seen.status(COIN), stress)


def test_path_is_straight_from_look_to_look() -> None:
    feed = PathBetweenLooks(START, SEEN, look())
    half_way = feed.quote(COIN, START + timedelta(minutes=1))
    assert (half_way.index, half_way.mark) == (98.5, 100.5)
    path = feed.path(COIN, START, START + timedelta(minutes=2))
    assert [(each.time, each.mark) for each in path] == [(START, 100), (START + timedelta(minutes=2), 101)]


@pytest.mark.parametrize(("minutes", "mark"), [(2, "101.1"), (2, "98.9"), (2.1, "100.5")])
def test_large_or_old_move_is_a_jump(minutes: float, mark: str) -> None:
    feed = PathBetweenLooks(START, SEEN, look(minutes, mark=Price(mark)))
    end = START + timedelta(minutes=minutes)
    assert [(each.time, each.mark) for each in feed.path(COIN, START, end)] == [
        (START, 100),
        (end, 100),
        (end, Decimal(mark)),
    ]
    half_way = START + timedelta(minutes=1)
    assert [each.mark for each in feed.path(COIN, START, half_way)] == [100, 100]
    assert feed.quote(COIN, end).mark == Decimal(mark)


@pytest.mark.parametrize(
    ("ticker", "believed"),
    [
        ({"mark": "10", "bid": "99.9", "ask": "100.1", "index": "100"}, False),
        ({"mark": "10", "bid": None, "ask": None, "index": "100"}, False),
        ({"mark": "121", "bid": "99.9", "ask": "100.1", "index": "100"}, False),
        ({"mark": "10", "bid": "9.9", "ask": "10.1", "index": "100"}, True),
        ({"mark": "119", "bid": "99.9", "ask": "100.1", "index": "100"}, True),
        ({"mark": "10", "bid": None, "ask": None, "index": None}, True),
    ],
)
def test_mark_against_its_ticker_is_no_price(ticker: dict[str, str | None], believed: bool) -> None:
    values = {name: None if value is None else Price(value) for name, value in ticker.items()}
    seen = look(**values)
    assert (seen.quote(COIN) is not None) is believed
    assert PathBetweenLooks(START, SEEN, seen).now(COIN).mark == (values["mark"] if believed else 100)


def test_price_without_earlier_look_stands_still() -> None:
    feed = PathBetweenLooks(START, {}, look())
    assert feed.quote(COIN, START).mark == feed.quote(COIN, START + timedelta(minutes=2)).mark == 101


def test_look_older_than_the_books_changes_nothing() -> None:
    feed = PathBetweenLooks(START, SEEN, look(minutes=-1))
    assert feed.quote(COIN, START).mark == 100
    assert feed.now(COIN) == SEEN[COIN]


def test_missing_ticker_leaves_the_last_price() -> None:
    feed = PathBetweenLooks(START, SEEN, Look(quotes={}, at=START + timedelta(minutes=1), seen_at=START))
    assert feed.quote(COIN, START + timedelta(minutes=1)).mark == 100


def test_contract_nobody_ever_quoted_is_named() -> None:
    with pytest.raises(InvalidInput, match="PF_NONEUSD"):
        PathBetweenLooks(START, SEEN, look()).now("PF_NONEUSD")


def test_funding_of_the_hour_before_is_its_own() -> None:
    feed = PathBetweenLooks(START, SEEN, look(hourly_funding=Decimal("0.001")))
    assert feed.funding_rate(COIN, START) == Decimal("0.01")
    assert feed.funding_rate(COIN, START + timedelta(minutes=1)) == Decimal("0.101")


def test_unsaid_funding_stays_at_what_was_said() -> None:
    price = look(hourly_funding=None).price(COIN, SEEN[COIN])
    assert price is not None
    assert (price.index, price.mark, price.funding) == (99, 101, Decimal("0.01"))


@pytest.mark.parametrize(("bid_price", "ask_price"), [("99.9", "100.4"), ("99.2", "99.8"), ("99.99", "100.01")])
def test_simulated_book_is_never_better_than_the_real_one(bid_price: str, ask_price: str) -> None:
    market = a_market(a_quote(COIN, bid=Price(bid_price), ask=Price(ask_price)))
    assert ask(market, Decimal(100)) >= Decimal(ask_price)
    assert bid(market, Decimal(100)) <= Decimal(bid_price)


@pytest.mark.parametrize(
    ("ticker", "status"),
    [({}, MarketStatus.ONLINE), ({"suspended": True}, MarketStatus.SUSPENDED), ({"post_only": True}, "post_only")],
)
def test_market_trades_as_its_ticker_says(ticker: dict[str, Any], status: str) -> None:
    assert a_market(a_quote(COIN, **ticker)).status == status


def test_contract_without_a_ticker_is_suspended() -> None:
    assert a_market(None).status is MarketStatus.SUSPENDED


@pytest.mark.parametrize("mark", ["99.996", "100", "100.004", "50.003"])
@pytest.mark.parametrize("side", list(Side))
def test_unquoted_side_fills_no_market_order(mark: str, side: Side) -> None:
    market, price = a_market(a_quote(COIN, mark=Price(mark), bid=None, ask=None, index=None)), Decimal(mark)
    assert plan_taker(market, price, side, Decimal(1), protected_price(market, price, side)) == ()


def test_one_empty_side_leaves_the_other_as_it_is() -> None:
    market = a_market(a_quote(COIN, mark=Price(100), bid=Price("99.9"), ask=None))
    assert (bid(market, Decimal(100)), ask(market, Decimal(100))) == (Decimal("99.9"), Decimal(102))


def test_extreme_volatility_multiplies_initial_margin() -> None:
    wild = ContractStress(contract=COIN, dislocated=False, extreme_volatility=True, margin_multiplier=Decimal(3))
    calm = a_market(a_quote(COIN)).initial_margin(Decimal(1000))
    assert a_market(a_quote(COIN), wild).initial_margin(Decimal(1000)) == 3 * calm


def test_fees_come_from_the_contract() -> None:
    market = a_market(a_quote(COIN))
    assert (market.maker_fee, market.taker_fee) == (Decimal("0.0002"), Decimal("0.0005"))
