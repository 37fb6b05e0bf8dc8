"""The guards that raise the kill level by themselves, and how a person's resume ends them."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from trading.model.control import Guard, KillLevel, RiskDay
from trading.model.units import Money
from trading.risk.day import lost_share
from trading.rules import RiskRules


def automatic_level(day: RiskDay, rules: RiskRules) -> tuple[KillLevel, str] | None:
    """The level that the guards ask for, with the reason for the control record; None while all are silent.

    Never above K2: what is above it closes positions, and that a person decides. A day that cannot be read asks for
    it too, whatever is switched off: nobody knows what it had reached.
    """
    if day.unreadable:
        return KillLevel.NO_ENTRIES, f"the risk day cannot be read: {day.unreadable}"
    found = reached(day, rules)
    if not found:
        return None
    at_bound = _at_bound(day, rules)
    sentences = (
        f"{guard}: {_sentence(guard, day, rules)}{'' if guard in at_bound else ' (its limit was reached before)'}"
        for guard in found
    )
    return KillLevel.NO_ENTRIES, "; ".join(sentences)


def reached(day: RiskDay, rules: RiskRules) -> tuple[Guard, ...]:
    """Guards at their bound now, or since the last resume: an equity that came back does not end what it raised.

    A guard that is switched off is not named.
    """
    off = {Guard.WEEKLY_LOSS: not rules.weekly_loss_limit, Guard.DRAWDOWN: not rules.drawdown_limit}
    at_bound = _at_bound(day, rules)
    return tuple(each for each in Guard if not off.get(each) and (each in at_bound or each in day.reached))


def latched(day: RiskDay, rules: RiskRules) -> RiskDay:
    """The day with what it has reached, to be saved with the equity that reached it."""
    return replace(day, reached=reached(day, rules))


def stops_more(before: RiskDay | None, after: RiskDay) -> bool:
    """Something stops entries after this marking that did not before."""
    if before is None:
        return after.halted or bool(after.reached)
    newly_halted = after.halted and not before.halted
    newly_unclear = after.implausible is not None and before.implausible is None
    return newly_halted or newly_unclear or set(after.reached) > set(before.reached)


def week_loss(day: RiskDay) -> Decimal:
    """Percent below the week's highest equity."""
    return _lost(day.week_peak_equity, day)


def drawdown(day: RiskDay) -> Decimal:
    """Percent below the highest equity."""
    return _lost(day.highest_equity, day)


def resumed(day: RiskDay, rules: RiskRules) -> tuple[RiskDay, tuple[str, ...]]:
    """The day after a person's resume, and what was changed, in words.

    What reached its bound is measured anew from the last equity, so that it does not raise the level again at once;
    what did not reach it goes on counting. An equity that was not believed is accepted for everything.
    """
    if day.implausible is not None:
        return _accepted(day, day.implausible), (f"the equity of {day.implausible} USD is accepted",)
    last, found, said = day.last_equity, reached(day, rules), []
    if Guard.WEEKLY_LOSS in found:
        day = replace(day, week_peak_equity=last)
        said.append(f"{Guard.WEEKLY_LOSS} is measured from {last} USD")
    if Guard.DRAWDOWN in found:
        day = replace(day, highest_equity=last)
        said.append(f"{Guard.DRAWDOWN} is measured from {last} USD")
    if day.rejections:
        said.append(f"{Guard.REJECTIONS} are counted from 0, not {day.rejections}")
    return replace(day, rejections=0, reached=()), tuple(said)


def _at_bound(day: RiskDay, rules: RiskRules) -> set[Guard]:
    used: dict[Guard, tuple[Decimal | int, Decimal | int]] = {
        Guard.WEEKLY_LOSS: (week_loss(day), rules.weekly_loss_pct),
        Guard.DRAWDOWN: (drawdown(day), rules.drawdown_pct),
        Guard.REJECTIONS: (day.rejections, rules.rejections_in_a_row),
    }
    return {guard for guard, (value, limit) in used.items() if value >= limit}


def _accepted(day: RiskDay, equity: Money) -> RiskDay:
    return replace(
        day,
        start_equity=equity,
        peak_equity=equity,
        last_equity=equity,
        week_peak_equity=equity,
        highest_equity=equity,
        rejections=0,
        reached=(),
        implausible=None,
    )


def _lost(peak: Decimal | None, day: RiskDay) -> Decimal:
    return Decimal(0) if peak is None else lost_share(peak, day.last_equity)


def _sentence(guard: Guard, day: RiskDay, rules: RiskRules) -> str:
    if guard is Guard.REJECTIONS:
        return f"{day.rejections} entries rejected in a row, limit {rules.rejections_in_a_row}"
    peak, limit = {
        Guard.WEEKLY_LOSS: (day.week_peak_equity, rules.weekly_loss_pct),
        Guard.DRAWDOWN: (day.highest_equity, rules.drawdown_pct),
    }[guard]
    return f"equity is {day.last_equity} USD after {peak} USD, {_lost(peak, day):.2f} % less, limit {limit} %"
