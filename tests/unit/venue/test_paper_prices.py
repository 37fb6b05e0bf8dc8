from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from shared.storage.paper_books import SeenPrice
from shared.venue.paper_prices import Look, PathBetweenLooks, market_of
from tests.fakes.futures_market import a_contract, a_quote
from trading.errors import InvalidInput
from trading.matching import MarketStatus
from trading.matching.book import ask, bid
from trading.model.units import Price
from trading.model.venue import ContractStress

START = datetime(2024, 5, 1, 9, 59, tzinfo=UTC)
COIN = "PF_COINUSD"
SEEN = {COIN: SeenPrice(index=Decimal(98), mark=Decimal(100), funding=Decimal("0.01"))}


def look(minutes: float = 2, **ticker: Any) -> Look:
    at = START + timedelta(minutes=minutes)
    quote = a_quote(COIN, **{"mark": Price(110), "index": Price(108), "bid": None, "ask": None, "at": at, **ticker})
    return Look(quotes={COIN: quote}, at=at, seen_at=at)


def test_path_is_straight_from_look_to_look() -> None:
    feed = PathBetweenLooks(START, SEEN, look())
    half_way = feed.quote(COIN, START + timedelta(minutes=1))
    assert (half_way.index, half_way.mark) == (103, 105)
    path = feed.path(COIN, START, START + timedelta(minutes=2))
    assert [(each.time, each.mark) for each in path] == [(START, 100), (START + timedelta(minutes=2), 110)]


def test_price_without_earlier_look_stands_still() -> None:
    feed = PathBetweenLooks(START, {}, look())
    assert feed.quote(COIN, START).mark == feed.quote(COIN, START + timedelta(minutes=2)).mark == 110


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
    assert feed.funding_rate(COIN, START + timedelta(minutes=1)) == Decimal("0.11")


def test_unsaid_funding_stays_at_what_was_said() -> None:
    assert look(hourly_funding=None).price(COIN, SEEN[COIN]) == SeenPrice(
        index=Decimal(108), mark=Decimal(110), funding=Decimal("0.01")
    )


@pytest.mark.parametrize(("bid_price", "ask_price"), [("99.9", "100.4"), ("99.2", "99.8"), ("99.99", "100.01")])
def test_simulated_book_is_never_better_than_the_real_one(bid_price: str, ask_price: str) -> None:
    quote = a_quote(COIN, bid=Price(bid_price), ask=Price(ask_price))
    market = market_of(a_contract("COIN"), quote, None)
    assert ask(market, Decimal(100)) >= Decimal(ask_price)
    assert bid(market, Decimal(100)) <= Decimal(bid_price)


@pytest.mark.parametrize(
    ("ticker", "status"),
    [({}, MarketStatus.ONLINE), ({"suspended": True}, MarketStatus.SUSPENDED), ({"post_only": True}, "post_only")],
)
def test_market_trades_as_its_ticker_says(ticker: dict[str, Any], status: str) -> None:
    assert market_of(a_contract("COIN"), a_quote(COIN, **ticker), None).status == status


def test_contract_without_a_ticker_is_suspended() -> None:
    assert market_of(a_contract("COIN"), None, None).status is MarketStatus.SUSPENDED


def test_extreme_volatility_multiplies_initial_margin() -> None:
    wild = ContractStress(contract=COIN, dislocated=False, extreme_volatility=True, margin_multiplier=Decimal(3))
    calm = market_of(a_contract("COIN"), a_quote(COIN), None)
    assert market_of(a_contract("COIN"), a_quote(COIN), wild).initial_margin(Decimal(1000)) == 3 * calm.initial_margin(
        Decimal(1000)
    )


def test_fees_come_from_the_contract() -> None:
    market = market_of(a_contract("COIN"), a_quote(COIN), None)
    assert (market.maker_fee, market.taker_fee) == (Decimal("0.0002"), Decimal("0.0005"))
