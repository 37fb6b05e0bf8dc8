from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from tests.fakes.records import NOW, RULES, control, risk_day, rules_with, trade
from trading.errors import InvalidInput
from trading.model.control import Guard, KillLevel, LossStreak, RiskDay, count_rejection
from trading.model.signals import Regime
from trading.model.units import Money
from trading.risk.day import count_trade, entry_level, implausible, mark_equity, near_limit

RISK = RULES.risk
TOMORROW = NOW + timedelta(days=1)
NO_JUMPS = rules_with('{"risk": {"equity_jump": false}}').risk
SUNDAY_NIGHT = datetime(2024, 5, 5, 23, 59, 59, 999_999, tzinfo=UTC)
MONDAY = datetime(2024, 5, 6, tzinfo=UTC)


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
    assert not mark_equity(risk_day(), Money(5_001), NOW, off).halted
    assert mark_equity(risk_day(), Money(5_001), NOW, RISK).halted
    halted = risk_day(halted_on=NOW.date())
    assert entry_level(control(), halted, off) is KillLevel.NORMAL
    assert entry_level(control(), halted, RISK) is KillLevel.CANCEL_ENTRIES


def test_warning_comes_before_the_halt() -> None:
    assert not near_limit(marked(10_000, 9_651), RISK)
    assert near_limit(marked(10_000, 9_650), RISK)


def after(day: RiskDay, *nets: int | str, regime: Regime = Regime.TIGHT_SMC) -> LossStreak:
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
    assert after(risk_day(), -50, "-19.999").losses == 1
    assert after(risk_day(), -50, -20).losses == 2
    assert after(risk_day(), -50, 0).losses == 1


def test_day_rolls_exactly_at_midnight_utc() -> None:
    day = mark_equity(None, Money(10_000), NOW, RISK)
    last = mark_equity(day, Money(9_700), SUNDAY_NIGHT, RISK)
    assert (last.day, last.start_equity, last.peak_equity) == (date(2024, 5, 5), 9_700, 9_700)
    still = mark_equity(last, Money(9_600), SUNDAY_NIGHT, RISK)
    assert (still.day, still.start_equity, still.peak_equity) == (date(2024, 5, 5), 9_700, 9_700)
    rolled = mark_equity(still, Money(9_500), MONDAY, RISK)
    assert (rolled.day, rolled.start_equity, rolled.peak_equity) == (date(2024, 5, 6), 9_500, 9_500)


def test_week_begins_on_monday_at_midnight() -> None:
    day = mark_equity(None, Money(10_000), NOW, RISK)
    assert (day.week, day.week_peak_equity) == (date(2024, 4, 29), 10_000)
    last = mark_equity(day, Money(9_600), SUNDAY_NIGHT, RISK)
    assert (last.week, last.week_peak_equity, last.highest_equity) == (date(2024, 4, 29), 10_000, 10_000)
    new = mark_equity(last, Money(9_500), MONDAY, RISK)
    assert (new.week, new.week_peak_equity, new.highest_equity) == (date(2024, 5, 6), 9_500, 10_000)


def test_peaks_rise_with_the_equity_only() -> None:
    day = marked(10_000, 12_000, 11_900)
    assert (day.peak_equity, day.week_peak_equity, day.highest_equity, day.last_equity) == (12_000,) * 3 + (11_900,)


def test_record_of_an_older_version_gets_its_peaks() -> None:
    old = risk_day(peak_equity=Money(10_200))
    assert (old.week, old.week_peak_equity, old.highest_equity) == (None, None, None)
    day = mark_equity(old, Money(10_100), NOW, RISK)
    assert (day.week, day.week_peak_equity, day.highest_equity) == (date(2024, 4, 29), 10_200, 10_200)


def test_day_keeps_what_its_equity_does_not_touch() -> None:
    streak = LossStreak(regime=Regime.WIDE_STRUCTURE, losses=1)
    day = mark_equity(risk_day(rejections=3, streaks=(streak,), version=4), Money(9_900), TOMORROW, RISK)
    assert (day.rejections, day.streaks, day.version) == (3, (streak,), 4)


@pytest.mark.parametrize(
    ("equity", "jump"),
    [("20000", True), ("19999.99", False), ("5000", True), ("5000.01", False), ("0", True), ("-1", True)],
)
def test_half_or_double_is_not_believed(equity: str, jump: bool) -> None:
    day = marked(10_000)
    assert implausible(day, Money(equity), RISK) is jump
    assert not implausible(day, Money(equity), NO_JUMPS)


