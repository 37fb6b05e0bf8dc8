"""One cycle's signals together: the best first, the same whatever came first, never more than all limits allow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from functools import partial
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.records import NOW, RULES, account, coin, filled, levels, planned, quote, signal
from tests.unit.risk.cases import SCENE, Scene, order_book
from tests.unit.risk.dice import dice
from tests.unit.risk.limit_cases import others, risk
from tests.unit.risk.recomputed import SLACK, Accounting
from tests.unit.risk.risk_strategies import Traded, idea, scenes
from tests.unit.risk.test_gate_properties import many
from trading.execution.plan import plan_position
from trading.model.instruments import InstrumentId, Side
from trading.model.risk import RefusalReason, RiskApproved, RiskRefused
from trading.model.signals import Setup
from trading.model.units import Money, Price
from trading.risk.allocation import Idea, allocate, counted_in, rank
from trading.risk.case import Market
from trading.risk.gate import decide_risk

Answers = tuple[RiskApproved | RiskRefused, ...]
PLAN = partial(plan_position, rules=RULES, code_version="test", now=NOW)


def answers(scene: Scene, ideas: Sequence[Idea]) -> Answers:
    return allocate(ideas, scene.portfolio, scene.rules, scene.now, PLAN)


def plain(name: str, setup: Setup = Setup.ORDER_BLOCK, **changes: Any) -> Idea:
    instrument = coin(name)
    price = quote(instrument.contract)
    market = Market(instrument=instrument, quote=price, spot=price.mark, spot_at=NOW, order_book=order_book())
    return Idea(signal=signal(name, setup, **changes), market=market)


def told(found: Answers) -> list[str]:
    return [f"{each.signal.instrument} {getattr(each, 'reason', 'approved')}" for each in found]


@st.composite
def cycles(draw: st.DrawFn) -> tuple[Scene, list[Idea]]:
    """An account and 2-4 signals for up to three coins, often of the same score, sometimes two for one coin."""
    scene, markets = draw(scenes(coins=3))
    scores, ideas = st.sampled_from([70, 80, 80]), {}
    for number in range(draw(st.integers(2, 4))):
        coin_of = draw(st.sampled_from(markets))
        found = _idea(idea(draw(dice), coin_of, score=draw(scores), structure_id=f"ob-{number}"), coin_of)
        ideas[found.signal.id] = found
    return scene.but(other_quotes=(*scene.other_quotes, *(each.quote for each in markets[1:]))), list(ideas.values())


def _idea(found: Any, of: Traded) -> Idea:
    market = Market(
        instrument=of.instrument, quote=of.quote, spot=Price(of.spot), spot_at=NOW, order_book=of.order_book
    )
    return Idea(signal=found, market=market)


@many
@given(cycles(), st.randoms(use_true_random=False))
def test_order_of_arrival_never_changes_the_answers(drawn: tuple[Scene, list[Idea]], shuffled: Any) -> None:
    scene, ideas = drawn
    found = answers(scene, ideas)
    assert answers(scene, ideas[::-1]) == found
    shuffled.shuffle(ideas)
    assert answers(scene, ideas) == found


def test_all_orders_of_equal_scores_agree() -> None:
    cycle = [plain(name, score=80) for name in ("A", "B", "C", "D")]
    found = {tuple(told(answers(SCENE, each))) for each in permutations(cycle)}
    assert len(found) == 1
    (only,) = found
    assert sorted(only)[0].endswith(("approved", "cluster_positions"))
    assert sum(each.endswith("approved") for each in only) == RULES.risk.maximum_positions_per_cluster
    best = [each.signal.id for each in rank(cycle)]
    assert best == sorted(best)


def test_better_score_comes_before_a_smaller_id() -> None:
    cycle = [plain("A", score=70), plain("B", score=90), plain("C", score=80)]
    assert [each.signal.instrument for each in rank(cycle)] == ["B", "C", "A"]
    last_place = SCENE.but(positions=others(7))
    assert told(answers(last_place, cycle)) == ["B approved", "C positions", "A positions"]


@many
@given(cycles())
def test_first_answer_is_what_it_would_be_alone(drawn: tuple[Scene, list[Idea]]) -> None:
    scene, ideas = drawn
    first = rank(ideas)[0]
    assert answers(scene, ideas)[0] == decide_risk(first.signal, scene.portfolio, first.market, scene.rules, scene.now)
    assert len(answers(scene, ideas)) == len(ideas)


def after(scene: Scene, found: Answers) -> Scene:
    """The scene with every approval filled: at its own price, which its contract's mark has then come to."""
    plans = [PLAN(each) for each in found if isinstance(each, RiskApproved)]
    moved = {each.contract for each in plans}
    here = replace(scene.quote, contract="PF_NOBODYUSD") if scene.quote.contract in moved else scene.quote
    others = tuple(each for each in scene.other_quotes if each.contract not in moved)
    return scene.but(positions=(*scene.positions, *plans), quote=here, other_quotes=others)


