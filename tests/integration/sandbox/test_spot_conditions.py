"""Declared conditions of the spot API: each shows its effect, and none without being declared."""

import json
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, IncompleteRead, RemoteDisconnected
from pathlib import Path
from typing import Any

import pytest

from infra.local.market import Listing
from infra.local.market.listings import list_coin
from infra.local.sandbox.spot_conditions import SpotConditions
from infra.local.sandbox.spot_traffic import FAILURES, Pace, SpotTraffic
from infra.local.sandbox.wire import Request, Response
from infra.local.sandbox_client import SandboxClient
from shared.clock import SystemClock
from shared.venue.kraken_spot import KrakenSpot
from tests.integration.sandbox.served import Served, serve
from trading.errors import InvalidInput
from trading.model.times import Timeframe, from_text

BTC, ETH, SOL = (f"/0/public/OHLC?pair={pair}&interval=15" for pair in ("XXBTZUSD", "ETHUSD", "SOLUSD"))
LISTINGS: tuple[Listing, ...] = (list_coin("BTC", 60_000.0), list_coin("SOL", 150.0))


def outcome(url: str, path: str = SOL, timeout: float = 5.0) -> str:
    """What a client sees of one call: the HTTP status, the venue's error, or how the connection broke."""
    connection = HTTPConnection(url.removeprefix("http://"), timeout=timeout)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        if answer.status != 200:
            return f"{answer.status} {answer.headers['content-type']}"
        errors = json.loads(answer.read())["error"]
    except (IncompleteRead, RemoteDisconnected, TimeoutError) as error:
        return type(error).__name__
    finally:
        connection.close()
    return str(errors[0]) if errors else "ok"


def call(method: str, query: str = "") -> Request:
    return Request(method="GET", path=f"/0/public/{method}", query=query, body=b"", headers={})


def outcomes(traffic: SpotTraffic, calls: int) -> list[str]:
    for number in range(calls):
        traffic.treat(call("OHLC", "pair=SOLUSD"), float(number), Response)
    return [entry["outcome"] for entry in traffic.take_log()]


def test_no_condition_disturbs_until_it_is_declared(sandbox: Served) -> None:
    seen = [outcome(sandbox.url, path) for path in (BTC, ETH, SOL, SOL, "/0/public/Ticker", "/0/public/AssetPairs")]
    assert seen == ["ok"] * 6
    assert sandbox.control("state")["spot"] == {
        "latency_s": 0.0,
        "failing_share": 0.0,
        "hanging": [],
        "late_s": {},
        "limit": "none",
        "calls_per_second": 1.0,
        "counts": {"failed": dict.fromkeys(FAILURES, 0), "limited": 0, "hung": 0},
    }


def test_latency_holds_parallel_calls_at_the_same_time(sandbox: Served) -> None:
    def timed(_: int) -> float:
        started = time.monotonic()
        assert outcome(sandbox.url) == "ok"
        return time.monotonic() - started

    timed(0)
    undisturbed = timed(0)
    sandbox.control("spot", {"latency_s": 0.1})
    with ThreadPoolExecutor(8) as threads:
        started = time.monotonic()
        took = list(threads.map(timed, range(8)))
        together = time.monotonic() - started
    assert undisturbed < 0.1 <= min(took)
    assert together < 0.4


def test_latency_is_of_the_spot_api_only(sandbox: Served) -> None:
    sandbox.control("spot", {"latency_s": 2.0})
    started = time.monotonic()
    assert sandbox.fetch("/derivatives/api/v3/tickers")[0] == 200
    assert sandbox.fetch("/sandbox/state")[0] == 200
    assert time.monotonic() - started < 1


def test_failing_calls_take_turns_in_four_ways(sandbox: Served) -> None:
    sandbox.control("spot", {"failing_share": 1.0})
    assert outcome(sandbox.url, "/0/public/Time") == "ok"
    seen = [outcome(sandbox.url, path) for path in (BTC, "/0/public/Ticker", ETH, "/0/public/AssetPairs", SOL)]
    unavailable = "EService:Unavailable"
    assert seen == ["503 text/html", unavailable, "RemoteDisconnected", "IncompleteRead", "503 text/html"]
    failed = sandbox.control("state")["spot"]["counts"]["failed"]
    assert failed == {"http_503": 2, "unavailable": 1, "dropped": 1, "truncated": 1}
    sandbox.control("spot", {"failing_share": 0})
    assert outcome(sandbox.url) == "ok"


