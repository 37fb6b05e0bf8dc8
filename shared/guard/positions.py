"""Settle every record with the exchange's truth, protect what is naked, book what has ended, report what differs."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from shared.failures import FAILURES
from shared.guard.ending import end_if_over
from shared.guard.look import Look, Quotes, read_view
from shared.guard.protecting import protect
from shared.guard.report import GuardReport
from shared.guard.strangers import adopt_strangers, cancel_orphans
from shared.guard.telling import tell_discrepancies, tell_news, tell_opened, tell_unreadable
from shared.trading_desk import TradingDesk
from trading.execution.flattening import under_kill_level
from trading.model.control import KillLevel
from trading.model.positions import Position
from trading.model.units import NOTHING
from trading.reconciliation.compare import discrepancies, doubled, mark_missing
from trading.reconciliation.policy import POLICIES, Policies
from trading.reconciliation.settle import settle
from trading.reconciliation.view import DiscrepancyKind

NEWS_WAITS = timedelta(seconds=8)
"""News is told at the end, or when a record was settled later than this: a run that is killed tells nothing."""

BY_FILLS = (DiscrepancyKind.QUANTITY_DRIFT, DiscrepancyKind.ZOMBIE)
"""Differences between a quantity and its fills: no news while the fills are unknown."""


def guard_positions(desk: TradingDesk, report: GuardReport, policies: Policies = POLICIES) -> None:
    """One run, told in `report`. A failing position never keeps the others from being protected. Raises one of FAILURES
    when the venue shows neither positions nor orders."""
    positions, report.unreadable = desk.ledger.readable_positions()
    report.positions = len(positions)
    try:
        view = read_view(desk, positions, report)
        look = Look(desk=desk, view=view, quotes=Quotes(desk), policies=policies, report=report)
        report.level = _level(look) if positions else KillLevel.NORMAL
        doubles = doubled(positions, view)
        settled = tuple(_settle_one(look, each, positions, double=each.id in doubles) for each in positions)
        left = tuple(each for each in settled if each is not None)
        left += adopt_strangers(look, left)
        left = cancel_orphans(look, left)
    finally:
        tell_news(desk, report)
        tell_unreadable(desk, report)
    found = discrepancies(left, view, positions)
    report.discrepancies = tuple(each for each in found if view.fills_known or each.kind not in BY_FILLS)
    tell_discrepancies(desk, report, policies)


def _level(look: Look) -> KillLevel:
    """A switch that does not answer keeps no stop from being placed, and flattens nothing."""
    try:
        return look.desk.control.control(look.desk.now).level
    except FAILURES as error:
        look.failed("kill level", error)
        return KillLevel.NO_ENTRIES


def _settle_one(look: Look, position: Position, others: tuple[Position, ...], *, double: bool) -> Position | None:
    """The position as it now stands, or None when its record has ended. One that stands for what another record stands
    for already stands for nothing, and ends as such: its stop goes while the other's works."""
    desk, view, report = look.desk, look.view, look.report
    current = position
    try:
        settled = settle(position, view, desk.rules.execution, look.policies)
        settled = replace(settled, quantity=NOTHING) if double else settled
        settled = mark_missing(settled, desk.now, sure=view.fills_known)
        settled = under_kill_level(settled, report.level)
        current = settled if settled == position else desk.ledger.save_position(settled)
        tell_opened(desk, position, current, report)
        if view.fills_known and end_if_over(look, current, others):
            return None
        current = protect(look, current)
    except FAILURES as error:
        look.failed(position.instrument, error)
    if desk.clock.now() - desk.now > NEWS_WAITS:
        tell_news(desk, report)
    return current
