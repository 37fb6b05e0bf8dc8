"""Size by the loss at the stop: never more than the risk, never above a cap, never bumped up."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.records import RULES, account, coin, filled, levels, planned, quote, rules_with, signal
from tests.unit.risk.cases import SCENE, Scene
from tests.unit.risk.limit_cases import levels_of, risk
from tests.unit.risk.risk_strategies import LADDERS
from trading.errors import InvalidInput
from trading.model.instruments import Instrument, MarginLevel, Side, Tier
from trading.model.risk import RefusalReason, RiskApproved, RiskRefused, Sizing
from trading.model.signals import Levels
from trading.model.units import BasisPoints, Money, Price, Quantity
from trading.model.venue import ContractStress
from trading.risk.gate import sentence
from trading.risk.sizing import contract_levels, notional_for, size, trade_cost

RISK = RULES.risk
BUDGET = Quantity("23.80")
"""50 USD over a stop 2 USD away and 10 bps of 100 USD, on the step."""


@st.composite
def ideas(draw: st.DrawFn) -> tuple[Levels, Instrument, Decimal, BasisPoints]:
    """Levels of either side at any price, an instrument of any grid, an equity, a cost."""
    entry = Decimal(draw(st.integers(1, 10**7))) / 1000
    distance = entry * draw(st.integers(5, 2000)) / 10_000
    side = draw(st.sampled_from(Side))
    away = [Price(entry + distance * part * side.sign / 2) for part in (-2, -1, 0, 1, 4)]
    chosen = Levels(side=side, stop=away[0], invalidation=away[1], entry=away[2], target_1=away[3], target_2=away[4])
    step = draw(st.sampled_from([Decimal(1), Decimal("0.001")]))
    instrument = coin(tier=draw(st.sampled_from(Tier)), step=step, margin_levels=draw(st.sampled_from(LADDERS)))
    return chosen, instrument, Decimal(draw(st.integers(0, 10**8))) / 100, BasisPoints(draw(st.integers(-20, 200)))


def sized(idea: tuple[Levels, Instrument, Decimal, BasisPoints]) -> Sizing:
    chosen, instrument, equity, cost = idea
    scene = SCENE.but(instrument=instrument, account=account(equity))
    return size(chosen, scene.market, scene.portfolio, cost, RISK)


@settings(max_examples=300, deadline=None)
@given(ideas())
def test_loss_at_stop_never_exceeds_the_risk(idea: tuple[Levels, Instrument, Decimal, BasisPoints]) -> None:
    chosen, _, equity, cost = idea
    loss = sized(idea).quantity * (chosen.stop_distance + max(chosen.entry, chosen.stop) * cost / 10_000)
    assert loss <= equity * RISK.risk_per_trade_pct / 100 * (1 + Decimal("1e-20"))
    assert loss <= sized(idea).risk * (1 + Decimal("1e-20"))


@settings(max_examples=300, deadline=None)
@given(ideas())
def test_size_is_on_the_step_and_not_wasted(idea: tuple[Levels, Instrument, Decimal, BasisPoints]) -> None:
    sizing, step = sized(idea), idea[1].step
    assert sizing.quantity % step == 0
    tightest = min(allowed for _, allowed in sizing.allowed)
    assert sizing.quantity <= tightest < sizing.quantity + step


def test_listed_allowances_say_what_capped() -> None:
    sizing = SCENE.but(quote=quote(volume_usd=Decimal(1_000_000))).case().sizing
    allowed = dict(sizing.allowed)
    assert allowed[RefusalReason.VOLUME_SHARE] == sizing.quantity == 10
    assert min(allowed.values()) == 10
    assert (sizing.notional, sizing.margin, sizing.capped_by) == (Money(1000), Money(20), "volume_share")


@pytest.mark.parametrize(("equity", "quantity"), [(10_000, BUDGET), (1, 0), (0, 0), (-500, 0)])
def test_poor_account_gets_no_bumped_size(equity: int, quantity: Decimal) -> None:
    scene = SCENE.but(account=account(equity))
    assert scene.case().sizing.quantity == quantity
    assert isinstance(scene.decide(), RiskApproved if quantity else RiskRefused)


def test_size_below_the_minimum_is_not_raised() -> None:
    scene = SCENE.but(instrument=coin(minimum=Quantity(24)))
    assert scene.case().sizing.quantity == BUDGET
    assert scene.refused_by() == {RefusalReason.MINIMUM_SIZE}


STRESSED = ContractStress(
    contract="PF_COINUSD", dislocated=False, extreme_volatility=True, margin_multiplier=Decimal(5)
)
CAPS: dict[RefusalReason, tuple[Scene, str]] = {
    RefusalReason.TIER_NOTIONAL: (
        SCENE.but(
            instrument=coin(tier=Tier.B),
            rules=risk(notional_pct_tier_a=10, notional_pct_tier_b="7.5", notional_pct_tier_c=5),
        ),
        "7.5",
    ),
    RefusalReason.TIER_NOTIONAL_USD: (
        SCENE.but(
            instrument=coin(tier=Tier.C),
            rules=risk(notional_usd_tier_a=900, notional_usd_tier_b=700, notional_usd_tier_c=650),
        ),
        "6.5",
    ),
    RefusalReason.LEVERAGE: (
        SCENE.but(rules=risk(leverage_tier_a="0.11", leverage_tier_b="0.1", leverage_tier_c="0.1")),
        "11",
    ),
    RefusalReason.VOLUME_SHARE: (SCENE.but(quote=quote(volume_usd=Decimal(1_234_567))), "12.34"),
    # 0.1 % of 10 000 is 10 USD of margin: 100 USD of notional at 2 % x 5.
    RefusalReason.SINGLE_MARGIN: (SCENE.but(rules=risk(margin_single_pct="0.1"), stress=(STRESSED,)), "1"),
    # 95 % of 40 is 38; the entry on its way takes 10 coins x 100 x 2 %.
    RefusalReason.AVAILABLE_MARGIN: (
        SCENE.but(account=account(available_margin=Money(40)), positions=(planned("O1"),)),
        "9",
    ),
    RefusalReason.VENUE_MAXIMUM: (SCENE.but(instrument=coin(maximum_position=Quantity("20.5"))), "20.5"),
}


@pytest.mark.parametrize(("reason", "scene", "quantity"), [(reason, *each) for reason, each in CAPS.items()])
def test_each_cap_alone_makes_the_size(reason: RefusalReason, scene: Scene, quantity: str) -> None:
    sizing = scene.case().sizing
    assert (sizing.quantity, sizing.capped_by) == (Decimal(quantity), reason.value)
    answer = scene.decide()
    assert isinstance(answer, RiskApproved)
    assert f"capped by {reason.value}" in sentence(answer)


def test_venue_maximum_counts_what_is_held() -> None:
    scene = SCENE.but(instrument=coin(maximum_position=Quantity(25)), positions=(filled(), planned()))
    assert scene.case().sizing.quantity == 5


def test_filling_up_reaches_the_dearer_margin_level() -> None:
    """Half filled: 500 USD at 2 % are counted by the venue, the whole 1000 USD will be at 10 %."""
    steps = (*levels_of("0.01", "0.02"), MarginLevel(from_notional=Decimal(800), **_shares("0.1")))
    half = replace(planned("O1"), quantity=Quantity(5), market=coin("O1", margin_levels=steps))
    portfolio = SCENE.but(positions=(half,)).portfolio
    assert portfolio.initial_in_flight() == 1000 * Decimal("0.1") - 500 * Decimal("0.02")


def _shares(initial: str) -> dict[str, Decimal]:
    return {"initial": Decimal(initial), "maintenance": Decimal(initial) / 2}


def test_margin_jump_leaves_part_of_it_unused() -> None:
    steps = (*levels_of("0.01", "0.02"), MarginLevel(from_notional=Decimal(1000), **_shares("0.1")))
    calm = Decimal(1)
    assert notional_for(Decimal(10), steps, calm) == 500
    assert Decimal(999) < notional_for(Decimal(20), steps, calm) < 1000
    assert Decimal(999) < notional_for(Decimal(99), steps, calm) < 1000
    assert notional_for(Decimal(100), steps, calm) == 1000
    assert notional_for(Decimal(200), steps, calm) == 2000
    assert notional_for(Decimal(200), steps, Decimal(4)) == Decimal("999.9999999999999999999999999")
    assert notional_for(Decimal(-1), steps, calm) == 0


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(LADDERS), st.integers(0, 60_000), st.sampled_from([Decimal(1), Decimal("1.5"), Decimal(4)]))
def test_no_larger_notional_fits_the_margin(steps: tuple[MarginLevel, ...], margin: int, multiplier: Decimal) -> None:
    """Against a grid of notionals, and both sides of every jump."""
    market = coin(margin_levels=steps)
    found = notional_for(Decimal(margin), steps, multiplier)
    slack = 1 + Decimal("1e-20")
    assert found * market.margin_level(found).initial * multiplier <= margin * slack
    grid = [Decimal(each) for each in range(0, 400_000, 4_000)] + [margin / _rate(each) for each in steps]
    grid += [start for each in steps for start in (each.from_notional, each.from_notional * (1 - Decimal("1e-12")))]
    fitting = [each for each in grid if each * market.margin_level(each).initial * multiplier <= margin]
    assert max(fitting) <= found * slack


def _rate(level: MarginLevel) -> Decimal:
    return level.initial


@pytest.mark.parametrize("side", list(Side))
@given(ratio=st.decimals("0.98", "1.02", places=6))
def test_rounded_levels_stay_on_the_safe_side(side: Side, ratio: Decimal) -> None:
    spot = levels(side)
    found = contract_levels(signal(levels=spot), coin(), ratio)
    assert (found.entry - spot.entry * ratio) * side.sign <= 0
    assert (found.stop - spot.stop * ratio) * side.sign <= 0
    for price in (found.entry, found.stop, found.target_1, found.target_2, found.invalidation):
        assert price % coin().tick == 0
    for name in ("target_1", "target_2", "invalidation"):
        assert abs(getattr(found, name) - getattr(spot, name) * ratio) <= coin().tick / 2


def test_levels_lost_on_a_coarse_tick_are_refused() -> None:
    with pytest.raises(InvalidInput, match="in order"):
        contract_levels(signal(), coin(tick=Decimal(50)), Decimal(1))


@pytest.mark.parametrize("unknown", [{"bid": None}, {"ask": None}, {"bid": Price(102)}])
def test_unknown_spread_costs_the_widest_allowed(unknown: dict[str, Any]) -> None:
    blind = trade_cost(signal(), coin(), quote(**unknown), RULES)
    wide = quote(bid=Price("99.75"), ask=Price("100.25"))
    assert wide.spread == RULES.universe.maximum_spread_bps
    assert blind == trade_cost(signal(), coin(), wide, RULES)


def test_funding_to_pay_makes_the_trade_dearer() -> None:
    paid, received = (quote(hourly_funding=Decimal(each)) for each in ("0.0001", "-0.0001"))
    plain = trade_cost(signal(), coin(), quote(), RULES)
    assert trade_cost(signal(), coin(), paid, RULES) == plain + 6
    assert trade_cost(signal(), coin(), received, RULES) == plain


def test_dearer_trade_is_sized_smaller() -> None:
    dear = SCENE.but(rules=rules_with('{"cost": {"slippage_bps": 5}}')).case().sizing
    assert dear.quantity < SCENE.case().sizing.quantity
    assert dear.cost > SCENE.case().sizing.cost


def test_short_pays_its_costs_at_the_stop() -> None:
    """50 USD over 2 USD and 10 bps of the 102 USD at which it is bought back: a little less than the long's size."""
    short = SCENE.but(signal=signal(levels=levels(Side.SHORT))).case().sizing
    assert dict(short.allowed)[RefusalReason.MINIMUM_SIZE] == Decimal(50) / Decimal("2.102")
    assert short.risk == short.quantity * Decimal("2.102")


def test_rebate_is_no_gain_at_the_stop() -> None:
    """The maker's 5 bps come back on the entry's notional only; leaving costs 7 bps of the higher stop."""
    short = signal(levels=levels(Side.SHORT))
    scene = SCENE.but(signal=short, instrument=coin(maker_fee=BasisPoints(-5)))
    sizing = scene.case().sizing
    leaving = sizing.cost + 5
    per_coin = 2 - Decimal("0.05") + 102 * leaving / 10_000
    assert dict(sizing.allowed)[RefusalReason.MINIMUM_SIZE] == Decimal(50) / per_coin


def test_rebate_beyond_all_costs_adds_no_size() -> None:
    sizing = SCENE.but(instrument=coin(maker_fee=BasisPoints(-80))).case().sizing
    assert sizing.cost < 0
    assert dict(sizing.allowed)[RefusalReason.MINIMUM_SIZE] == Decimal(25)


def test_answer_is_told_in_one_sentence() -> None:
    approved, refused = SCENE.decide(), SCENE.but(quote=quote(suspended=True)).decide()
    assert sentence(approved) == "COIN long was approved: 23.80 at 100, stop 98, risk 49.98 USD."
    assert sentence(refused) == "COIN was refused: market_closed is 1 against 0."
