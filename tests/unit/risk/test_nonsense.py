"""Nonsense that is still typed right: the gate refuses with a reason, and puts nothing in its place."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.fakes.records import NOW, account, coin, filled, held, levels, planned, quote, risk_day, signal
from tests.unit.risk.cases import SCENE, Scene
from trading.errors import InvalidInput
from trading.model.instruments import Side
from trading.model.risk import RefusalReason, RiskRefused
from trading.model.signals import Setup
from trading.model.units import BasisPoints, Money, Price, Quantity

R = RefusalReason
WIDE = signal(setup=Setup.TREND)
POOR = {R.MINIMUM_SIZE, R.TIER_NOTIONAL, R.LEVERAGE, R.SINGLE_MARGIN}

QUOTES: dict[str, tuple[dict[str, Any], set[RefusalReason]]] = {
    "no funding": ({"hourly_funding": None}, {R.QUOTE_COMPLETE}),
    "no bid": ({"bid": None}, {R.QUOTE_COMPLETE, R.SPREAD, R.COST}),
    "no ask": ({"ask": None}, {R.QUOTE_COMPLETE, R.SPREAD, R.COST}),
    "nothing but a mark": (
        {"bid": None, "ask": None, "hourly_funding": None, "index": None},
        {R.QUOTE_COMPLETE, R.SPREAD, R.COST},
    ),
    "crossed": ({"bid": Price(101)}, {R.QUOTE_COMPLETE, R.SPREAD, R.COST}),
    "no volume": ({"volume_usd": Decimal(0)}, {R.VOLUME_SHARE}),
    "negative volume": ({"volume_usd": Decimal(-6_000_000)}, {R.VOLUME_SHARE}),
    "funding of 100 % an hour": ({"hourly_funding": Decimal(1)}, {R.COST}),
    "tomorrow's quote": ({"at": NOW + timedelta(days=1)}, {R.QUOTE_AGE}),
}


@pytest.mark.parametrize(("changes", "reasons"), QUOTES.values(), ids=list(QUOTES))
def test_nonsense_in_the_quote_is_refused(changes: dict[str, Any], reasons: set[RefusalReason]) -> None:
    answer = SCENE.but(quote=quote(**changes)).decide()
    assert isinstance(answer, RiskRefused)
    refused = {each.reason for each in answer.limits if not each.passed}
    assert refused >= reasons - {R.COST}
    assert refused <= reasons
    assert answer.reason in reasons


@pytest.mark.parametrize("funding", [None, Decimal(1)])
def test_wide_idea_needs_a_sane_funding(funding: Decimal | None) -> None:
    assert R.FUNDING in SCENE.but(signal=WIDE, quote=quote(hourly_funding=funding)).refused_by()


def test_mark_that_is_far_from_spot_is_refused() -> None:
    refused = SCENE.but(quote=quote(mark=1_000_000)).refused_by()
    assert R.BASIS in refused
    assert SCENE.but(quote=quote(mark="0.02"), spot=Price(100)).refused_by() >= {R.LEVELS}


ACCOUNTS: dict[str, tuple[Scene, set[RefusalReason]]] = {
    "no equity": (SCENE.but(account=account(0)), POOR | {R.EQUITY_JUMP, R.DAILY_LOSS, R.OPEN_RISK, R.AVAILABLE_MARGIN}),
    "negative equity": (SCENE.but(account=account(-1)), POOR | {R.EQUITY_JUMP, R.DAILY_LOSS, R.AVAILABLE_MARGIN}),
    "nothing available": (SCENE.but(account=account(available_margin=Money(0))), {R.AVAILABLE_MARGIN}),
    "less than nothing available": (SCENE.but(account=account(available_margin=Money(-9))), {R.AVAILABLE_MARGIN}),
    "under water": (SCENE.but(account=account(maintenance_margin=Money(10_001))), {R.LIQUIDATION_DISTANCE}),
    "tomorrow's account": (SCENE.but(account=account(at=NOW + timedelta(days=1))), {R.EQUITY_AGE, R.CLOCK_SKEW}),
    "never any equity": (
        SCENE.but(account=account(0), day=risk_day(peak_equity=Money(0), last_equity=Money(0))),
        POOR | {R.OPEN_RISK},
    ),
    "contracts never read": (SCENE.but(contracts_at=None), {R.CONTRACT_AGE}),
}


@pytest.mark.parametrize(("scene", "reasons"), ACCOUNTS.values(), ids=list(ACCOUNTS))
def test_nonsense_in_the_account_is_refused(scene: Scene, reasons: set[RefusalReason]) -> None:
    answer = scene.decide()
    assert isinstance(answer, RiskRefused)
    assert {each.reason for each in answer.limits if not each.passed} >= reasons


FEES: dict[str, dict[str, Any]] = {
    "maker above 1 %": {"maker_fee": BasisPoints("100.01")},
    "taker above 1 %": {"taker_fee": BasisPoints("100.01")},
    "paid to takers": {"taker_fee": BasisPoints("-0.01")},
    "rebate above 1 %": {"maker_fee": BasisPoints("-100.01")},
}


@pytest.mark.parametrize("fees", FEES.values(), ids=list(FEES))
def test_fees_beyond_reason_stop_at_the_contract(fees: dict[str, Any]) -> None:
    """Discovery cannot even make such an instrument, so no idea about it reaches the gate."""
    with pytest.raises(InvalidInput, match="fee"):
        coin(**fees)


@pytest.mark.parametrize("fees", FEES.values(), ids=list(FEES))
def test_gate_refuses_fees_beyond_reason_itself(fees: dict[str, Any]) -> None:
    """And should one get past discovery (an old record, a new path), the gate does not trade it."""
    instrument = coin()
    for name, fee in fees.items():
        object.__setattr__(instrument, name, fee)
    assert R.FEES in SCENE.but(instrument=instrument).refused_by()


@pytest.mark.parametrize(("quantity", "side"), [("10.01", Side.LONG), (10, Side.SHORT), (1, Side.SHORT)])
def test_venue_that_disagrees_with_records_is_refused(quantity: Any, side: Side) -> None:
    """More than our record says, or the other side of it: what is at risk is not known."""
    ours = filled("O1")
    theirs = replace(held(ours, quantity), side=side)
    assert SCENE.but(positions=(ours,), venue_positions=(theirs,)).refused_by() == {R.UNRECORDED_POSITIONS}


def test_records_of_one_contract_are_added_up() -> None:
    ours = filled("O1")
    both = (ours, filled("O1"))
    assert SCENE.but(positions=both, venue_positions=(held(ours, 20),)).refused_by() == set()
    assert SCENE.but(positions=both, venue_positions=(held(ours, "20.01"),)).refused_by() == {R.UNRECORDED_POSITIONS}


def test_position_without_a_quote_is_valued_at_entry() -> None:
    """Its contract left the tickers: it keeps its place in every sum, at the last price we know."""
    lost = (filled("O1", quantity=Quantity(100)),)
    assert SCENE.but(positions=lost).portfolio.notional() == 100 * 100
    assert SCENE.but(positions=lost, other_quotes=(quote("PF_O1USD", 90),)).portfolio.notional() == 100 * 90


@pytest.mark.parametrize(("mark", "worth"), [(90, 1000), (110, 1100)])
def test_waiting_entry_counts_at_its_dearer_price(mark: int, worth: int) -> None:
    """It fills at its own price; until then the mark may be what its margin is taken from."""
    portfolio = SCENE.but(positions=(planned("O1"),), other_quotes=(quote("PF_O1USD", mark),)).portfolio
    assert portfolio.notional() == worth
    assert portfolio.initial_in_flight() == worth * Decimal("0.02")


def test_stop_that_rounds_to_nothing_is_refused() -> None:
    tiny = levels(entry="0.0001", stop="0.00001", invalidation="0.00005", target_1="0.0002", target_2="0.0003")
    scene = SCENE.but(signal=signal(levels=tiny), quote=quote(mark="0.02"), spot=Price("0.02"))
    answer = scene.decide()
    assert isinstance(answer, RiskRefused)
    assert [each.reason for each in answer.limits] == [R.LEVELS]


def test_minimum_larger_than_the_step_is_respected() -> None:
    coarse = coin(step=Decimal(50), minimum=Quantity("0.01"))
    assert SCENE.but(instrument=coarse).refused_by() == {R.MINIMUM_SIZE}


def test_account_below_zero_may_hold_nothing() -> None:
    """Not less than nothing: a bound below zero would be looser the stricter its rule is."""
    scene = SCENE.but(account=account(-40))
    for reason in (R.GROSS_NOTIONAL, R.SIDE_NOTIONAL):
        check = scene.check(reason)
        assert check is not None
        assert check.bound == 0
