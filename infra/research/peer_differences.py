"""What our detector tells and what smartmoneyconcepts lists on the same bars, row by row, and why they differ.

    python -m infra.research.peer_differences ../shared/smc-cases [--json]

reads the external cases of EURUSD (swing length 5). The peer's rows come from its own tables; `reproduced` says for how
many of them our recomputation (`peer_rules`), on which the causes rest, gives the same row.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Final

from infra.research import peer_causes
from infra.research.peer_causes import Comparison, Evidence, Explanations, Row, compare
from infra.research.peer_report import Ahead, Report, as_markdown, as_record, counted
from infra.research.peer_rows import (
    OurRows,
    PeerTables,
    computed_tables,
    deleted_breaks,
    our_rows,
    read_prices,
    read_tables,
)
from infra.research.peer_rules import PeerBreak, Prices, blocks_of, breaks_of, swings_of

SCALE: Final = 5
LEVEL_SHARE: Final = 1e-6
"""Levels are the same when they differ by less than this share: the peer keeps 32 bits."""

Span = tuple[int, int]


def differences(prices: Prices, scale: int, tables: PeerTables | None = None) -> Report:
    """Compare our events on these bars with the peer's tables, or with recomputed ones where none are given."""
    swings = swings_of(prices, scale)
    patterns, blocks = breaks_of(swings, prices.closes), blocks_of(swings, prices)
    computed = computed_tables(swings, patterns, blocks)
    ours = our_rows(prices, scale)
    evidence = Evidence(
        prices=prices,
        scale=scale,
        swings=swings,
        patterns={(each.side, each.bar): each for each in patterns},
        blocks={(each.side, each.swing_bar, each.break_bar): each for each in blocks},
        accepted=ours.accepted,
        superseded=ours.superseded,
        before=ours.before,
    )
    theirs = computed if tables is None else tables
    return Report(
        times=prices.times,
        comparisons=_comparisons(evidence, theirs, ours),
        ahead=_looks_ahead(theirs, patterns, scale, len(prices.closes) - 1),
        reproduced=_reproduced(theirs, computed),
        erased=_erased(evidence, ours),
    )


def _comparisons(evidence: Evidence, theirs: PeerTables, ours: OurRows) -> list[Comparison]:
    blocks, listed = (
        Explanations(only_theirs=evidence.only_theirs, only_ours=only_ours, unlike=peer_causes.unlike_zones)
        for only_ours in (evidence.only_our_block, evidence.block_not_listed)
    )
    breaks = Explanations(
        only_theirs=evidence.only_theirs, only_ours=evidence.only_our_break, unlike=evidence.unlike_breaks
    )
    swings = Explanations(
        only_theirs=evidence.only_their_swing, only_ours=evidence.only_our_swing, unlike=peer_causes.unlike_zones
    )
    gaps = Explanations(only_theirs=peer_causes.never, only_ours=peer_causes.never, unlike=peer_causes.unlike_zones)
    deleted = deleted_breaks(list(evidence.patterns.values()))
    keys = {_swing_key(row) for row in deleted}
    again = [row for row in ours.breaks if _swing_key(row) in keys]
    found = [
        compare("BOS and CHoCH", theirs.breaks, ours.breaks, _swing_key, breaks),
        compare("BOS and CHoCH the peer deleted", deleted, again, _swing_key, breaks),
        compare("order blocks ever created", theirs.created, ours.blocks, _break_key, blocks),
        compare("order blocks still listed", theirs.blocks, ours.blocks, _break_key, listed),
        compare("swings", theirs.swings, ours.swings, _swing_key, swings),
    ]
    if theirs.gaps is not None:
        found.append(compare("fair value gaps with touch", theirs.gaps, ours.gaps, _swing_key, gaps))
    return found


