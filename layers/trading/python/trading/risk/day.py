"""The risk day: daily loss from the day's peak, and losses in a row. Counted once, remembered across restarts."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from trading.model.control import Control, KillLevel, LossStreak, RiskDay
from trading.model.positions import Trade
from trading.model.signals import Regime
from trading.model.units import Money
from trading.rules import RiskRules

PERCENT = Decimal(100)


def mark_equity(day: RiskDay | None, equity: Money, now: datetime, rules: RiskRules) -> RiskDay:
    """Roll the day at 00:00 UTC, keep the peak, halt at the limit. A halt survives the roll: a person resumes."""
    if day is None or day.day != now.date():
        day = RiskDay(
            day=now.date(),
            start_equity=equity,
            peak_equity=equity,
            last_equity=equity,
            halted_on=day.halted_on if day else None,
            streaks=day.streaks if day else (),
            version=day.version if day else 0,
        )
    peak = max(day.peak_equity, equity)
    lost_too_much = rules.daily_loss_limit and lost_share(peak, equity) >= rules.daily_loss_pct
    halted_on = day.day if lost_too_much else day.halted_on
    return replace(day, peak_equity=Money(peak), last_equity=equity, halted_on=halted_on)


def lost_share(peak: Decimal, equity: Decimal) -> Decimal:
    """Percent of the peak that is gone."""
    return (peak - equity) / peak * PERCENT if peak > 0 else PERCENT


def entry_level(control: Control, day: RiskDay | None, rules: RiskRules) -> KillLevel:
    """The kill level for entries under way: a daily loss halt cancels them like K2, whatever the switch says."""
    halted = rules.daily_loss_limit and day is not None and day.halted
    return max(control.level, KillLevel.CANCEL_ENTRIES) if halted else control.level


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


def _one_more(streak: LossStreak, now: datetime, rules: RiskRules) -> LossStreak:
    tight = streak.regime is Regime.TIGHT_SMC
    limit = rules.loss_streak_tight if tight else rules.loss_streak_wide
    minutes = rules.loss_streak_tight_minutes if tight else rules.loss_streak_wide_minutes
    losses = streak.losses + 1
    if losses < limit:
        return replace(streak, losses=losses)
    return LossStreak(regime=streak.regime, losses=0, paused_until=now + timedelta(minutes=minutes))
