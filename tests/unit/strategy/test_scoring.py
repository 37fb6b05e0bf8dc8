"""The score: what each part can give, what the gates alone already give, and whether thresholds can be reached."""

from __future__ import annotations

import itertools
from dataclasses import replace
from decimal import Decimal

import pytest

from tests.unit.strategy.readings import MAJOR, broke, candidate, case, place, reading, scale
from trading.model.decisions import Alignment
from trading.model.signals import Regime, Setup
from trading.model.units import BasisPoints
from trading.rules import load_rules
from trading.strategy.gates import BEFORE_SCORE, Case, ask_gates
from trading.strategy.scoring import adx_part, cost_part, major_break, score_case, threshold

RULES = load_rules()
STANDINGS = (Alignment.ALIGNED, Alignment.NEUTRAL)
MAJOR_BREAK = scale(MAJOR, break_up=broke(99.0, age=10, scale=MAJOR))


def _points(given: Case) -> int:
    return sum(part.points for part in score_case(given, RULES))


def _cases(setup: Setup, standing: Alignment) -> list[Case]:
    """The setup at every edge a gate or a score step knows, those that pass all gates."""
    tight = setup.regime is Regime.TIGHT_SMC
    adx_values = [0.0, 24.9, *(float(limit) for limit, _ in RULES.score.adx_steps)]
    costs = [Decimal(5), *(limit + Decimal("0.1") for limit, _ in RULES.score.cost_steps_bps), Decimal(25), Decimal(90)]
    places = [None, place(), place(in_ote=False, level_bps=20.0), place(in_ote=False, level_bps=20.1)]
    agreeing = itertools.product((False, True), (False, True)) if tight else [(False, False)]
    made = []
    for adx, cost, spot, major, (block, gap) in itertools.product(
        adx_values, costs, places, (scale(MAJOR), MAJOR_BREAK), list(agreeing)
    ):
        zones = {"blocks": int(block or setup is Setup.ORDER_BLOCK), "gaps": int(gap or setup is Setup.FAIR_VALUE_GAP)}
        idea = replace(candidate(setup), **zones) if tight else candidate(setup)
        made.append((adx, BasisPoints(cost), spot, major, idea))
    whole = case(setup)
    cases = [
        replace(whole, alignment=standing, reading=reading(adx=adx, major=major), candidate=idea, place=spot, cost=cost)
        for adx, cost, spot, major, idea in made
    ]
    return [each for each in cases if _passes(each)]


def _passes(given: Case) -> bool:
    assert given.cost is not None
    affordable = (
        given.cost <= RULES.gates.cost_tight_maximum_bps or given.candidate.setup.regime is not Regime.TIGHT_SMC
    )
    return affordable and all(gate.passed for gate in ask_gates(BEFORE_SCORE, given, RULES))


@pytest.mark.parametrize(
    ("setup", "standing"),
    [pair for pair in itertools.product(Setup, STANDINGS) if pair != (Setup.TREND, Alignment.NEUTRAL)],
)
def test_gates_alone_stay_below_every_reachable_threshold(setup: Setup, standing: Alignment) -> None:
    points = [_points(each) for each in _cases(setup, standing)]
    needed = threshold(setup.regime, standing, RULES.score)
    assert min(points) < needed - 5
    assert max(points) >= needed


@pytest.mark.parametrize("part", range(7))
def test_every_part_varies_among_ideas_that_pass(part: int) -> None:
    seen = set()
    for setup, standing in itertools.product(Setup, STANDINGS):
        seen |= {score_case(each, RULES)[part].points for each in _cases(setup, standing)}
    assert len(seen) >= 2


def test_parts_add_up_to_a_hundred_at_most() -> None:
    best = replace(case(cost="9"), reading=reading(adx=45.0, major=MAJOR_BREAK))
    best = replace(best, candidate=replace(best.candidate, gaps=1))
    parts = score_case(best, RULES)
    assert sum(part.maximum for part in parts) == 100
    assert [part.points for part in parts] == [part.maximum for part in parts]


@pytest.mark.parametrize(("adx", "points"), [(24.99, 0), (25, 7), (29.9, 7), (30, 10), (35, 12), (40, 15), (80, 15)])
def test_strength_scores_by_the_highest_step_reached(adx: float, points: int) -> None:
    assert adx_part(adx, RULES.score).points == points


@pytest.mark.parametrize(("cost", "points"), [("10", 20), ("10.1", 15), ("20", 15), ("30", 10), ("50", 5), ("50.1", 0)])
def test_cost_scores_by_the_cheapest_step_kept(cost: str, points: int) -> None:
    assert cost_part(BasisPoints(cost), RULES.score).points == points
    assert cost_part(None, RULES.score).points == 0


def test_break_behind_the_zone_does_not_agree_with_itself() -> None:
    event = MAJOR_BREAK.break_up
    assert event is not None
    structure = reading(major=MAJOR_BREAK)
    assert major_break(structure, candidate(), RULES) == event.key
    assert major_break(structure, replace(candidate(), rests_on=(event.key,)), RULES) is None


@pytest.mark.parametrize(("age", "is_bos", "agrees"), [(24, True, True), (25, True, False), (5, False, False)])
def test_only_a_recent_major_bos_agrees(age: int, is_bos: bool, agrees: bool) -> None:
    major = scale(MAJOR, break_up=broke(99.0, age=age, scale=MAJOR, is_bos=is_bos))
    assert (major_break(reading(major=major), candidate(), RULES) is not None) is agrees
