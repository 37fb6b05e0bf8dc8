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
from trading.rule_sections import (
    BiasRules,
    ConceptRules,
    ControlRules,
    CostRules,
    DataRules,
    DetectorRules,
    ExecutionRules,
    ExitRules,
    GateRules,
    IngestRules,
    LevelRules,
    QualityRules,
    ReconciliationRules,
    RiskRules,
    Rules,
    ScoreRules,
    SetupRules,
    Steps,
    UniverseRules,
)

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

CROSS_LIMITS: tuple[tuple[str, str, str], ...] = (
    ("ingest.run_s", "<=", "ingest.run_s_per_ip"),
    ("ingest.shard_coins", "<=", "ingest.shard_above"),
    ("quality.frozen_bars", "<=", "quality.inspected_bars"),
    ("universe.tier_b_volume_usd", "<", "universe.tier_a_volume_usd"),
    ("universe.tier_a_spread_bps", "<=", "universe.tier_b_spread_bps"),
    ("universe.tier_b_spread_bps", "<=", "universe.maximum_spread_bps"),
    ("detector.minor_swing_bars", "<", "detector.major_swing_bars"),
    ("detector.zone_maximum_age_bars", "<", "detector.window_bars"),
    ("detector.window_bars", "<=", "data.bars_required"),
    ("data.bars_required", "<=", "data.bars_kept"),
    ("concepts.equilibrium_low", "<=", "concepts.equilibrium_high"),
    ("data.daily_bars_for_bias", "<=", "bias.ema_history_days"),
    ("bias.ema_history_days", "<=", "data.bars_kept"),
    ("gates.adx_history_bars", "<=", "data.bars_required"),
    ("gates.ote_low", "<", "gates.ote_high"),
    ("score.threshold_tight_aligned", "<=", "score.threshold_tight_neutral"),
    ("score.threshold_wide_aligned", "<=", "score.threshold_wide_neutral"),
    ("levels.stop_tight_minimum_atr", "<=", "levels.stop_tight_maximum_atr"),
    ("levels.stop_wide_minimum_atr", "<=", "levels.stop_wide_maximum_atr"),
    ("levels.atr_ratio_low", "<", "levels.atr_ratio_high"),
    ("levels.target_1_r", "<", "levels.target_2_r"),
    ("risk.risk_per_trade_pct", "<", "risk.daily_loss_pct"),
    ("risk.maximum_positions_per_cluster", "<=", "risk.maximum_positions"),
    ("risk.maximum_positions_per_instrument", "<=", "risk.maximum_positions_per_cluster"),
    ("risk.side_notional_pct", "<=", "risk.gross_notional_pct"),
    ("risk.leverage_tier_c", "<=", "risk.leverage_tier_b"),
    ("risk.leverage_tier_b", "<=", "risk.leverage_tier_a"),
    ("execution.process_before_s", "<", "execution.answer_timeout_s"),
    ("execution.answer_timeout_s", "<=", "execution.absence_visibility_s"),
)


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
    _check_cross_limits(rules)
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


def _check_cross_limits(rules: Rules) -> None:
    for left, relation, right in CROSS_LIMITS:
        low, high = _look_up(rules, left), _look_up(rules, right)
        if not (low < high or (relation == "<=" and low == high)):
            raise InvalidRules(f"{left} is {low}; expected {relation} {right}, which is {high}")
    shares = rules.levels.target_1_share + rules.levels.target_2_share
    if shares > 1:
        raise InvalidRules(f"levels.target_1_share + levels.target_2_share is {shares}; expected at most 1")


def _look_up(rules: Rules, path: str) -> Decimal:
    section, key = path.split(".")
    return Decimal(str(getattr(getattr(rules, section), key)))
