"""`python -m tests.documents.exits_table`: writes docs/exits.md from registry, rules and scenarios."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.architecture.sources import ROOT
from tests.fakes.records import RULES
from tests.integration.exits.replay import Window
from tests.integration.exits.scenarios import BACKSTOPS, EXIT_SCENARIOS
from trading.exits.registry import REGISTRY

PAGE = ROOT / "docs" / "exits.md"
TEMPLATE = Path(__file__).with_name("exits.template.md")
ROW = re.compile(r"^\| `(\w+)` \|", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a reader is told of a rule. `keys`: its rules besides its switch, as `section.key`."""

    asks: str
    looks_at: str
    when: str
    keys: tuple[str, ...] = ()


SAID: Mapping[str, Said] = {
    "basis_after_fill": Said(
        asks="close",
        looks_at="fresh quote",
        when="soon after the fill mark and index are apart",
        keys=("exits.basis_after_fill_minutes", "risk.basis_maximum_pct"),
    ),
    "premise": Said(asks="close", looks_at="15m close", when="it lies beyond the invalidation"),
    "abandon_ship": Said(
        asks="close",
        looks_at="newest decision",
        when="the higher timeframes have turned against the position",
        keys=("exits.abandon_ship_hours",),
    ),
    "funding": Said(
        asks="close",
        looks_at="fresh quote",
        when="the funding of the next hours at the rate of now costs too much",
        keys=("exits.funding_hours", "exits.funding_maximum_bps"),
    ),
    "time_exit": Said(
        asks="close",
        looks_at="record",
        when="no first target within so many 15m bars",
        keys=("exits.time_exit_bars",),
    ),
    "maximum_hold": Said(
        asks="close", looks_at="record", when="held for so many hours", keys=("exits.maximum_hold_hours",)
    ),
    "break_even": Said(
        asks="stop to entry + cost",
        looks_at="record, mark",
        when="the first target was reached",
        keys=("execution.break_even_extra_ticks",),
    ),
    "market_disorder": Said(
        asks="stop to entry + cost",
        looks_at="market watch, mark",
        when="the contract's own price is shaken, also before the first target",
        keys=("risk.disorder_pause_minutes",),
    ),
    "trailing": Said(
        asks="stop behind the best price, or close",
        looks_at="1h bars, mark",
        when="after the first target",
        keys=("exits.trailing_atr", "exits.trailing_atr_bars", "exits.trailing_maximum_age_hours"),
    ),
    "progressive_tightening": Said(
        asks="stop nearer to the best price",
        looks_at="1h bars, mark",
        when="the best price is so many first risks (R) away",
        keys=tuple(f"exits.progressive_{step}_{kind}" for step in (1, 2, 3) for kind in ("r", "atr")),
    ),
}


def render() -> str:
    """The whole page."""
    rows = "\n".join(_row(name) for name, _ in REGISTRY)
    backstops = " ".join(f"`{name}` is a backstop: {each.why}" for name, each in BACKSTOPS.items())
    return TEMPLATE.read_text(encoding="utf-8").format(rows=rows, backstops=backstops)


def _row(name: str) -> str:
    said, (fires, must_not) = SAID[name], EXIT_SCENARIOS[name]
    keys = ", ".join([f"`{name}` {_value(f'exits.{name}')}", *(f"`{_short(key)}` {_value(key)}" for key in said.keys)])
    cells = (f"`{name}`", said.asks, said.looks_at, said.when, keys, _scene(fires), _scene(must_not))
    return f"| {' | '.join(cells)} |"


def _scene(window: Window) -> str:
    return f"{window.start[:10]}: {window.says}"


def _short(key: str) -> str:
    section, name = key.split(".")
    return name if section == "exits" else key


def _value(key: str) -> str:
    section, name = key.split(".")
    value = getattr(getattr(RULES, section), name)
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else str(value)


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
