"""What our detector tells and what smartmoneyconcepts lists on the same bars, row by row, and why they differ.

    python -m infra.research.peer_differences ../shared/smc-cases [--json]

reads the external cases of EURUSD (swing length 5). The peer's rows come from its own tables; `reproduced` says for how
many of them our recomputation (`peer_rules`), on which the causes rest, gives the same row.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

from infra.research.peer_causes import (
    BOTH,
    CAUSES,
    ERASED_SWING,
    INVENTED,
    OURS,
    THEIRS,
    UNEXPLAINED,
    Comparison,
    Difference,
    Evidence,
    Explanations,
    Row,
    compare,
    never,
    unlike_zones,
)
from infra.research.peer_rules import PeerBlock, PeerBreak, PeerSwing, Prices, blocks_of, breaks_of, single, swings_of
from trading.smc.detector import Detector
from trading.smc.events import BOS, CHOCH, GAP, ORDER_BLOCK, REINFORCED, SWING, SWING_SUPERSEDED, TOUCHED, RawEvent
from trading.smc.parameters import PEER, Parameters

SCALE: Final = 5
BLOCK: Final = "block"
NEVER_TOUCHED: Final = 0
"""The peer's MitigatedIndex of a gap that was never touched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerTables:
    """The peer's finished tables as rows; `created` are all blocks it ever had, `blocks` those it still lists."""

    swings: Sequence[Row]
    breaks: Sequence[Row]
    orphans: Mapping[int, int]
    created: Sequence[Row]
    blocks: Sequence[Row]
    gaps: Sequence[Row]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """How many rows of a table stand on a bar before the one that makes them known, and by how many bars."""

    what: str
    rows: int
    ahead: int
    median: float
    longest: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All comparisons; `reproduced` maps a table to (rows recomputed alike, rows); `erased` what the peer deleted."""

    times: Sequence[str]
    comparisons: Sequence[Comparison]
    ahead: Sequence[Ahead]
    reproduced: Mapping[str, tuple[int, int]]
    erased: Mapping[str, tuple[int, int]]


def differences(prices: Prices, opens: Sequence[float], scale: int, tables: PeerTables | None = None) -> Report:
    """Compare our events on these bars with the peer's tables, or with the tables recomputed where none are given."""
    swings = swings_of(prices, scale)
    patterns, blocks = breaks_of(swings, prices.closes), blocks_of(swings, prices)
    computed = _computed(swings, patterns, blocks)
    tables = computed if tables is None else tables
    events = Detector(_parameters(scale)).read(opens, prices.highs, prices.lows, prices.closes)
    evidence = _evidence((prices, scale), swings, patterns, blocks, events)
    comparisons = [
        _swings(evidence, tables, events),
        *_breaks_and_blocks(evidence, tables, events),
        compare("fair value gaps", tables.gaps, _our_gaps(events), _own_bar, Explanations(**_SAME)),
    ]
    fourth = {(each.side, each.bar): each.fourth + scale for each in patterns}
    return Report(
        times=prices.times,
        comparisons=comparisons if tables.gaps else comparisons[:-1],
        ahead=[
            _ahead("swing: confirmed", [(row.bar, row.bar + scale) for row in tables.swings if row.bar not in _ends(prices)]),
            _ahead("BOS/CHoCH: bar of the close beyond", [(row.bar, row.known) for row in tables.breaks]),
            _ahead(
                "BOS/CHoCH: fourth swing confirmed after the close beyond",
                [(row.known, fourth.get((row.side, row.bar), row.known)) for row in tables.breaks],
            ),
            _ahead("order block: bar of the close beyond", [(row.bar, row.known) for row in tables.created]),
            _ahead("gap: third bar", [(row.bar, row.bar + 1) for row in tables.gaps]),
        ],
        reproduced={
            "swings": _alike(tables.swings, computed.swings),
            "BOS/CHoCH": _alike(tables.breaks, computed.breaks),
            "erased BOS/CHoCH": (len(tables.orphans.items() & computed.orphans.items()), len(tables.orphans)),
            "order blocks created": _alike(tables.created, computed.created),
            "order blocks listed": _alike(tables.blocks, computed.blocks),
        },
        erased=_erased(patterns, blocks, events),
    )


def read_tables(folder: Path) -> PeerTables:
    """The peer's tables of the external cases."""
    swings = [
        _level(int(float(row["HighLow"])), at, SWING, float(row["Level"]))
        for at, row in enumerate(_rows(folder, "swing_highs_lows_result_data.csv"))
        if row["HighLow"]
    ]
    breaks, orphans = [], {}
    for at, row in enumerate(_rows(folder, "bos_choch_result_data.csv")):
        side, kind = row["BOS"] or row["CHOCH"], BOS if row["BOS"] else CHOCH
        if side:
            breaks.append(_level(int(float(side)), at, kind, float(row["Level"]), int(float(row["BrokenIndex"]))))
        elif row["BrokenIndex"]:
            orphans[at] = int(float(row["BrokenIndex"]))
    blocks = [
        (_zone(row["side"], int(row["bar"]), int(row["swing_bar"]), int(row["break_bar"]), row), row["in_peer_final"] == "1")
        for row in _rows(folder, "order_blocks_created_L5.csv")
    ]
    gaps = [
        _gap(int(float(row["FVG"])), at, int(float(row["MitigatedIndex"])), float(row["Top"]), float(row["Bottom"]))
        for at, row in enumerate(_rows(folder, "fvg_result_data.csv"))
        if row["FVG"]
    ]
    created, listed = [row for row, _ in blocks], [row for row, kept in blocks if kept]
    return PeerTables(swings=swings, breaks=breaks, orphans=orphans, created=created, blocks=listed, gaps=gaps)
