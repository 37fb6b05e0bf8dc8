"""Brings archives into the history. Every file is checked before the first bar is stored; repeating adds nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from infra.local.market.candle_files import CandleFile
from infra.research import archives
from infra.research.history import HistoryStore, Line, blocks
from trading.errors import InvalidInput

DOLLARS = ("USD", "USDT", "USDC")

Advance = Callable[[str], None]
"""Told after every file checked and every file stored, with what was done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """One file's bars: in the file, new in the history, and different from stored ones (those stay as they were).

    `replaced`: stored blocks that did not decode and now hold this file's bars alone.
    """

    archive: CandleFile
    bars: int
    added: int
    differing: int
    replaced: int


def backfill(paths: Sequence[Path], store: HistoryStore, now: datetime, advance: Advance) -> tuple[Imported, ...]:
    """Import archives, oldest blocks first. Raises InvalidInput before anything is stored.

    Interrupted, it is simply started again: blocks that are complete are read and left alone.
    """
    chosen = [_usable(archives.named(path)) for path in sorted(set(paths))]
    _require_one_market(chosen, {(line.coin, line.timeframe): line.quote for line in store.lines()})
    for archive in chosen:
        archives.read(archive, now)
        advance(f"checked {archive.path.name}")
    done = []
    for archive in chosen:
        done.append(_import(archive, store, now))
        advance(f"stored {archive.path.name}")
    return tuple(done)


def _import(archive: CandleFile, store: HistoryStore, now: datetime) -> Imported:
    line = Line(coin=archive.coin, timeframe=archive.timeframe, quote=archive.quote)
    # Read again rather than kept: the archive of a whole exchange is larger than memory.
    series = archives.read(archive, now)
    store.enter(line)
    added = [store.add(line, block) for block in blocks(series)]
    return Imported(
        archive=archive,
        bars=len(series),
        added=sum(each.bars for each in added),
        differing=sum(each.differing for each in added),
        replaced=sum(each.replaced for each in added),
    )


def _usable(archive: CandleFile) -> CandleFile:
    if archive.quote not in DOLLARS:
        raise InvalidInput(f"{archive.path} has prices in {archive.quote}; expected one of {', '.join(DOLLARS)}")
    return archive


def _require_one_market(chosen: Sequence[CandleFile], stored: dict[tuple[object, object], str]) -> None:
    """Levels of two markets differ: glued together they would show moves that never happened."""
    known = dict(stored)
    for archive in chosen:
        quote = known.setdefault((archive.coin, archive.timeframe), archive.quote)
        if quote != archive.quote:
            raise InvalidInput(
                f"{archive.path} has prices in {archive.quote}; expected {quote} as in the other "
                f"{archive.coin} {archive.timeframe} bars: two markets are never mixed"
            )
