"""Every limit: it lets through at its bound, refuses alone just beyond it, and changes the outcome when taken out."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from tests.fakes.records import NOW, account, coin, control, filled, held, levels, planned, quote, risk_day, signal
from tests.unit.risk.cases import SCENE
from tests.unit.risk.limit_cases import (
    CASES,
    NO_OPEN_RISK,
    STREAK,
    LimitCase,
    R,
    entries,
    levels_of,
    numbered,
    resting_sale,
    risk,
)
from trading.model.book import EntryBook
from trading.model.control import KillLevel
from trading.model.disorder import EVERYWHERE, DisorderPause, MarketWatch
from trading.model.instruments import Side
from trading.model.orders import OrderSide
from trading.model.risk import RefusalReason, RiskApproved, RiskRefused
from trading.model.signals import Setup
from trading.model.units import BasisPoints, Money, Quantity
from trading.model.venue import ContractStress
from trading.risk import gate

EACH = pytest.mark.parametrize(("reason", "case"), list(CASES.items()), ids=[each.value for each in CASES])


def test_every_limit_has_its_pair_of_scenes() -> None:
    assert set(CASES) == set(RefusalReason)
    assert len(gate.LIMITS) == len(RefusalReason)


@EACH
def test_one_step_inside_the_bound_approves(reason: RefusalReason, case: LimitCase) -> None:
    answer = case.inside.decide()
    assert case.inside.refused_by() == set()
    assert isinstance(answer, RiskApproved)
    assert reason in {each.reason for each in answer.limits}


@EACH
def test_only_this_limit_refuses_beyond_it(reason: RefusalReason, case: LimitCase) -> None:
    answer = case.beyond.decide()
    assert isinstance(answer, RiskRefused)
    assert answer.reason is reason
    assert case.beyond.refused_by() == {reason}


# Without a ladder on the tick there is nothing to size: that limit cannot be taken out.
REMOVABLE = {reason: case for reason, case in CASES.items() if reason is not R.LEVELS}


@pytest.mark.parametrize(("reason", "case"), list(REMOVABLE.items()), ids=[each.value for each in REMOVABLE])
def test_without_this_limit_it_would_be_approved(
    reason: RefusalReason, case: LimitCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = tuple(limit for limit, named in REASONS.items() if named is not reason)
    assert len(others) == len(gate.LIMITS) - 1
    monkeypatch.setattr(gate, "LIMITS", others)
    assert isinstance(case.beyond.decide(), RiskApproved)


def _reason_of(limit: gate.Limit) -> RefusalReason:
    """What a limit calls itself, heard in the first scene in which it has something to say."""
    checks = (limit(each.inside.case()) for each in CASES.values())
    return next(check.reason for check in checks if check is not None)


REASONS = {limit: _reason_of(limit) for limit in gate.LIMITS}


SWITCHES = {
    "disorder": R.MARKET_DISORDER,
    "equity_jump": R.EQUITY_JUMP,
    "basis_guard": R.BASIS,
    "daily_loss_limit": R.DAILY_LOSS,
    "loss_streak_pause": R.LOSS_STREAK,
    "open_risk": R.OPEN_RISK,
    "liquidation_buffer": R.LIQUIDATION_DISTANCE,
    "depth": R.DEPTH,
}


@pytest.mark.parametrize(("switch", "reason"), SWITCHES.items(), ids=list(SWITCHES))
def test_switched_off_rule_changes_the_outcome(switch: str, reason: RefusalReason) -> None:
    scene = CASES[reason].beyond
    off = scene.but(rules=replace(scene.rules, risk=replace(scene.rules.risk, **{switch: False})))
    assert off.check(reason) is None
    assert isinstance(off.decide(), RiskApproved)


def test_good_signal_passes_every_limit() -> None:
    tight, wide = SCENE.decide(), SCENE.but(signal=signal(setup=Setup.TREND)).decide()
    assert {each.reason for each in tight.limits} == set(RefusalReason) - {R.FUNDING}
    assert {each.reason for each in wide.limits} == set(RefusalReason)
    assert all(each.passed for each in (*tight.limits, *wide.limits))


def test_refusal_still_lists_every_limit() -> None:
    answer = SCENE.but(control=control(KillLevel.LOCK), account=account(9000)).decide()
    assert isinstance(answer, RiskRefused)
    assert answer.reason is R.KILL_LEVEL
    assert {each.reason for each in answer.limits} == set(RefusalReason) - {R.FUNDING}
    refused = [each.reason for each in answer.limits if not each.passed]
    assert refused == [R.KILL_LEVEL, R.DAILY_LOSS, R.OPEN_RISK]
    assert "daily_loss, open_risk would refuse it too" in gate.sentence(answer)


def test_post_only_market_is_closed_too() -> None:
    assert SCENE.but(quote=quote(post_only=True)).refused_by() == {R.MARKET_CLOSED}


def test_pause_everywhere_holds_for_each_contract() -> None:
    everywhere = DisorderPause(contract=EVERYWHERE, until=NOW + timedelta(minutes=1), why="jump")
    elsewhere = replace(everywhere, contract="PF_OTHERUSD")
    assert SCENE.but(watch=MarketWatch(pauses=(everywhere,))).refused_by() == {R.MARKET_DISORDER}
    assert SCENE.but(watch=MarketWatch(pauses=(elsewhere,))).refused_by() == set()


def test_contracts_of_the_future_are_refused() -> None:
    assert SCENE.but(contracts_at=NOW + timedelta(hours=25)).refused_by() == {R.CONTRACT_AGE}


def test_unknown_age_of_contracts_refuses() -> None:
    assert SCENE.but(contracts_at=None).refused_by() == {R.CONTRACT_AGE}


@pytest.mark.parametrize("missing", ["bid", "ask"])
def test_quote_without_a_side_is_refused(missing: str) -> None:
    assert SCENE.but(quote=quote(**{missing: None})).refused_by() >= {R.QUOTE_COMPLETE, R.SPREAD}


def test_quotes_of_different_moments_are_refused() -> None:
    apart = SCENE.but(spot_at=NOW + timedelta(seconds=5), quote=quote(at=NOW - timedelta(seconds=6)))
    assert apart.refused_by() == {R.QUOTE_AGE}


@pytest.mark.parametrize("mark", ["99.24", "100.76"])
def test_basis_is_torn_in_both_directions(mark: str) -> None:
    assert SCENE.but(quote=quote(mark=mark)).refused_by() == {R.BASIS}


def test_halted_day_refuses_whatever_the_equity() -> None:
    assert SCENE.but(day=risk_day(halted_on=NOW.date())).refused_by() == {R.DAILY_LOSS}


def test_pause_of_one_regime_leaves_the_other() -> None:
    assert SCENE.but(day=STREAK, signal=signal(setup=Setup.TREND)).refused_by() == set()


def test_equity_that_is_gone_is_a_jump() -> None:
    assert R.EQUITY_JUMP in SCENE.but(account=account(0)).refused_by()
    assert R.EQUITY_JUMP in SCENE.but(account=account(-5)).refused_by()


def test_wide_trade_is_measured_by_its_target() -> None:
    wide = SCENE.but(signal=signal(setup=Setup.TREND))
    assert wide.but(instrument=coin(taker_fee=BasisPoints(35))).refused_by() == set()
    assert wide.but(instrument=coin(taker_fee=BasisPoints("35.01"))).refused_by() == {R.COST}


def test_venue_position_without_record_blocks_its_coin() -> None:
    refused = SCENE.but(venue_positions=(held(filled()),)).refused_by()
    assert refused == {R.INSTRUMENT_POSITIONS, R.UNRECORDED_POSITIONS}


@pytest.mark.parametrize(("side", "price", "crosses"), [("buy", "101", False), ("sell", "99", True)])
def test_only_the_other_side_can_match(side: str, price: str, crosses: bool) -> None:
    order = replace(resting_sale(price), side=OrderSide(side))
    assert SCENE.but(orders=(order,)).refused_by() == ({R.SELF_MATCH} if crosses else set())


def test_orders_of_other_contracts_cannot_match() -> None:
    order = replace(resting_sale("99"), contract="PF_OTHERUSD")
    assert SCENE.but(orders=(order,)).refused_by() == set()


def test_entries_of_yesterday_are_forgotten() -> None:
    assert SCENE.but(book=entries(["COIN"] * 70, timedelta(hours=24))).refused_by() == set()
    book = entries(numbered(60), timedelta(hours=24))
    assert book.with_entry(entries(["NEW"], timedelta(0)).entries[0]).entries[0].instrument == "NEW"
    assert EntryBook().with_entry(book.entries[0]).version == 1


def test_repeat_on_the_other_side_is_another_idea() -> None:
    assert SCENE.but(book=entries(["COIN"], timedelta(minutes=5), Side.SHORT)).refused_by() == set()


def test_only_a_filled_other_side_offsets_the_net() -> None:
    longs = SCENE.but(positions=(planned("O1", quantity=190),), rules=NO_OPEN_RISK)
    waiting = longs.but(positions=(*longs.positions, planned("O2", Side.SHORT, quantity=20)))
    held_short = filled("O2", Side.SHORT, quantity=Quantity(20))
    assert longs.refused_by() == {R.SIDE_NOTIONAL}
    assert waiting.refused_by() == {R.SIDE_NOTIONAL}
    assert longs.but(positions=(*longs.positions, held_short)).refused_by() == set()


def test_other_side_offsets_the_net_but_not_gross() -> None:
    longs = SCENE.but(positions=(planned("O1", quantity=190),), rules=NO_OPEN_RISK)
    held_short = filled("O2", Side.SHORT, quantity=Quantity(90))
    assert longs.but(positions=(*longs.positions, held_short)).refused_by() == {R.GROSS_NOTIONAL}


def test_margin_of_entries_in_flight_is_counted() -> None:
    scene = SCENE.but(account=account(available_margin=Money(60)))
    alone = scene.decide()
    assert isinstance(alone, RiskApproved)
    assert alone.sizing.quantity == Quantity("23.80")
    waiting = scene.but(positions=(planned("O1", quantity=20),)).decide()
    assert isinstance(waiting, RiskApproved)
    # 95 % of 60 less 20 coins x 100 x 2 %: 17 USD are left, which is 8.5 coins.
    assert (waiting.sizing.quantity, waiting.sizing.capped_by) == (Quantity("8.5"), "available_margin")
    full = scene.but(positions=(filled("O1", quantity=Quantity(20)),)).decide()
    assert isinstance(full, RiskApproved)
    assert full.sizing.quantity == Quantity("23.80")


def test_margin_multiplied_by_the_venue_allows_less() -> None:
    wild = ContractStress(
        contract="PF_COINUSD", dislocated=False, extreme_volatility=True, margin_multiplier=Decimal(5)
    )
    scene = SCENE.but(account=account(available_margin=Money(60)), stress=(wild,))
    answer = scene.decide()
    assert isinstance(answer, RiskApproved)
    assert (answer.sizing.quantity, answer.sizing.margin) == (Quantity("5.7"), Money(57))
    assert replace(wild, contract="PF_OTHERUSD") != wild


def test_break_even_stop_reserves_no_risk() -> None:
    scene = SCENE.but(rules=risk(daily_loss_pct=4))
    loaded = filled("O1", quantity=Quantity("175.02"), cost_bps=Decimal(0))
    assert scene.but(positions=(loaded,)).refused_by() == {R.OPEN_RISK}
    safe = replace(loaded, stop=loaded.levels.entry)
    assert scene.but(positions=(safe,)).refused_by() == set()


def test_open_profit_given_back_counts_as_risk() -> None:
    scene = SCENE.but(rules=risk(daily_loss_pct=4), positions=(filled("O1", quantity=Quantity(120)),))
    assert scene.refused_by() == set()
    assert scene.but(other_quotes=(quote("PF_O1USD", 101),)).refused_by() == {R.OPEN_RISK}


def test_losses_of_the_day_leave_less_room() -> None:
    early, late = SCENE.but(account=account(9_540)), SCENE.but(account=account(9_560))
    assert early.refused_by() == {R.OPEN_RISK}
    assert late.refused_by() == set()


def test_liquidation_buffer_uses_each_own_market() -> None:
    cheap = filled("O1", quantity=Quantity(190))
    dear = replace(cheap, market=coin("O1", margin_levels=levels_of("0.5")))
    with_cheap = SCENE.but(positions=(cheap,)).check(R.LIQUIDATION_BUFFER)
    with_dear = SCENE.but(positions=(dear,)).check(R.LIQUIDATION_BUFFER)
    assert with_cheap is not None
    assert with_dear is not None
    # Beyond the stop at 98 by 35 % of the two dollars to it.
    assert with_dear.value - with_cheap.value == 190 * Decimal("97.3") * (Decimal("0.5") - Decimal("0.01"))


def test_losses_at_the_stop_reduce_what_is_left() -> None:
    position = filled("O1", quantity=Quantity(100))
    alone = SCENE.check(R.LIQUIDATION_BUFFER)
    with_other = SCENE.but(positions=(position,), other_quotes=(quote("PF_O1USD", 101),)).check(R.LIQUIDATION_BUFFER)
    assert alone is not None
    assert with_other is not None
    costs = 100 * 100 * Decimal("0.0020")
    assert alone.bound - with_other.bound == 100 * (Decimal(3) + Decimal("0.35") * 2) + costs


def test_levels_far_from_the_mark_are_refused_for_shorts() -> None:
    far = signal(levels=levels(Side.SHORT, entry="101.6"))
    assert SCENE.but(signal=far).refused_by() == {R.ENTRY_COLLAR}
