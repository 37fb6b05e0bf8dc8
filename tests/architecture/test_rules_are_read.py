"""No dead rule: every key of the rules file has its field, and every field is read by code that is not its schema."""

from __future__ import annotations

import ast
import tomllib
from dataclasses import fields
from typing import get_type_hints

from tests.architecture.sources import TRADING_ROOT, everything
from trading.rules import Rules

DOCUMENT = tomllib.loads((TRADING_ROOT / "trading" / "rules.toml").read_text(encoding="utf-8"))
SECTIONS = {name: kind for name, kind in get_type_hints(Rules).items() if name != "fingerprint"}


def read_attributes() -> set[str]:
    """Names read as attributes, or handed to `getattr` by a registry of names, anywhere but in the schema."""
    found: set[str] = set()
    for source in everything("trading", "shared", "functions", "infra"):
        if source.module == "trading.rules":
            continue
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
                found.add(node.attr)
    return found | _registered()


def _registered() -> set[str]:
    """`exits.registry` asks for a rule's switch by the rule's name."""
    registry = next(each for each in everything("trading") if each.module == "trading.exits.registry")
    return {
        node.elts[0].value
        for node in ast.walk(registry.tree)
        if isinstance(node, ast.Tuple) and node.elts and isinstance(node.elts[0], ast.Constant)
        if isinstance(node.elts[0].value, str)
    }


def test_rules_file_and_schema_hold_the_same_keys() -> None:
    assert {name: set(section) for name, section in DOCUMENT.items()} == {
        name: {field.name for field in fields(kind)} for name, kind in SECTIONS.items()
    }


def test_every_rule_is_read_by_some_code() -> None:
    read = read_attributes()
    dead = [
        f"{name}.{field.name}" for name, kind in SECTIONS.items() for field in fields(kind) if field.name not in read
    ]
    assert dead == []
