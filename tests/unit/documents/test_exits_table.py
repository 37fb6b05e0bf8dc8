"""docs/exits.md is what registry, rules and scenarios say today, and names every rule of the section."""

from __future__ import annotations

from dataclasses import fields

from tests.documents.exits_table import PAGE, ROW, SAID, render
from trading.exits.registry import REGISTRY
from trading.rules import ExitRules

NAMES = [name for name, _ in REGISTRY]


def test_page_of_exits_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == render(), "run: python -m tests.documents.exits_table"


def test_every_registered_rule_has_its_row() -> None:
    assert ROW.findall(PAGE.read_text(encoding="utf-8")) == NAMES
    assert set(SAID) == set(NAMES)


def test_every_exit_key_stands_on_the_page() -> None:
    named = {key.removeprefix("exits.") for said in SAID.values() for key in said.keys} | set(NAMES)
    assert {each.name for each in fields(ExitRules)} - named == set()