def test_failing_share_is_kept_and_seeded() -> None:
    runs = []
    for seed in (3, 3, 4):
        traffic = SpotTraffic(LISTINGS, seed)
        traffic.change({"failing_share": 0.05})
        runs.append(outcomes(traffic, 2000))
    assert runs[0] == runs[1] != runs[2]
    assert 70 <= Counter(runs[0])["failed"] <= 130


def test_hanging_pair_holds_up_nobody_else(sandbox: Served) -> None:
    sandbox.control("spot", {"hanging": ["ETHUSD"]})
    assert outcome(sandbox.url, ETH, timeout=0.3) == "TimeoutError"
    assert outcome(sandbox.url) == outcome(sandbox.url, "/0/public/Ticker?pair=ETHUSD") == "ok"
    sandbox.control("spot", {"hanging": []})
    assert outcome(sandbox.url, ETH) == "ok"
    assert [entry["outcome"] for entry in sandbox.control("spot/log")] == ["hung", "ok", "ok"]


def test_hanging_call_is_dropped_after_thirty_seconds() -> None:
    traffic = SpotTraffic(LISTINGS, 3)
    traffic.change({"hanging": ["XBT/USD"], "latency_s": 0.1})
    held = traffic.treat(call("OHLC", "pair=XXBTZUSD"), 0.0, Response)
    assert (held.drop, held.hold_seconds) == (True, 30.1)


def test_late_bar_is_there_but_not_committed(sandbox: Served) -> None:
    def after_last(path: str, pair: str) -> list[int]:
        result = sandbox.fetch(path)[1]["result"]
        return [row[0] - result["last"] for row in result[pair] if row[0] > result["last"]]

    sandbox.control("spot", {"late_s": {"XXBTZUSD": 20}})
    sandbox.advance("2024-08-01T00:15:19Z")
    assert after_last(BTC, "XXBTZUSD") == [900, 1800]
    assert after_last(SOL, "SOLUSD") == [900]
    sandbox.advance("2024-08-01T00:15:20Z")
    assert after_last(BTC, "XXBTZUSD") == [900]


def test_reader_leaves_a_late_bar_for_later(sandbox: Served) -> None:
    spot = KrakenSpot(clock=SystemClock(), base_url=sandbox.url)
    close = int(from_text("2024-08-01T00:15:00Z").timestamp())
    sandbox.control("spot", {"late_s": {"SOL/USD": 20}})
    sandbox.advance("2024-08-01T00:15:05Z")
    early = spot.candles("SOLUSD", Timeframe.M15, None)
    sandbox.advance("2024-08-01T00:16:00Z")
    later = spot.candles("SOLUSD", Timeframe.M15, None)
    assert (early.bars.times[-1], early.complete_before) == (close - 1800, close - 900)
    assert (later.bars.times[-1], later.complete_before) == (close - 900, close)


def test_limit_for_each_pair_refuses_the_second_call(sandbox: Served) -> None:
    sandbox.control("spot", {"limit": "per_pair", "calls_per_second": 1})
    first = [outcome(sandbox.url, path) for path in (BTC, "/0/public/Trades?pair=XBTUSD", SOL, "/0/public/Ticker")]
    time.sleep(1)
    refused = "EGeneral:Too many requests"
    assert first == ["ok", refused, "ok", "ok"]
    assert outcome(sandbox.url, BTC) == "ok"
    assert sandbox.control("state")["spot"]["counts"]["limited"] == 1


