"""Rules of strategy and risk: one TOML file, one typed schema, no default anywhere else.

`load_rules()` reads the packaged `rules.toml`; `parse_rules(text, override)` is the same for any text. A missing
key, an unknown key, a value of the wrong kind and a pair of values that contradict each other raise
`InvalidRules` with one sentence. `Rules.fingerprint` names the exact numbers on every trace, intent and log line.
"""

from __future__ import annotations

import hashlib
import json
import math
import tomllib
from dataclasses import fields
from decimal import Decimal
from importlib import resources
from typing import Any, get_args, get_origin, get_type_hints

from trading.errors import InvalidRules
from trading.rule_inequalities import check_inequalities
from trading.rule_sections import (
    BiasRules,
    ConceptRules,
    CostRules,
    DataRules,
    DetectorRules,
    GateRules,
    IngestRules,
    LevelRules,
    QualityRules,
    Rules,
    ScoreRules,
    SetupRules,
    Steps,
    UniverseRules,
)
from trading.trade_rule_sections import ControlRules, ExecutionRules, ExitRules, ReconciliationRules, RiskRules

__all__ = [
    "BiasRules",
    "ConceptRules",
    "ControlRules",
    "CostRules",
    "DataRules",
    "DetectorRules",
    "ExecutionRules",
    "ExitRules",
    "GateRules",
    "IngestRules",
    "LevelRules",
    "QualityRules",
    "ReconciliationRules",
    "RiskRules",
    "Rules",
    "ScoreRules",
    "SetupRules",
    "Steps",
    "UniverseRules",
    "load_rules",
    "parse_rules",
]


def load_rules(override: str = "") -> Rules:
    """The packaged rules, with an operator's override (JSON text `{"section": {"key": value}}`) laid over them."""
    text = resources.files("trading").joinpath("rules.toml").read_text(encoding="utf-8")
    return parse_rules(text, override)


def parse_rules(text: str, override: str = "") -> Rules:
    """Validate rules text. Raises InvalidRules with one sentence; never returns a half-valid set."""
    try:
        document: dict[str, Any] = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise InvalidRules(f"rules are not valid TOML: {error}") from None
    _lay_over(document, override)
    sections = {field.name: field.type for field in fields(Rules) if field.name != "fingerprint"}
    _same_keys(set(document), set(sections), "rules")
    hints = get_type_hints(Rules)
    values = {name: _section(name, hints[name], document[name]) for name in sections}
    rules = Rules(**values, fingerprint=_fingerprint(document))
    check_inequalities(rules)
    return rules


def _lay_over(document: dict[str, Any], override: str) -> None:
    if not override.strip():
        return
    try:
        changes = json.loads(override, parse_float=Decimal)
    except json.JSONDecodeError as error:
        raise InvalidRules(f"rules override is not JSON: {error}") from None
    if not isinstance(changes, dict) or not all(isinstance(part, dict) for part in changes.values()):
        raise InvalidRules(f'rules override is {override!r}; expected {{"section": {{"key": value}}}}')
    for section, part in changes.items():
        if section not in document:
            raise InvalidRules(
                f"rules override names the unknown section {section!r}; expected one of {sorted(document)}"
            )
        for key, value in part.items():
            if key not in document[section]:
                known = sorted(document[section])
                raise InvalidRules(f"rules override names the unknown rule {section}.{key}; expected one of {known}")
            document[section][key] = value


def _same_keys(found: set[str], expected: set[str], where: str) -> None:
    if unknown := sorted(found - expected):
        raise InvalidRules(f"{where} has the unknown key {unknown[0]!r}; expected one of {sorted(expected)}")
    if missing := sorted(expected - found):
        raise InvalidRules(f"{where} lacks the rule {missing[0]!r}; every rule must be given")


def _section(name: str, kind: type[Any], part: Any) -> Any:
    if not isinstance(part, dict):
        raise InvalidRules(f"rules section {name} is {part!r}; expected a table")
    hints = get_type_hints(kind)
    _same_keys(set(part), set(hints), f"rules section {name}")
    return kind(**{key: _value(f"{name}.{key}", hints[key], part[key]) for key in hints})


def _value(where: str, kind: Any, value: Any) -> Any:
    if get_origin(kind) is tuple:
        if not isinstance(value, list):
            raise InvalidRules(f"{where} is {value!r}; expected a list")
        arguments = get_args(kind)
        if arguments[-1] is Ellipsis:
            return tuple(_value(where, arguments[0], each) for each in value)
        if len(arguments) != len(value):
            raise InvalidRules(f"{where} is {value!r}; expected {len(arguments)} values")
        return tuple(_value(where, each, part) for each, part in zip(arguments, value, strict=True))
    if kind in (bool, str):
        accepted = isinstance(value, kind)
    else:
        accepted = isinstance(value, int if kind is int else int | Decimal) and not isinstance(value, bool)
    if not accepted:
        raise InvalidRules(f"{where} is {value!r}; expected {kind.__name__}")
    if kind in (int, float, Decimal) and not (math.isfinite(value) and value >= 0):
        raise InvalidRules(f"{where} is {value}; expected a finite number, 0 or more")
    return kind(value)


def _fingerprint(document: dict[str, Any]) -> str:
    text = json.dumps(document, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
