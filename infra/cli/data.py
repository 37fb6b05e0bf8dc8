"""`data` and `backfill`: how good the candles are, and bringing recorded ones into the store.

What needs pandas is imported inside: the operator's commands need not wait a second for it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from botocore.exceptions import BotoCoreError
from pynamodb.exceptions import PynamoDBException
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from infra.cli.market_place import MarketPlace, StoppedClock
from infra.local.attached import Attached
from shared.clock import SystemClock
from trading.errors import InvalidInput
from trading.model.times import to_text

Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of tables.")]
StateDir = Annotated[Path | None, typer.Option(help="Folder of a local stack that is kept running (demo --keep).")]
TableName = Annotated[str, typer.Option("--table", help="Name of a deployed MarketData table (<stack>-market-data).")]
SHOWN = {
    "coin": "coin",
    "timeframe": "bars",
    "quote": "in",
    "source": "from",
    "rows": "rows",
    "first": "first",
    "last": "last",
    "missing_bars": "missing",
    "gaps": "gaps",
    "longest_gap_hours": "longest gap h",
    "zero_volume_bars": "no volume",
    "jumps": "jumps",
    "stale_hours": "stale h",
    "quality": "quality",
    "trust": "trust",
}
STORED = "stored "
LOG_WIDTH = 200
"""Columns of the table where no terminal says how wide it is."""


def data(
    candles: Annotated[Path | None, typer.Option(help="Folder of candle archives.")] = None,
    state_dir: StateDir = None,
    table: TableName = "",
    as_json: Json = False,
) -> None:
    """Show how complete and fresh candles are: coverage, gaps and quality of every coin and timeframe.

    Of an archive folder (age counted from the newest bar in it), of a local stack that is kept running, or of a
    deployed table: the bars that decisions read (store) and those that were backfilled (history).
    """
    from infra.research import archives, report

    _require_one(candles, state_dir, table)
    left_out: tuple[str, ...] = ()
    if candles is not None:
        found = report.of_archives(candles)
        now, left_out = report.newest_close(found), archives.left_out(candles)
    else:
        with _market(state_dir, table) as market:
            now = market.clock.now()
            found = report.of_table(market.table, now)
    rows = report.coverage_rows(found, now)
    if as_json:
        print(json.dumps({"at": to_text(now), "series": rows, "left_out": left_out}, indent=2))
    else:
        _show(rows, now, left_out)


def backfill(  # noqa: PLR0913 - one parameter an option, as typer wants them
    files: Annotated[list[Path] | None, typer.Argument(help="Candle archives, or folders of them.")] = None,
    trades: Annotated[str, typer.Option(help="Instead of files: a coin whose public trades are read.")] = "",
    since: Annotated[str, typer.Option(help="First day of the trades (UTC), such as 2024-01-01.")] = "",
    until: Annotated[str, typer.Option(help="The day (UTC) before which the trades end; now without.")] = "",
    calls_per_second: Annotated[float | None, typer.Option(help="Pages of trades a second at most; 1 without.")] = None,
    spot_url: Annotated[str, typer.Option(help="Spot API to read from; the stack's own, or Kraken's, without.")] = "",
    state_dir: StateDir = None,
    table: TableName = "",
    as_json: Json = False,
) -> None:
    """Bring older candles into the history of a local stack or a deployed table: out of FILES, or out of --trades.

    FILES are all checked first; one bad line and nothing is imported. --trades reads a coin's public trades page by
    page (about 1,000 trades each) and stores the bars they make. Interrupted, start either again with the same words:
    what is there is left alone, and reading goes on where it was.
    """
    if bool(files) == bool(trades):
        raise InvalidInput("expected exactly one of FILES and --trades")
    _require_one(state_dir, table)
    if files:
        _only_with_trades(since=since, until=until, spot_url=spot_url, calls_per_second=calls_per_second)
        _import(files, state_dir, table, as_json=as_json)
        return
    from infra.cli.trades import TradeOptions, show_trades

    options = TradeOptions(
        coin=trades,
        since=since,
        until=until,
        spot_url=spot_url,
        calls_per_second=1.0 if calls_per_second is None else calls_per_second,
    )
    with _market(state_dir, table) as market:
        show_trades(options, market, as_json=as_json)


def _only_with_trades(**options: object) -> None:
    for name, value in options.items():
        if value not in ("", None):
            raise InvalidInput(f"--{name.replace('_', '-')} is {value}; expected it only with --trades")


def _import(files: Sequence[Path], state_dir: Path | None, table: str, *, as_json: bool) -> None:
    from infra.research import archives
    from infra.research.backfill import Imported
    from infra.research.backfill import backfill as bring_in
    from infra.research.history import HistoryStore

    paths = [each.path for path in files for each in (archives.find(path) if path.is_dir() else [archives.named(path)])]
    with _market(state_dir, table) as market, _progress(2 * len(set(paths))) as advance:
        done: Sequence[Imported] = bring_in(paths, HistoryStore(market.table), market.clock.now(), advance)
    rows = [
        {
            "file": each.archive.path.name,
            "coin": each.archive.coin,
            "timeframe": each.archive.timeframe.value,
            "bars": each.bars,
            "added": each.added,
            "differing": each.differing,
            "replaced": each.replaced,
        }
        for each in done
    ]
    if as_json:
        print(json.dumps(rows, indent=2))
    else:
        _print(_table(f"Imported into {market.table}", {column: column for column in rows[0]}, rows))


def _require_one(*sources: object) -> None:
    if sum(bool(each) for each in sources) != 1:
        names = ("--candles", "--state-dir", "--table")[-len(sources) :]
        raise InvalidInput(f"expected exactly one of {', '.join(names)}")


@contextmanager
def _market(state_dir: Path | None, table: str) -> Iterator[MarketPlace]:
    """The market data of a local stack, which lives in its own time, or of a deployed table."""
    try:
        if state_dir is None:
            yield MarketPlace(table=table, clock=SystemClock(), spot_url="")
            return
        with Attached.open(state_dir) as local:
            environment = local.template.function("ingest_candles").environment
            yield MarketPlace(
                table=environment["SMC_MARKET_DATA_TABLE"],
                clock=StoppedClock(local.now),
                spot_url=environment["SMC_SPOT_URL"],
            )
    except (PynamoDBException, BotoCoreError) as error:
        raise InvalidInput(f"the MarketData table of {table or state_dir} cannot be used: {error}") from None


@contextmanager
def _progress(steps: int) -> Iterator[Callable[[str], None]]:
    """A bar on a terminal, one line per stored file elsewhere (a log)."""
    console = Console(stderr=True)
    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}", markup=False))
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("reading", total=steps)

        def advance(what: str) -> None:
            bar.update(task, advance=1, description=what)
            if not console.is_terminal and what.startswith(STORED):
                print(what, file=sys.stderr)

        yield advance


def _show(rows: list[dict[str, Any]], now: datetime, left_out: Sequence[str]) -> None:
    _print(_table(f"Candles at {now:%Y-%m-%d %H:%M} UTC", SHOWN, rows))
    perfect = sum(row["quality"] == "complete" for row in rows)
    print(f"{len(rows)} series, {sum(row['rows'] for row in rows)} bars, {perfect} series complete.")
    if left_out:
        print(f"Left out: {len(left_out)} CSV files that are no candles of these timeframes, such as {left_out[0]}.")


def _table(title: str, columns: dict[str, str], rows: Sequence[dict[str, Any]]) -> Table:
    table = Table(title=title)
    for name, shown in columns.items():
        number = bool(rows) and isinstance(rows[0][name], int | float)
        table.add_column(shown, justify="right" if number else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_cell(row[name]) for name in columns))
    return table


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:g}" if value < 1000 else f"{value:.0f}"
    return "" if value is None else str(value)


def _print(table: Table) -> None:
    out = Console()
    (out if out.is_terminal else Console(width=LOG_WIDTH)).print(table)
