"""The figures behind the verdicts, worked out by hand: values and bounds that stand in the trace."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from tests.fakes.records import NOW, RULES, account, coin, filled, planned, quote, risk_day, signal, waiting, with_state
from tests.unit.risk.cases import SCENE, Scene
from tests.unit.risk.limit_cases import CASES, R
from trading.model.instruments import MarginLevel, Side
from trading.model.orders import IntentState, Purpose
from trading.model.risk import LimitCheck, RefusalReason, RiskApproved
from trading.model.units import BasisPoints, Money, Price, Quantity
from trading.model.venue import ContractStress
from trading.risk import gate
from trading.risk.account_limits import reserved_risk
from trading.risk.case import full_size
from trading.risk.day import mark_equity
from trading.risk.liquidation import Holding, liquidation_buffer, liquidation_distance_of
from trading.risk.sizing import trade_cost


def check(scene: Scene, reason: RefusalReason) -> LimitCheck:
    found = scene.check(reason)
    assert found is not None
    return found


def stressed(name: str, multiplier: int) -> ContractStress:
    return ContractStress(
        contract=f"PF_{name}USD", dislocated=False, extreme_volatility=True, margin_multiplier=Decimal(multiplier)
    )


@pytest.mark.parametrize(
    ("last", "now", "ratio"),
    [("8000", "10000", "1.25"), ("12500", "10000", "1.25"), ("0.5", "0.6", "1.2"), ("0", "10000", "2")],
)
def test_equity_jump_is_a_ratio_either_way(last: str, now: str, ratio: str) -> None:
    scene = SCENE.but(day=risk_day(last_equity=Money(last)), account=account(Decimal(now)))
    found = check(scene, R.EQUITY_JUMP)
    assert (found.value, found.bound, found.passed) == (Decimal(ratio), 2, True)


def test_open_risk_of_tiny_accounts_is_a_share() -> None:
    scene = SCENE.but(account=account(Decimal("0.5")), day=risk_day(peak_equity=Money("0.5"), last_equity=Money("0.5")))
    assert check(scene, R.OPEN_RISK).value == 0


def test_reserved_risk_is_distance_and_cost() -> None:
    first, second = planned("O1", quantity=20), planned("O2", Side.SHORT, quantity=30)
    portfolio = SCENE.but(positions=(first, second)).portfolio
    # Two dollars a coin to either stop, 20 bps of 100 USD a coin to leave.
    assert reserved_risk(portfolio) == 50 * 2 + 50 * 100 * Decimal("0.0020")
    even = replace(filled("O1"), cost_bps=Decimal(0), stop=Price(100))
    assert reserved_risk(SCENE.but(positions=(even,)).portfolio) == 0


def test_margin_in_flight_adds_up_with_multipliers() -> None:
    positions = (planned("O1", quantity=20), planned("O2", quantity=30))
    portfolio = SCENE.but(positions=positions, stress=(stressed("O1", 3),)).portfolio
    assert portfolio.initial_in_flight() == (2000 * 3 + 3000) * Decimal("0.02")
    assert portfolio.maintenance_in_flight() == (2000 * 3 + 3000) * Decimal("0.01")


def test_ended_entry_is_as_large_as_it_filled() -> None:
    part = replace(with_state(waiting(), Purpose.ENTRY, IntentState.CANCELLED), quantity=Quantity(5))
    assert (full_size(part), full_size(waiting())) == (5, 10)


def test_expiry_is_bounded_by_nothing() -> None:
    found = check(SCENE.but(signal=signal(expires_at=NOW + timedelta(seconds=7))), R.SIGNAL_EXPIRED)
    assert (found.value, found.bound) == (-7, 0)


def test_ladder_is_measured_on_the_contract() -> None:
    found = check(SCENE.but(quote=quote(mark="100.5")), R.LEVELS)
    assert (found.value, found.bound) == (Decimal("0.1"), 2 * Decimal("1.005"))


def test_collapsed_ladder_names_its_signal() -> None:
    scene = CASES[R.LEVELS].beyond
    answer = scene.decide()
    assert answer.signal == scene.signal
    assert answer.limits[0].passed is False


def test_unknown_age_is_one_hour_too_much() -> None:
    assert check(SCENE.but(contracts_at=None), R.CONTRACT_AGE).value == 25


@pytest.mark.parametrize(("ask", "bps"), [("100", "9"), ("100.004", "9.2")])
def test_thin_spread_is_a_spread(ask: str, bps: str) -> None:
    scene = SCENE.but(quote=quote(bid=Price("100"), ask=Price(ask)))
    assert scene.refused_by() == set()
    cost = trade_cost(scene.signal, scene.instrument, scene.quote, RULES)
    assert cost.quantize(Decimal("0.01")) == Decimal(bps)


@pytest.mark.parametrize("taker", ["0", "0.5"])
def test_free_taker_is_no_error(taker: str) -> None:
    assert SCENE.but(instrument=coin(taker_fee=BasisPoints(taker), maker_fee=BasisPoints(0))).refused_by() == set()


LEVELS = (
    MarginLevel(from_notional=Decimal(0), initial=Decimal("0.02"), maintenance=Decimal("0.01")),
    MarginLevel(from_notional=Decimal(10_000), initial=Decimal("0.1"), maintenance=Decimal("0.05")),
)


def holding(side: Side, size: int, multiplier: str = "1", levels: tuple[MarginLevel, ...] = LEVELS) -> Holding:
    return Holding(side=side, size=Decimal(size), price=Decimal(100), levels=levels, multiplier=Decimal(multiplier))


def test_position_on_the_edge_is_in_the_dearer_level() -> None:
    assert liquidation_distance_of(holding(Side.LONG, 100), Decimal(300)) == 0
    assert liquidation_distance_of(holding(Side.SHORT, 100), Decimal(300)) == 0


def test_short_may_be_liquidated_beyond_twice_its_price() -> None:
    only = LEVELS[:1]
    found = liquidation_distance_of(holding(Side.SHORT, 1, levels=only), Decimal(500))
    assert found == 499 / Decimal("1.01")
    assert liquidation_distance_of(holding(Side.LONG, 1, levels=only), Decimal(500)) is None


def test_margin_falling_with_equity_never_meets_it() -> None:
    flat = (MarginLevel(from_notional=Decimal(0), initial=Decimal(1), maintenance=Decimal("0.5")),)
    assert liquidation_distance_of(holding(Side.LONG, 1, "2", flat), Decimal(101)) is None
    assert liquidation_distance_of(holding(Side.LONG, 1, "2", flat), Decimal(100)) == 0


def test_small_sizes_are_measured_too() -> None:
    scene = SCENE.but(account=account(200), day=risk_day(peak_equity=Money(200), last_equity=Money(200)))
    answer = scene.decide()
    assert isinstance(answer, RiskApproved)
    assert answer.sizing.quantity < 1
    assert scene.check(R.LIQUIDATION_DISTANCE) is not None


def test_buffer_that_is_just_used_up_refuses() -> None:
    case = SCENE.case()
    found = liquidation_buffer(case)
    assert found is not None
    equity = Money(case.portfolio.account.equity - (found.bound - found.value))
    portfolio = replace(case.portfolio, account=replace(case.portfolio.account, equity=equity))
    at_bound = liquidation_buffer(replace(case, portfolio=portfolio))
    assert at_bound is not None
    assert (at_bound.value, at_bound.passed) == (at_bound.bound, False)


def test_buffer_multiplies_the_margin_of_stressed_contracts() -> None:
    position = filled("O1", quantity=Quantity(10))
    calm = check(SCENE.but(positions=(position,)), R.LIQUIDATION_BUFFER)
    wild = check(SCENE.but(positions=(position,), stress=(stressed("O1", 3),)), R.LIQUIDATION_BUFFER)
    alone = check(SCENE, R.LIQUIDATION_BUFFER)
    assert wild.value - alone.value == 3 * (calm.value - alone.value)


def test_approval_keeps_the_premise_in_spot() -> None:
    answer = SCENE.but(quote=quote(mark="100.5")).decide()
    assert isinstance(answer, RiskApproved)
    assert answer.spot_invalidation == SCENE.signal.levels.invalidation


def test_two_refusals_are_both_told() -> None:
    answer = SCENE.but(account=account("9400"), rules=RULES).decide()
    assert "(open_risk would refuse it too)" in gate.sentence(answer)


def test_new_week_starts_from_its_day_even_unbelieved() -> None:
    monday = NOW + timedelta(days=7 - NOW.weekday())
    day = mark_equity(None, Money(10_000), NOW, RULES.risk)
    rolled = mark_equity(day, Money(30_000), monday, RULES.risk)
    assert (rolled.week, rolled.week_peak_equity, rolled.implausible) == (monday.date(), 10_000, 30_000)


def test_first_day_knows_all_its_peaks() -> None:
    day = mark_equity(None, Money(10_000), NOW, RULES.risk)
    assert {day.last_equity, day.week_peak_equity, day.highest_equity, day.peak_equity} == {Money(10_000)}
