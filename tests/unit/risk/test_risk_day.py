from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from tests.fakes.records import NOW, RULES, risk_day, rules_with, trade
from trading.model.control import LossStreak, RiskDay
from trading.model.signals import Regime
from trading.model.units import Money
from trading.risk.day import count_trade, lost_share, mark_equity, near_limit

RISK = RULES.risk
TOMORROW = NOW + timedelta(days=1)


def marked(*equities: int, day: RiskDay | None = None) -> RiskDay:
    for equity in equities:
        day = mark_equity(day, Money(equity), NOW, RISK)
    assert day is not None
    return day


def test_first_equity_opens_the_day() -> None:
    day = marked(10_000)
    assert (day.day, day.start_equity, day.peak_equity, day.halted) == (NOW.date(), 10_000, 10_000, False)


def test_loss_is_measured_from_the_peak() -> None:
    assert not marked(10_000, 12_000, 11_401).halted
    assert marked(10_000, 12_000, 11_400).halted


def test_halt_outlives_recovery_and_the_day() -> None:
    day = marked(10_000, 9_500, 10_500)
    assert day.halted
    rolled = mark_equity(day, Money(10_500), TOMORROW, RISK)
    assert rolled.halted
    assert rolled.day == TOMORROW.date()


def test_new_day_starts_from_its_own_equity() -> None:
    streak = LossStreak(regime=Regime.TIGHT_SMC, losses=2)
    rolled = mark_equity(risk_day(streaks=(streak,), version=7), Money(9_700), TOMORROW, RISK)
    assert (rolled.start_equity, rolled.peak_equity, rolled.version) == (9_700, 9_700, 7)
    assert rolled.streak(Regime.TIGHT_SMC).losses == 2


def test_switched_off_daily_loss_never_halts() -> None:
    off = rules_with('{"risk": {"daily_loss_limit": false}}').risk
    assert not mark_equity(risk_day(), Money(5_000), NOW, off).halted


def test_warning_comes_before_the_halt() -> None:
    assert not near_limit(marked(10_000, 9_651), RISK)
    assert near_limit(marked(10_000, 9_650), RISK)


@pytest.mark.parametrize("peak", [0, -5])
def test_no_equity_means_all_is_lost(peak: int) -> None:
    assert lost_share(Decimal(peak), Decimal(0)) == 100


def after(day: RiskDay, *nets: int, regime: Regime = Regime.TIGHT_SMC) -> LossStreak:
    for net in nets:
        day = count_trade(day, trade(net, regime), NOW, RISK)
    return day.streak(regime)


@pytest.mark.parametrize(("regime", "limit", "minutes"), [(Regime.TIGHT_SMC, 3, 120), (Regime.WIDE_STRUCTURE, 5, 90)])
def test_streak_pauses_its_own_regime(regime: Regime, limit: int, minutes: int) -> None:
    almost = after(risk_day(), *[-50] * (limit - 1), regime=regime)
    assert (almost.losses, almost.paused_until) == (limit - 1, None)
    paused = after(risk_day(), *[-50] * limit, regime=regime)
    assert (paused.losses, paused.paused_until) == (0, NOW + timedelta(minutes=minutes))
    other = next(each for each in Regime if each is not regime)
    day = count_trade(risk_day(), trade(-50, regime), NOW, RISK)
    assert day.streak(other).losses == 0


def test_win_ends_the_streak_but_no_pause() -> None:
    until = NOW + timedelta(minutes=5)
    paused = risk_day(streaks=(LossStreak(regime=Regime.TIGHT_SMC, losses=2, paused_until=until),))
    assert after(paused, 1) == LossStreak(regime=Regime.TIGHT_SMC, losses=0, paused_until=until)


def test_small_loss_neither_counts_nor_resets() -> None:
    assert after(risk_day(), -50, -19).losses == 1
    assert after(risk_day(), -50, -20).losses == 2
    assert after(risk_day(), -50, 0).losses == 1
