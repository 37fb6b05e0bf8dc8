"""The comparison with the peer as counts, as JSON-able values and as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from infra.research import peer_causes
from infra.research.peer_causes import CAUSES, Comparison, Row

PLACES: Final = (peer_causes.BOTH, peer_causes.THEIRS, peer_causes.OURS)
COUNTED: Final = ("theirs", "ours", "both", "same", "differ", "only theirs", "only ours", "unexplained")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """How many rows of a table stand on a bar before the one that makes them known, and by how many bars."""

    what: str
    rows: int
    ahead: int
    median_bars: float
    longest_bars: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All comparisons. `reproduced` maps a table to (rows recomputed alike, rows).

    `erased` maps what the peer deleted to (rows deleted, of these told by ours).
    """

    times: Sequence[str]
    comparisons: Sequence[Comparison]
    ahead: Sequence[Ahead]
    reproduced: Mapping[str, tuple[int, int]]
    erased: Mapping[str, tuple[int, int]]


def by_cause(comparison: Comparison, times: Sequence[str]) -> list[dict[str, Any]]:
    """The differences of one comparison counted by where and cause, the closed set's order, each with its first row."""
    order = list(CAUSES)
    groups: dict[tuple[str, str], list[Row]] = {}
    for each in comparison.differences:
        groups.setdefault((each.where, each.cause), []).append(each.row)
    keys = sorted(groups, key=lambda key: (PLACES.index(key[0]), order.index(key[1])))
    return [
        {
            "where": where,
            "cause": cause,
            "sort": CAUSES[cause][0],
            "count": len(groups[where, cause]),
            "example": _example(groups[where, cause][0], times),
        }
        for where, cause in keys
    ]


def _example(row: Row, times: Sequence[str]) -> dict[str, Any]:
    return {
        "side": "bullish" if row.side > 0 else "bearish",
        "kind": row.kind,
        "bar": row.bar,
        "time": times[row.bar],
        "swing_bar": row.swing_bar,
        "break_bar": row.known,
        "break_time": times[row.known],
        "top": row.top,
        "bottom": row.bottom,
    }


def counted(comparison: Comparison) -> dict[str, int]:
    """How many rows each side has, how many both have (the same, or with differences), and how many only one has."""
    unexplained = [each for each in comparison.differences if each.cause == peer_causes.UNEXPLAINED]
    figures = (
        comparison.theirs,
        comparison.ours,
        comparison.both,
        comparison.same,
        comparison.both - comparison.same,
        len(comparison.of(peer_causes.THEIRS)),
        len(comparison.of(peer_causes.OURS)),
        len(unexplained),
    )
    return dict(zip(COUNTED, figures, strict=True))


def as_record(report: Report) -> dict[str, Any]:
    """The report as JSON-able values."""
    return {
        "bars": len(report.times),
        "reproduced": {name: {"alike": alike, "rows": rows} for name, (alike, rows) in report.reproduced.items()},
        "tables": [
            {"table": each.name, **counted(each), "causes": by_cause(each, report.times)} for each in report.comparisons
        ],
        "look_ahead": [asdict(each) for each in report.ahead],
        "erased": {name: {"rows": rows, "told by ours": ours} for name, (rows, ours) in report.erased.items()},
        "why": {cause: {"sort": sort, "why": why} for cause, (sort, why) in CAUSES.items()},
    }


def as_markdown(report: Report) -> str:
    """The report as Markdown tables."""
    record = as_record(report)
    found = {row["cause"] for each in record["tables"] for row in each["causes"]}
    causes = [
        (each["table"], row["where"], row["cause"], row["sort"], row["count"], _told(row["example"]))
        for each in record["tables"]
        for row in each["causes"]
    ]
    return "\n\n".join(
        (
            _table(
                ("table", *COUNTED), [(each["table"], *(each[name] for name in COUNTED)) for each in record["tables"]]
            ),
            _table(("table", "rows", "cause", "sort", "count", "first example"), causes),
            _table(("cause", "why"), [(cause, why) for cause, (_, why) in CAUSES.items() if cause in found]),
            _table(
                ("stamped before known", "rows", "ahead", "median bars", "longest bars"),
                [
                    (each.what, each.rows, each.ahead, f"{each.median_bars:g}", each.longest_bars)
                    for each in report.ahead
                ],
            ),
            _table(
                ("deleted by the peer", "rows", "told by ours"), [(name, *of) for name, of in report.erased.items()]
            ),
            _table(("recomputed", "alike", "rows"), [(name, *of) for name, of in report.reproduced.items()]),
        )
    )


def _told(example: Mapping[str, Any]) -> str:
    price = f"{example['bottom']:.5f}"
    price = price if example["top"] == example["bottom"] else f"{price} to {example['top']:.5f}"
    text = f"{example['side']} {example['kind']} on bar {example['bar']} ({example['time']}), {price}"
    if example["break_bar"] > example["bar"]:
        text += f", swing {example['swing_bar']}, broken at {example['break_bar']} ({example['break_time']})"
    return text


def _table(heads: Sequence[str], rows: Iterable[Iterable[object]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    cells = [[f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in line] for line in lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in cells)
