"""What people are told about the account: its day, its equity, and a kill level that a guard has raised."""

from __future__ import annotations

from shared.guard.telling import tell_wrong
from shared.trading_desk import TradingDesk
from trading.model.alerts import Alert, AlertKind, Severity
from trading.model.control import Control, RiskDay
from trading.risk.day import near_limit


def tell_day(desk: TradingDesk, day: RiskDay) -> None:
    """An alert when most of the daily loss is used, another when it halts entries or the equity is not believed."""
    _tell_equity(desk, day)
    if not desk.rules.risk.daily_loss_limit or not (day.halted or near_limit(day, desk.rules.risk)):
        return
    severity = Severity.CRITICAL if day.halted else Severity.WARNING
    desk.alerts.tell(
        Alert(
            kind=AlertKind.DAILY_LOSS,
            severity=severity,
            subject=f"{day.day}:{severity}",
            title="Daily loss limit: entries are halted" if day.halted else "Daily loss is near its limit",
            text=f"Equity {day.last_equity} USD after a peak of {day.peak_equity} USD today.",
            at=desk.now,
        )
    )


def tell_unreadable_day(desk: TradingDesk, day: RiskDay | None) -> None:
    if day is None or not day.unreadable:
        return
    tell_wrong(
        desk,
        Severity.CRITICAL,
        "unreadable risk day",
        "The risk day cannot be read: no entries",
        f"{day.unreadable}. Entries stay off and nothing is marked until a person resumes, which begins the "
        "day anew: its peaks and a halt are lost. Trades that end meanwhile are booked; losses in a row are not "
        "counted. Positions stay protected.",
    )


def _tell_equity(desk: TradingDesk, day: RiskDay) -> None:
    if day.implausible is None:
        return
    tell_wrong(
        desk,
        Severity.CRITICAL,
        "equity",
        "The equity is not believed: no entries",
        f"The venue says {day.implausible} USD, read twice; the last equity was {day.last_equity} USD. "
        "If it is a deposit or withdrawal, a person accepts it with resume. Positions stay protected.",
    )


def tell_raised(desk: TradingDesk, control: Control) -> None:
    desk.alerts.tell(
        Alert(
            kind=AlertKind.KILL_LEVEL,
            severity=Severity.CRITICAL,
            subject=f"control {control.version}",
            title=f"A guard raised the kill level to K{control.level}",
            text=f"{control.reason}. Entries stay off until a person resumes.",
            at=desk.now,
            fields=(("by", control.changed_by),),
        )
    )
