"""Recorded and generated price sources: determinism, realism, reading of files, and one sentence for a bad one."""

import gzip
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from statistics import mean

import pytest

from infra.local.market import CandleMarket, GeneratedMarket, generated_market, recorded_market
from infra.local.market.bars import Bar, fold
from tests.fakes.shared_folder import SHARED
from trading.errors import InvalidInput

START = datetime(2024, 8, 1, tzinfo=UTC)
HEADER = "timestamp,open,high,low,close,volume"
DAY_MS = 86_400_000
FIRST_MS = 1_704_067_200_000


def small(seed: int = 5, coins: int = 4, days: int = 20) -> CandleMarket:
    return generated_market(GeneratedMarket(seed=seed, coins=coins, start=START, days=2, history_days=days))


def bars_of(market: CandleMarket, base: str) -> list[Bar]:
    return list(market.candles(base, 900, market.last - timedelta(seconds=1), limit=100_000))


def write(folder: Path, base: str, lines: list[str], days: str = "20240101-20240110", quote: str = "USDT") -> Path:
    path = folder / f"{base}_{quote}-15m-{days}.csv.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress("\n".join([HEADER, *lines, ""]).encode()))
    return path


def good_lines(count: int = 960, price: float = 100.0, volume: float = 5.0, first: int = FIRST_MS) -> list[str]:
    return [
        f"{first + number * 900_000},{price},{price + 1},{price - 1},{price + 0.5},{volume}" for number in range(count)
    ]


def test_same_seed_gives_the_same_market() -> None:
    assert bars_of(small(), "ETH") == bars_of(small(), "ETH")
    assert bars_of(small(), "ETH") != bars_of(small(seed=6), "ETH")


def test_coin_does_not_depend_on_its_neighbours() -> None:
    assert bars_of(small(coins=3), "SOL") == bars_of(small(coins=9), "SOL")


def test_generating_240_days_of_12_coins_is_quick() -> None:
    started = time.process_time()
    generated_market(GeneratedMarket(seed=7, coins=12, start=START, days=10, history_days=230)).preload()
    assert time.process_time() - started < 5


def test_generated_alts_move_like_real_ones() -> None:
    market = small(coins=12, days=60)
    ranges = []
    for listing in market.listings()[2:12]:
        hours = fold(bars_of(market, listing.base), 3600)
        ranges.append(mean((bar.high - bar.low) / bar.close for bar in hours))
    assert 0.008 < mean(ranges) < 0.015
    assert min(ranges) > 0.005


def test_generated_coins_are_correlated_but_not_equal() -> None:
    market = small(coins=3, days=60)
    moves = [[later.close / bar.close - 1 for bar, later in pairwise(bars_of(market, base))] for base in ("BTC", "ETH")]
    means = [mean(values) for values in moves]
    covariance = mean((a - means[0]) * (b - means[1]) for a, b in zip(*moves, strict=True))
    deviations = [mean((value - means[side]) ** 2 for value in moves[side]) ** 0.5 for side in (0, 1)]
    assert 0.1 < covariance / (deviations[0] * deviations[1]) < 0.9


def test_path_visits_the_extremes_and_ends_at_the_quote() -> None:
    market = small()
    bar = bars_of(market, "BTC")[100]
    start = datetime.fromtimestamp(bar.time, UTC)
    path = market.path("PF_XBTUSD", start, start + timedelta(minutes=15))
    indexes = [float(point.index) for point in path]
    assert indexes[0] == bar.open
    assert (max(indexes[:4]), min(indexes[:4]), indexes[3]) == (bar.high, bar.low, bar.close)
    assert path[-1] == market.quote("PF_XBTUSD", start + timedelta(minutes=15))


def test_mark_stays_within_a_few_basis_points() -> None:
    market = small()
    points = [market.quote("PF_SOLUSD", START + timedelta(minutes=7 * number)) for number in range(300)]
    gaps = [abs(point.mark / point.index - 1) for point in points]
    assert max(gaps) <= Decimal("0.0004")
    assert len({round(point.mark / point.index, 6) for point in points}) > 50


def test_recorded_market_plays_what_the_file_says(tmp_path: Path) -> None:
    write(tmp_path, "BTC", good_lines(price=42000.25))
    market = recorded_market(tmp_path)
    assert (market.kind, market.first, market.last) == (
        "recorded",
        datetime(2024, 1, 1, tzinfo=UTC),
        datetime(2024, 1, 11, tzinfo=UTC),
    )
    assert market.spot("BTC", market.first) == Decimal("42000.25")
    assert market.listings()[0].contract == "PF_XBTUSD"
    assert market.listings()[0].spot_decimals == 2


def test_longest_common_period_of_enough_coins_wins(tmp_path: Path) -> None:
    for base in ("BTC", "ETH", "SOL"):
        write(tmp_path / "short", base, good_lines(96 * 3), "20240101-20240103")
    for base in ("ADA", "XRP"):
        write(tmp_path / "long", base, good_lines(96 * 10), "20240101-20240110")
    assert [item.base for item in recorded_market(tmp_path, 2).listings()[:2]] == ["ADA", "XRP"]
    three = recorded_market(tmp_path, 3)
    assert len([item for item in three.listings() if not item.decoy]) == 3
    assert three.last == datetime(2024, 1, 4, tzinfo=UTC)


