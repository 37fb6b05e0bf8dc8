"""Plays the whole system for several simulated days and writes what came of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from infra.local.checks import Books, Evidence, differences
from infra.local.receiver import count_posts
from infra.local.records import Records, months, read_records
from infra.local.report import write_report
from infra.local.runner import CONTROL, Runner
from infra.local.stack import LocalStack, StackParameters, write_whole
from infra.local.summary import Ending, summarise
from shared.venues import account_of
from trading.errors import InvalidInput
from trading.model.times import Timeframe
from trading.reconciliation.equity import LedgerEquity, OpenBook, ledger_equity
from trading.rules import load_rules

DAYS_MAXIMUM = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions:
    """What to play: at least `days`, and on until `trades` have closed, `DAYS_MAXIMUM` at most."""

    candles: Path | None
    seed: int
    coins: int
    days: int
    trades: int
    state_dir: Path
    rules_override: str = ""
    keep: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.days <= DAYS_MAXIMUM:
            raise InvalidInput(f"days is {self.days}; expected 1 to {DAYS_MAXIMUM}")
        if self.trades < 0:
            raise InvalidInput(f"trades is {self.trades}; expected 0 or more")
        if self.coins < 1:
            raise InvalidInput(f"coins is {self.coins}; expected at least 1")
        if self.candles is not None and not self.candles.is_dir():
            raise InvalidInput(f"candles folder {self.candles} does not exist")
        load_rules(self.rules_override)

    @property
    def parameters(self) -> StackParameters:
        candles = None if self.candles is None else str(self.candles.resolve())
        return StackParameters(candles=candles, seed=self.seed, coins=self.coins, rules_override=self.rules_override)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """Where a run stands, for the progress display."""

    start: datetime
    now: datetime
    trades: int
    open_positions: int
    resumed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What a run gave: the document of `summary.json`, and seconds spent by function (not deterministic)."""

    summary: dict[str, Any]
    seconds: dict[str, float]
    ended_because: str


def play(options: DemoOptions, show: Callable[[Moment], None]) -> Played:
    """Run the demo; `show` is called after every step. Raises InvalidInput with one sentence when it cannot."""
    wall, cpu = time.monotonic(), time.process_time()
    with LocalStack.open(options.state_dir, options.parameters) as stack:
        with stack.files.logs.open("a", encoding="utf-8") as log:
            runner = Runner(stack, log)
            earlier = (runner.progress.wall_seconds, runner.progress.cpu_seconds)
            runner.begin()
            because = _play_on(runner, options, show, lambda: _spend(runner, earlier, wall, cpu))
            _spend(runner, earlier, wall, cpu)
            evidence = gather(runner)
        ending = Ending(
            parameters=options.parameters,
            evidence=evidence,
            wall_seconds=runner.progress.wall_seconds,
            cpu_seconds=runner.progress.cpu_seconds + stack.cpu_seconds(),
        )
        summary = summarise(ending)
        write_whole(stack.files.summary, summary)
        write_report(runner, evidence.records, summary, stack.files.report)
        if options.keep:
            stack.leave()
    return Played(summary=summary, seconds={**runner.invoker.seconds, **runner.seconds}, ended_because=because)


def _play_on(runner: Runner, options: DemoOptions, show: Callable[[Moment], None], spend: Callable[[], None]) -> str:
    """Step until there is nothing left to wait for; says why it ended."""
    start = runner.progress.start
    trades = _trades(runner)
    while True:
        show(
            Moment(
                start=start,
                now=runner.now,
                trades=trades,
                open_positions=runner.open_positions,
                resumed=runner.stack.resumed,
            )
        )
        if runner.now >= start + timedelta(days=options.days) and trades >= options.trades:
            return f"{options.days} days played and {trades} trades closed"
        if runner.now >= start + timedelta(days=DAYS_MAXIMUM):
            return f"{DAYS_MAXIMUM} days played; only {trades} trades closed"
        if runner.next_stop > runner.last:
            return f"the prices ended; {trades} trades closed"
        spend()
        runner.step()
        if runner.now == Timeframe.M15.floor(runner.now):
            trades = _trades(runner)


def _trades(runner: Runner) -> int:
    return len(runner.ledger.trades(months(runner.progress.start, runner.now)))


def _spend(runner: Runner, earlier: tuple[float, float], wall: float, cpu: float) -> None:
    runner.progress.wall_seconds = earlier[0] + time.monotonic() - wall
    runner.progress.cpu_seconds = earlier[1] + time.process_time() - cpu


def gather(runner: Runner) -> Evidence:
    """Read the stores, the sandbox's books and the receiver's file: everything the summary is made of."""
    records = read_records(runner.template, runner.progress.start, runner.now)
    venue = runner.sandbox.state()
    ours = our_books(runner, records)
    books = Books(
        ours=ours.equity,
        venue=venue.equity,
        fees=ours.fees,
        funding=ours.funding,
        differences=differences(records, venue),
    )
    return Evidence(
        records=records,
        progress=runner.progress,
        venue=venue,
        books=books,
        posts=count_posts(runner.stack.files.posts),
        undelivered=runner.deliveries.waiting(),
    )


def our_books(runner: Runner, records: Records) -> LedgerEquity:
    """Equity by our ledger; open positions are completed with the venue's account log and mark prices."""
    environment = runner.template.function(CONTROL).environment
    key = runner.stack.trading_key
    venue = account_of(environment["SMC_FUTURES_URL"], key["api_key"], key["api_secret"])
    quotes = venue.quotes() if records.held else {}
    held = [
        OpenBook(position=each, rows=venue.ledger_rows(each.planned_at), mark=Decimal(quotes[each.contract].mark))
        for each in records.held
    ]
    return ledger_equity(runner.progress.equity_start, records.trades, held, runner.now)
