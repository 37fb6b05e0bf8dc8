"""What raises the kill level by itself: at its bound, not one step inside, and not again after a resume."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from tests.fakes.records import NOW, RULES, risk_day, rules_with
from trading.model.control import Guard, KillLevel, RiskDay, count_rejection
from trading.model.units import Money
from trading.risk.day import mark_equity
from trading.risk.guards import automatic_level, drawdown, latched, reached, resumed, stops_more, week_loss
from trading.rules import RiskRules

RISK = RULES.risk
MONDAY = date(2024, 4, 29)
WEEK, EVER = RISK.weekly_loss_pct, RISK.drawdown_pct


def day_with(equity: str = "10000", **changes: Any) -> RiskDay:
    peaks = {"week": MONDAY, "week_peak_equity": Money(10_000), "highest_equity": Money(10_000)}
    return risk_day(last_equity=Money(equity), **(peaks | changes))


def names(day: RiskDay, rules: RiskRules = RISK) -> tuple[Guard, ...]:
    return reached(day, rules)


def switched(key: str) -> RiskRules:
    return rules_with(f'{{"risk": {{"{key}": false}}}}').risk


def test_starting_values_are_those_of_the_design() -> None:
    assert (WEEK, EVER, RISK.rejections_in_a_row, RISK.equity_jump_ratio) == (10, 20, 5, 2)


@pytest.mark.parametrize(
    ("day", "guard"),
    [
        (day_with("9000", highest_equity=Money(9_000)), Guard.WEEKLY_LOSS),
        (day_with("8000", week_peak_equity=Money(8_000)), Guard.DRAWDOWN),
        (day_with(rejections=5), Guard.REJECTIONS),
    ],
)
def test_guard_asks_for_no_entries_at_bound(day: RiskDay, guard: Guard) -> None:
    assert names(day) == (guard,)
    asked = automatic_level(day, RISK)
    assert asked is not None
    assert asked[0] is KillLevel.NO_ENTRIES
    assert asked[1].startswith(f"{guard}: ")


@pytest.mark.parametrize(
    "day",
    [
        day_with("9000.01", highest_equity=Money(9_000)),
        day_with("8000.01", week_peak_equity=Money(8_000)),
        day_with(rejections=4),
        risk_day(last_equity=Money(1)),
    ],
)
def test_guard_is_silent_one_step_inside(day: RiskDay) -> None:
    assert names(day) == ()
    assert automatic_level(day, RISK) is None


@pytest.mark.parametrize(
    ("key", "guard"), [("weekly_loss_limit", Guard.WEEKLY_LOSS), ("drawdown_limit", Guard.DRAWDOWN)]
)
def test_switched_off_guard_never_speaks(key: str, guard: Guard) -> None:
    day = latched(day_with("7000"), RISK)
    assert day.reached == (Guard.WEEKLY_LOSS, Guard.DRAWDOWN)
    assert guard not in names(day, switched(key))
    assert len(names(day, switched(key))) == 1


def test_reason_names_each_guard_with_its_numbers() -> None:
    asked = automatic_level(day_with("8000", rejections=6), RISK)
    assert asked is not None
    assert asked[1] == (
        "WEEKLY_LOSS: equity is 8000 USD after 10000 USD, 20.00 % less, limit 10 %; "
        "DRAWDOWN: equity is 8000 USD after 10000 USD, 20.00 % less, limit 20 %; "
        "REJECTIONS: 6 entries rejected in a row, limit 5"
    )


def test_reached_guard_outlives_a_recovery() -> None:
    day = latched(day_with("9000"), RISK)
    back = replace(day, last_equity=Money(9_990))
    asked = automatic_level(back, RISK)
    assert asked is not None
    assert "0.10 % less, limit 10 % (its limit was reached before)" in asked[1]
    assert latched(back, RISK).reached == (Guard.WEEKLY_LOSS,)


def test_new_week_alone_does_not_end_guard() -> None:
    day = latched(day_with("9000"), RISK)
    monday = NOW.replace(day=6)
    assert names(mark_equity(day, Money(9_000), monday, RISK)) == (Guard.WEEKLY_LOSS,)


def test_resume_measures_anew_what_was_reached() -> None:
    day, said = resumed(latched(day_with("8000", rejections=5), RISK), RISK)
    assert (day.week_peak_equity, day.highest_equity, day.rejections, day.reached) == (8_000, 8_000, 0, ())
    assert said == (
        "WEEKLY_LOSS is measured from 8000 USD",
        "DRAWDOWN is measured from 8000 USD",
        "REJECTIONS are counted from 0, not 5",
    )
    assert names(mark_equity(day, Money(8_000), NOW, RISK)) == ()


def test_resume_leaves_what_was_not_reached() -> None:
    day, said = resumed(latched(day_with("9000"), RISK), RISK)
    assert (day.week_peak_equity, day.highest_equity) == (9_000, 10_000)
    assert len(said) == 1
    calm = day_with("9500")
    assert resumed(calm, RISK) == (calm, ())


def test_many_weeks_of_resumes_still_reach_the_drawdown() -> None:
    day: RiskDay = day_with()
    for equity in (9_000, 8_100):
        day = latched(mark_equity(day, Money(equity), NOW, RISK), RISK)
        assert day.reached == (Guard.WEEKLY_LOSS,)
        day, _ = resumed(day, RISK)
    day = latched(mark_equity(day, Money(8_000), NOW, RISK), RISK)
    assert day.reached == (Guard.DRAWDOWN,)


def test_resume_after_recovery_ends_the_guard_too() -> None:
    day = latched(day_with("9000"), RISK)
    day, _ = resumed(replace(day, last_equity=Money(9_100)), RISK)
    assert (day.week_peak_equity, day.reached) == (9_100, ())
    assert names(mark_equity(day, Money(9_000), NOW, RISK)) == ()


def test_resume_accepts_an_equity_not_believed() -> None:
    day = latched(day_with("9000", implausible=Money(30_000), rejections=2), RISK)
    accepted, said = resumed(day, RISK)
    equities = (accepted.start_equity, accepted.peak_equity, accepted.last_equity, accepted.week_peak_equity)
    assert (*equities, accepted.highest_equity) == (30_000,) * 5
    assert (accepted.implausible, accepted.reached, accepted.rejections) == (None, (), 0)
    assert said == ("the equity of 30000 USD is accepted",)


def test_measures_say_percent_of_their_peaks() -> None:
    day = day_with("9000", highest_equity=Money(12_000))
    assert (week_loss(day), drawdown(day)) == (10, 25)
    assert (week_loss(risk_day()), drawdown(risk_day())) == (0, 0)


HALTED_DAY = risk_day(halted_on=NOW.date())
UNCLEAR = risk_day(implausible=Money(30_000))
AT_DRAWDOWN = risk_day(reached=(Guard.DRAWDOWN,))
AT_BOTH = risk_day(reached=(Guard.WEEKLY_LOSS, Guard.DRAWDOWN))


@pytest.mark.parametrize(
    ("before", "after", "more"),
    [
        (None, risk_day(), False),
        (None, HALTED_DAY, True),
        (None, AT_DRAWDOWN, True),
        (risk_day(), risk_day(), False),
        (risk_day(), HALTED_DAY, True),
        (HALTED_DAY, HALTED_DAY, False),
        (HALTED_DAY, risk_day(), False),
        (risk_day(), UNCLEAR, True),
        (UNCLEAR, UNCLEAR, False),
        (UNCLEAR, risk_day(), False),
        (AT_DRAWDOWN, AT_BOTH, True),
        (AT_BOTH, AT_DRAWDOWN, False),
        (AT_BOTH, AT_BOTH, False),
    ],
)
def test_only_what_newly_stops_entries_is_kept_at_once(before: RiskDay | None, after: RiskDay, more: bool) -> None:
    assert stops_more(before, after) is more


def test_row_that_ended_after_its_limit_still_asks() -> None:
    day = risk_day()
    for accepted in (False, False, False, False, False, True):
        day = count_rejection(day, not accepted, RISK.rejections_in_a_row)
    kept = latched(day, RISK)
    assert (kept.rejections, kept.reached) == (0, (Guard.REJECTIONS,))
    assert automatic_level(kept, RISK) == (
        KillLevel.NO_ENTRIES,
        "REJECTIONS: 0 entries rejected in a row, limit 5 (its limit was reached before)",
    )
    assert resumed(kept, RISK)[0] == risk_day()


@pytest.mark.parametrize("rules", [RISK, rules_with('{"risk": {"weekly_loss_limit": false}}').risk])
def test_unreadable_day_asks_for_no_entries(rules: RiskRules) -> None:
    asked = automatic_level(RiskDay.unknown("it does not decode", version=3), rules)
    assert asked == (KillLevel.NO_ENTRIES, "the risk day cannot be read: it does not decode")
    assert not stops_more(RiskDay.unknown("a", version=3), RiskDay.unknown("a", version=3))