@pytest.mark.parametrize("equity", [5_000, 20_000, 0])
def test_equity_not_believed_makes_no_peak_and_no_loss(equity: int) -> None:
    day = mark_equity(marked(10_000), Money(equity), NOW, RISK)
    assert (day.last_equity, day.peak_equity, day.week_peak_equity, day.highest_equity) == (10_000,) * 4
    assert (day.halted, day.implausible) == (False, equity)
    assert implausible(day, Money(equity), RISK)
    back = mark_equity(day, Money(9_990), NOW, RISK)
    assert (back.last_equity, back.implausible) == (9_990, None)


def test_switched_off_jump_marks_any_equity() -> None:
    day = mark_equity(marked(10_000), Money(4_000), NOW, NO_JUMPS)
    assert (day.last_equity, day.halted, day.implausible) == (4_000, True, None)


def test_day_rolls_while_equity_is_not_believed() -> None:
    day = mark_equity(marked(9_900, 10_000, 9_800), Money(1), TOMORROW, RISK)
    assert (day.day, day.start_equity, day.peak_equity, day.last_equity) == (TOMORROW.date(), 9_800, 9_800, 9_800)


@pytest.mark.parametrize("last", [0, -3])
def test_first_money_after_none_is_believed(last: int) -> None:
    assert not implausible(risk_day(last_equity=Money(last)), Money(10_000), RISK)
    assert implausible(risk_day(last_equity=Money("0.5")), Money(10_000), RISK)


def test_equity_not_believed_cancels_entries_under_way() -> None:
    unclear = risk_day(implausible=Money(1))
    assert entry_level(control(), unclear, RISK) is KillLevel.CANCEL_ENTRIES
    assert entry_level(control(), unclear, NO_JUMPS) is KillLevel.NORMAL
    assert entry_level(control(KillLevel.FLATTEN), unclear, RISK) is KillLevel.FLATTEN
    assert entry_level(control(KillLevel.NO_ENTRIES), None, RISK) is KillLevel.NO_ENTRIES
    assert entry_level(control(), risk_day(), RISK) is KillLevel.NORMAL


def test_accepted_entry_ends_the_row_of_rejections() -> None:
    day = count_rejection(count_rejection(risk_day(), True, 5), True, 5)
    assert (day.rejections, day.reached) == (2, ())
    assert count_rejection(day, False, 5).rejections == 0


def test_row_of_rejections_at_its_limit_is_remembered_once() -> None:
    day = risk_day(reached=(Guard.DRAWDOWN,))
    for accepted, count, reached in (
        (False, 1, (Guard.DRAWDOWN,)),
        (False, 2, (Guard.DRAWDOWN, Guard.REJECTIONS)),
        (False, 3, (Guard.DRAWDOWN, Guard.REJECTIONS)),
        (True, 0, (Guard.DRAWDOWN, Guard.REJECTIONS)),
    ):
        day = count_rejection(day, not accepted, 2)
        assert (day.rejections, day.reached) == (count, reached)


UNREADABLE = RiskDay.unknown("it does not decode", version=7)


def test_unreadable_day_is_halted_and_has_no_measure() -> None:
    assert (UNREADABLE.halted, UNREADABLE.halted_on, UNREADABLE.version) == (True, None, 7)
    assert (UNREADABLE.start_equity, UNREADABLE.peak_equity, UNREADABLE.last_equity) == (0, 0, 0)
    assert not risk_day().halted


@pytest.mark.parametrize("now", [NOW, TOMORROW])
def test_unreadable_day_is_marked_by_nothing(now: datetime) -> None:
    assert mark_equity(UNREADABLE, Money(10_000), now, RISK) == UNREADABLE
    assert mark_equity(replace(UNREADABLE, last_equity=Money(1)), Money(9), now, RISK).implausible is None


def test_unreadable_day_cancels_entries_whatever_is_off() -> None:
    off = rules_with('{"risk": {"equity_jump": false, "daily_loss_limit": false}}').risk
    assert entry_level(control(), UNREADABLE, off) is KillLevel.CANCEL_ENTRIES
    assert entry_level(control(KillLevel.NO_ENTRIES), UNREADABLE, RISK) is KillLevel.CANCEL_ENTRIES
    assert entry_level(control(KillLevel.FLATTEN), UNREADABLE, RISK) is KillLevel.FLATTEN


def test_row_of_rejections_below_zero_is_refused() -> None:
    with pytest.raises(InvalidInput, match="rejections is -1"):
        risk_day(rejections=-1)
