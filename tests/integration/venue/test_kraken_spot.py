from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.venue import KrakenSpot
from tests.integration.venue.conftest import NOW
from tests.integration.venue.loopback_venue import LoopbackVenue, Scripted
from trading.errors import VenueAnswerInvalid, VenueThrottled, VenueUnavailable
from trading.model.times import Timeframe

OHLC = "/0/public/OHLC"
START = 1_700_000_100


@dataclass(frozen=True)
class ClockBehind:
    by: timedelta

    def now(self) -> datetime:
        return NOW - self.by


def bar(open_time: int, high: str = "102") -> list[Any]:
    return [open_time, "100.5", high, "99", "101", "100.7", "12.5", 42]


def ohlc(*rows: list[Any], last: object, key: str = "XXBTZUSD") -> dict[str, Any]:
    return {"error": [], "result": {key: list(rows), "last": last}}


def test_uncommitted_bar_is_never_given(spot: KrakenSpot, loopback: LoopbackVenue) -> None:
    loopback.answer(OHLC, ohlc(bar(START), bar(START + 900), bar(START + 1800), last=START + 900))
    answer = spot.candles("XXBTZUSD", Timeframe.M15, None)
    assert list(answer.bars.times) == [START, START + 900]
    first = answer.bars[0]
    assert (first.open, first.close, first.volume, answer.complete_before) == (100.5, 101.0, 12.5, START + 1800)
    assert loopback.asked[0].parameters == {"pair": ["XXBTZUSD"], "interval": ["15"]}


def test_since_includes_the_bar_that_opens_then(spot: KrakenSpot, loopback: LoopbackVenue) -> None:
    loopback.answer(OHLC, ohlc(bar(START), bar(START + 900), bar(START + 1800), last=str(START + 1800)))
    answer = spot.candles("XXBTZUSD", Timeframe.M15, datetime.fromtimestamp(START + 900, UTC))
    assert (list(answer.bars.times), answer.complete_before) == ([START + 900, START + 1800], START + 2700)
    assert loopback.asked[0].parameters["since"] == [str(START)]


@pytest.mark.parametrize(
    ("opens", "last", "given", "complete_before"),
    [
        pytest.param((0, 1, 2, 3), 1, [0, 1], 2, id="late commit leaves the due bar and the running one"),
        pytest.param((0, 3), 0, [0], 3, id="two bars skipped before the running one"),
        pytest.param((0, 2, 3), 2, [0, 2], 3, id="skipped bar between committed ones"),
        pytest.param((0, 2), 1, [0], 2, id="newest committed bar outside the rows"),
        pytest.param((0,), 3, [0], 4, id="no running bar"),
        pytest.param((), 3, [], 4, id="no rows"),
        pytest.param((2, 3), 1, [], 2, id="nothing committed"),
    ],
)
def test_answer_says_which_bars_never_were(
    spot: KrakenSpot,
    loopback: LoopbackVenue,
    opens: tuple[int, ...],
    last: int,
    given: list[int],
    complete_before: int,
) -> None:
    loopback.answer(OHLC, ohlc(*[bar(START + 900 * n) for n in opens], last=START + 900 * last))
    answer = spot.candles("XXBTZUSD", Timeframe.M15, None)
    found = [(time - START) // 900 for time in (*answer.bars.times, answer.complete_before)]
    assert found == [*given, complete_before]


@pytest.mark.parametrize("last", [int(NOW.timestamp()) + 900, 10**18])
def test_committed_bar_in_the_future_is_refused(spot: KrakenSpot, loopback: LoopbackVenue, last: int) -> None:
    loopback.answer(OHLC, ohlc(bar(START), last=last))
    with pytest.raises(VenueAnswerInvalid, match=r"OHLC of XXBTZUSD up to .+; expected .+ 2026-11-22T12:01:00Z$"):
        spot.candles("XXBTZUSD", Timeframe.M15, None)


def test_exchange_clock_may_run_slightly_ahead(loopback: LoopbackVenue) -> None:
    now = int(NOW.timestamp())
    loopback.answer(OHLC, ohlc(bar(now), last=now))
    for behind, allowed in ((60, True), (61, False)):
        spot = KrakenSpot(clock=ClockBehind(timedelta(seconds=behind)), base_url=loopback.url)
        if allowed:
            assert list(spot.candles("XXBTZUSD", Timeframe.M15, None).bars.times) == [now]
        else:
            with pytest.raises(VenueAnswerInvalid, match="2026-11-22T12:00:00Z"):
                spot.candles("XXBTZUSD", Timeframe.M15, None)


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
        ohlc(bar(START), last=-900),
        ohlc(bar(START), last=START + 1),
        ohlc(bar(START), bar(START + 901), last=START),
        {"error": [], "result": {"XXBTZUSD": [7], "last": START}},
        {"error": [], "result": None},
    ],
)
def test_invalid_bars_are_refused_as_a_whole(spot: KrakenSpot, loopback: LoopbackVenue, body: dict[str, Any]) -> None:
    loopback.answer(OHLC, body)
    with pytest.raises(VenueAnswerInvalid, match="OHLC"):
        spot.candles("XXBTZUSD", Timeframe.M15, None)


@pytest.mark.parametrize(
    "error", ["EService:Unavailable", "EService:Deadline elapsed", "EQuery:Unknown asset pair", "EGeneral:Lockout"]
)
def test_spot_refusal_names_the_error(spot: KrakenSpot, loopback: LoopbackVenue, error: str) -> None:
    loopback.answer(OHLC, {"error": [error]})
    with pytest.raises(VenueUnavailable, match=error) as caught:
        spot.candles("XXBTZUSD", Timeframe.H1, None)
    assert type(caught.value) is VenueUnavailable


@pytest.mark.parametrize(
    "error",
    [
        "EAPI:Rate limit exceeded",
        "EGeneral:Too many requests",
        "EGeneral:Temporary lockout",
        "EService:Throttled: 1795342000",
        "EService: Throttled: 1795342000",
    ],
)
def test_words_of_the_rate_limit_mean_throttled(spot: KrakenSpot, loopback: LoopbackVenue, error: str) -> None:
    loopback.answer(OHLC, {"error": [error]})
    with pytest.raises(VenueThrottled, match=error):
        spot.candles("XXBTZUSD", Timeframe.M15, None)


def test_status_429_means_throttled(spot: KrakenSpot, loopback: LoopbackVenue) -> None:
    loopback.answer("/0/public/Trades", Scripted(status=429, text="error code: 1015", content_type="text/plain"))
    with pytest.raises(VenueThrottled, match="limits the rate of Trades with HTTP 429"):
        spot.trades("XXBTZUSD", 0)


def test_warning_beside_a_result_is_no_refusal(spot: KrakenSpot, loopback: LoopbackVenue) -> None:
    loopback.answer(OHLC, {**ohlc(bar(START), last=START), "error": ["WGeneral:Something is slow"]})
    assert len(spot.candles("XXBTZUSD", Timeframe.M15, None).bars) == 1


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
    assert sorted(answer.bars.times[0] for answer in answers) == [START + 900 * n for n in range(40)]


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
