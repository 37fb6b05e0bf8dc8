"""Size by the loss at the stop: never more than the risk, never above a cap, never bumped up."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.records import RULES, account, coin, levels, quote, rules_with, signal
from tests.unit.risk.cases import SCENE
from trading.errors import InvalidInput
from trading.model.instruments import Side, Tier
from trading.model.risk import RiskApproved, RiskRefused, Sizing
from trading.model.signals import Levels
from trading.model.units import BasisPoints, Price
from trading.risk.gate import rank, sentence
from trading.risk.sizing import contract_levels, size, tier_notional_cap, trade_cost

RISK = RULES.risk
LEVERAGE = {Tier.A: RISK.leverage_tier_a, Tier.B: RISK.leverage_tier_b, Tier.C: RISK.leverage_tier_c}


@st.composite
def ideas(draw: st.DrawFn) -> tuple[Levels, Any, Any, BasisPoints]:
    """Levels of either side at any price, an instrument of any grid, an account, a cost."""
    entry = Decimal(draw(st.integers(1, 10**7))) / 1000
    distance = entry * draw(st.integers(5, 2000)) / 10_000
    side = draw(st.sampled_from(Side))
    away = [Price(entry + distance * part * side.sign / 2) for part in (-2, -1, 0, 1, 4)]
    chosen = Levels(side=side, stop=away[0], invalidation=away[1], entry=away[2], target_1=away[3], target_2=away[4])
    instrument = coin(tier=draw(st.sampled_from(Tier)), step=draw(st.sampled_from([Decimal(1), Decimal("0.001")])))
    money = account(Decimal(draw(st.integers(0, 10**8))) / 100)
    return chosen, instrument, money, BasisPoints(draw(st.integers(0, 200)))


def sized(idea: tuple[Levels, Any, Any, BasisPoints]) -> Sizing:
    return size(*idea, RISK)


@settings(max_examples=300, deadline=None)
@given(ideas())
def test_loss_at_stop_never_exceeds_the_risk(idea: tuple[Levels, Any, Any, BasisPoints]) -> None:
    chosen, _, money, cost = idea
    sizing = sized(idea)
    loss = sizing.quantity * (chosen.stop_distance + chosen.entry * cost / 10_000)
    assert loss <= money.equity * RISK.risk_per_trade_pct / 100 * (1 + Decimal("1e-20"))
    assert abs(loss - sizing.risk) <= Decimal("1e-15") * max(loss, Decimal(1))


@settings(max_examples=300, deadline=None)
@given(ideas())
def test_size_stays_below_every_cap(idea: tuple[Levels, Any, Any, BasisPoints]) -> None:
    chosen, instrument, money, _ = idea
    sizing = sized(idea)
    slack = 1 + Decimal("1e-20")
    assert sizing.notional <= tier_notional_cap(instrument.tier, money.equity, RISK) * slack
    assert sizing.notional <= money.equity * LEVERAGE[instrument.tier] * slack
    assert sizing.quantity <= instrument.maximum_position
    assert sizing.notional == sizing.quantity * chosen.entry


@settings(max_examples=300, deadline=None)
@given(ideas())
def test_size_is_on_the_step_and_not_wasted(idea: tuple[Levels, Any, Any, BasisPoints]) -> None:
    chosen, instrument, money, cost = idea
    sizing = sized(idea)
    assert sizing.quantity % instrument.step == 0
    if sizing.capped_by:
        return
    one_more = (sizing.quantity + instrument.step) * (chosen.stop_distance + chosen.entry * cost / 10_000)
    assert one_more > money.equity * RISK.risk_per_trade_pct / 100 * (1 - Decimal("1e-20"))


def test_too_small_a_size_is_refused_not_bumped() -> None:
    answer = SCENE.but(account=account(1)).decide()
    assert isinstance(answer, RiskRefused)
    assert size(levels(), coin(), account(1), BasisPoints(10), RISK).quantity == 0


@pytest.mark.parametrize(
    ("tier", "equity", "cap"),
    [("A", 10_000, 10_000), ("B", 10_000, 5_000), ("C", 10_000, 2_500), ("A", 10**7, 100_000)],
)
def test_tier_cap_is_the_smaller_of_two(tier: str, equity: int, cap: int) -> None:
    assert tier_notional_cap(Tier(tier), Decimal(equity), RISK) == cap


def test_capped_size_names_its_cap() -> None:
    tight = Levels(
        **{name: getattr(levels(), name) for name in ("side", "entry", "target_1", "target_2")},
        stop=Price("99.9"),
        invalidation=Price("99.95"),
    )
    sizing = size(tight, coin(), account(), BasisPoints(0), RISK)
    assert sizing.capped_by == "tier_notional"
    assert sizing.quantity == 100


@pytest.mark.parametrize("side", list(Side))
@given(ratio=st.decimals("0.98", "1.02", places=6))
def test_rounded_levels_stay_on_the_safe_side(side: Side, ratio: Decimal) -> None:
    spot = levels(side)
    found = contract_levels(signal(levels=spot), coin(), ratio)
    assert (found.entry - spot.entry * ratio) * side.sign <= 0
    assert (found.stop - spot.stop * ratio) * side.sign <= 0
    for price in (found.entry, found.stop, found.target_1, found.target_2, found.invalidation):
        assert price % coin().tick == 0


def test_levels_lost_on_a_coarse_tick_are_refused() -> None:
    with pytest.raises(InvalidInput, match="in order"):
        contract_levels(signal(), coin(tick=Decimal(50)), Decimal(1))


def test_missing_spread_costs_the_widest_allowed() -> None:
    blind = trade_cost(signal(), coin(), quote(bid=None), RULES)
    wide = quote(bid=Price("99.75"), ask=Price("100.25"))
    assert wide.spread == RULES.universe.maximum_spread_bps
    assert blind == trade_cost(signal(), coin(), wide, RULES)


def test_dearer_trade_is_sized_smaller() -> None:
    cheap, dear = SCENE.decide(), SCENE.but(rules=rules_with('{"cost": {"slippage_bps": 50}}')).decide()
    assert isinstance(cheap, RiskApproved)
    assert isinstance(dear, RiskApproved)
    assert dear.sizing.quantity < cheap.sizing.quantity


def test_allocation_order_never_depends_on_arrival() -> None:
    three = [signal("A", score=70), signal("B", score=90), signal("C", score=70)]
    orders = {rank(each) for each in permutations(three)}
    assert len(orders) == 1
    best = next(iter(orders))
    assert best[0].instrument == "B"
    assert best[1].id < best[2].id


def test_answer_is_told_in_one_sentence() -> None:
    approved, refused = SCENE.decide(), SCENE.but(quote=quote(suspended=True)).decide()
    assert "23.80 at 100" in sentence(approved)
    assert "market_closed" in sentence(refused)
    capped = SCENE.but(signal=replace(signal(), levels=levels(stop="99.9", invalidation="99.95"))).decide()
    assert "capped by tier_notional" in sentence(capped)
