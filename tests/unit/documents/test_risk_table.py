"""docs/risk.md is what code, rules and tests say today, and the rules it names for a limit are the limit's rules."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from tests.documents.risk_table import (
    NEVER,
    PAGE,
    ROW,
    counts_of_demo,
    counts_of_page,
    first_sentence,
    render,
)
from tests.documents.rule_keys import CAPS, NO_LIMIT, heard_keys, judged, keys_of, scenes, value_of, with_value
from tests.unit.risk.limit_cases import CASES
from trading.errors import InvalidInput
from trading.model.risk import RefusalReason
from trading.rules import RiskRules, Rules

OWN_KEYS = [(reason, key) for reason in RefusalReason for key in sorted(heard_keys(reason) | set(CAPS.get(reason, ())))]
"""Rules that a limit reads itself."""


def rows(page: str) -> list[str]:
    return [name for name, _, _ in ROW.findall(page)]


def test_page_is_what_the_generator_makes() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert render(counts_of_page(page)) == page, "docs/risk.md is out of date: make risk-table"


def test_page_has_one_row_a_limit() -> None:
    assert rows(PAGE.read_text(encoding="utf-8")) == [each.value for each in RefusalReason]


def test_page_without_a_limit_is_noticed() -> None:
    page = PAGE.read_text(encoding="utf-8")
    row = next(line for line in page.splitlines() if line.startswith("| `basis` "))
    without = page.replace(f"{row}\n", "")
    assert rows(without) != rows(page)
    assert render(counts_of_page(without)) != without


def test_every_row_says_what_it_compares() -> None:
    said = {reason: first_sentence(reason) for reason in RefusalReason}
    assert [reason for reason, text in said.items() if len(text) < 20] == []
    assert len(set(said.values())) == len(RefusalReason)


def test_named_unit_tests_exist() -> None:
    assert set(CASES) == set(RefusalReason)


def test_every_risk_rule_is_in_some_row() -> None:
    named = {key for reason in RefusalReason for key in keys_of(reason)}
    rules = {f"risk.{each.name}" for each in fields(RiskRules)}
    assert rules - named == set(NO_LIMIT)
    assert named.isdisjoint(NO_LIMIT)


def changed(rules: Rules, key: str) -> list[Rules]:
    """The rules with this one far lower and far higher, or switched."""
    value: Any = value_of(rules, key)
    if isinstance(value, bool):
        return [with_value(rules, key, not value)]
    return [with_value(rules, key, type(value)(each)) for each in (value * 100, value / 100)]


@pytest.mark.parametrize(("reason", "key"), OWN_KEYS, ids=[f"{reason}-{key}" for reason, key in OWN_KEYS])
def test_named_rule_really_changes_its_limit(reason: RefusalReason, key: str) -> None:
    said = [
        judged(scene.but(rules=rules), reason) != judged(scene, reason)
        for scene in scenes(reason)
        for rules in changed(scene.rules, key)
    ]
    assert any(said)


def test_counts_of_a_demo_reach_the_page(tmp_path: Path) -> None:
    summary = {
        "seed": 4,
        "coins": 20,
        "source": "generated",
        "from": "2024-08-01T00:00:00.000Z",
        "to": "2024-08-08T17:45:00.000Z",
        "signals": 10,
        "limits_evaluated": {each.value: 1234 for each in RefusalReason},
        "limits_refused": {each.value: 0 for each in RefusalReason} | {"basis": 5},
    }
    path = tmp_path / "summary.json"
    path.write_text(json.dumps(summary), encoding="utf-8")
    counts = counts_of_demo(path)
    page = render(counts)
    assert counts_of_page(page) == counts
    assert dict((name, counted) for name, *counted in ROW.findall(page))["basis"] == ["1,234", "5"]
    assert "`make demo SEED=4 COINS=20`" in page


def test_demo_of_other_limits_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "summary.json"
    path.write_text(json.dumps({"limits_evaluated": {"kill_level": 1}, "limits_refused": {"kill_level": 0}}))
    with pytest.raises(InvalidInput, match="counts no signal_expired; expected every limit"):
        counts_of_demo(path)


def test_page_of_nothing_shows_no_counts() -> None:
    page = render(counts_of_page(""))
    assert {(evaluated, refused) for _, evaluated, refused in ROW.findall(page)} == {(NEVER, NEVER)}
