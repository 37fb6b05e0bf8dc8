"""The rules file: one sentence for whatever is wrong with it, and a fingerprint of exactly its numbers."""

from __future__ import annotations

from decimal import Decimal
from importlib import resources

import pytest

from trading.errors import InvalidRules
from trading.rule_inequalities import ARITHMETIC, PAIRS, Inequality
from trading.rules import load_rules, parse_rules

TEXT = resources.files("trading").joinpath("rules.toml").read_text(encoding="utf-8")


def refused(text: str, override: str = "") -> str:
    """The sentence with which these rules are refused."""
    with pytest.raises(InvalidRules) as caught:
        parse_rules(text, override)
    sentence = str(caught.value)
    assert "\n" not in sentence
    return sentence


def with_line(old: str, new: str) -> str:
    assert TEXT.count(old) == 1, old
    return TEXT.replace(old, new)


def test_packaged_rules_load_with_their_values() -> None:
    rules = load_rules()
    assert rules.risk.risk_per_trade_pct == Decimal("0.5")
    assert rules.universe.pinned == ("BTC", "ETH", "SOL")
    assert rules.score.adx_steps[0] == (Decimal(40), Decimal(15))


def test_unknown_key_is_named_and_refused() -> None:
    sentence = refused(with_line("[cost]", "[cost]\nmystery = 1"))
    assert "cost" in sentence
    assert "mystery" in sentence


def test_unknown_section_is_named_and_refused() -> None:
    assert "mystery" in refused(TEXT + "\n[mystery]\nkey = 1\n")


def test_missing_rule_is_named_and_refused() -> None:
    sentence = refused(with_line("slippage_bps = 2\n", ""))
    assert "slippage_bps" in sentence
    assert "every rule" in sentence


def test_missing_section_is_named_and_refused() -> None:
    assert "control" in refused(TEXT.replace("[control]\ntoken_life_s = 120\n", "").rstrip())


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("maximum_positions = 8", 'maximum_positions = "8"', "int"),
        ("maximum_positions = 8", "maximum_positions = 8.5", "int"),
        ("maximum_positions = 8", "maximum_positions = true", "int"),
        ("basis_guard = true", "basis_guard = 1", "bool"),
        ("slippage_bps = 2", "slippage_bps = true", "Decimal"),
        ('pinned = ["BTC", "ETH", "SOL"]', 'pinned = "BTC"', "list"),
        ("fibonacci_levels = [0.382, 0.5, 0.618, 0.786]", 'fibonacci_levels = ["a"]', "float"),
        ("adx_steps = [[40, 15], [35, 12], [30, 10], [25, 7]]", "adx_steps = [[25]]", "2 values"),
        ("slippage_bps = 2", "slippage_bps = -1", "0 or more"),
        ("gross_notional_pct = 300", "gross_notional_pct = inf", "finite"),
        ("gross_notional_pct = 300", "gross_notional_pct = nan", "finite"),
    ],
)
def test_wrong_kind_of_value_is_refused(old: str, new: str, expected: str) -> None:
    sentence = refused(with_line(old, new))
    assert new.split(" =")[0] in sentence
    assert expected in sentence


def test_text_that_is_no_toml_is_refused() -> None:
    assert "TOML" in refused("[risk\n")


def _pushed_over(rules: object, left: str, right: str) -> str:
    """An override that puts `left` one above `right`."""
    section, key = left.split(".")
    other_section, other = right.split(".")
    bound = getattr(getattr(rules, other_section), other)
    return f'{{"{section}": {{"{key}": {int(bound) + 1}}}}}'


@pytest.mark.parametrize(("left", "relation", "right"), PAIRS)
def test_contradicting_pair_of_rules_is_refused(left: str, relation: str, right: str) -> None:
    sentence = refused(TEXT, _pushed_over(load_rules(), left, right))
    assert left in sentence


BROKEN = (
    '{"levels": {"target_1_share": 0.7}}',
    '{"risk": {"maximum_positions": 11}}',
    '{"risk": {"stop_minimum_bps": 1500}}',
    '{"risk": {"depth_multiple": 0.99}}',
    '{"risk": {"depth_within_bps": 25}}',
    '{"risk": {"equity_jump_ratio": 1}}',
    '{"risk": {"equity_jump_ratio": 1.25}}',
    '{"risk": {"daily_loss_warning_share": 1}}',
    '{"risk": {"liquidation_distance_share": 1}}',
    '{"risk": {"margin_available_pct": 100}}',
)


@pytest.mark.parametrize(("relation", "override"), list(zip(ARITHMETIC, BROKEN, strict=True)))
def test_contradicting_arithmetic_is_refused(relation: Inequality, override: str) -> None:
    assert refused(TEXT, override).startswith(relation.says)


def test_override_replaces_one_number_only() -> None:
    changed = load_rules('{"risk": {"maximum_positions": 3}}')
    assert changed.risk.maximum_positions == 3
    assert changed.risk.maximum_positions_per_cluster == load_rules().risk.maximum_positions_per_cluster


@pytest.mark.parametrize(
    ("override", "word"),
    [
        ("{", "JSON"),
        ("[1]", "section"),
        ('{"risk": 1}', "section"),
        ('{"nothing": {"a": 1}}', "nothing"),
        ('{"risk": {"nothing": 1}}', "nothing"),
        ('{"risk": {"maximum_positions": "many"}}', "maximum_positions"),
        ('{"risk": {"basis_maximum_pct": NaN}}', "basis_maximum_pct"),
    ],
)
def test_wrong_override_is_refused_in_one_sentence(override: str, word: str) -> None:
    assert word in refused(TEXT, override)


def test_fingerprint_names_exactly_these_numbers() -> None:
    plain, again = load_rules(), load_rules(" ")
    changed = load_rules('{"risk": {"risk_per_trade_pct": 0.4}}')
    same_value = load_rules('{"risk": {"maximum_positions": 8}}')
    assert plain.fingerprint == again.fingerprint == same_value.fingerprint
    assert changed.fingerprint != plain.fingerprint
    assert len(plain.fingerprint) == 16


def test_comments_do_not_change_the_fingerprint() -> None:
    assert parse_rules("# a comment\n" + TEXT).fingerprint == load_rules().fingerprint
