"""What a replay leaves behind: one file a coin and year, with every decision counted and one row a candidate."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, astuple, dataclass, fields
from pathlib import Path
from typing import Any, get_type_hints

FORMAT = 1
PARTS = (
    "order_block",
    "fair_value_gap",
    "break_of_structure",
    "fibonacci",
    "higher_timeframe",
    "adx",
    "cost",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateRow:
    """One decision that found a setup, in plain values.

    `at`: decision bar, seconds since 1970. `failed_gate`: the gate that named the outcome, empty for none;
    `failed_gates`: all that failed, joined by `|`. `parts`: points in the order of PARTS. `stop_bps`: stop distance,
    in bps of the entry, 0 without levels; `cost_bps`: round trip. `fate` is empty without levels. `ending` and
    `gross` follow the position with stop, targets and both time limits; `managed_ending` and `managed_gross` with
    every exit rule that is on. They are empty and 0 unless the entry filled, or was crossed: then they say what
    taking it at its level would have given. R without cost.
    """

    at: int
    outcome: str
    failed_gate: str
    failed_gates: str
    setup: str
    side: str
    alignment: str
    structure: str
    score: int
    threshold: int
    parts: tuple[int, ...]
    stop_bps: float
    cost_bps: float
    fate: str
    ending: str
    gross: float
    managed_ending: str
    managed_gross: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CoinFunnel:
    """One coin in one year. `made_with` names everything the figures depend on.

    `first` and `last`: decision bars, seconds since 1970. `outcomes`: decisions by outcome; `unset`: decisions without
    a setup, as `consolidation` or `directional`. `with_daily_bias`: decisions that had enough days for a daily bias.
    `gates`: (asked, failed) by gate.
    """

    coin: str
    year: int
    made_with: dict[str, str]
    first: int
    last: int
    outcomes: dict[str, int]
    unset: dict[str, int]
    with_daily_bias: int
    gates: dict[str, tuple[int, int]]
    rows: tuple[CandidateRow, ...]

    @property
    def decisions(self) -> int:
        return sum(self.outcomes.values())


def file_of(folder: Path, coin: str, year: int) -> Path:
    return folder / f"{coin}-{year}.json"


def save(funnel: CoinFunnel, folder: Path) -> Path:
    """Write the file whole or not at all: a run that is stopped leaves no half file behind."""
    folder.mkdir(parents=True, exist_ok=True)
    columns = [field.name for field in fields(CandidateRow)]
    body = {
        "format": FORMAT,
        **{name: value for name, value in _shallow(funnel).items() if name != "rows"},
        "columns": columns,
        "rows": [astuple(row) for row in funnel.rows],
    }
    path = file_of(folder, funnel.coin, funnel.year)
    unfinished = path.with_suffix(".part")
    unfinished.write_text(json.dumps(body, separators=(",", ":"), sort_keys=True), encoding="utf-8")
    os.replace(unfinished, path)
    return path


def load(folder: Path, coin: str, year: int, made_with: dict[str, str] | None = None) -> CoinFunnel | None:
    """The stored file; None when there is none, or when it was made with anything else than `made_with`."""
    path = file_of(folder, coin, year)
    if not path.is_file():
        return None
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return None
    expected = {name for name in get_type_hints(CoinFunnel)} | {"format", "columns"}
    columns = [field.name for field in fields(CandidateRow)]
    if set(body) != expected or body["format"] != FORMAT or body["columns"] != columns:
        return None
    if made_with is not None and body["made_with"] != made_with:
        return None
    return _parsed(body, columns)


def _parsed(body: dict[str, Any], columns: list[str]) -> CoinFunnel:
    rows = (dict(zip(columns, row, strict=True)) for row in body["rows"])
    return CoinFunnel(
        **{name: body[name] for name in get_type_hints(CoinFunnel) if name not in ("rows", "gates")},
        gates={name: (asked, failed) for name, (asked, failed) in body["gates"].items()},
        rows=tuple(CandidateRow(**{**row, "parts": tuple(row["parts"])}) for row in rows),
    )


def _shallow(funnel: CoinFunnel) -> dict[str, Any]:
    return {field.name: getattr(funnel, field.name) for field in fields(funnel)}


def as_records(funnels: Iterable[CoinFunnel]) -> list[dict[str, Any]]:
    """Every candidate of all funnels as one flat dictionary, with coin, year and one entry a part."""
    return [
        {
            "coin": funnel.coin,
            "year": funnel.year,
            **{name: value for name, value in asdict(row).items() if name != "parts"},
            **{f"part_{name}": points for name, points in zip(PARTS, row.parts, strict=True)},
        }
        for funnel in funnels
        for row in funnel.rows
    ]
