"""`traces`: what was decided about a coin bar by bar, and the funnel of all decisions of a period."""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from infra.cli.decided import DecidedPlace, missing_traces, open_place
from infra.cli.funnel import Funnel, count_funnel
from infra.cli.operators import Target
from shared.storage.codec import to_json
from shared.storage.decisions import TRACE_FORMAT, StageRecord, TraceListing
from trading.errors import CorruptRecord, InvalidInput
from trading.model.decisions import Decision
from trading.model.instruments import InstrumentId
from trading.model.times import to_text

READERS = 8
LOG_WIDTH = 132
BARS_SHOWN, BARS_STORED = 24, 720
"""Without --bars: a day of traces, and for the funnel the 30 days that traces are stored."""


def show_traces(target: Target, symbol: str, bars: int | None, *, as_json: bool) -> None:
    """One line per decision and, for a person, one for each thing that became of its signal up to the exits. Raises
    CorruptRecord, after the others were shown, when a trace cannot be read."""
    coin, count = InstrumentId(symbol.upper()), bars or BARS_SHOWN
    with open_place(target) as place:
        listing = place.decisions.listing_of(coin, place.bars(count))
        signals = [] if as_json else [each.decision_bar for each in listing.decisions if each.signal is not None]
        stages = [each for bar in signals for each in place.decisions.stages(bar) if each.instrument == coin]
    if not listing.decisions:
        raise InvalidInput(missing_traces(coin, listing, count))
    if as_json:
        for each in listing.decisions:
            print(json.dumps(trace_document(each)))
    else:
        _console().print(traces_table(coin, listing.decisions, stages))
    _refuse(listing.refused)


def trace_document(decision: Decision) -> dict[str, Any]:
    """A whole trace for programs, with the number of the format it is stored in."""
    return {"format": TRACE_FORMAT, **json.loads(to_json(decision))}


def show_funnel(target: Target, symbol: str, bars: int | None, *, as_json: bool) -> None:
    """Counts over all coins, or one. Raises CorruptRecord, after the counts, when a trace cannot be read."""
    coin, count = symbol.upper(), bars or BARS_STORED
    with open_place(target) as place:
        found, stages = _read(place, coin, place.bars(count))
    if not found.decisions:
        raise InvalidInput(missing_traces(InstrumentId(coin or "any coin"), found, count))
    funnel = count_funnel(found.decisions, stages)
    if as_json:
        print(json.dumps({"coin": coin or None, "refused": len(found.refused), **funnel.document()}, indent=2))
    else:
        _show(_console(), coin, funnel)
    _refuse(found.refused)


def _read(place: DecidedPlace, coin: str, bars: list[datetime]) -> tuple[TraceListing, tuple[StageRecord, ...]]:
    """All traces of these bars (of one coin, if any), oldest first, and what later stages made of their signals."""
    store = place.decisions
    with ThreadPoolExecutor(max_workers=READERS) as readers:
        if coin:
            listings = [store.listing_of(InstrumentId(coin), bars)]
            decided = [each.decision_bar for each in listings[0].decisions if each.signal is not None]
            stages = [each for found in readers.map(store.stages, decided) for each in found if each.instrument == coin]
        else:
            whole = list(readers.map(store.all_of, reversed(bars)))
            listings = [listing for listing, _ in whole]
            stages = [each for _, found in whole for each in found]
    listing = TraceListing(
        decisions=tuple(each for found in listings for each in found.decisions),
        refused=tuple(each for found in listings for each in found.refused),
    )
    return listing, tuple(stages)


def _refuse(refused: tuple[str, ...]) -> None:
    if refused:
        more = f" (and {len(refused) - 1} more like it)" if len(refused) > 1 else ""
        raise CorruptRecord(f"{refused[0]}{more}")


def _console() -> Console:
    out = Console()
    return out if out.is_terminal else Console(width=LOG_WIDTH)


def traces_table(coin: str, decisions: Sequence[Decision], stages: Sequence[StageRecord]) -> Table:
    """Decisions oldest first, each followed by its stages in the order of their time."""
    table = Table(title=f"{coin}: newest {len(decisions)} decisions")
    for name in ("bar closed", "outcome", "score", "why"):
        table.add_column(name)
    for each in decisions:
        score = "" if each.score is None else f"{each.score}/{each.threshold}"
        table.add_row(to_text(each.decision_bar)[:16], each.outcome, score, Text(each.sentence))
        for stage in sorted((s for s in stages if s.decision_bar == each.decision_bar), key=lambda stage: stage.at):
            table.add_row(f"  {to_text(stage.at)[5:16]}", f"then {stage.outcome}", "", Text(stage.sentence))
    return table


def _show(console: Console, coin: str, funnel: Funnel) -> None:
    period = f"{to_text(funnel.first)[:16]} to {to_text(funnel.last)[:16]} UTC"
    console.print(f"{funnel.decisions} decisions of {coin or f'{funnel.coins} coins'}, {funnel.bars} bars, {period}")
    for title, head, counts in funnel.tables():
        console.print(Text(title, style="bold"))
        table = Table()
        for column in head:
            table.add_column(column)
        table.add_column("count", justify="right")
        table.add_column("share", justify="right")
        total = sum(counts.values())
        for key, count in counts.items():
            table.add_row(*key, f"{count:,}", f"{100 * count / total:.1f} %")
        console.print(table)
