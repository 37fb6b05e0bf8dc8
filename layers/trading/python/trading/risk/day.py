"""The risk day: equity by day, week and ever, losses in a row. Counted once, remembered across restarts."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from trading.model.control import Control, KillLevel, LossStreak, RiskDay
from trading.model.positions import Trade
from trading.model.signals import Regime
from trading.model.units import Money
from trading.rules import RiskRules

PERCENT = Decimal(100)


def mark_equity(day: RiskDay | None, equity: Money, now: datetime, rules: RiskRules) -> RiskDay:
    """Roll the day at 00:00 UTC and the week on Monday, keep the peaks, halt at the day's limit.

    A halt survives the roll: a person resumes. An implausible equity changes nothing but `implausible`: it makes
    neither a peak nor a loss. A day that cannot be read is left as it is: a person has it begun anew.
    """
    if day is not None and day.unreadable:
        return day
    if day is not None and implausible(day, equity, rules):
        return replace(_rolled(day, day.last_equity, now), implausible=equity)
    day = _rolled(day, equity, now) if day else _opened(equity, now)
    peak = max(day.peak_equity, equity)
    lost_too_much = rules.daily_loss_limit and lost_share(peak, equity) >= rules.daily_loss_pct
    return replace(
        day,
        peak_equity=Money(peak),
        last_equity=equity,
        halted_on=day.day if lost_too_much else day.halted_on,
        week_peak_equity=Money(max(_known(day.week_peak_equity, peak), equity)),
        highest_equity=Money(max(_known(day.highest_equity, peak), equity)),
        implausible=None,
    )


def implausible(day: RiskDay, equity: Decimal, rules: RiskRules) -> bool:
    """Half or double of the last equity, or further from it: a wrong reading, a deposit or a withdrawal.

    The factor is `rules.equity_jump_ratio`; nothing and less than nothing is always too far below. Never without a
    last equity above zero: the first money of an account is no jump.
    """
    last = day.last_equity
    if not rules.equity_jump or last <= 0:
        return False
    return equity >= last * rules.equity_jump_ratio or equity * rules.equity_jump_ratio <= last


def lost_share(peak: Decimal, equity: Decimal) -> Decimal:
    """Percent of the peak that is gone. An account that never held anything has lost nothing; below a peak of
    nothing, all is lost."""
    if peak <= 0:
        return PERCENT if equity < peak else Decimal(0)
    return (peak - equity) / peak * PERCENT


def entry_level(control: Control, day: RiskDay | None, rules: RiskRules) -> KillLevel:
    """The kill level for entries under way, which may be stricter than the switch.

    A daily loss halt cancels them like K2, and so does an equity that is not believed: it may be true. A day that
    cannot be read may be halted, whatever is switched off.
    """
    if day is not None and day.unreadable:
        return max(control.level, KillLevel.CANCEL_ENTRIES)
    halted = rules.daily_loss_limit and day is not None and day.halted
    unclear = rules.equity_jump and day is not None and day.implausible is not None
    return max(control.level, KillLevel.CANCEL_ENTRIES) if halted or unclear else control.level


def near_limit(day: RiskDay, rules: RiskRules) -> bool:
    """Worth a warning: most of the day's loss limit is used."""
    return lost_share(day.peak_equity, day.last_equity) >= rules.daily_loss_pct * rules.daily_loss_warning_share


def count_trade(day: RiskDay, trade: Trade, now: datetime, rules: RiskRules) -> RiskDay:
    """Lengthen or end the regime's losing streak. Only losses of some size count; a win ends it."""
    streak = day.streak(trade.regime)
    counted = -trade.net >= day.last_equity * rules.loss_streak_counts_from_bps / 10_000
    if trade.net > 0:
        streak = LossStreak(regime=trade.regime, losses=0, paused_until=streak.paused_until)
    elif counted:
        streak = _one_more(streak, now, rules)
    others = tuple(each for each in day.streaks if each.regime is not trade.regime)
    return replace(day, streaks=(*others, streak))


def _opened(equity: Money, now: datetime) -> RiskDay:
    return RiskDay(
        day=now.date(),
        start_equity=equity,
        peak_equity=equity,
        last_equity=equity,
        halted_on=None,
        week=_monday(now),
    )


def _rolled(day: RiskDay, equity: Money, now: datetime) -> RiskDay:
    """The same day, or the next one with its own start; a week that was never recorded keeps today's peak."""
    if day.day != now.date():
        day = replace(day, day=now.date(), start_equity=equity, peak_equity=equity)
    if day.week != _monday(now):
        day = replace(day, week=_monday(now), week_peak_equity=day.peak_equity)
    return day


def _monday(now: datetime) -> date:
    return now.date() - timedelta(days=now.weekday())


def _known(recorded: Money | None, otherwise: Decimal) -> Decimal:
    return otherwise if recorded is None else recorded


def _one_more(streak: LossStreak, now: datetime, rules: RiskRules) -> LossStreak:
    tight = streak.regime is Regime.TIGHT_SMC
    limit = rules.loss_streak_tight if tight else rules.loss_streak_wide
    minutes = rules.loss_streak_tight_minutes if tight else rules.loss_streak_wide_minutes
    losses = streak.losses + 1
    if losses < limit:
        return replace(streak, losses=losses)
    return LossStreak(regime=streak.regime, losses=0, paused_until=now + timedelta(minutes=minutes))
