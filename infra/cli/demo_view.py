"""What a person sees of a demo: a progress bar while it runs, tables at its end."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from infra.local.demo import DemoOptions, Moment, Played, play

LOG_WIDTH = 132
"""Columns of the tables where no terminal says how wide it is."""


def show_demo(options: DemoOptions, *, as_json: bool, profile: bool) -> int:
    """Play and show. Returns the exit code: 1 when something that must hold did not."""
    notes = Console(stderr=True)
    with _Bar(notes, options) as bar:
        played = play(options, bar.show)
    if as_json:
        print(json.dumps(played.summary, indent=2, sort_keys=True))
    else:
        out = Console()
        _show_tables(out if out.is_terminal else Console(width=LOG_WIDTH), options, played)
    if profile:
        notes.print(_profile_table(played.seconds))
    return 1 if played.summary["violations"] else 0


class _Bar:
    """A live bar on a terminal, one line per simulated day elsewhere (a log)."""

    def __init__(self, console: Console, options: DemoOptions) -> None:
        self._console = console
        self._options = options
        self._day = -1
        self._began = time.monotonic()
        self._progress = Progress(
            TextColumn("{task.fields[at]}"),
            BarColumn(bar_width=None),
            TextColumn("{task.percentage:>3.0f}%  trades {task.fields[trades]}  open {task.fields[open]}"),
            TimeElapsedColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._task: TaskID = self._progress.add_task("demo", total=1.0, at="starting the local stack", trades=0, open=0)

    def __enter__(self) -> _Bar:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, moment: Moment) -> None:
        share = done_share(moment, self._options)
        at = f"{moment.now:%Y-%m-%d %H:%M}" + (" (resumed)" if moment.resumed else "")
        self._progress.update(self._task, completed=share, at=at, trades=moment.trades, open=moment.open_positions)
        day = (moment.now - moment.start) // timedelta(days=1)
        if not self._console.is_terminal and day != self._day:
            self._day = day
            wall = time.monotonic() - self._began
            self._console.print(f"{at}  day {day}  trades {moment.trades}  open {moment.open_positions}  {wall:.0f} s")


def done_share(moment: Moment, options: DemoOptions) -> float:
    """How much of what is waited for is there: the days take nine tenths of the bar, the trades the last one."""
    days = min(1.0, (moment.now - moment.start) / timedelta(days=options.days))
    trades = min(1.0, moment.trades / options.trades) if options.trades else 1.0
    return 0.9 * days + 0.1 * trades * days


def _show_tables(console: Console, options: DemoOptions, played: Played) -> None:
    summary = played.summary
    console.print(_funnel_table(summary))
    console.print(_trades_table(summary))
    console.print(_exits_table(summary))
    console.print(_figures_table(summary))
    compression = summary["schedule_compression"]
    console.print(
        f"Time: one-minute steps while anything was live, {compression['flat_step_seconds'] // 60}-minute steps while "
        f"flat; the minute schedules fired {compression['minutes_fired']} times, {compression['minutes_skipped']} idle "
        "minutes were skipped."
    )
    console.print(f"Ended because: {played.ended_because}.")
    console.print(f"Written: {options.state_dir / 'summary.json'}, {options.state_dir / 'report.html'}")
    if options.keep:
        console.print("The local stack is still running: try smc-trader status; end it with smc-trader stop.")
    if len(summary["trades"]) < options.trades:
        console.print(f"[yellow]Only {len(summary['trades'])} trades closed: the rules found no more in these prices.")
    for each in summary["violations"]:
        console.print(f"[red]violation:[/red] {escape(each)}", highlight=False)


def _funnel_table(summary: Mapping[str, Any]) -> Table:
    table = Table(title=f"Decisions: {summary['coins']} coins x {summary['decision_bars']} bars")
    table.add_column("outcome")
    table.add_column("count", justify="right")
    counts = summary["decisions_by_outcome"]
    for outcome in sorted(counts, key=lambda each: -counts[each]):
        table.add_row(outcome, str(counts[outcome]))
    for outcome, count in sorted(summary["stages_by_outcome"].items()):
        table.add_row(f"then {outcome}", str(count))
    return table


def _trades_table(summary: Mapping[str, Any]) -> Table:
    table = Table(title=f"Closed trades: {len(summary['trades'])}")
    for name in ("coin", "side", "setup", "opened", "closed"):
        table.add_column(name)
    for name in ("R", "net USD", "fees", "funding"):
        table.add_column(name, justify="right")
    table.add_column("exit")
    for trade in summary["trades"]:
        table.add_row(
            trade["instrument"],
            trade["side"],
            trade["setup"],
            _short(trade["opened_at"]),
            _short(trade["closed_at"]),
            f"{trade['r_multiple']:+.2f}",
            *(f"{float(trade[name]):+.2f}" for name in ("net_pnl", "fees", "funding")),
            trade["exit_reason"],
        )
    return table


def _exits_table(summary: Mapping[str, Any]) -> Table:
    table = Table(title="Exit rules")
    table.add_column("rule")
    for name in ("evaluated", "without input", "fired"):
        table.add_column(name, justify="right")
    for rule, counts in summary["exits"].items():
        table.add_row(rule, *(f"{counts[name]:,}" for name in ("evaluated", "without_input", "fired")))
    return table


def _short(moment: str) -> str:
    """Month, day, hour and minute of an ISO 8601 time."""
    return moment[5:16].replace("T", " ")


def _figures_table(summary: Mapping[str, Any]) -> Table:
    delivered = summary["alerts_delivered"]
    rows = (
        ("simulated", f"{summary['from'][:16]} to {summary['to'][:16]}, {summary['source']}, seed {summary['seed']}"),
        ("equity", f"{summary['equity_start']} to {summary['equity_end']} USD by our ledger"),
        ("venue's books", f"{summary['venue_equity_end']} USD"),
        ("fees, funding", f"{summary['fees']}, {summary['funding']} USD"),
        ("orders, fills", f"{summary['orders_sent']}, {summary['fills']}; open positions {summary['open_positions']}"),
        (
            "alerts",
            f"{summary['alerts_published']} published, Slack {delivered['slack']}, Discord {delivered['discord']}",
        ),
        ("longest without a stop", f"{summary['seconds_without_stop_max']:g} s"),
        ("discrepancies at the end", str(summary["discrepancies_end"])),
        ("violations", str(len(summary["violations"]))),
        ("took", f"{summary['wall_seconds']} s, {summary['cpu_seconds']} s of processor time"),
    )
    table = Table(title="Run", show_header=False)
    for name, value in rows:
        table.add_row(name, value)
    return table


def _profile_table(seconds: Mapping[str, float]) -> Table:
    table = Table(title="Seconds by part")
    table.add_column("part")
    table.add_column("seconds", justify="right")
    for name, value in sorted(seconds.items(), key=lambda each: -each[1]):
        table.add_row(name, f"{value:.2f}")
    return table
