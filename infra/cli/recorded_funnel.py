"""`funnel`: what the rules decided on recorded candles, where ideas were lost, and whether the score meant anything."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from trading.errors import InvalidInput
from trading.model.times import from_text
from trading.model.units import to_decimal

if TYPE_CHECKING:
    from infra.research.funnel_run import Done, FunnelOptions

FOLDER = Path("out/funnel")


def funnel(  # noqa: PLR0913 - one parameter an option, as typer wants them
    candles: Annotated[Path, typer.Option(help="Folder of recorded candles; the 15m ones are replayed.")],
    years: Annotated[str, typer.Option(help="Years of the decision bars, such as 2022,2024.")] = "2022,2024",
    coins: Annotated[int, typer.Option(help="Coins a year: those of all years first, then by name.")] = 20,
    first: Annotated[str, typer.Option("--from", help="First day (UTC) of the decision bars.")] = "",
    end: Annotated[str, typer.Option("--to", help="Day (UTC) before which they end.")] = "",
    workers: Annotated[int, typer.Option(help="Processes; the figures are the same with any number.")] = 1,
    folder: Annotated[Path, typer.Option(help="Where results are kept, one file a coin and year.")] = FOLDER,
    bootstrap: Annotated[
        bool, typer.Option("--bootstrap", help="Only coins with recorded daily candles; these come before folded ones.")
    ] = False,
    spread_bps: Annotated[str, typer.Option(help="Spread of every contract, bps of the mid.")] = "4",
    hourly_funding: Annotated[str, typer.Option(help="Funding longs pay an hour, share of the notional.")] = "0.00001",
    maker_fee_bps: Annotated[str, typer.Option(help="Maker fee, bps.")] = "2",
    taker_fee_bps: Annotated[str, typer.Option(help="Taker fee, bps.")] = "5",
    out: Annotated[Path | None, typer.Option(help="Also write the report: .json, or Markdown.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of tables.")] = False,
) -> None:
    """Replay recorded candles hour by hour, count every decision, and hold the score against what followed.

    Stopped runs go on: a coin that is done is not replayed again unless code, rules, candles or options changed.
    Quotes of the past are not recorded, so spread, funding and fees are given here and fixed.
    """
    from infra.research.funnel_run import FunnelOptions

    options = FunnelOptions(
        candles=candles,
        years=_years(years),
        coins=coins,
        folder=folder,
        workers=workers,
        bootstrap=bootstrap,
        first=_day(first, "--from"),
        end=_day(end, "--to"),
        spread_bps=_number(spread_bps, "--spread-bps"),
        hourly_funding=_number(hourly_funding, "--hourly-funding"),
        maker_fee_bps=_number(maker_fee_bps, "--maker-fee-bps"),
        taker_fee_bps=_number(taker_fee_bps, "--taker-fee-bps"),
    )
    _show(options, out, as_json=as_json)


def _show(options: FunnelOptions, out: Path | None, *, as_json: bool) -> None:
    # Imported here: the operator's commands need not wait for what only research uses.
    from infra.research.funnel_run import choose_jobs, run

    jobs = choose_jobs(options)
    with _progress(len(jobs)) as tell:
        funnels = run(jobs, options.workers, tell)
    from infra.research import funnel_report as report

    found = report.sections(funnels)
    if out is not None:
        render = report.as_json if out.suffix == ".json" else report.as_markdown
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(render(options, found), encoding="utf-8")
    print((report.as_json if as_json else report.as_text)(options, found))


@contextmanager
def _progress(jobs: int) -> Iterator[Callable[[Done], None]]:
    """A bar on a terminal, one line a coin elsewhere."""
    console = Console(stderr=True)
    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, TextColumn("{task.description}"), console=console, disable=not console.is_terminal) as bar:
        task, count = bar.add_task("replaying", total=jobs), 0

        def tell(done: Done) -> None:
            nonlocal count
            count += 1
            how = f"{done.seconds:.0f} s of CPU" if done.seconds else "was done"
            text = f"{done.coin} {done.year}: {done.decisions} decisions, {done.signals} signals, {how}"
            bar.update(task, advance=1, description=text)
            if not console.is_terminal:
                print(f"{count}/{jobs} {text}", file=sys.stderr, flush=True)

        yield tell


def _years(text: str) -> tuple[int, ...]:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts or not all(part.isascii() and part.isdecimal() and len(part) == 4 for part in parts):
        raise InvalidInput(f"--years is {text!r}; expected years separated by commas, such as 2022,2024")
    return tuple(int(part) for part in parts)


def _day(text: str, option: str) -> datetime | None:
    if not text:
        return None
    try:
        return from_text(f"{text}T00:00:00Z")
    except InvalidInput:
        raise InvalidInput(f"{option} is {text!r}; expected a day such as 2024-03-01") from None


def _number(text: str, option: str) -> Decimal:
    return to_decimal(text, option)
