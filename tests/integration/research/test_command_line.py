"""`smc-trader data` and `backfill` as a person runs them, also against a local stack that is kept running."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from infra.local.progress import Progress
from infra.local.stack import LocalStack, StackParameters
from tests.fakes.candle_archives import segment_lines, write_export, write_segment
from tests.integration.local.commands import refused, smc_trader

TRADES = ("--trades", "BTC", "--since", "2024-01-01")
DISCOVER = """
import sys
from pathlib import Path
from infra.local.attached import Attached
from shared.storage.market_data import MarketDataStore
from tests.fakes.records import coin
from trading.model.instruments import Universe

with Attached.open(Path(sys.argv[1])) as local:
    table = local.template.function("ingest_candles").environment["SMC_MARKET_DATA_TABLE"]
    universe = Universe(instruments=(coin("ETH", spot_pair="XETHZUSD"),))
    MarketDataStore(table, bars_kept=720).save_universe(universe, local.now, None)
    print(local.now.isoformat())
"""


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A stack that has just begun: its processes, and a runner's progress file."""
    directory = tmp_path_factory.mktemp("stack")
    with LocalStack.open(directory, StackParameters(candles=None, seed=4, coins=2)) as stack:
        state = stack.sandbox().state()
        Progress(start=state.now, equity_start=Decimal(10_000)).save(stack.files.progress)
        stack.leave()
        yield directory
        stack.close()


def test_report_of_a_folder_prints_every_series(tmp_path: Path) -> None:
    write_segment(tmp_path, [*segment_lines(4), *segment_lines(2, start=1_704_153_600)[1:]])
    write_export(tmp_path, 3, "ETHUSD_60.csv", 3600)
    (tmp_path / "XBTUSD_1.csv").touch()
    answer = smc_trader("data", "--candles", str(tmp_path), "--json")
    found = json.loads(answer.stdout)
    shown = [(each["coin"], each["timeframe"], each["missing_bars"], each["quality"]) for each in found["series"]]
    assert shown == [("BTC", "15m", 92, "gaps"), ("ETH", "1h", 0, "complete")]
    assert (found["at"], found["left_out"]) == ("2024-01-02T00:30:00.000Z", ["XBTUSD_1.csv"])
    table = smc_trader("data", "--candles", str(tmp_path)).stdout
    assert "2 series, 9 bars, 1 series complete." in table
    assert "Left out: 1 CSV files" in table


def test_backfill_reaches_a_kept_local_stack(state: Path, tmp_path: Path) -> None:
    folder = tmp_path / "archives"
    folder.mkdir()
    write_segment(folder, segment_lines(100))
    first = smc_trader("backfill", str(folder), "--state-dir", str(state), "--json")
    again = smc_trader("backfill", str(folder), "--state-dir", str(state), "--json")
    assert [json.loads(each.stdout)[0]["added"] for each in (first, again)] == [100, 0]
    assert first.stderr == "stored BTC_USDT-15m-20240101-20240101.csv.gz\n"
    found = json.loads(smc_trader("data", "--state-dir", str(state), "--json").stdout)["series"]
    assert [(each["coin"], each["source"], each["rows"], each["quality"]) for each in found] == [
        ("BTC", "history", 100, "complete")
    ]