def test_limit_for_one_address_counts_every_call(sandbox: Served) -> None:
    sandbox.control("spot", {"limit": "per_ip", "calls_per_second": 1})
    first = [outcome(sandbox.url, path) for path in ("/0/public/Time", SOL, "/0/public/Ticker")]
    time.sleep(1)
    assert first == ["ok", "EAPI:Rate limit exceeded", "EAPI:Rate limit exceeded"]
    assert outcome(sandbox.url, SOL) == "ok"
    sandbox.control("spot", {"limit": "none"})
    assert [outcome(sandbox.url) for _ in range(3)] == ["ok"] * 3


@pytest.mark.parametrize(("at", "taken"), [(0.0, False), (0.79, False), (0.81, True), (5.0, True)])
def test_call_may_come_a_fifth_too_early(at: float, taken: bool) -> None:
    pace = Pace()
    assert pace.take("BTC", 0.0, 1.0)
    assert pace.take("BTC", at, 1.0) is taken


def test_pauses_and_hurry_never_add_up() -> None:
    pace = Pace()
    assert [pace.take("", at, 1.0) for at in (0.0, 10.0, 10.1)] == [True, True, False]
    hurried = Pace()
    assert sum(hurried.take("", number * 0.81, 1.0) for number in range(1000)) <= 0.81 * 999 + 1.2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"latency": 1}, "unknown spot condition 'latency', expected one of latency_s"),
        ({"latency_s": -1}, "latency_s is -1, expected a number from 0 to 60"),
        ({"latency_s": True}, "latency_s is True"),
        ({"failing_share": 1.5}, "failing_share is 1.5, expected a number from 0 to 1"),
        ({"calls_per_second": 0}, "calls_per_second is 0"),
        ({"limit": "all"}, "limit is 'all', expected one of none, per_pair, per_ip"),
        ({"hanging": ["NOPE"]}, "pair 'NOPE' is not listed"),
        ({"hanging": "SOLUSD"}, "expected a list of pair names"),
        ({"late_s": {"SOLUSD": "soon"}}, "late_s of SOLUSD is 'soon'"),
        ({"late_s": ["SOLUSD"]}, "expected an object of seconds by pair name"),
    ],
)
def test_bad_condition_is_refused_and_changes_nothing(
    read_sandbox: Served, changes: dict[str, Any], message: str
) -> None:
    status, body = read_sandbox.fetch("/sandbox/spot", {"failing_share": 0.3, **changes})
    assert (status, message in body["error"], "\n" in body["error"]) == (400, True, False), body
    assert read_sandbox.control("state")["spot"]["failing_share"] == 0


def test_client_changes_conditions_and_reads_the_log(sandbox: Served) -> None:
    client = SandboxClient(sandbox.url)
    changed = client.spot_conditions(limit="per_pair", late_s={"XBTUSD": 20}, hanging=["SOLUSD"])
    assert (changed["late_s"], changed["hanging"], changed["limit"]) == ({"XXBTZUSD": 20}, ["SOLUSD"], "per_pair")
    assert client.spot_conditions(hanging=[])["late_s"] == {"XXBTZUSD": 20}
    for _ in range(2):
        outcome(sandbox.url, "/0/public/OHLC?pair=XBTUSD&interval=60")
    log = client.spot_log()
    assert [(entry.pair, entry.interval, entry.outcome) for entry in log] == [
        ("XXBTZUSD", 60, "ok"),
        ("XXBTZUSD", 60, "limited"),
    ]
    assert 0 < log[0].at < log[1].at < 60
    assert client.spot_log() == []
    with pytest.raises(InvalidInput, match="refused /sandbox/spot: spot pair 'NOPE' is not listed"):
        client.spot_conditions(hanging=["NOPE"])


def test_conditions_survive_a_restart(tmp_path: Path) -> None:
    options = ["--state-file", str(tmp_path / "state.json")]
    with serve(*options) as first:
        first.control("spot", {"latency_s": 0.2, "late_s": {"SOLUSD": 20}, "hanging": ["ETHUSD"]})
    with serve(*options) as second:
        conditions = second.application.venue.spot.conditions
    assert conditions == SpotConditions(latency_s=0.2, late_s={"SOLUSD": 20}, hanging=("XETHZUSD",))
