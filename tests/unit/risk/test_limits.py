"""Every limit: it lets through at its bound and refuses just beyond it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from tests.fakes.records import (
    NOW,
    account,
    coin,
    control,
    filled,
    held,
    levels,
    planned,
    quote,
    risk_day,
    rules_with,
    seconds,
    signal,
)
from tests.unit.risk.cases import SCENE, Scene
from trading.model.control import KillLevel, LossStreak
from trading.model.instruments import MarginLevel
from trading.model.positions import Position
from trading.model.risk import RefusalReason, RiskApproved, RiskRefused
from trading.model.signals import Regime, Setup
from trading.model.units import Money, Quantity


def others(count: int, **changes: object) -> tuple[Position, ...]:
    """Open positions in other coins, in another cluster."""
    values: dict[str, object] = {"setup": Setup.TREND, "regime": Regime.WIDE_STRUCTURE, "quantity": Quantity("0.01")}
    return tuple(replace(filled(f"O{number}"), **(values | changes)) for number in range(count))


def levels_of(maintenance: str, initial: str = "0.5") -> tuple[MarginLevel, ...]:
    return (MarginLevel(from_notional=Decimal(0), initial=Decimal(initial), maintenance=Decimal(maintenance)),)


PAUSED = risk_day(streaks=(LossStreak(regime=Regime.TIGHT_SMC, losses=0, paused_until=NOW + seconds(1)),))
R = RefusalReason
WHOLE_MARGIN = SCENE.but(instrument=coin(margin_levels=levels_of("0.01", "1")))
PAIRS: list[tuple[RefusalReason, Scene, Scene]] = [
    (R.KILL_LEVEL, SCENE, SCENE.but(control=control(KillLevel.NO_ENTRIES))),
    (
        R.SIGNAL_EXPIRED,
        SCENE.but(signal=signal(expires_at=NOW + seconds(0.001))),
        SCENE.but(signal=signal(expires_at=NOW)),
    ),
    (R.MARKET_CLOSED, SCENE, SCENE.but(quote=quote(suspended=True))),
    (R.MARKET_CLOSED, SCENE, SCENE.but(quote=quote(post_only=True))),
    (R.QUOTE_AGE, SCENE.but(spot_at=NOW - seconds(10)), SCENE.but(spot_at=NOW - seconds(10.001))),
    (R.QUOTE_AGE, SCENE.but(spot_at=NOW + seconds(10)), SCENE.but(quote=quote(at=NOW - seconds(11)))),
    (R.EQUITY_AGE, SCENE.but(account=account(at=NOW - seconds(60))), SCENE.but(account=account(at=NOW - seconds(61)))),
    (R.BASIS, SCENE.but(quote=quote(mark="100.75")), SCENE.but(quote=quote(mark="100.76"))),
    (R.BASIS, SCENE.but(quote=quote(mark="99.25")), SCENE.but(quote=quote(mark="99.24"))),
    (R.DAILY_LOSS, SCENE.but(account=account("9500.01")), SCENE.but(account=account(9500))),
    (R.DAILY_LOSS, SCENE, SCENE.but(day=risk_day(halted_on=NOW.date()))),
    (R.LOSS_STREAK, SCENE.but(now=NOW + seconds(1), day=PAUSED), SCENE.but(day=PAUSED)),
    (R.POSITIONS, SCENE.but(positions=others(7)), SCENE.but(positions=others(8))),
    (
        R.CLUSTER_POSITIONS,
        SCENE.but(positions=others(2, setup=Setup.ORDER_BLOCK, regime=Regime.TIGHT_SMC)),
        SCENE.but(positions=others(3, setup=Setup.ORDER_BLOCK, regime=Regime.TIGHT_SMC)),
    ),
    (R.INSTRUMENT_POSITIONS, SCENE.but(positions=others(1)), SCENE.but(positions=(planned(),))),
    (R.INSTRUMENT_POSITIONS, SCENE, SCENE.but(venue_positions=(held(filled()),))),
    (
        R.ISOLATED_MARGIN,
        SCENE.but(venue_positions=(held(filled("O1")),)),
        SCENE.but(venue_positions=(held(filled("O1"), isolated=True),)),
    ),
    (
        R.MINIMUM_SIZE,
        SCENE.but(instrument=coin(minimum=Quantity("23.80"))),
        SCENE.but(instrument=coin(minimum=Quantity("23.81"))),
    ),
    (
        R.SINGLE_MARGIN,
        WHOLE_MARGIN.but(rules=rules_with('{"risk": {"margin_single_pct": 23.8}}')),
        WHOLE_MARGIN.but(rules=rules_with('{"risk": {"margin_single_pct": 23.79}}')),
    ),
    (
        R.AVAILABLE_MARGIN,
        SCENE.but(account=account(available_margin=Money("50.11"))),
        SCENE.but(account=account(available_margin=Money("50.10"))),
    ),
]


@pytest.mark.parametrize(
    ("reason", "within", "beyond"), PAIRS, ids=lambda each: str(each) if isinstance(each, str) else ""
)
def test_limit_holds_exactly_at_its_bound(reason: RefusalReason, within: Scene, beyond: Scene) -> None:
    inside, outside = within.check(reason), beyond.check(reason)
    assert inside is not None
    assert inside.passed
    assert outside is not None
    assert not outside.passed
    assert isinstance(beyond.decide(), RiskRefused)


def test_good_signal_passes_every_limit() -> None:
    answer = SCENE.decide()
    assert isinstance(answer, RiskApproved)
    assert {each.reason for each in answer.limits} == set(RefusalReason)
    assert all(each.passed for each in answer.limits)


def test_refusal_still_lists_every_limit() -> None:
    answer = SCENE.but(control=control(KillLevel.LOCK), account=account(9000)).decide()
    assert isinstance(answer, RiskRefused)
    assert answer.reason is RefusalReason.KILL_LEVEL
    assert {each.reason for each in answer.limits} == set(RefusalReason)
    assert [each.reason for each in answer.limits if not each.passed] == [R.KILL_LEVEL, R.DAILY_LOSS]


TOGGLES = [
    ("basis_guard", SCENE.but(quote=quote(mark="102")), R.BASIS),
    ("daily_loss_limit", SCENE.but(day=risk_day(halted_on=NOW.date())), R.DAILY_LOSS),
    ("loss_streak_pause", SCENE.but(day=PAUSED), R.LOSS_STREAK),
    ("liquidation_buffer", SCENE.but(account=account(maintenance_margin=Money(9_990))), R.LIQUIDATION_DISTANCE),
]


@pytest.mark.parametrize(("rule", "scene", "reason"), TOGGLES, ids=lambda each: each if isinstance(each, str) else "")
def test_switched_off_rule_changes_the_outcome(rule: str, scene: Scene, reason: RefusalReason) -> None:
    assert reason in scene.refused_by()
    off = scene.but(rules=rules_with(f'{{"risk": {{"{rule}": false}}}}'))
    assert reason not in off.refused_by()
    assert off.check(reason) is None


def test_entry_far_from_mark_is_refused() -> None:
    near = signal(levels=levels(entry="98.6"))
    far = signal(levels=levels(entry="98.4", invalidation="98.2"))
    assert R.ENTRY_COLLAR not in SCENE.but(signal=near).refused_by()
    assert R.ENTRY_COLLAR in SCENE.but(signal=far).refused_by()


@pytest.mark.parametrize(("reason", "share"), [(R.GROSS_NOTIONAL, 300), (R.SIDE_NOTIONAL, 200)])
def test_notional_counts_orders_in_flight(reason: RefusalReason, share: int) -> None:
    new = SCENE.decide()
    assert isinstance(new, RiskApproved)
    room = Decimal(10_000) * share / 100 - new.sizing.notional
    at_bound = planned("O1", quantity=Quantity(room / 100))
    beyond = planned("O1", quantity=Quantity(room / 100 + Decimal("0.01")))
    assert reason not in SCENE.but(positions=(at_bound,)).refused_by()
    assert reason in SCENE.but(positions=(beyond,)).refused_by()


def test_other_side_offsets_the_net_but_not_gross() -> None:
    longs = (planned("O1", quantity=190),)
    with_short = (*longs, replace(planned("O2", quantity=90), side=SCENE.signal.side.opposite))
    assert R.SIDE_NOTIONAL in SCENE.but(positions=longs).refused_by()
    assert SCENE.but(positions=with_short).refused_by() == {R.GROSS_NOTIONAL}


def test_margin_of_entries_in_flight_is_counted() -> None:
    scene = SCENE.but(account=account(available_margin=Money(100)))
    waiting = planned("O1", quantity=30)
    assert scene.refused_by() == set()
    assert scene.but(positions=(waiting,)).refused_by() == {R.AVAILABLE_MARGIN}
    assert scene.but(positions=(filled("O1", quantity=Quantity(30)),)).refused_by() == set()


def test_stop_in_front_of_liquidation_is_demanded() -> None:
    poor = SCENE.but(account=account(maintenance_margin=Money(9_930)))
    assert R.LIQUIDATION_DISTANCE in poor.refused_by()
    assert SCENE.but(account=account(maintenance_margin=Money(9_890))).refused_by() == set()


def test_all_stops_at_once_must_leave_margin() -> None:
    dear = coin("O1", margin_levels=levels_of("0.5"))
    loaded = replace(filled("O1", quantity=Quantity(150)), market=dear)
    assert SCENE.but(positions=(loaded,)).refused_by() == set()
    heavier = replace(loaded, quantity=Quantity(195))
    assert R.LIQUIDATION_BUFFER in SCENE.but(positions=(heavier,)).refused_by()


def test_liquidation_buffer_uses_each_own_market() -> None:
    cheap = filled("O1", quantity=Quantity(190))
    dear = replace(cheap, market=coin("O1", margin_levels=levels_of("0.5")))
    with_cheap = SCENE.but(positions=(cheap,)).check(R.LIQUIDATION_BUFFER)
    with_dear = SCENE.but(positions=(dear,)).check(R.LIQUIDATION_BUFFER)
    assert with_cheap is not None
    assert with_dear is not None
    assert with_dear.value - with_cheap.value == 190 * 98 * (Decimal("0.5") - Decimal("0.01"))


def test_losses_at_the_stop_reduce_what_is_left() -> None:
    position = filled("O1", quantity=Quantity(100))
    alone = SCENE.check(R.LIQUIDATION_BUFFER)
    with_other = SCENE.but(positions=(position,), other_quotes=(quote("PF_O1USD", 101),)).check(R.LIQUIDATION_BUFFER)
    assert alone is not None
    assert with_other is not None
    lost = 100 * (Decimal(3) + Decimal("0.35") * 2)
    assert alone.bound - with_other.bound == lost


def test_signal_of_another_hour_still_waits_its_pause() -> None:
    later = SCENE.but(day=PAUSED, now=NOW + timedelta(minutes=1))
    assert R.LOSS_STREAK not in later.refused_by()
    wide = SCENE.but(day=PAUSED, signal=signal(setup=Setup.TREND))
    assert R.LOSS_STREAK not in wide.refused_by()
