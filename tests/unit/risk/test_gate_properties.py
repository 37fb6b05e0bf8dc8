"""For any account, market and signal: what is approved stays within every limit, computed once more by other means."""

from __future__ import annotations

import os
from collections import Counter
from copy import deepcopy
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings

from tests.fakes.records import NOW
from tests.unit.risk.cases import Scene
from tests.unit.risk.recomputed import (
    SLACK,
    Accounting,
    headroom_alone,
    headroom_together,
    loss_at_the_stop,
    rate_at,
    takers,
    tier_numbers,
)
from tests.unit.risk.risk_strategies import Traded, scenes
from trading.model.risk import RiskApproved, RiskRefused

EXAMPLES = int(os.environ.get("RISK_EXAMPLES", "300"))
"""For each property; about one in five is an approval. `RISK_EXAMPLES=20000` looks longer."""
Drawn = tuple[Scene, tuple[Traded, ...]]
many = settings(max_examples=EXAMPLES, deadline=None)


def approved_of(scene: Scene) -> RiskApproved | None:
    answer = scene.decide()
    return answer if isinstance(answer, RiskApproved) else None


@many
@given(scenes())
def test_worst_loss_stays_within_the_risk_budget(drawn: Drawn) -> None:
    scene, _ = drawn
    if approved := approved_of(scene):
        loss = loss_at_the_stop(scene, approved)
        assert loss <= scene.account.equity * Decimal("0.005") * SLACK
        assert loss <= approved.sizing.risk * SLACK


@many
@given(scenes())
def test_approved_order_exceeds_no_size_cap(drawn: Drawn) -> None:
    scene, _ = drawn
    if (approved := approved_of(scene)) is None:
        return
    accounting, equity = Accounting(scene), scene.account.equity * SLACK
    notional = approved.sizing.quantity * approved.levels.entry
    share, dollars, leverage = tier_numbers(scene)
    assert notional <= min(equity * share / 100, dollars * SLACK, equity * leverage)
    assert notional <= scene.quote.volume_usd * Decimal("0.001") * SLACK
    margin = notional * rate_at(scene.instrument, notional, initial=True)
    margin *= accounting.multiplier(scene.instrument.contract)
    assert margin <= equity / 4
    assert margin + accounting.margin_to_come(initial=True) <= scene.account.available_margin * Decimal("0.95") * SLACK
    assert approved.sizing.quantity <= scene.instrument.maximum_position
    assert (approved.sizing.notional, approved.sizing.margin) == (notional, margin)


@many
@given(scenes())
def test_approved_order_finds_twice_its_size_to_close_with(drawn: Drawn) -> None:
    scene, _ = drawn
    if (approved := approved_of(scene)) is not None:
        assert approved.sizing.quantity * 2 <= takers(scene, approved) * SLACK


@many
@given(scenes())
def test_portfolio_with_the_order_exceeds_nothing(drawn: Drawn) -> None:
    scene, _ = drawn
    if (approved := approved_of(scene)) is None:
        return
    accounting, side = Accounting(scene), approved.signal.side
    notional = approved.sizing.quantity * approved.levels.entry
    assert accounting.gross() + notional <= scene.account.equity * 3 * SLACK
    assert accounting.net(side) + notional <= scene.account.equity * 2 * SLACK
    worst = accounting.lost_today() + accounting.at_stops() + loss_at_the_stop(scene, approved)
    assert worst <= accounting.peak() * Decimal("0.05") * SLACK
    same = [each for each in scene.positions if (each.regime, each.setup) == (scene.signal.regime, scene.signal.setup)]
    assert (len(scene.positions) <= 7, len(same) <= 2) == (True, True)
    contracts = {each.contract for each in scene.positions} | {each.contract for each in scene.venue_positions}
    assert scene.instrument.contract not in contracts


@many
@given(scenes())
def test_approved_entry_keeps_the_entry_rates(drawn: Drawn) -> None:
    scene, _ = drawn
    if (approved := approved_of(scene)) is None:
        return
    ages = [(each, NOW - each.at) for each in scene.book.entries]
    assert sum(age < timedelta(minutes=1) for _, age in ages) <= 5
    coin = [(each, age) for each, age in ages if each.instrument == scene.signal.instrument]
    assert len(coin) <= 2
    assert not [each for each, age in coin if age < timedelta(hours=1) and each.side is approved.signal.side]
    assert not scene.watch.pauses
    assert abs(scene.spot - scene.quote.mark) <= scene.spot * Decimal("0.0075")


@many
@given(scenes())
def test_stop_is_hit_long_before_liquidation(drawn: Drawn) -> None:
    scene, _ = drawn
    if approved := approved_of(scene):
        assert min(headroom_alone(scene, approved)) >= -Decimal("1e-9")
        assert min(headroom_together(scene, approved)) >= 0


@many
@given(scenes())
def test_approved_order_is_on_the_venue_grid(drawn: Drawn) -> None:
    scene, _ = drawn
    if (approved := approved_of(scene)) is None:
        return
    instrument, levels, quantity = scene.instrument, approved.levels, approved.sizing.quantity
    assert quantity % instrument.step == 0
    assert quantity >= instrument.minimum
    for price in (levels.entry, levels.stop, levels.invalidation, levels.target_1, levels.target_2):
        assert price % instrument.tick == 0
    sign = approved.signal.side.sign
    ratio = scene.quote.mark / scene.spot
    assert (levels.stop - scene.signal.levels.stop * ratio) * sign <= 0 < (levels.entry - levels.stop) * sign


@many
@given(scenes())
def test_judging_is_pure_total_and_explained(drawn: Drawn) -> None:
    scene, _ = drawn
    untouched = deepcopy(scene)
    answer = scene.decide()
    assert scene == untouched
    assert scene.decide() == answer
    failed = [each.reason for each in answer.limits if not each.passed]
    if isinstance(answer, RiskRefused):
        assert answer.reason is failed[0]
    else:
        assert not failed
    assert all(each.value.is_finite() and each.bound.is_finite() for each in answer.limits)


@pytest.mark.slow
def test_generated_scenes_meet_most_limits() -> None:
    """Without it the properties above could all be empty."""
    met: Counter[str] = Counter()

    @settings(max_examples=600, deadline=None, derandomize=True, database=None)
    @given(scenes())
    def look(drawn: Drawn) -> None:
        answer = drawn[0].decide()
        met.update(each.reason for each in answer.limits if not each.passed)
        met["approved"] += isinstance(answer, RiskApproved)

    look()
    assert met["approved"] >= 60
    assert len(met) >= 36
