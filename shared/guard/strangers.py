"""What is not ours at the venue: positions get a record and a stop, orders of ours that nobody wants are taken off."""

from __future__ import annotations

from shared.failures import FAILURES
from shared.guard.adoption import adopt, market_of
from shared.guard.look import Look
from shared.guard.protecting import protect
from shared.guard.telling import persists
from trading.model.instruments import Universe
from trading.model.positions import Position
from trading.model.venue import OpenOrder, VenuePosition
from trading.reconciliation.belonging import explained
from trading.reconciliation.compare import ghosts, kind_of_stranger, orphans
from trading.reconciliation.view import DiscrepancyKind


def adopt_strangers(look: Look, known: tuple[Position, ...]) -> tuple[Position, ...]:
    """The exchange has it, we do not: protect with a stop, alert, never flatten by ourselves.

    Only what is still there at a second look while the fills are unknown, or do not explain it where a record of ours
    was just over: it may be what is left of that in a view that lags.
    """
    adopted: list[Position] = []
    for shown in ghosts(known, look.view):
        try:
            if _due(look, known, shown):
                adopted.append(protect(look, _adopted(look, shown, (*known, *adopted))))
        except FAILURES as error:
            look.failed(shown.contract, error)
    return tuple(adopted)


def _due(look: Look, known: tuple[Position, ...], shown: VenuePosition) -> bool:
    policy = look.policies[kind_of_stranger(known, shown)]
    if not policy.active:
        return False
    over = (*look.report.ended, *(each for each in known if each.spent))
    here = (each for each in over if (each.contract, each.side) == (shown.contract, shown.side))
    sure = look.view.fills_known and all(explained(each, look.view) for each in here)
    looks = policy.looks if sure else max(policy.looks, policy.looks_in_the_dark)
    return looks < 2 or persists(look.desk, f"adopt {shown.contract} {shown.side}", looks)


def _adopted(look: Look, shown: VenuePosition, known: tuple[Position, ...]) -> Position:
    market = market_of(look.desk, _universe(look), shown.contract)
    return adopt(look.desk, shown, market, look.quotes.mark(shown.contract), known)


def _universe(look: Look) -> Universe:
    """Not known just now: the venue's own list says what a contract needs."""
    try:
        return look.desk.universe()
    except FAILURES as error:
        look.failed("universe", error)
        return Universe(instruments=())


def cancel_orphans(look: Look, known: tuple[Position, ...]) -> tuple[Position, ...]:
    """Judged by records that were read after the orders were: every order of ours is recorded before it is sent, so
    one that another run has just sent is not taken for an orphan. Returns the records judged by."""
    desk, report = look.desk, look.report
    if not look.acts(DiscrepancyKind.ORPHAN_ORDER) or not orphans(known, look.view):
        return known
    known, unreadable = desk.ledger.readable_positions()
    for order in orphans(known, look.view):
        try:
            if unreadable and not _wanted_by_nothing(look, order):
                continue
            desk.venue.cancel_order(order.order_id)
            report.repaired.append(f"{order.contract} orphan {order.kind}")
        except FAILURES as error:
            report.failures.append(f"{order.order_id}: {error}")
    return known


def _wanted_by_nothing(look: Look, order: OpenOrder) -> bool:
    """While a record cannot be read, an order that none of the others wants may be its own.

    Its entry goes all the same: nobody would take it off at its end, at its invalidation or by the kill switch. What
    only reduces may be all that covers its position, and goes where nothing is held there at more looks than one.
    """
    if not order.reduce_only:
        return True
    flat = look.view.fills_known and look.view.position(order.contract) is None
    looks = look.policies[DiscrepancyKind.ORPHAN_ORDER].looks_in_the_dark
    return flat and persists(look.desk, f"orphan {order.order_id}", looks)