def test_most_traded_coins_come_first(tmp_path: Path) -> None:
    for base, volume in (("ADA", 5.0), ("BTC", 900.0), ("XRP", 50.0)):
        write(tmp_path, base, good_lines(volume=volume))
    assert [item.base for item in recorded_market(tmp_path, 2).listings()[:2]] == ["BTC", "XRP"]


def test_two_segments_of_a_coin_are_never_joined(tmp_path: Path) -> None:
    write(tmp_path, "BTC", good_lines(96 * 10))
    write(tmp_path, "BTC", good_lines(96 * 2, first=FIRST_MS + 30 * DAY_MS), "20240131-20240201")
    assert recorded_market(tmp_path).last == datetime(2024, 1, 11, tzinfo=UTC)


def test_missing_bar_becomes_a_flat_bar_without_trades(tmp_path: Path) -> None:
    lines = good_lines()
    del lines[10:12]
    write(tmp_path, "BTC", lines)
    bars = bars_of(recorded_market(tmp_path), "BTC")
    assert [bar.trades for bar in bars[9:13]] == [bars[9].trades, 0, 0, bars[12].trades]
    assert bars[10][1:5] == (bars[9].close,) * 4


def test_krakens_own_export_is_played(tmp_path: Path) -> None:
    rows = [f"{FIRST_MS // 1000 + number * 900},100,101,99,100.5,5,{number + 1}" for number in range(200)]
    (tmp_path / "XBTUSD_15.csv").write_text("\n".join(rows) + "\n")
    market = recorded_market(tmp_path)
    assert market.listings()[0].pair_id == "XXBTZUSD"
    assert bars_of(market, "BTC")[3].trades == 4


@pytest.mark.parametrize(
    ("line", "text", "expected"),
    [
        (7, "{t},100,101,99,abc,5", "line 7: close is 'abc', expected a number above 0"),
        (7, "{t},100,101,99,-1,5", "line 7: close is '-1', expected a number above 0"),
        (7, "{t},100,100,99,100.5,5", "line 7: high is '100', expected at least open 100 and close 100.5"),
        (7, "{t},100,101,100.2,100.5,5", "line 7: low is '100.2', expected at most open 100 and close 100.5"),
        (7, "{t},100,101,99,100.5", "has 5 columns, expected 6"),
        (7, "17,100,101,99,100.5,5", "timestamp is '17', expected milliseconds at a multiple of 15 minutes"),
        (7, "1704067200000,100,101,99,100.5,5", "expected a time after"),
        (7, "{t},100,101,99,100.5,-5", "volume is '-5', expected a number of at least 0"),
        (1, "time,o,h,l,c,v", "line 1: 'time,o,h,l,c,v', expected the header"),
    ],
)
def test_malformed_line_is_named_in_one_sentence(tmp_path: Path, line: int, text: str, expected: str) -> None:
    lines = [HEADER, *good_lines()]
    lines[line - 1] = text.format(t=FIRST_MS + (line - 2) * 900_000)
    path = tmp_path / "BTC_USDT-15m-20240101-20240110.csv.gz"
    path.write_bytes(gzip.compress("\n".join([*lines, ""]).encode()))
    with pytest.raises(InvalidInput) as error:
        recorded_market(tmp_path)
    assert str(path) in str(error.value)
    assert expected in str(error.value)
    assert "\n" not in str(error.value)


def test_truncated_archive_is_named_in_one_sentence(tmp_path: Path) -> None:
    path = write(tmp_path, "BTC", good_lines())
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(InvalidInput, match="unreadable"):
        recorded_market(tmp_path)


def test_folder_without_candles_says_what_it_expects(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="BTC_USDT-15m"):
        recorded_market(tmp_path)
    with pytest.raises(InvalidInput, match="does not exist"):
        recorded_market(tmp_path / "nowhere")


def test_time_outside_the_market_is_refused() -> None:
    market = small()
    with pytest.raises(InvalidInput, match="no price at"):
        market.quote("PF_XBTUSD", market.last + timedelta(seconds=1))
    with pytest.raises(InvalidInput, match="PF_NOPE"):
        market.quote("PF_NOPE", START)


def test_real_recordings_start_with_the_majors() -> None:
    folder = SHARED / "data" / "spot"
    if not folder.exists():
        pytest.skip(f"{folder} is absent: recorded candles are not part of the repository")
    market = recorded_market(folder, coins=8)
    coins = [item for item in market.listings() if not item.decoy]
    assert [item.base for item in coins[:3]] == ["BTC", "ETH", "SOL"]
    assert market.last - market.first > timedelta(days=240)
    assert coins[0].tick_size == 1
    assert len(market.candles("BTC", 900, market.last - timedelta(minutes=7))) == 721


def test_gap_between_bars_is_a_jump_in_the_path() -> None:
    market = small()
    before, after = next((bar, later) for bar, later in pairwise(bars_of(market, "BTC")) if bar.close != later.open)
    boundary = datetime.fromtimestamp(after.time, UTC)
    path = market.path("PF_XBTUSD", boundary - timedelta(minutes=1), boundary)
    assert [float(point.index) for point in path if point.time == boundary] == [before.close, after.open]