def _looks_ahead(theirs: PeerTables, patterns: Sequence[PeerBreak], scale: int, last: int) -> list[Ahead]:
    fourth = {(each.side, each.bar): each.fourth + scale for each in patterns}
    spans: dict[str, list[Span]] = {
        "BOS/CHoCH, until the close beyond the level": [(row.bar, row.known) for row in theirs.breaks],
        "BOS/CHoCH, from that close until the fourth swing is confirmed": [
            (row.known, fourth[row.side, row.bar]) for row in theirs.breaks if (row.side, row.bar) in fourth
        ],
        "order block, until the close beyond the level": [(row.bar, row.known) for row in theirs.created],
        "swing, until it is confirmed": [
            (row.bar, row.bar + scale) for row in theirs.swings if row.bar not in (0, last)
        ],
        "gap, until its third bar": [(row.bar, row.bar + 1) for row in theirs.gaps or ()],
    }
    return [_ahead(what, of) for what, of in spans.items() if of]


def _ahead(what: str, spans: Sequence[Span]) -> Ahead:
    waits = [until - stamped for stamped, until in spans if until > stamped]
    return Ahead(
        what=what,
        rows=len(spans),
        ahead=len(waits),
        median_bars=median(waits) if waits else 0,
        longest_bars=max(waits, default=0),
    )


def _reproduced(theirs: PeerTables, computed: PeerTables) -> dict[str, tuple[int, int]]:
    pairs = {
        "swings": (theirs.swings, computed.swings),
        "BOS and CHoCH": (theirs.breaks, computed.breaks),
        "order blocks ever created": (theirs.created, computed.created),
        "order blocks still listed": (theirs.blocks, computed.blocks),
    }
    found = {name: (_alike(table, again), len(table)) for name, (table, again) in pairs.items()}
    orphans = theirs.orphans.items()
    return {
        **found,
        "BOS and CHoCH deleted (BrokenIndex left)": (len(orphans & computed.orphans.items()), len(orphans)),
    }


def _alike(table: Sequence[Row], again: Sequence[Row]) -> int:
    """How many rows of `table` are among `again`: all the same but for the last bits of the level."""
    known = {_identity(row): row for row in again}
    pairs = [(row, known[_identity(row)]) for row in table if _identity(row) in known]
    return sum(
        abs(row.top - other.top) + abs(row.bottom - other.bottom) <= LEVEL_SHARE * row.top for row, other in pairs
    )


def _erased(evidence: Evidence, ours: OurRows) -> dict[str, tuple[int, int]]:
    breaks = {(row.side, row.bar) for row in ours.breaks}
    blocks = {_break_key(row) for row in ours.blocks}
    final = {(swing.side, swing.bar) for swing in evidence.swings}
    swings = set(ours.accepted) - final
    patterns = {key for key, each in evidence.patterns.items() if each.erased_by is not None}
    gone = {key for key, each in evidence.blocks.items() if each.erased_at is not None}
    return {
        "swings replaced by a more extreme one": (len(swings), len(swings & set(ours.superseded))),
        "BOS and CHoCH overlapped by a later stamp": (len(patterns), len(patterns & breaks)),
        "order blocks the price went through and came back": (len(gone), len(gone & blocks)),
    }


def _swing_key(row: Row) -> tuple[int, ...]:
    return row.side, row.swing_bar


def _break_key(row: Row) -> tuple[int, ...]:
    return row.side, row.swing_bar, row.known


def _identity(row: Row) -> tuple[int, int, int, int, str]:
    return row.side, row.bar, row.swing_bar, row.known, row.kind


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the report; 1 when a difference is left unexplained."""
    parser = argparse.ArgumentParser(
        prog="python -m infra.research.peer_differences", description=__doc__.split("\n")[0]
    )
    parser.add_argument("folder", type=Path, help="folder of the external cases, such as ../shared/smc-cases")
    parser.add_argument("--json", action="store_true", help="print JSON for programs")
    given = parser.parse_args(arguments)
    try:
        prices, tables = read_prices(given.folder), read_tables(given.folder)
    except (OSError, KeyError, ValueError) as error:
        print(f"The cases in {given.folder} cannot be read: {error!r}", file=sys.stderr)
        return 2
    report = differences(prices, SCALE, tables)
    print(json.dumps(as_record(report), indent=2) if given.json else as_markdown(report))
    return 1 if any(counted(each)["unexplained"] for each in report.comparisons) else 0


if __name__ == "__main__":
    sys.exit(main())
