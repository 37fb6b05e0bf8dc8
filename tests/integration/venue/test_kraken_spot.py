from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.venue import KrakenSpot
from tests.integration.venue.conftest import NOW
from tests.integration.venue.loopback_venue import LoopbackVenue
from trading.errors import VenueAnswerInvalid, VenueUnavailable
from trading.model.times import Timeframe

OHLC = "/0/public/OHLC"
START = 1_700_000_100


def bar(open_time: int, high: str = "102") -> list[Any]:
    return [open_time, "100.5", high, "99", "101", "100.7", "12.5", 42]


def ohlc(*rows: list[Any], last: object, key: str = "XXBTZUSD") -> dict[str, Any]:
    return {"error": [], "result": {key: list(rows), "last": last}}


def test_uncommitted_bar_is_never_given(spot: KrakenSpot, loopback: LoopbackVenue) -> None:
    loopback.answer(OHLC, ohlc(bar(START), bar(START + 900), bar(START + 1800), last=START + 900))
    series = spot.candles("XXBTZUSD", Timeframe.M15, None)
    assert list(series.times) == [START, START + 900]
    assert (series[0].open, series[0].close, series[0].volume) == (100.5, 101.0, 12.5)
    assert loopback.asked[0].parameters == {"pair": ["XXBTZUSD"], "interval": ["15"]}


def test_since_includes_the_bar_that_opens_then(spot: KrakenSpot, loopback: LoopbackVenue) -> None:
    loopback.answer(OHLC, ohlc(bar(START), bar(START + 900), bar(START + 1800), last=str(START + 1800)))
    series = spot.candles("XXBTZUSD", Timeframe.M15, datetime.fromtimestamp(START + 900, UTC))
    assert list(series.times) == [START + 900, START + 1800]
    assert loopback.asked[0].parameters["since"] == [str(START)]


@pytest.mark.parametrize(
    "body",
    [
        ohlc(bar(START), last=START, key="XBTUSD"),
        ohlc(bar(START + 1), last=START + 900),
        ohlc(bar(START), bar(START), last=START + 900),
        ohlc(bar(START + 900), bar(START), last=START + 900),
        ohlc(bar(START, high="98"), last=START),
        ohlc(bar(START, high="-1"), last=START),
        ohlc(bar(START)[:4], last=START),
        ohlc(bar(START), last=None),
        {"error": [], "result": {"XXBTZUSD": [7], "last": START}},
        {"error": [], "result": None},
    ],
)
def test_invalid_bars_are_refused_as_a_whole(spot: KrakenSpot, loopback: LoopbackVenue, body: dict[str, Any]) -> None:
    loopback.answer(OHLC, body)
    with pytest.raises(VenueAnswerInvalid, match="OHLC"):
        spot.candles("XXBTZUSD", Timeframe.M15, None)


@pytest.mark.parametrize("error", ["EAPI:Rate limit exceeded", "EGeneral:Temporary lockout", "EService:Unavailable"])
def test_spot_refusal_names_the_error(spot: KrakenSpot, loopback: LoopbackVenue, error: str) -> None:
    loopback.answer(OHLC, {"error": [error]})
    with pytest.raises(VenueUnavailable, match=error):
        spot.candles("XXBTZUSD", Timeframe.H1, None)


def test_warning_beside_a_result_is_no_refusal(spot: KrakenSpot, loopback: LoopbackVenue) -> None:
    loopback.answer(OHLC, {**ohlc(bar(START), last=START), "error": ["WGeneral:Something is slow"]})
    assert len(spot.candles("XXBTZUSD", Timeframe.M15, None)) == 1


def test_pairs_have_common_codes_and_state(spot: KrakenSpot, loopback: LoopbackVenue) -> None:
    rows = {
        "XXBTZUSD": {"altname": "XBTUSD", "wsname": "XBT/USD", "base": "XXBT", "quote": "ZUSD", "status": "online"},
        "SOLUSD": {"altname": "SOLUSD", "base": "SOL", "quote": "ZUSD", "status": "cancel_only"},
        "BROKEN": {"altname": "BROKEN"},
    }
    loopback.answer("/0/public/AssetPairs", {"error": [], "result": rows})
    found = [(pair.pair, pair.base, pair.quote, pair.online) for pair in spot.pairs()]
    assert found == [("XXBTZUSD", "BTC", "USD", True), ("SOLUSD", "SOL", "USD", False)]


def test_threads_sharing_a_wire_keep_answers_apart(spot: KrakenSpot, loopback: LoopbackVenue) -> None:
    loopback.answer(OHLC, *[ohlc(bar(START + 900 * n), last=START + 900 * n) for n in range(40)])
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: spot.candles("XXBTZUSD", Timeframe.M15, None), range(40)))
    assert sorted(series.times[0] for series in answers) == [START + 900 * n for n in range(40)]


def test_quotes_leave_out_empty_books(spot: KrakenSpot, loopback: LoopbackVenue) -> None:
    rows = {
        "XXBTZUSD": {"a": ["101.5", "1", "1.000"], "b": ["101.4", "1", "1.000"], "c": ["101.4", "0.1"]},
        "SOLUSD": {"a": ["0.00000", "0", "0.000"], "b": ["20.1", "1", "1.000"]},
    }
    loopback.answer("/0/public/Ticker", {"error": [], "result": rows})
    quotes = spot.quotes(["XXBTZUSD", "SOLUSD"])
    assert set(quotes) == {"XXBTZUSD"}
    assert (str(quotes["XXBTZUSD"].mid), quotes["XXBTZUSD"].at) == ("101.45", NOW)
    assert loopback.asked[0].parameters == {"pair": ["XXBTZUSD,SOLUSD"]}
    assert spot.quotes([]) == {}
