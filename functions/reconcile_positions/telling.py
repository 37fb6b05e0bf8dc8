"""What a reconcile run saw, and what it tells people about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from shared.trading_desk import TradingDesk
from trading.model.alerts import Alert, AlertKind, Severity
from trading.model.control import Control, KillLevel, RiskDay
from trading.model.instruments import Side
from trading.model.positions import Position
from trading.model.times import Timeframe, to_text
from trading.reconciliation.policy import Policies, Policy
from trading.reconciliation.view import Discrepancy, DiscrepancyKind
from trading.risk.day import lost_share, near_limit

GOES_ON_FOR = timedelta(minutes=2)
PRICED_WITHIN = timedelta(minutes=10)
"""How long the account log may take for an execution before people are told that a trade is not booked."""
TOLD_ALONE = 5
"""More discrepancies of one kind than this, in one run, are told in one alert."""


@dataclass(slots=True)
class ReconcileReport:
    """What one run saw and did. `discrepancies` are those left after the records were settled.

    `ended`: contracts and sides whose records ended in this run. `contradictions`: failures that must not be possible.
    """

    positions: int = 0
    level: KillLevel = KillLevel.NORMAL
    discrepancies: tuple[Discrepancy, ...] = ()
    repaired: list[str] = field(default_factory=list)
    booked: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    contradictions: list[str] = field(default_factory=list)
    ended: set[tuple[str, Side]] = field(default_factory=set)
    equity: str = ""
    day_loss_pct: str | None = None
    naked_seconds: float = 0.0
    unreadable: tuple[str, ...] = ()

    def saw_account(self, day: RiskDay) -> None:
        """The equity as the venue says it, believed or not; the day's loss in percent by the one that is believed."""
        self.equity = str(day.last_equity if day.implausible is None else day.implausible)
        self.day_loss_pct = str(round(lost_share(day.peak_equity, day.last_equity), 2))


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
    _tell_wrong(
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
    _tell_wrong(
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


def tell_opened(desk: TradingDesk, before: Position, after: Position) -> None:
    if before.opened_at is not None or after.opened_at is None:
        return
    desk.alerts.tell(
        Alert(
            kind=AlertKind.POSITION_OPENED,
            severity=Severity.INFO,
            subject=after.id,
            title=f"{after.instrument} {after.side} opened",
            text=f"{after.quantity} at {after.average_entry}, stop {after.stop}, {after.regime}/{after.setup}.",
            at=desk.now,
            fields=(("target 1", str(after.levels.target_1)), ("target 2", str(after.levels.target_2))),
        )
    )


def tell_naked(desk: TradingDesk, position: Position, report: ReconcileReport) -> None:
    since = position.unprotected_since or desk.now
    report.naked_seconds = max(report.naked_seconds, (desk.now - since).total_seconds())
    desk.alerts.tell(
        Alert(
            kind=AlertKind.NAKED_POSITION,
            severity=Severity.CRITICAL,
            subject=position.id,
            title=f"{position.instrument} {position.side} without a full stop",
            text=f"{position.quantity} {position.instrument} is not covered; a stop at {position.stop} is due now.",
            at=desk.now,
        )
    )


def tell_unreadable(desk: TradingDesk, report: ReconcileReport) -> None:
    """A record that does not decode is protected by nobody: a person must look, now."""
    if not report.unreadable:
        return
    _tell_wrong(
        desk,
        Severity.CRITICAL,
        "unreadable positions",
        "A position record cannot be read",
        "\n".join(report.unreadable),
    )


def tell_unpriced(desk: TradingDesk, position: Position, why: str, policies: Policies) -> None:
    """An ended position that the account log does not price yet: it waits, and a long wait is told."""
    policy = policies[DiscrepancyKind.UNPRICED]
    since = desk.control.first_observed(f"unpriced:{position.id}", desk.now)
    if not policy.active or desk.now - since < PRICED_WITHIN:
        return
    _tell_wrong(
        desk,
        policy.severity,
        f"{DiscrepancyKind.UNPRICED}:{position.id}",
        f"{position.instrument} {position.side} has ended and cannot be booked",
        f"{why}. Flat since {to_text(since)}; the trade is booked when the account log tells it.",
    )


def tell_discrepancies(desk: TradingDesk, report: ReconcileReport, policies: Policies) -> None:
    """By the policy of their kind: some may only be a moment's lag and are told when they are still there later.

    Many of one kind are told together: hundreds of alerts would hide each other, and take the run's time.
    """
    for kind in dict.fromkeys(each.kind for each in report.discrepancies):
        policy = policies[kind]
        due = [each for each in report.discrepancies if each.kind is kind and _is_due(desk, each, policy)]
        if len(due) > TOLD_ALONE:
            named = ", ".join(each.subject for each in due[:TOLD_ALONE])
            _tell_difference(desk, policy, (kind, "many"), f"{len(due)} of them, the first are {named}")
            continue
        for each in due:
            _tell_difference(desk, policy, (kind, each.subject), f"{each.subject}: {each.detail}")


def _is_due(desk: TradingDesk, found: Discrepancy, policy: Policy) -> bool:
    if not policy.active:
        return False
    return policy.told_after < 2 or persists(desk, f"{found.kind}:{found.subject}", policy.told_after)


def _tell_difference(desk: TradingDesk, policy: Policy, about: tuple[DiscrepancyKind, str], text: str) -> None:
    kind, subject = about
    title = f"Exchange and ledger differ: {kind}"
    _tell_wrong(desk, policy.severity, f"{kind}:{subject}", title, f"{text} ({policy.remedy})")


def _tell_wrong(desk: TradingDesk, severity: Severity, subject: str, title: str, text: str) -> None:
    desk.alerts.tell(
        Alert(kind=AlertKind.DISCREPANCY, severity=severity, subject=subject, title=title, text=text, at=desk.now)
    )


def persists(desk: TradingDesk, key: str, looks: int) -> bool:
    """Seen before, long enough ago for `looks` looks.

    Remembered by the hour: the same difference on another day is a new one and gets its looks again. One that was
    first seen late in the last hour goes on counting.
    """
    hour = Timeframe.H1.floor(desk.now)
    seen = [desk.control.first_observed(f"{key}:{to_text(hour)}", desk.now)]
    spacing = timedelta(seconds=desk.rules.reconciliation.confirm_after_s) * (looks - 1)
    if desk.now - hour <= GOES_ON_FOR:
        before = desk.control.observations().get(f"{key}:{to_text(hour - Timeframe.H1.length)}", desk.now)
        seen.append(before if desk.now - before <= 2 * GOES_ON_FOR else desk.now)
    return desk.now - min(seen) >= spacing
