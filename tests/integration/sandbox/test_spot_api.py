"""The spot public API through ccxt and over the bare wire."""

from itertools import pairwise

from infra.local.market.bars import fold
from tests.integration.sandbox.served import Served


def test_ccxt_finds_the_coins_under_their_common_names(read_sandbox: Served) -> None:
    markets = read_sandbox.spot.load_markets()
    assert {"BTC/USD", "ETH/USD", "SOL/USD", "USDT/USD", "EUR/USD"} <= set(markets)
    assert markets["BTC/USD"]["id"] == "XXBTZUSD"


def test_asset_pairs_use_krakens_irregular_names(read_sandbox: Served) -> None:
    pairs = read_sandbox.fetch("/0/public/AssetPairs")[1]["result"]
    assert (pairs["XXBTZUSD"]["altname"], pairs["XXBTZUSD"]["wsname"]) == ("XBTUSD", "XBT/USD")
    assert (pairs["XXBTZUSD"]["base"], pairs["XXBTZUSD"]["quote"]) == ("XXBT", "ZUSD")
    assert pairs["XETHZUSD"]["altname"] == "ETHUSD"
    assert pairs["SOLUSD"]["altname"] == "SOLUSD"


def test_last_row_is_always_the_uncommitted_bar(read_sandbox: Served) -> None:
    for minutes in (15, 60, 240, 1440):
        body = read_sandbox.fetch(f"/0/public/OHLC?pair=XBTUSD&interval={minutes}")[1]["result"]
        rows = body["XXBTZUSD"]
        now = read_sandbox.fetch("/0/public/Time")[1]["result"]["unixtime"]
        assert rows[-1][0] == now // (minutes * 60) * minutes * 60
        assert body["last"] == rows[-2][0] == rows[-1][0] - minutes * 60


def test_ohlc_gives_at_most_720_rows(read_sandbox: Served) -> None:
    rows = read_sandbox.fetch("/0/public/OHLC?pair=XXBTZUSD&interval=15&since=0")[1]["result"]["XXBTZUSD"]
    assert len(rows) == 720
    assert [later[0] - row[0] for row, later in pairwise(rows)] == [900] * 719
    assert [type(cell) for cell in rows[0]] == [int, str, str, str, str, str, str, int]


def test_since_leaves_out_older_rows_only(read_sandbox: Served) -> None:
    whole = read_sandbox.fetch("/0/public/OHLC?pair=XXBTZUSD&interval=60")[1]["result"]["XXBTZUSD"]
    since = whole[-5][0]
    part = read_sandbox.fetch(f"/0/public/OHLC?pair=XXBTZUSD&interval=60&since={since}")[1]["result"]["XXBTZUSD"]
    assert part == whole[-5:]


def test_higher_timeframes_fold_the_fifteen_minute_bars(sandbox: Served) -> None:
    sandbox.advance("2024-08-01T02:50:00Z")
    source, now = sandbox.application.venue.source, sandbox.application.venue.now
    quarters, hours = source.candles("BTC", 900, now), source.candles("BTC", 3600, now)
    assert fold(quarters, 3600)[-3:] == list(hours[-3:])
    assert hours[-1].trades < hours[-2].trades * 2


def test_running_bar_grows_into_the_closed_bar(sandbox: Served) -> None:
    def last_two() -> list[list[str]]:
        rows = sandbox.fetch("/0/public/OHLC?pair=XXBTZUSD&interval=15")[1]["result"]["XXBTZUSD"]
        return [[str(cell) for cell in row] for row in rows[-2:]]

    sandbox.advance("2024-08-01T00:09:00Z")
    running = last_two()[1]
    sandbox.advance("2024-08-01T00:15:00Z")
    closed = last_two()[0]
    assert running[0] == closed[0]
    assert float(running[2]) <= float(closed[2])
    assert float(running[3]) >= float(closed[3])


def test_minute_bars_join_without_gaps(sandbox: Served) -> None:
    sandbox.advance("2024-08-01T03:07:30Z")
    rows = sandbox.fetch("/0/public/OHLC?pair=XXBTZUSD&interval=1")[1]["result"]["XXBTZUSD"]
    quarter = sandbox.fetch("/0/public/OHLC?pair=XXBTZUSD&interval=15")[1]["result"]["XXBTZUSD"][-2]
    inside = [row for row in rows if quarter[0] <= row[0] < quarter[0] + 900]
    assert len(inside) == 15
    assert max(float(row[2]) for row in inside) == float(quarter[2])
    assert min(float(row[3]) for row in inside) == float(quarter[3])
    assert float(inside[-1][4]) == float(quarter[4])


def test_ccxt_reads_candles_and_tickers(read_sandbox: Served) -> None:
    candles = read_sandbox.spot.fetch_ohlcv("ETH/USD", "1h")
    ticker = read_sandbox.spot.fetch_ticker("ETH/USD")
    assert len(candles) == 720
    assert ticker["bid"] < candles[-1][4] < ticker["ask"]


def test_trades_page_forward_by_their_last_id(read_sandbox: Served) -> None:
    first = read_sandbox.fetch("/0/public/Trades?pair=XBTUSD&since=1722400000&count=10")[1]["result"]
    then = read_sandbox.fetch(f"/0/public/Trades?pair=XBTUSD&since={first['last']}&count=10")[1]["result"]
    assert len(first["XXBTZUSD"]) == len(then["XXBTZUSD"]) == 10
    assert then["XXBTZUSD"][0][6] == first["XXBTZUSD"][-1][6] + 1
    assert first["XXBTZUSD"][0][2] >= 1722400000


def test_unknown_pair_and_method_answer_krakens_errors(read_sandbox: Served) -> None:
    assert read_sandbox.fetch("/0/public/OHLC?pair=NOPE")[1] == {"error": ["EQuery:Unknown asset pair"]}
    assert read_sandbox.fetch("/0/public/Nope")[1] == {"error": ["EGeneral:Unknown method"]}
    assert read_sandbox.fetch("/0/public/OHLC?pair=XBTUSD&interval=7")[1] == {"error": ["EGeneral:Invalid arguments"]}


def test_bars_without_trades_are_flat_or_skipped_by_switch(sandbox: Served) -> None:
    venue = sandbox.application.venue
    bars = venue.source._bars("SOL").bars  # type: ignore[attr-defined]
    gap = venue.source._bars("SOL").number_at(venue.now) - 3  # type: ignore[attr-defined]
    bars[gap] = bars[gap]._replace(volume=0.0, trades=0)
    path = "/0/public/OHLC?pair=SOLUSD&interval=15"
    assert bars[gap].time in [row[0] for row in sandbox.fetch(path)[1]["result"]["SOLUSD"]]
    sandbox.control("switches", {"missing_bars": "skip"})
    assert bars[gap].time not in [row[0] for row in sandbox.fetch(path)[1]["result"]["SOLUSD"]]
