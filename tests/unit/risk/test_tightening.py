"""At a fixed quantity, no limit made stricter lets through what a looser one refused."""

from __future__ import annotations

from dataclasses import fields, replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.records import NOW, RULES, coin, risk_day
from tests.unit.risk.cases import SCENE, Scene
from tests.unit.risk.limit_cases import CASES
from tests.unit.risk.risk_strategies import scenes
from tests.unit.risk.test_gate_properties import Drawn, many
from trading.errors import InvalidInput
from trading.model.instruments import Tier
from trading.model.risk import LimitCheck, RefusalReason, Sizing
from trading.model.units import Money
from trading.risk.case import RiskCase
from trading.risk.gate import judge
from trading.risk.sizing import size
from trading.rules import Rules

OF_EACH_TIER = ("notional_pct", "notional_usd", "leverage")
LOWER = {
    "risk": {
        "risk_per_trade_pct",
        "maximum_positions",
        "maximum_positions_per_cluster",
        "maximum_positions_per_instrument",
        *(f"{name}_tier_{tier}" for name in OF_EACH_TIER for tier in "abc"),
        "gross_notional_pct",
        "side_notional_pct",
        "margin_single_pct",
        "margin_available_pct",
        "volume_share_pct",
        "depth_within_bps",
        "stop_maximum_pct",
        "fee_maximum_bps",
        "daily_loss_pct",
        "weekly_loss_pct",
        "drawdown_pct",
        "rejections_in_a_row",
        "equity_jump_ratio",
        "basis_maximum_pct",
        "entries_per_minute",
        "entries_per_day",
        "entries_per_coin_day",
        "liquidation_distance_share",
        "quote_maximum_age_s",
        "equity_maximum_age_s",
        "clock_skew_maximum_s",
        "contract_maximum_age_hours",
    },
    "gates": {"spread_maximum_bps", "cost_tight_maximum_bps", "funding_wide_maximum_bps"},
    "execution": {"price_collar_pct"},
}
HIGHER = {
    "risk": {"stop_minimum_bps", "repeat_minutes", "liquidation_extra_stop_share", "depth_multiple"},
    "gates": {"cost_wide_target_multiple"},
    "execution": set[str](),
}
STRICTER = [
    (section, name, sign)
    for table, sign in ((LOWER, -1), (HIGHER, 1))
    for section, names in table.items()
    for name in sorted(names)
]
"""Every rule that a limit compares with, and the side on which it is stricter: -1 lower, 1 higher."""
INSIDE = [pair.inside for pair in CASES.values()]
INSIDE += [SCENE.but(instrument=coin(tier=tier)) for tier in Tier]
LESS = risk_day(week=NOW.date(), week_peak_equity=Money(10_500), highest_equity=Money(11_000), rejections=1)
INSIDE.append(SCENE.but(day=LESS))


class Listening:
    """Rules of one section that remember which of them were asked for."""

    def __init__(self, section: Any) -> None:
        self.section, self.asked = section, set[str]()

    def __getattr__(self, name: str) -> Any:
        self.asked.add(name)
        return getattr(self.section, name)


def with_section(rules: Rules, name: str, section: Any) -> Rules:
    changes: dict[str, Any] = {name: section}
    return replace(rules, **changes)


def test_every_rule_limits_read_has_a_direction() -> None:
    for section in LOWER:
        heard = Listening(getattr(RULES, section))
        for scene in (*INSIDE, *(pair.beyond for pair in CASES.values())):
            scene.but(rules=with_section(RULES, section, heard)).decide()
        numbers = {each.name for each in fields(heard.section) if "bool" not in str(each.type)}
        assert heard.asked & numbers == LOWER[section] | HIGHER[section]


def tightened(rules: Rules, rule: tuple[str, str, int], share: Decimal) -> Rules:
    """One rule moved by a share of itself towards its strict side."""
    section, name, sign = rule
    before = getattr(getattr(rules, section), name)
    after = type(before)(Decimal(str(before)) * (1 + sign * share))
    return with_section(rules, section, replace(getattr(rules, section), **{name: after}))


def at_fixed_quantity(case: RiskCase, rules: Rules) -> RiskCase:
    """The same order under other rules: the caps allow what they allow now, the quantity stays what it was."""
    sized: Sizing = size(case.levels, case.market, case.portfolio, case.sizing.cost, rules.risk)
    return replace(case, rules=rules, sizing=replace(case.sizing, allowed=sized.allowed))


def checks(case: RiskCase) -> dict[RefusalReason, LimitCheck]:
    return {each.reason: each for each in judge(case).limits}


@many
@given(scenes(), st.integers(1, 99))
def test_tightening_a_rule_never_lets_through(drawn: Drawn, share: int) -> None:
    try:
        case = drawn[0].case()
    except InvalidInput:
        return
    loose = checks(case)
    for rule in STRICTER:
        strict = checks(at_fixed_quantity(case, tightened(case.rules, rule, Decimal(share) / 100)))
        opened = {reason for reason, check in strict.items() if check.passed and not loose[reason].passed}
        assert opened == set(), f"{rule} by {share} %"


def test_tightening_any_rule_refuses_something() -> None:
    """Each direction is the strict one: far enough towards it, a scene just inside a bound is refused."""
    for rule in STRICTER:
        far = Decimal("0.999999") if rule[2] < 0 else Decimal(10**6)
        assert any(_refused(scene, tightened(scene.rules, rule, far)) for scene in INSIDE), rule


def _refused(scene: Scene, rules: Rules) -> bool:
    return not all(each.passed for each in checks(at_fixed_quantity(scene.case(), rules)).values())


SWITCHED = {
    "risk": {
        "open_risk",
        "daily_loss_limit",
        "equity_jump",
        "loss_streak_pause",
        "basis_guard",
        "disorder",
        "liquidation_buffer",
        "depth",
    },
    "gates": {"cost_tight", "cost_wide", "funding_wide"},
    "execution": set[str](),
}
"""Every switch that takes a limit out."""
GUARDS = {"weekly_loss_limit", "drawdown_limit"}
"""Switches of what asks for a kill level: the limit that compares it stays."""


def test_every_switch_limits_read_is_tabled() -> None:
    for section, names in SWITCHED.items():
        heard = Listening(getattr(RULES, section))
        for scene in INSIDE:
            scene.but(rules=with_section(RULES, section, heard)).decide()
        switches = {each.name for each in fields(heard.section) if "bool" in str(each.type)}
        assert heard.asked & switches == names | (GUARDS if section == "risk" else set())


@pytest.mark.parametrize(
    ("section", "name"), [(section, each) for section in SWITCHED for each in sorted(SWITCHED[section])]
)
def test_switching_a_rule_off_only_takes_out(section: str, name: str) -> None:
    """The limits that are left say what they said; at least one is gone in one of the scenes."""
    gone = set()
    for scene in (*INSIDE, *(pair.beyond for pair in CASES.values())):
        if scene.refused_by() == {RefusalReason.LEVELS}:
            continue
        rules = with_section(scene.rules, section, replace(getattr(scene.rules, section), **{name: False}))
        loose, strict = checks(at_fixed_quantity(scene.case(), rules)), checks(scene.case())
        assert loose.items() <= strict.items()
        gone |= strict.keys() - loose.keys()
    assert gone
