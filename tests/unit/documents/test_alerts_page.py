"""`docs/alerts.md` against the code: every kind of alert has its line, and is told where the line says."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
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


def sources() -> Iterator[tuple[Path, str]]:
    """Everything that tells: the functions, and the guard that some of them run."""
    for folder in ("functions", "shared/guard"):
        for path in sorted((TOP / folder).rglob("*.py")):
            yield path, path.read_text(encoding="utf-8")


def guards() -> set[str]:
    """The functions that run the guard."""
    return {path.parent.name for path, text in sources() if "from shared.guard.positions import" in text}


def tellers() -> dict[str, set[str]]:
    """The functions whose code tells each kind."""
    found: dict[str, set[str]] = {}
    for path, text in sources():
        by = guards() if path.parent.name == "guard" else {path.parent.name}
        for name in TOLD.findall(text):
            found.setdefault(AlertKind[name].value, set()).update(by)
    return found


class Told(NamedTuple):
    """One `Alert(...)` of the code; no severities: they are handed in from elsewhere."""

    kind: str
    severities: frozenset[str]


def named(node: ast.AST, scopes: tuple[ast.AST, ...]) -> set[str]:
    """The severities that an expression names, itself or by a constant or variable of its scopes."""
    if isinstance(node, ast.Dict):
        return {each for value in node.values for each in named(value, scopes)}
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "Severity":
        return {Severity[node.attr].value}
    if isinstance(node, ast.Name):
        return {each for value in assigned(node.id, scopes) for each in named(value, ())}
    return {each for child in ast.iter_child_nodes(node) for each in named(child, scopes)}


def assigned(name: str, scopes: tuple[ast.AST, ...]) -> Iterator[ast.expr]:
    for node in (each for scope in scopes for each in ast.iter_child_nodes(scope)):
        if isinstance(node, ast.Assign) and any(
            isinstance(each, ast.Name) and each.id == name for each in node.targets
        ):
            yield node.value


def told(path: Path) -> Iterator[Told]:
    module = ast.parse(path.read_text(encoding="utf-8"))
    functions = [each for each in ast.walk(module) if isinstance(each, ast.FunctionDef)]
    calls = [(scope, each) for scope in functions for each in ast.walk(scope) if isinstance(each, ast.Call)]
    for scope, call in calls:
        if isinstance(call.func, ast.Name) and call.func.id == "Alert":
            values = {each.arg: each.value for each in call.keywords}
            kind = values["kind"]
            assert isinstance(kind, ast.Attribute), f"{path.name}:{call.lineno} has a kind that is not written out"
            yield Told(AlertKind[kind.attr].value, frozenset(named(values["severity"], (module, scope))))


def all_told() -> list[Told]:
    return [each for path, _ in sources() for each in told(path)]


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


@pytest.mark.parametrize("line", lines(), ids=lambda line: line.kind)
def test_line_lists_the_severities_of_the_code(line: Line) -> None:
    found = [each.severities for each in all_told() if each.kind == line.kind]
    known = frozenset().union(*found)
    assert known <= set(line.severities)
    if all(found):
        assert known == set(line.severities)


def test_severities_are_read_from_most_of_the_code() -> None:
    found = all_told()
    assert {each.kind for each in found} == set(AlertKind)
    assert {each.kind for each in found if not each.severities} == {AlertKind.DIGEST, AlertKind.DISCREPANCY}


def test_every_address_of_the_secret_is_named() -> None:
    names = Webhooks.__dataclass_fields__
    assert [name for name in names if f"`{name}`" not in PAGE and f'"{name}"' not in PAGE] == []
