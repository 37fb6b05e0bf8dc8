"""`docs/alerts.md` against the code: every kind of alert has its line, and is told where the line says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pytest

from shared.secrets import Webhooks
from trading.model.alerts import AlertKind, Severity

TOP = Path(__file__).resolve().parents[3]
PAGE = (TOP / "docs/alerts.md").read_text(encoding="utf-8")
TOLD = re.compile(r"kind=AlertKind\.([A-Z_]+)")


class Line(NamedTuple):
    kind: str
    functions: tuple[str, ...]
    severities: tuple[str, ...]
    when: str
    action: str


def lines() -> list[Line]:
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in PAGE.splitlines() if row.startswith("| `")]
    names = [re.findall(r"`([a-z_]+)`", cell[1]) for cell in cells]
    return [
        Line(cell[0].strip("`"), tuple(told_by), tuple(cell[2].split(", ")), cell[3], cell[4])
        for cell, told_by in zip(cells, names, strict=True)
    ]


def tellers() -> dict[str, set[str]]:
    """The functions whose code tells each kind."""
    found: dict[str, set[str]] = {}
    for path in (TOP / "functions").glob("*/*.py"):
        for name in TOLD.findall(path.read_text(encoding="utf-8")):
            found.setdefault(AlertKind[name].value, set()).add(path.parent.name)
    return found


def test_every_kind_has_one_line_and_no_other() -> None:
    assert sorted(line.kind for line in lines()) == sorted(AlertKind)


def test_every_kind_is_told_by_somebody() -> None:
    assert set(AlertKind) - set(tellers()) == set()


@pytest.mark.parametrize("line", lines(), ids=lambda line: line.kind)
def test_line_names_exactly_who_tells_it(line: Line) -> None:
    assert set(line.functions) == tellers()[line.kind]


@pytest.mark.parametrize("line", lines(), ids=lambda line: line.kind)
def test_line_says_how_bad_and_what_to_do(line: Line) -> None:
    assert set(line.severities) <= set(Severity)
    assert line.when
    assert line.action


def test_every_address_of_the_secret_is_named() -> None:
    names = Webhooks.__dataclass_fields__
    assert [name for name in names if f"`{name}`" not in PAGE and f'"{name}"' not in PAGE] == []
