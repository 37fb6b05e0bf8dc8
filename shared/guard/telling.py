"""What people are told about positions and orders."""

from __future__ import annotations

from datetime import timedelta

from shared.guard.report import GuardReport
from shared.trading_desk import TradingDesk
from trading.model.alerts import Alert, AlertKind, Severity
from trading.model.positions import Position, Trade
from trading.model.times import Timeframe, to_text
from trading.reconciliation.policy import Policies, Policy
from trading.reconciliation.view import Discrepancy, DiscrepancyKind

GOES_ON_FOR = timedelta(minutes=2)
PRICED_WITHIN = timedelta(minutes=10)
"""How long the account log may take for an execution before people are told that a trade is not booked."""
TOLD_ALONE = 5
"""More discrepancies of one kind than this, in one run, are told in one alert."""


def tell_news(desk: TradingDesk, report: GuardReport) -> None:
    """What has gathered, the worst first."""
    news, report.news = report.news, []
    for alert in sorted(news, key=lambda each: each.severity is not Severity.CRITICAL):
        desk.alerts.tell(alert)


def tell_opened(desk: TradingDesk, before: Position, after: Position, report: GuardReport) -> None:
    if before.opened_at is not None or after.opened_at is None:
        return
    report.news.append(
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


def tell_closed(desk: TradingDesk, trade: Trade, report: GuardReport) -> None:
    report.news.append(
        Alert(
            kind=AlertKind.POSITION_CLOSED,
            severity=Severity.INFO,
            subject=trade.id,
            title=f"{trade.instrument} {trade.side} closed: {trade.r_multiple:+.2f} R",
            text=f"{trade.exit_reason}: {trade.net:+.2f} USD net ({trade.gross:+.2f} gross, {trade.fees:.2f} fees, "
            f"{trade.funding:+.2f} funding).",
            at=desk.now,
        )
    )


def tell_naked(desk: TradingDesk, position: Position, report: GuardReport) -> None:
    since = position.unprotected_since or desk.now
    report.naked_seconds = max(report.naked_seconds, (desk.now - since).total_seconds())
    report.news.append(
        Alert(
            kind=AlertKind.NAKED_POSITION,
            severity=Severity.CRITICAL,
            subject=position.id,
            title=f"{position.instrument} {position.side} without a full stop",
            text=f"{position.quantity} {position.instrument} is not covered; a stop at {position.stop} is due now.",
            at=desk.now,
        )
    )


def tell_unreadable(desk: TradingDesk, report: GuardReport) -> None:
    """A record that does not decode is protected by nobody: a person must look, now."""
    if not report.unreadable:
        return
    tell_wrong(
        desk,
        Severity.CRITICAL,
        "unreadable positions",
        "A position record cannot be read",
        "\n".join(report.unreadable),
    )


def tell_unpriced(desk: TradingDesk, position: Position, why: str, report: GuardReport, policies: Policies) -> None:
    """An ended position that the account log does not price yet: it waits, and a long wait is told."""
    policy = policies[DiscrepancyKind.UNPRICED]
    since = desk.control.first_observed(f"unpriced:{position.id}", desk.now)
    if not policy.active or desk.now - since < PRICED_WITHIN:
        return
    subject = f"{DiscrepancyKind.UNPRICED}:{position.id}"
    title = f"{position.instrument} {position.side} has ended and cannot be booked"
    text = f"{why}. Flat since {to_text(since)}; the trade is booked when the account log tells it."
    report.news.append(_wrong(desk, policy.severity, subject, title, text))


def tell_discrepancies(desk: TradingDesk, report: GuardReport, policies: Policies) -> None:
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
    tell_wrong(desk, policy.severity, f"{kind}:{subject}", title, f"{text} ({policy.remedy})")


def tell_wrong(desk: TradingDesk, severity: Severity, subject: str, title: str, text: str) -> None:
    desk.alerts.tell(_wrong(desk, severity, subject, title, text))


def _wrong(desk: TradingDesk, severity: Severity, subject: str, title: str, text: str) -> Alert:
    return Alert(kind=AlertKind.DISCREPANCY, severity=severity, subject=subject, title=title, text=text, at=desk.now)


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
