"""Settle every record with the exchange's truth, protect what is naked, book what has ended, report what differs."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from functions.reconcile_positions.ending import CLOCKS_MAY_DIFFER, end_if_over
from functions.reconcile_positions.marking import mark_account, raise_level
from functions.reconcile_positions.telling import (
    ReconcileReport,
    tell_discrepancies,
    tell_naked,
    tell_opened,
    tell_unreadable,
    tell_unreadable_day,
)
from shared.trading_desk import TradingDesk
from trading.errors import TradingError, VenueAnswerInvalid, VenueAuthenticationFailed, VenueUnavailable
from trading.execution.flattening import under_kill_level
from trading.execution.protection import protective_steps
from trading.model.control import KillLevel, RiskDay
from trading.model.instruments import Instrument
from trading.model.orders import IntentState, Purpose
from trading.model.positions import Position, PositionState
from trading.model.units import Price
from trading.model.venue import Fill, OrderReport, Quote, VenuePosition
from trading.reconciliation.compare import adopt_ghost, discrepancies, ghosts, mark_missing, orphans, stray_instrument
from trading.reconciliation.settle import in_doubt, settle
from trading.reconciliation.view import DiscrepancyKind, VenueView

BY_FILLS = (DiscrepancyKind.QUANTITY_DRIFT, DiscrepancyKind.ZOMBIE)
"""Differences between a quantity and its fills: no news while the fills are unknown."""


def reconcile_positions(desk: TradingDesk) -> ReconcileReport:
    """One run. A failing position never keeps the others from being protected, and a venue that shows neither positions
    nor orders does not keep the account from being looked at: its peaks and halts are remembered all the same."""
    report = ReconcileReport()
    try:
        _reconcile(desk, report)
    except (TradingError, AssertionError):
        _read_account(desk, report)
        raise
    _read_account(desk, report)
    return report


def _reconcile(desk: TradingDesk, report: ReconcileReport) -> None:
    positions, report.unreadable = desk.ledger.readable_positions()
    tell_unreadable(desk, report)
    report.positions = len(positions)
    view = _read_view(desk, positions, report)
    quotes: _Quotes = _Quotes(desk)
    report.level = desk.control.control(desk.now).level if positions else KillLevel.NORMAL
    settled = tuple(_settle_one(desk, each, view, quotes, report) for each in positions)
    left = tuple(each for each in settled if each is not None)
    left += _adopt_ghosts(desk, left, view, quotes, report)
    left = _cancel_orphans(desk, left, view, report)
    found = discrepancies(left, view)
    report.discrepancies = tuple(each for each in found if view.fills_known or each.kind not in BY_FILLS)
    tell_discrepancies(desk, report)


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

    A look-up that fails keeps its own orders in doubt and nothing else: missing stops are still repaired. So they are
    when the fills do not answer, from positions and orders alone; nothing is concluded from silence then.
    """
    oldest = min((each.planned_at for each in positions), default=None)
    since = oldest - CLOCKS_MAY_DIFFER if oldest else None
    shown, orders = desk.venue.positions(), desk.venue.open_orders()
    fills = _read_fills(desk, since, report)
    _refuse_empty(desk, shown, positions)
    reports: list[OrderReport] = []
    failed = {each.contract for each in positions} if fills is None else set()
    for position in positions:
        doubtful = in_doubt(position, orders)
        if not doubtful:
            continue
        try:
            reports += desk.venue.order_reports([each.client_order_id for each in doubtful])
            reports += desk.venue.order_history(position.contract, position.planned_at - CLOCKS_MAY_DIFFER)
        except VenueUnavailable as error:
            failed.add(position.contract)
            report.failures.append(f"{position.instrument} look-up: {error}")
    return VenueView(
        positions=shown,
        open_orders=orders,
        fills=fills or (),
        reports=tuple(reports),
        at=desk.now,
        not_looked_up=frozenset(failed),
        fills_known=fills is not None,
    )


def _read_fills(desk: TradingDesk, since: datetime | None, report: ReconcileReport) -> tuple[Fill, ...] | None:
    try:
        return desk.venue.fills(since)
    except (VenueUnavailable, VenueAuthenticationFailed) as error:
        # Positions and orders have answered: a key that may read those but not this still protects what is held.
        report.failures.append(f"fills: {error}")
        return None


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
        settled = settle(position, view, desk.rules.execution)
        if view.fills_known or settled.quantity:
            settled = mark_missing(settled, desk.now)
        settled = under_kill_level(settled, report.level)
        if settled != position:
            settled = desk.ledger.save_position(settled)
        tell_opened(desk, position, settled)
        if view.fills_known and end_if_over(desk, settled, report.booked):
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
        tell_naked(desk, position, report)
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


def _market_of(desk: TradingDesk, contract: str) -> Instrument:
    """The contract of a position that is not ours, also when its coin is not in our universe."""
    known = desk.universe().by_contract(contract)
    if known is not None:
        return known
    listed = next((each for each in desk.venue.contracts() if each.contract == contract), None)
    if listed is None:
        raise VenueAnswerInvalid(f"the venue holds {contract} and does not list it")
    return stray_instrument(listed)


def _adopt_ghosts(
    desk: TradingDesk, known: tuple[Position, ...], view: VenueView, quotes: _Quotes, report: ReconcileReport
) -> tuple[Position, ...]:
    """The exchange has it, we do not: protect with a stop, alert, never flatten by ourselves.

    Not while the fills are unknown: what is shown may be what is left of a record that is just being ended."""
    if not view.fills_known:
        return ()
    adopted: list[Position] = []
    ended = {booked.split(" ", 1)[0] for booked in report.booked}
    for shown in ghosts(known, view):
        if shown.contract in ended:
            continue
        try:
            mark = quotes.mark(shown.contract) or shown.entry
            found = adopt_ghost(shown, _market_of(desk, shown.contract), mark, desk.rules, desk.now)
            adopted.append(_protect(desk, desk.ledger.adopt_position(found), view, quotes, report))
        except (TradingError, AssertionError) as error:
            report.failures.append(f"{shown.contract}: {error}")
    return tuple(adopted)


def _cancel_orphans(
    desk: TradingDesk, known: tuple[Position, ...], view: VenueView, report: ReconcileReport
) -> tuple[Position, ...]:
    """Judged by records that were read after the orders were: every order of ours is recorded before it is sent, so
    one that another run has just sent is not taken for an orphan. Returns the records judged by.

    While a record cannot be read nothing is an orphan: what looks like one may be that position's stop."""
    if report.unreadable or not orphans(known, view):
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
    """After the protective work, which must not wait for it. What is known raises the level even if nothing answers."""
    day: RiskDay | None = None
    try:
        day = mark_account(desk)
        if not day.unreadable:
            report.saw_account(day)
    except (TradingError, AssertionError) as error:
        report.failures.append(f"account: {error}")
    try:
        known = day or desk.control.risk_day()
        tell_unreadable_day(desk, known)
        raise_level(desk, known)
    except (TradingError, AssertionError) as error:
        report.failures.append(f"kill level: {error}")
