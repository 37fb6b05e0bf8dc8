"""Rules as the text of the environment variable that lays them over those that are shipped."""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from decimal import Decimal
from typing import Any

from trading.rules import Rules, load_rules


def override_of(rules: Rules) -> str:
    """`load_rules` makes the same rules of this text; empty for those that are shipped."""
    shipped = load_rules()
    changes: dict[str, dict[str, Any]] = {}
    for section in fields(Rules):
        wanted, given = getattr(rules, section.name), getattr(shipped, section.name)
        if wanted == given or not is_dataclass(wanted):
            continue
        changes[section.name] = {
            each.name: _plain(getattr(wanted, each.name))
            for each in fields(wanted)
            if getattr(wanted, each.name) != getattr(given, each.name)
        }
    return json.dumps(changes, sort_keys=True) if changes else ""


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return float(value) if isinstance(value, Decimal) else value
