"""`explain`: one decision with every gate, its score, its levels, and whether it can be made again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from infra.cli.decided import open_place
from infra.cli.operators import Target
from infra.cli.replay import Replay, replay
from infra.cli.traces import trace_document
from infra.local.code_version import code_version
from trading.model.decisions import Decision
from trading.reporting.words import gate_rows, heading, input_rows, level_rows, origin_rows, reading_rows, score_rows

LOG_WIDTH = 132


def show_explanation(target: Target, symbol: str, at: str, *, as_json: bool) -> None:
    """Print it. Raises InvalidInput or CorruptRecord when there is no such decision."""
    with open_place(target) as place:
        found = replay(place.decision(symbol, at), place)
    if as_json:
        print(json.dumps(explanation(found), indent=2))
    else:
        out = Console()
        _show(out if out.is_terminal else Console(width=LOG_WIDTH), found)


def explanation(found: Replay) -> dict[str, Any]:
    """What `explain --json` prints."""
    return {
        "decision": trace_document(found.decision),
        "replay": {
            "identical": found.identical,
            "sentence": found.sentence,
            "obstacle": found.obstacle or None,
            "causes": list(found.causes),
            "changes": [{"name": name, "then": then, "now": now} for name, then, now in found.changes],
            "note": code_note(found.decision) or None,
        },
    }


def code_note(decision: Decision) -> str:
    """That other code decided than the code that replays; empty when it is the same."""
    here = code_version()
    if decision.code_version == here:
        return ""
    return f"it was decided by code {decision.code_version}, replayed by the code here, {here}"


def _show(console: Console, found: Replay) -> None:
    decision = found.decision
    console.print(Text(heading(decision), style="bold"))
    console.print(Text(decision.sentence))
    _print(console, "Gates", ("gate", "looks at", "value", "limit", ""), gate_rows(decision))
    _print(console, "Score", ("part", "points", "most"), score_rows(decision))
    if decision.levels is not None:
        _print(console, "Levels", ("level", "price", "from the entry"), level_rows(decision.levels))
    _print(console, "Seen", ("", ""), reading_rows(decision))
    _print(console, "Decided from", ("", ""), [*input_rows(decision), *origin_rows(decision)])
    _print(console, "Changed", ("what", "then", "now"), list(found.changes))
    note = code_note(decision)
    console.print(Text(f"Replay: {found.sentence}{f' ({note})' if note else ''}."))


def _print(console: Console, title: str, columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    if not rows:
        return
    console.print(Text(title, style="bold"))
    table = Table(show_header=any(columns))
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell, style="bold red" if cell == "FAILED" else "") for cell in row))
    console.print(table)