@many
@given(cycles())
def test_approvals_together_exceed_no_limit(drawn: tuple[Scene, list[Idea]]) -> None:
    scene, ideas = drawn
    found = answers(scene, ideas)
    together = after(scene, found)
    if together.positions == scene.positions:
        return
    accounting, equity = Accounting(together), scene.account.equity
    assert accounting.gross() <= equity * 3 * SLACK
    for side in Side:
        assert accounting.net(side) <= max(Accounting(scene).net(side), equity * 2 * SLACK)
    assert accounting.margin_to_come(initial=True) <= scene.account.available_margin * Decimal("0.95") * SLACK
    assert accounting.lost_today() + accounting.at_stops() <= accounting.peak() * Decimal("0.05") * SLACK
    assert len(together.positions) <= 8
    clusters = [(each.regime, each.setup) for each in together.positions]
    new = [(each.signal.regime, each.signal.setup) for each in found if isinstance(each, RiskApproved)]
    assert max(clusters.count(each) for each in new) <= 3
    coins = [each.signal.instrument for each in found if isinstance(each, RiskApproved)]
    assert len(set(coins)) == len(coins)


def test_two_for_one_coin_take_one_place() -> None:
    cycle = [plain("A", score=80), plain("A", score=90, structure_id="ob-2"), plain("A", Setup.TREND, score=70)]
    found = told(answers(SCENE, cycle))
    assert found == ["A approved", "A instrument_positions", "A instrument_positions"]


def test_margin_of_the_first_is_gone_for_the_second() -> None:
    scene = SCENE.but(account=account(available_margin=Money(60)), rules=risk(margin_available_pct=95))
    first, second = answers(scene, [plain("A", score=90), plain("B", score=80)])
    assert isinstance(first, RiskApproved)
    assert isinstance(second, RiskApproved)
    # 23.8 coins at 100 USD take 47.6 USD of the 57; 9.4 USD are left, which is 4.7 coins.
    assert (first.sizing.quantity, second.sizing.quantity) == (Decimal("23.8"), Decimal("4.7"))
    assert second.sizing.capped_by == RefusalReason.AVAILABLE_MARGIN.value


def test_entries_of_the_cycle_count_for_the_minute() -> None:
    setups = (Setup.ORDER_BLOCK, Setup.FAIR_VALUE_GAP, Setup.TREND)
    cycle = [plain(f"A{number}", setups[number % 3], score=99 - number) for number in range(7)]
    found = told(answers(SCENE, cycle))
    assert [each.split()[1] for each in found] == ["approved"] * 6 + ["entries_per_minute"]


def test_other_side_of_the_cycle_makes_no_room_yet() -> None:
    """Net 200 % is full of longs; a better short of the same cycle has not filled and may never do."""
    full = SCENE.but(positions=(filled("O1", quantity=planned(quantity=190).planned),), rules=risk(open_risk=False))
    short = replace(plain("B", score=90), signal=signal("B", score=90, levels=levels(Side.SHORT)))
    assert told(answers(full, [plain("A", score=80)])) == ["A side_notional"]
    assert told(answers(full, [plain("A", score=80), short])) == ["B approved", "A side_notional"]


def test_counting_in_leaves_the_portfolio_alone() -> None:
    portfolio = SCENE.portfolio
    more = counted_in(portfolio, planned("O1"))
    assert portfolio == SCENE.portfolio
    assert [each.instrument for each in more.positions] == ["O1"]
    assert [(each.instrument, each.side, each.at) for each in more.book.entries] == [
        (InstrumentId("O1"), Side.LONG, NOW)
    ]
    assert more.book.version == 1


@pytest.mark.parametrize("score", [80, 0])
def test_empty_cycle_has_no_answers(score: int) -> None:
    assert answers(SCENE, []) == ()
    assert told(answers(SCENE, [plain("A", score=score)])) == ["A approved"]
