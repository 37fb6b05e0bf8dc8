"""Each exit rule: a case in which it fires, one in which it must not, and its switch."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.records import NOW, RULES, filled, rules_with
from trading.exits.registry import REGISTRY, Close, ExitCase, ExitVerdict, MoveStop, break_even, decide_exit
from trading.model.instruments import Side
from trading.model.positions import Position
from trading.model.units import Price

HIT = NOW + timedelta(minutes=20)


def case(
    position: Position, mark: Any = "101.5", last_close: float | None = 101.0, hours: float = 1.0, **more: Any
) -> ExitCase:
    now = NOW + timedelta(hours=hours)
    values = {"index": None, "quoted_at": now, "rules": RULES, "now": now} | more
    return ExitCase(position=position, mark=None if mark is None else Price(mark), last_close=last_close, **values)


def after_target(side: Side = Side.LONG, **changes: Any) -> Position:
    return filled(side=side, first_target_at=HIT, **changes)


def fired(verdict: ExitVerdict) -> tuple[str | None, type | None]:
    return verdict.fired, type(verdict.action) if verdict.action else None


def young(side: Side = Side.LONG, mark: Any = "100.75", minutes: float = 5, **more: Any) -> ExitCase:
    """Filled some minutes ago; the index is at 100, so that the mark is the basis."""
    return case(filled(side=side), mark=mark, last_close=None, hours=minutes / 60, **({"index": Price(100)} | more))


FIRING = [
    ("basis_after_fill", young(mark="100.76"), Close),
    ("basis_after_fill", young(mark="99.24"), Close),
    ("basis_after_fill", young(Side.SHORT, mark="100.76"), Close),
    ("basis_after_fill", young(Side.SHORT, mark="99.24", minutes=0), Close),
    ("basis_after_fill", young(mark="102", quoted_at=NOW + timedelta(seconds=290)), Close),
    ("break_even", case(after_target()), MoveStop),
    ("break_even", case(after_target(stop=Price("100.3"))), MoveStop),
    ("time_exit", case(filled(), hours=5), Close),
    ("premise", case(filled(), last_close=98.4), Close),
    ("maximum_hold", case(after_target(stop=Price("100.5")), hours=72), Close),
]
SILENT = [
    ("basis_after_fill", young(mark="100.75")),
    ("basis_after_fill", young(mark="99.25")),
    ("basis_after_fill", young(Side.SHORT, mark="100.75")),
    ("basis_after_fill", young(Side.SHORT, mark="99.25")),
    ("basis_after_fill", young(mark="102", minutes=5.01)),
    ("basis_after_fill", young(mark="102", index=None)),
    ("basis_after_fill", young(mark=None)),
    ("basis_after_fill", young(mark="102", quoted_at=None)),
    ("basis_after_fill", young(mark="102", quoted_at=NOW + timedelta(seconds=289))),
    ("basis_after_fill", young(mark="102", quoted_at=NOW + timedelta(seconds=311))),
    ("basis_after_fill", case(filled(opened_at=None), mark="102", index=Price(100), hours=0)),
    ("break_even", case(filled())),
    ("break_even", case(after_target(stop=Price("100.4")))),
    ("break_even", case(after_target(), mark="100.4")),
    ("time_exit", case(filled(), hours=4.99)),
    ("time_exit", case(after_target(), hours=50)),
    ("time_exit", case(filled(opened_at=None), hours=50)),
    ("premise", case(filled(), last_close=98.5)),
    ("premise", case(filled(), last_close=None)),
    ("maximum_hold", case(after_target(stop=Price("100.5")), hours=71.99)),
    ("maximum_hold", case(after_target(opened_at=None, stop=Price("100.5")), hours=100)),
]


@pytest.mark.parametrize(("rule", "given_case", "kind"), FIRING, ids=lambda each: each if isinstance(each, str) else "")
def test_rule_fires_and_its_switch_stops_it(rule: str, given_case: ExitCase, kind: type) -> None:
    assert fired(decide_exit(given_case)) == (rule, kind)
    off = replace(given_case, rules=rules_with(f'{{"exits": {{"{rule}": false}}}}'))
    verdict = decide_exit(off)
    assert fired(verdict) == (None, None)
    assert rule not in verdict.evaluated


@pytest.mark.parametrize(("rule", "given_case"), SILENT)
def test_rule_stays_silent_when_it_must(rule: str, given_case: ExitCase) -> None:
    only = {name: name == rule for name, _ in REGISTRY}
    text = ", ".join(f'"{name}": {str(on).lower()}' for name, on in only.items())
    verdict = decide_exit(replace(given_case, rules=rules_with(f'{{"exits": {{{text}}}}}')))
    assert verdict == ExitVerdict(evaluated=(rule,))


def test_every_switched_on_rule_is_evaluated() -> None:
    assert decide_exit(case(filled())).evaluated == tuple(name for name, _ in REGISTRY)
    assert decide_exit(case(filled(), last_close=98.0)).evaluated == tuple(name for name, _ in REGISTRY)


def test_closing_goes_before_moving_the_stop() -> None:
    verdict = decide_exit(case(after_target(), last_close=98.0))
    assert fired(verdict) == ("premise", Close)


@pytest.mark.parametrize(("side", "level"), [(Side.LONG, "100.4"), (Side.SHORT, "99.6")])
def test_break_even_pays_the_round_trip(side: Side, level: str) -> None:
    mark = 101 if side is Side.LONG else 99
    action = break_even(case(after_target(side), mark=mark))
    assert isinstance(action, MoveStop)
    assert action.to == Price(level)


def test_break_even_rounds_in_favour_of_the_position() -> None:
    action = break_even(case(after_target(cost_bps=Decimal(21)), mark=102))
    assert isinstance(action, MoveStop)
    assert action.to == Price("100.5")


@given(
    st.sampled_from(Side),
    st.decimals("95", "105", places=1),
    st.one_of(st.none(), st.decimals("95", "105", places=1)),
    st.decimals("0", "200", places=0),
)
def test_stop_only_ever_tightens(side: Side, stop: Decimal, mark: Decimal | None, cost: Decimal) -> None:
    position = after_target(side, stop=Price(stop), cost_bps=cost)
    verdict = decide_exit(case(position, mark=mark))
    if isinstance(verdict.action, MoveStop):
        assert (verdict.action.to - stop) * side.sign > 0
        assert mark is None or (mark - verdict.action.to) * side.sign > 0


@pytest.mark.parametrize(
    "override", ['{"exits": {"basis_after_fill_minutes": 4}}', '{"risk": {"basis_maximum_pct": 0.8}}']
)
def test_basis_after_fill_reads_its_bounds(override: str) -> None:
    assert decide_exit(young(mark="100.76", rules=rules_with(override))).fired is None


def test_torn_basis_says_its_figures() -> None:
    action = decide_exit(young(mark="98")).action
    assert action == Close(why="mark 98 is 2.00 % from its index 100 soon after the fill")


def test_premise_of_a_short_is_above() -> None:
    assert decide_exit(case(filled(side=Side.SHORT), mark=99, last_close=101.6)).fired == "premise"
    assert decide_exit(case(filled(side=Side.SHORT), mark=99, last_close=101.5)).fired is None