def test_bad_archive_is_one_sentence_on_screen(state: Path, tmp_path: Path) -> None:
    good = write_segment(tmp_path, segment_lines(5), "ADA_USDT-15m-20240101-20240101.csv.gz")
    bad = write_segment(tmp_path, [*segment_lines(5), "x,1,1,1,1,1"], "SOL_USDT-15m-20240101-20240101.csv.gz")
    sentence = refused(smc_trader("backfill", str(good), str(bad), "--state-dir", str(state)))
    assert sentence.startswith(f"smc-trader: {bad} line 7: timestamp is 'x', expected milliseconds")
    rows = json.loads(smc_trader("data", "--state-dir", str(state), "--json").stdout or '{"series": []}')["series"]
    assert [each for each in rows if each["coin"] in ("ADA", "SOL")] == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("data",), "expected exactly one of --candles, --state-dir, --table"),
        (("data", "--candles", "no-such-folder"), "candle folder no-such-folder does not exist"),
        (("backfill", "no-such-file.csv", "--table", "any"), "no-such-file.csv is no file"),
        (("backfill", "no-such-file.csv"), "expected exactly one of --state-dir, --table"),
        (("backfill", "--table", "any"), "expected exactly one of FILES and --trades"),
        (("backfill", "any.csv", "--trades", "BTC", "--table", "any"), "expected exactly one of FILES and --trades"),
        (("backfill", "any.csv", "--since", "2024-01-01", "--table", "any"), "--since is 2024-01-01; expected it only"),
        (
            ("backfill", "any.csv", "--calls-per-second", "1", "--table", "any"),
            "--calls-per-second is 1.0; expected it",
        ),
        (("backfill", "--trades", "BTC", "--table", "any"), "--since is ''; expected a day (UTC) such as 2024-01-31"),
        (("backfill", *TRADES, "--until", "soon", "--table", "any"), "--until is 'soon'; expected a day (UTC)"),
        (
            ("backfill", *TRADES, "--spot-url", "kraken", "--table", "any"),
            "--spot-url is 'kraken'; expected an address",
        ),
    ],
)
def test_wrong_arguments_are_refused_in_words(arguments: tuple[str, ...], sentence: str) -> None:
    assert sentence in refused(smc_trader(*arguments))


@pytest.fixture(scope="module")
def discovered(state: Path) -> datetime:
    """The time of the stack, whose table now has a universe of one coin."""
    answer = subprocess.run([sys.executable, "-c", DISCOVER, str(state)], capture_output=True, text=True, check=True)
    return datetime.fromisoformat(answer.stdout.strip())


def trades_of(state: Path, coin: str, *more: str) -> subprocess.CompletedProcess[str]:
    return smc_trader("backfill", "--trades", coin, "--state-dir", str(state), "--calls-per-second", "20", *more)


def test_trades_fill_history_of_kept_stack(state: Path, discovered: datetime) -> None:
    day = discovered.replace(hour=0, minute=0) - timedelta(days=2)
    since = ("--since", f"{day:%Y-%m-%d}")
    until = ("--until", f"{day + timedelta(days=1):%Y-%m-%d}")
    first = json.loads(trades_of(state, "ETH", *since, *until, "--json").stdout)
    assert {each: row["added"] for each, row in first["stored"].items()} == {"15m": 96, "1h": 24, "4h": 6, "1d": 1}
    assert (first["pair"], first["pages"], first["trades"], first["resumed_at"]) == ("XETHZUSD", 2, 1152, None)
    more = trades_of(state, "ETH", *since)
    assert re.fullmatch(
        rf"ETH: read 2 pages with \d+ trades of XETHZUSD \(going on at {day:%Y-%m-%d} 20:48\); added 96 15m, 24 1h, "
        rf"6 4h, 1 1d bars; 0 differ from stored ones, which stay; first 15m bar {day:%Y-%m-%d} 00:00, last .* UTC\.\n",
        more.stdout,
    ), more.stdout
    rows = json.loads(smc_trader("data", "--state-dir", str(state), "--json").stdout)["series"]
    assert [each["quality"] for each in rows if (each["source"], each["quote"]) == ("history", "USD")] == [
        "complete"
    ] * 4


def test_unknown_coin_is_named_with_known_ones(state: Path, discovered: datetime) -> None:
    sentence = refused(trades_of(state, "eth", "--since", f"{discovered - timedelta(days=1):%Y-%m-%d}"))
    assert sentence == "smc-trader: --trades is 'eth'; expected a coin of the stored universe: ETH"


def test_operator_commands_do_not_wait_for_pandas() -> None:
    code = "import sys, infra.cli.main; print('pandas' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "False"
