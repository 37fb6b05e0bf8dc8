"""`backfill --trades`: what it was asked for, how far it is, and what it did, for a person and for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from infra.cli.market_place import MarketPlace
from infra.research.history import HistoryStore
from infra.research.paced_trades import PacedTrades
from infra.research.trade_backfill import Outcome, Stored, Wanted, backfill_trades
from infra.research.trade_progress import TradeProgress, TradeProgressStore
from shared.storage.market_data import MarketDataStore
from shared.venue import KrakenSpot
from shared.venue.transport import KRAKEN_SPOT_URL
from trading.errors import InvalidInput
from trading.model.instruments import InstrumentId
from trading.model.times import Timeframe, from_epoch, to_text
from trading.ports import TradeHistory
from trading.rules import load_rules

LOG_PAGES = 60
"""Without a terminal, a line of progress every so many pages: about one a minute."""
COINS_SHOWN = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeOptions:
    """The options as typed. `since` and `until`: days as YYYY-MM-DD, an empty `until` means the present."""

    coin: str
    since: str
    until: str
    spot_url: str
    calls_per_second: float

    def __post_init__(self) -> None:
        if self.spot_url and not self.spot_url.startswith(("https://", "http://")):
            raise InvalidInput(f"--spot-url is {self.spot_url!r}; expected an address such as {KRAKEN_SPOT_URL}")


def show_trades(options: TradeOptions, market: MarketPlace, *, as_json: bool) -> None:
    """Read, and say in the end what came of it."""
    outcome = run_trades(options, market)
    print(json.dumps(outcome_document(outcome), indent=2) if as_json else outcome_sentence(outcome))


def run_trades(options: TradeOptions, market: MarketPlace) -> Outcome:
    """Read the coin's trades into the history of the market's table. Raises InvalidInput before anything is read."""
    table, now = market.table, market.clock.now()
    start = _day("--since", options.since)
    until = _day("--until", options.until) if options.until else now
    pair = pair_of(options.coin, table)
    wanted = Wanted(coin=InstrumentId(options.coin), pair=pair, start=start, until=until, now=now)
    source: TradeHistory = KrakenSpot(
        clock=market.clock, base_url=options.spot_url or market.spot_url or KRAKEN_SPOT_URL
    )
    with trade_progress(wanted) as shown:
        paced = PacedTrades(source, shown.tell, calls_per_second=options.calls_per_second)
        return backfill_trades(wanted, paced, HistoryStore(table), TradeProgressStore(table), shown.advance)


def pair_of(coin: str, table: str) -> str:
    """The coin's spot pair by the stored universe; never made out of its name. Raises InvalidInput."""
    stored = MarketDataStore(table, bars_kept=load_rules().data.bars_kept).universe()
    if stored is None:
        raise InvalidInput(
            f"table {table} has no universe, so the pair of {coin} is unknown; expected a discovery first"
        )
    if (instrument := stored.universe.get(InstrumentId(coin))) is None:
        known = [each.id for each in stored.universe.instruments]
        more = f" and {len(known) - COINS_SHOWN} more" if len(known) > COINS_SHOWN else ""
        raise InvalidInput(
            f"--trades is {coin!r}; expected a coin of the stored universe: {', '.join(known[:COINS_SHOWN])}{more}"
        )
    return instrument.spot_pair


def _day(option: str, text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise InvalidInput(f"{option} is {text!r}; expected a day (UTC) such as 2024-01-31") from None


@dataclass(frozen=True, slots=True)
class Shown:
    """Where progress is shown: `advance` after every page, `tell` for what is worth a line of its own."""

    advance: Callable[[TradeProgress], None]
    tell: Callable[[str], None]


@contextmanager
def trade_progress(wanted: Wanted) -> Iterator[Shown]:
    """A bar over the days on a terminal, one line every minute or so elsewhere (a log)."""
    console = Console(stderr=True)
    columns = (BarColumn(), TaskProgressColumn(), TimeElapsedColumn(), TextColumn("{task.description}", markup=False))
    start = wanted.start.timestamp()
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("reading", total=wanted.end - start)

        def tell(what: str) -> None:
            bar.print(what, markup=False, highlight=False) if console.is_terminal else print(what, file=sys.stderr)

        def advance(progress: TradeProgress) -> None:
            if progress.defect:
                tell(f"progress was unreadable ({progress.defect}): reading again from {wanted.start:%Y-%m-%d}")
            text = _reached(wanted, progress)
            bar.update(task, completed=progress.at.timestamp() - start, description=text)
            if not console.is_terminal and progress.reached.pages % LOG_PAGES == 0:
                tell(text)

        yield Shown(advance, tell)


def _reached(wanted: Wanted, progress: TradeProgress) -> str:
    counts = f"{progress.reached.pages} pages, {progress.reached.trades} trades"
    return f"{wanted.coin} trades up to {progress.at:%Y-%m-%d %H:%M}, {counts}"


def outcome_document(outcome: Outcome) -> dict[str, Any]:
    """What a run did, for programs. Times are opens of bars as ISO text."""
    return {
        "coin": outcome.wanted.coin,
        "pair": outcome.wanted.pair,
        "since": to_text(outcome.wanted.start),
        "until": to_text(from_epoch(outcome.wanted.end)),
        "resumed_at": None if outcome.resumed_at is None else to_text(outcome.resumed_at),
        "pages": outcome.pages,
        "trades": outcome.trades,
        "stored": {timeframe.value: _counts(stored) for timeframe, stored in outcome.stored.items()},
    }


def _counts(stored: Stored) -> dict[str, Any]:
    return {
        "bars": stored.bars,
        "added": stored.added,
        "differing": stored.differing,
        "replaced": stored.replaced,
        "first": None if stored.first is None else to_text(from_epoch(stored.first)),
        "last": None if stored.last is None else to_text(from_epoch(stored.last)),
    }


def outcome_sentence(outcome: Outcome) -> str:
    """What a run did, in one sentence."""
    wanted, base = outcome.wanted, outcome.stored[Timeframe.M15]
    read = f"{outcome.pages} pages with {outcome.trades} trades of {wanted.pair}"
    resumed = f" (going on at {outcome.resumed_at:%Y-%m-%d %H:%M})" if outcome.resumed_at else ""
    if base.first is None or base.last is None:
        return f"{wanted.coin}: read {read}{resumed}, no complete 15m bar among them."
    added = ", ".join(f"{stored.added} {timeframe}" for timeframe, stored in outcome.stored.items())
    differing = sum(stored.differing for stored in outcome.stored.values())
    period = f"first 15m bar {from_epoch(base.first):%Y-%m-%d %H:%M}, last {from_epoch(base.last):%Y-%m-%d %H:%M} UTC"
    return (
        f"{wanted.coin}: read {read}{resumed}; added {added} bars; {differing} differ from stored ones, which stay; "
        f"{period}."
    )
