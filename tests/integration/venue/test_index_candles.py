"""Index candles over a socket: only what is surely closed, and never more completeness than the venue stated."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from shared.venue import KrakenFuturesMarket
from shared.venue.transport import require_loopback
from tests.integration.venue.loopback_venue import LoopbackVenue, Scripted
from trading.errors import VenueAnswerInvalid, VenueThrottled, VenueUnavailable
from trading.model.candles import CandleAnswer
from trading.model.times import Timeframe, from_epoch

CHARTS = "/api/charts/v1/spot/PF_XBTUSD/15m"
START = 1_700_000_100
SINCE = datetime.fromtimestamp(START, UTC)


@pytest.fixture
def market(loopback: LoopbackVenue) -> KrakenFuturesMarket:
    adapter = KrakenFuturesMarket(base_url=loopback.url, timeout_s=2.0)
    require_loopback(adapter.wire.addresses())
    return adapter


def candle(number: float, **changes: object) -> dict[str, Any]:
    prices = {"open": "100.5", "high": "102", "low": "99", "close": "101.25"}
    return {"time": int((START + number * 900) * 1000), **prices, "volume": "0", **changes}


def candles(*rows: object, more: object = False) -> dict[str, Any]:
    return {"candles": list(rows), "more_candles": more}


def numbers(answer: CandleAnswer) -> tuple[list[int], int]:
    return [(time - START) // 900 for time in answer.bars.times], (answer.complete_before - START) // 900


def test_last_index_candle_counts_as_running(market: KrakenFuturesMarket, loopback: LoopbackVenue) -> None:
    loopback.answer(CHARTS, candles(candle(0), candle(1), candle(2)))
    answer = market.index_candles("PF_XBTUSD", Timeframe.M15, SINCE)
    assert numbers(answer) == ([0, 1], 2)
    assert (answer.bars[0].open, answer.bars[0].close, answer.bars[0].volume) == (100.5, 101.25, 0.0)
    (asked,) = loopback.asked
    assert asked.parameters == {"from": [str(START)], "to": [str(START + 2000 * 900 - 1)]}
    assert "APIKey" not in asked.headers


@pytest.mark.parametrize(
    ("body", "given", "complete_before"),
    [
        pytest.param(candles(candle(0), candle(2), candle(3)), [0, 2], 3, id="hole"),
        pytest.param(candles(candle(2), candle(3)), [2], 3, id="begins late"),
        pytest.param(candles(candle(-1), candle(0), candle(1)), [0], 1, id="begins early"),
        pytest.param(candles(candle(0)), [], 0, id="only the running one"),
        pytest.param(candles(), [], 0, id="nothing"),
        pytest.param(candles(candle(0), candle(1), more=True), [0, 1], 2, id="cut behind the last"),
        pytest.param(candles(candle(3), candle(4), more=True), [3], 0, id="cut before the first"),
        pytest.param(candles(more=True), [], 0, id="cut to nothing"),
    ],
)
def test_completeness_is_never_pretended(
    market: KrakenFuturesMarket, loopback: LoopbackVenue, body: object, given: list[int], complete_before: int
) -> None:
    loopback.answer(CHARTS, body)
    assert numbers(market.index_candles("PF_XBTUSD", Timeframe.M15, SINCE)) == (given, complete_before)


def test_since_between_two_bars_begins_with_the_next(market: KrakenFuturesMarket, loopback: LoopbackVenue) -> None:
    loopback.answer(CHARTS, candles(candle(0), candle(1), candle(2)))
    answer = market.index_candles("PF_XBTUSD", Timeframe.M15, from_epoch(START + 1))
    assert numbers(answer) == ([1], 2)
    assert loopback.asked[0].parameters["from"] == [str(START + 900)]


@pytest.mark.parametrize("volume", [0, "0", "12.5", None, "-"])
def test_volume_of_an_index_is_nothing(market: KrakenFuturesMarket, loopback: LoopbackVenue, volume: object) -> None:
    missing = {key: value for key, value in candle(1).items() if key != "volume"}
    loopback.answer(CHARTS, candles(candle(0, volume=volume), missing, candle(2)))
    answer = market.index_candles("PF_XBTUSD", Timeframe.M15, SINCE)
    assert list(answer.bars.volumes) == [0.0, 0.0]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(candles(candle(0.5), candle(1)), id="off the grid"),
        pytest.param(candles(candle(0), candle(0)), id="twice the same"),
        pytest.param(candles(candle(1), candle(0)), id="newest first"),
        pytest.param(candles(candle(0, time=START * 1000 + 1)), id="split second"),
        pytest.param(candles(candle(0, time="now")), id="no time"),
        pytest.param(candles(candle(0, high="98")), id="high below low"),
        pytest.param(candles(candle(0, close=None)), id="no close"),
        pytest.param(candles(candle(0, open="NaN")), id="not a number"),
        pytest.param(candles(7), id="row of another kind"),
        pytest.param({"candles": [candle(0)]}, id="not said whether there are more"),
        pytest.param({"candles": None, "more_candles": False}, id="no list"),
        pytest.param({"more_candles": False}, id="no candles"),
    ],
)
def test_invalid_index_candles_are_refused_whole(
    market: KrakenFuturesMarket, loopback: LoopbackVenue, body: object
) -> None:
    loopback.answer(CHARTS, body)
    with pytest.raises(VenueAnswerInvalid, match=r"^venue answered charts .+; expected .+|invalid bar: .+; expected"):
        market.index_candles("PF_XBTUSD", Timeframe.M15, SINCE)


def test_refusal_in_plain_text_is_quoted(market: KrakenFuturesMarket, loopback: LoopbackVenue) -> None:
    loopback.answer(CHARTS, Scripted(status=400, text="Invalid resolution", content_type="text/plain"))
    with pytest.raises(VenueUnavailable, match=r"^venue answered charts with HTTP 400: 'Invalid resolution'$"):
        market.index_candles("PF_XBTUSD", Timeframe.M15, SINCE)


@pytest.mark.parametrize("status", [200, 429])
def test_rate_limit_of_futures_means_throttled(
    market: KrakenFuturesMarket, loopback: LoopbackVenue, status: int
) -> None:
    text = '{"result":"error","error":"apiLimitExceeded"}'
    loopback.answer_everything(Scripted(status=status, text=text))
    for read in (market.quotes, lambda: market.index_candles("PF_XBTUSD", Timeframe.M15, SINCE)):
        with pytest.raises(VenueThrottled, match="apiLimitExceeded"):
            read()
