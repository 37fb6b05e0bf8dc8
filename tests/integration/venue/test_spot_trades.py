"""Public trades over a socket: pages, order, exact times, and answers that must not be believed."""

from __future__ import annotations

from typing import Any

import pytest

from shared.venue import KrakenSpot
from tests.integration.venue.conftest import NOW
from tests.integration.venue.loopback_venue import LoopbackVenue, Scripted
from trading.errors import VenueAnswerInvalid

TRADES = "/0/public/Trades"
SECOND = 10**9
START = 1_700_000_100


def trade(time: object, price: str = "30243.4", volume: str = "0.34507674", number: int = 1) -> list[Any]:
    return [price, volume, time, "b", "m", "", number]


def trades(*rows: object, last: object, key: str = "XXBTZUSD") -> dict[str, Any]:
    return {"error": [], "result": {key: list(rows), "last": last}}


def test_trades_follow_each_other_over_two_pages(spot: KrakenSpot, loopback: LoopbackVenue) -> None:
    end = str((START + 1000) * SECOND + 7)
    loopback.answer(
        TRADES,
        trades(*[trade(START + number, number=number) for number in range(1000)], last=str((START + 999) * SECOND)),
        trades(trade(START + 1000), last=end),
        trades(last=end),
    )
    pages, since = [], START * SECOND - 1
    for _ in range(3):
        pages.append(spot.trades("XXBTZUSD", since))
        since = pages[-1].next_since
    assert [each.at for page in pages for each in page.trades] == [(START + n) * SECOND for n in range(1001)]
    asked = [each.parameters for each in loopback.asked]
    assert [each["since"] for each in asked] == [[str(START * SECOND - 1)], [str((START + 999) * SECOND)], [end]]
    assert (asked[0]["pair"], asked[0]["count"], since) == (["XXBTZUSD"], ["1000"], int(end))


def test_trade_keeps_every_digit_of_its_time(spot: KrakenSpot, loopback: LoopbackVenue) -> None:
    body = trades(trade(0), last=str(1688669597827736999)).__repr__().replace("'", '"')
    loopback.answer(TRADES, Scripted(text=body.replace(", 0,", ", 1688669597.8277369,")))
    (found,) = spot.trades("XXBTZUSD", 0).trades
    assert (found.at, found.price, found.volume) == (1688669597827736900, 30243.4, 0.34507674)


def test_empty_page_keeps_the_given_since(spot: KrakenSpot, loopback: LoopbackVenue) -> None:
    for last in ("0", str(START * SECOND)):
        loopback.answer(TRADES, trades(last=last))
        page = spot.trades("XXBTZUSD", 5 * SECOND)
        assert (page.trades, page.next_since) == ((), 5 * SECOND)


def test_trades_of_one_moment_keep_the_venues_order(spot: KrakenSpot, loopback: LoopbackVenue) -> None:
    rows = [trade(START + 2, "3"), trade(START + 1, "1"), trade(START + 1, "2"), trade(START + 2, "4", volume="0")]
    loopback.answer(TRADES, trades(*rows, last=str((START + 2) * SECOND)))
    assert [each.price for each in spot.trades("XXBTZUSD", 0).trades] == [1.0, 2.0, 3.0, 4.0]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(trades(trade(START), trade(START, price="0"), last="1"), id="price of nothing"),
        pytest.param(trades(trade(START, volume="-1"), last="1"), id="negative volume"),
        pytest.param(trades(trade("soon"), last="1"), id="no time"),
        pytest.param(trades(trade(START)[:2], last="1"), id="short row"),
        pytest.param(trades(7, last="1"), id="row of another kind"),
        pytest.param(trades(trade(START), last=None), id="no next page"),
        pytest.param(trades(trade(START), last="soon"), id="next page is no number"),
        pytest.param(trades(trade(START), last="1", key="XBTUSD"), id="another pair"),
        pytest.param(trades(trade(START), last="-1"), id="next page before 1970"),
        pytest.param({"error": [], "result": {"XXBTZUSD": None, "last": "1"}}, id="no rows"),
    ],
)
def test_invalid_trade_refuses_the_whole_page(spot: KrakenSpot, loopback: LoopbackVenue, body: dict[str, Any]) -> None:
    loopback.answer(TRADES, body)
    with pytest.raises(VenueAnswerInvalid, match=r"^venue answered Trades .+; expected .+") as caught:
        spot.trades("XXBTZUSD", 0)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("count", "time", "last"),
    [
        pytest.param(1, START, (START - 10) * SECOND, id="next page lies before this one"),
        pytest.param(1000, START, START * SECOND, id="full page that leads to itself"),
        pytest.param(1, START, int(NOW.timestamp() + 61) * SECOND, id="next page in the future"),
        pytest.param(1, NOW.timestamp() + 61, START * SECOND + 1, id="trade in the future"),
        pytest.param(1, START, 10**30, id="next page beyond all calendars"),
    ],
)
def test_page_that_leads_nowhere_is_refused(
    spot: KrakenSpot, loopback: LoopbackVenue, count: int, time: float, last: int
) -> None:
    loopback.answer(TRADES, trades(*[trade(time)] * count, last=str(last)))
    with pytest.raises(VenueAnswerInvalid, match=r"^venue answered Trades of XXBTZUSD .+; expected .+"):
        spot.trades("XXBTZUSD", START * SECOND)


def test_short_page_may_end_where_it_began(spot: KrakenSpot, loopback: LoopbackVenue) -> None:
    loopback.answer(TRADES, trades(trade(START), last=str(START * SECOND)))
    page = spot.trades("XXBTZUSD", START * SECOND)
    assert (len(page.trades), page.next_since) == (1, START * SECOND)
