"""Settle every record with the exchange's truth, protect what is naked, book what has ended, report what differs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from functions.reconcile_positions.ending import end_if_over
from shared.trading_desk import TradingDesk
from trading.errors import TradingError, VenueAnswerInvalid, VenueUnavailable
from trading.execution.flattening import under_kill_level
from trading.execution.protection import protective_steps
from trading.model.alerts import Alert, AlertKind, Severity
from trading.model.control import KillLevel
from trading.model.orders import IntentState, Purpose
from trading.model.positions import Position, PositionState
from trading.model.units import Price
from trading.model.venue import Account, OrderReport, Quote, VenuePosition
from trading.reconciliation.compare import adopt_ghost, discrepancies, ghosts, mark_missing, orphans
from trading.reconciliation.settle import in_doubt, settle
from trading.reconciliation.view import Discrepancy, DiscrepancyKind, VenueView
from trading.risk.day import mark_equity, near_limit

WORTH_A_SECOND_LOOK = (DiscrepancyKind.QUANTITY_DRIFT, DiscrepancyKind.ZOMBIE)


@dataclass(slots=True)
class ReconcileReport:
    """What one run saw and did. `discrepancies` are those left after the records were settled."""

    positions: int = 0
    level: KillLevel = KillLevel.NORMAL
    discrepancies: tuple[Discrepancy, ...] = ()
    repaired: list[str] = field(default_factory=list)
    booked: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    equity: str = ""
    naked_seconds: float = 0.0
    unreadable: tuple[str, ...] = ()


def reconcile_positions(desk: TradingDesk) -> ReconcileReport:
    """One run. A failing position never keeps the others from being protected."""
    report = ReconcileReport()
    positions, report.unreadable = desk.ledger.readable_positions()
    report.positions = len(positions)
    view = _read_view(desk, positions, report)
    quotes: _Quotes = _Quotes(desk)
    report.level = desk.control.control(desk.now).level if positions else KillLevel.NORMAL
    settled = tuple(_settle_one(desk, each, view, quotes, report) for each in positions)
    left = tuple(each for each in settled if each is not None)
    left += _adopt_ghosts(desk, left, view, quotes, report)
    left = _cancel_orphans(desk, left, view, report)
    report.discrepancies = discrepancies(left, view)
    _tell_discrepancies(desk, report)
    _tell_unreadable(desk, report)
    _read_account(desk, report)
    return report


class _Quotes:
    """Bulk quotes, read at most once a run and only when something needs a mark."""

    def __init__(self, desk: TradingDesk) -> None:
        self._desk = desk
        self._quotes: dict[str, Quote] | None = None

    def mark(self, contract: str) -> Price | None:
        if self._quotes is None:
            try:
                self._quotes = self._desk.venue.quotes()
            except VenueUnavailable:
                self._quotes = {}
        quote = self._quotes.get(contract)
        return quote.mark if quote else None


def _read_view(desk: TradingDesk, positions: tuple[Position, ...], report: ReconcileReport) -> VenueView:
    """Positions, orders and fills in one go; look-ups only for orders that should rest and do not.

    A look-up that fails keeps its own orders in doubt and nothing else: missing stops are still repaired.
    """
    shown, orders, fills = desk.venue.positions(), desk.venue.open_orders(), desk.venue.fills()
    _refuse_empty(desk, shown, positions)
    reports: list[OrderReport] = []
    failed: set[str] = set()
    for position in positions:
        doubtful = in_doubt(position, orders)
        if not doubtful:
            continue
        try:
            reports += desk.venue.order_reports([each.client_order_id for each in doubtful])
            reports += desk.venue.order_history(position.contract, position.planned_at - timedelta(minutes=1))
        except VenueUnavailable as error:
            failed.add(position.contract)
            report.failures.append(f"{position.instrument} look-up: {error}")
    return VenueView(
        positions=shown,
        open_orders=orders,
        fills=fills,
        reports=tuple(reports),
        at=desk.now,
        not_looked_up=frozenset(failed),
    )


def _refuse_empty(desk: TradingDesk, shown: tuple[VenuePosition, ...], positions: tuple[Position, ...]) -> None:
    """No position is shown where we hold some: believed only when no margin is in use for positions either."""
    if shown or not any(each.quantity for each in positions):
        return
    used = desk.venue.account().initial_margin
    if used > 0:
        raise VenueAnswerInvalid(f"the venue shows no position but {used} USD of margin for positions")


def _settle_one(
    desk: TradingDesk, position: Position, view: VenueView, quotes: _Quotes, report: ReconcileReport
) -> Position | None:
    """The position as it now stands, or None when its record has ended."""
    try:
        settled = mark_missing(settle(position, view, desk.rules.execution), desk.now)
        settled = under_kill_level(settled, report.level)
        if settled != position:
            settled = desk.ledger.save_position(settled)
        _tell_opened(desk, position, settled)
        if end_if_over(desk, settled, report.booked):
            return None
        return _protect(desk, settled, view, quotes, report)
    except (TradingError, AssertionError) as error:
        report.failures.append(f"{position.instrument}: {error}")
        return position


def _protect(
    desk: TradingDesk, position: Position, view: VenueView, quotes: _Quotes, report: ReconcileReport
) -> Position:
    position = _cancel_again(desk, position, view)
    if position.state is PositionState.UNPROTECTED:
        _tell_naked(desk, position, report)
    naked = position.state in (PositionState.UNPROTECTED, PositionState.FOREIGN)
    if naked and not desk.rules.reconciliation.repair_missing_stop:
        return position
    mark = quotes.mark(position.contract) if naked else None
    before = desk.orders.sent
    position = desk.orders.carry_out(position, partial(protective_steps, mark=mark, rules=desk.rules, now=desk.now))
    if naked and desk.orders.sent > before:
        report.repaired.append(position.contract)
    return position


def _cancel_again(desk: TradingDesk, position: Position, view: VenueView) -> Position:
    """A cancel whose request was lost: the order still works, so ask again (harmless when it is gone)."""
    working = {order.client_order_id for order in view.open_orders}
    for intent in position.intents:
        pending = intent.state is IntentState.CANCEL_PENDING and intent.purpose is not Purpose.ENTRY
        if pending and intent.client_order_id in working:
            position = desk.orders.cancel(position, intent)
    return position


def _adopt_ghosts(
    desk: TradingDesk, known: tuple[Position, ...], view: VenueView, quotes: _Quotes, report: ReconcileReport
) -> tuple[Position, ...]:
    """The exchange has it, we do not: protect with a stop, alert, never flatten by ourselves."""
    adopted: list[Position] = []
    ended = {booked.split(" ", 1)[0] for booked in report.booked}
    for shown in ghosts(known, view):
        instrument = desk.universe().by_contract(shown.contract)
        mark = quotes.mark(shown.contract)
        if instrument is None or mark is None or shown.contract in ended:
            report.failures.append(f"{shown.contract}: a position that is not ours has no stop from us")
            continue
        try:
            position = desk.ledger.adopt_position(adopt_ghost(shown, instrument, mark, desk.rules, desk.now))
            adopted.append(_protect(desk, position, view, quotes, report))
        except (TradingError, AssertionError) as error:
            report.failures.append(f"{shown.contract}: {error}")
    return tuple(adopted)


def _cancel_orphans(
    desk: TradingDesk, known: tuple[Position, ...], view: VenueView, report: ReconcileReport
) -> tuple[Position, ...]:
    """Judged by records that were read after the orders were: every order of ours is recorded before it is sent, so
    one that another run has just sent is not taken for an orphan. Returns the records judged by."""
    if not orphans(known, view):
        return known
    known = desk.ledger.open_positions()
    for order in orphans(known, view):
        try:
            desk.venue.cancel_order(order.order_id)
            report.repaired.append(f"{order.contract} orphan {order.kind}")
        except VenueUnavailable as error:
            report.failures.append(f"{order.order_id}: {error}")
    return known


def _read_account(desk: TradingDesk, report: ReconcileReport) -> None:
    """After the protective work, which must not wait for it."""
    try:
        account = desk.venue.account()
        report.equity = str(account.equity)
        _mark_day(desk, account)
    except (TradingError, AssertionError) as error:
        report.failures.append(f"account: {error}")


def _mark_day(desk: TradingDesk, account: Account) -> None:
    """Roll and save the risk day; an alert when most of the daily loss is used, another when it halts entries."""
    before = desk.control.risk_day()
    day = mark_equity(before, account.equity, desk.now, desk.rules.risk)
    if day != before:
        desk.control.save_risk_day(day)
    if not desk.rules.risk.daily_loss_limit or not (day.halted or near_limit(day, desk.rules.risk)):
        return
    text = f"Equity {day.last_equity} USD after a peak of {day.peak_equity} USD today."
    severity = Severity.CRITICAL if day.halted else Severity.WARNING
    title = "Daily loss limit: entries are halted" if day.halted else "Daily loss is near its limit"
    desk.alerts.tell(
        Alert(
            kind=AlertKind.DAILY_LOSS,
            severity=severity,
            subject=f"{day.day}:{severity}",
            title=title,
            text=text,
            at=desk.now,
        )
    )


def _tell_opened(desk: TradingDesk, before: Position, after: Position) -> None:
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


def _tell_naked(desk: TradingDesk, position: Position, report: ReconcileReport) -> None:
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


def _tell_unreadable(desk: TradingDesk, report: ReconcileReport) -> None:
    """A record that does not decode is protected by nobody: a person must look, now."""
    if not report.unreadable:
        return
    desk.alerts.tell(
        Alert(
            kind=AlertKind.DISCREPANCY,
            severity=Severity.CRITICAL,
            subject="unreadable positions",
            title="A position record cannot be read",
            text="\n".join(report.unreadable),
            at=desk.now,
        )
    )


def _tell_discrepancies(desk: TradingDesk, report: ReconcileReport) -> None:
    """Differences that may only be a moment's lag are told when they are still there later."""
    for found in report.discrepancies:
        if found.kind in WORTH_A_SECOND_LOOK and not _persists(desk, found):
            continue
        desk.alerts.tell(
            Alert(
                kind=AlertKind.DISCREPANCY,
                severity=Severity.WARNING,
                subject=f"{found.kind}:{found.subject}",
                title=f"Exchange and ledger differ: {found.kind}",
                text=f"{found.subject}: {found.detail}",
                at=desk.now,
            )
        )


def _persists(desk: TradingDesk, found: Discrepancy) -> bool:
    first = desk.control.first_observed(f"{found.kind}:{found.subject}", desk.now)
    return desk.now - first >= timedelta(seconds=desk.rules.reconciliation.confirm_after_s)
