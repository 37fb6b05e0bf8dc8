"""Order books through the adapter: what rests is told exactly, and a book that cannot be is no answer."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from shared.venue import KrakenFuturesMarket
from shared.venue.call_cost import cost_of
from shared.venue.transport import require_loopback
from tests.fakes.shared_folder import SHARED
from tests.integration.venue.loopback_venue import LoopbackVenue, Scripted
from tests.integration.venue.recorded_bodies import V3, success
from trading.errors import VenueAnswerInvalid, VenueUnavailable
from trading.model.instruments import Side

PATH = f"{V3}/orderbook"
RECORDED = SHARED / "data/api_samples/kraken_futures_rest/exchangedata_GetOrderBook.json"
BIDS, ASKS = [[99.5, 1.25], [99, 2]], [[100.5, 4], ["101.0", "8"]]


@pytest.fixture
def market(loopback: LoopbackVenue) -> KrakenFuturesMarket:
    adapter = KrakenFuturesMarket(base_url=loopback.url, timeout_s=2.0)
    require_loopback(adapter.wire.addresses())
    return adapter


def body(bids: Any = BIDS, asks: Any = ASKS, **more: Any) -> dict[str, Any]:
    return success(orderBook={"bids": bids, "asks": asks}, **more)


def test_book_is_read_to_its_last_digit(market: KrakenFuturesMarket, loopback: LoopbackVenue) -> None:
    loopback.answer(PATH, body(serverTime="2026-11-22T11:00:00.250Z"))
    book = market.order_book("PF_COINUSD")
    assert book.contract == "PF_COINUSD"
    assert book.bids == ((Decimal("99.5"), Decimal("1.25")), (Decimal(99), Decimal(2)))
    assert book.asks == ((Decimal("100.5"), Decimal(4)), (Decimal(101), Decimal(8)))
    assert book.at == datetime(2026, 11, 22, 11, 0, 0, 250_000, tzinfo=UTC)
    assert [(each.method, each.path, each.query) for each in loopback.asked] == [("GET", PATH, "symbol=PF_COINUSD")]


def test_book_costs_nothing_of_the_budget() -> None:
    assert cost_of("public_get_orderbook", {"symbol": "PF_COINUSD"}) == 0


@pytest.mark.parametrize(("bids", "asks"), [([], ASKS), (BIDS, []), ([], [])])
def test_empty_side_is_an_answer(market: KrakenFuturesMarket, loopback: LoopbackVenue, bids: Any, asks: Any) -> None:
    loopback.answer(PATH, body(bids, asks))
    assert market.order_book("PF_COINUSD").closing(Side.LONG, Decimal(1000)) == 0


NONSENSE: dict[str, dict[str, Any]] = {
    "no bids": {"orderBook": {"asks": ASKS}},
    "no asks": {"orderBook": {"bids": BIDS}},
    "bids are nothing": body(bids=None),
    "bids are an object": body(bids={"99.5": 1}),
    "level without size": body(bids=[[99.5]]),
    "level of three": body(bids=[[99.5, 1, 1]]),
    "level is a number": body(bids=[99.5]),
    "price of zero": body(bids=[[0, 1]]),
    "price below zero": body(bids=[[-99.5, 1]]),
    "size of zero": body(asks=[[100.5, 0]]),
    "size below zero": body(asks=[[100.5, -1]]),
    "size is text": body(asks=[[100.5, "lots"]]),
    "size is not a number": body(asks=[[100.5, "NaN"]]),
    "size is true": body(asks=[[100.5, True]]),
    "size is endless": body(asks=[[100.5, 1e300]]),
    "bids rise": body(bids=BIDS[::-1]),
    "asks fall": body(asks=ASKS[::-1]),
    "price twice": body(asks=[[100.5, 4], [100.5, 5]]),
    "crossed": body(bids=[[100.75, 1]]),
    "no time": body(serverTime=None),
    "time is text": body(serverTime="just now"),
    "book is a list": {"orderBook": [BIDS, ASKS]},
}


@pytest.mark.parametrize("nonsense", NONSENSE.values(), ids=list(NONSENSE))
def test_nonsense_in_the_book_is_no_answer(
    market: KrakenFuturesMarket, loopback: LoopbackVenue, nonsense: dict[str, Any]
) -> None:
    loopback.answer(PATH, body())
    market.order_book("PF_COINUSD")
    loopback.answer(PATH, {**body(), **nonsense})
    with pytest.raises(VenueAnswerInvalid) as caught:
        market.order_book("PF_COINUSD")
    assert str(caught.value).startswith("venue answered orderbook with ")
    assert "\n" not in str(caught.value)


def test_contract_it_does_not_know_is_no_answer(market: KrakenFuturesMarket, loopback: LoopbackVenue) -> None:
    refusal = {"result": "error", "errors": [{"code": 87, "message": "Contract does not exist"}]}
    loopback.answer(PATH, Scripted(status=400, text=json.dumps(refusal)))
    with pytest.raises(VenueUnavailable, match="venue refused orderbook with HTTP 400: Contract does not exist"):
        market.order_book("PF_NOSUCHUSD")


@pytest.mark.skipif(not RECORDED.exists(), reason="the shared folder with recorded answers is not here")
def test_recorded_book_is_read_whole(market: KrakenFuturesMarket, loopback: LoopbackVenue) -> None:
    recorded = json.loads(RECORDED.read_text(encoding="utf-8"))["response"]
    loopback.answer(PATH, recorded)
    book = market.order_book("PI_XBTUSD")
    assert (len(book.bids), len(book.asks)) == (244, 182)
    assert (book.bids[0], book.asks[-1]) == ((Decimal("61011.5"), 2900), (427150, 300))
    assert book.closing(Side.SHORT, Decimal(50)) > book.closing(Side.SHORT, Decimal(5)) > 0
