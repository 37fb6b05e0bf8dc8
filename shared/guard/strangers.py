"""What is not ours at the venue: positions get a record and a stop, orders of ours that nobody wants are taken off."""

from __future__ import annotations

from shared.failures import FAILURES, VENUE_FAILURES
from shared.guard.look import Look
from shared.guard.protecting import protect
from shared.guard.telling import persists
from trading.errors import CorruptRecord, StoreConflict, VenueAnswerInvalid, VenueUnavailable
from trading.model.instruments import Instrument
from trading.model.positions import Position
from trading.model.venue import VenuePosition
from trading.reconciliation.adopting import adopt_ghost, beside, stray_instrument
from trading.reconciliation.compare import ghosts, kind_of_stranger, orphans
from trading.reconciliation.view import DiscrepancyKind


def adopt_strangers(look: Look, known: tuple[Position, ...]) -> tuple[Position, ...]:
    """The exchange has it, we do not: protect with a stop, alert, never flatten by ourselves.

    Not what this run has just ended: the positions were read before. While the fills are unknown only what is still
    there at a second look: it may be what is left of a record that another run is just ending.
    """
    adopted: list[Position] = []
    for shown in ghosts(known, look.view):
        kind = kind_of_stranger(known, shown)
        if (shown.contract, shown.side) in look.report.ended or not _due(look, kind, shown):
            continue
        try:
            occupied = any(each.contract == shown.contract for each in known)
            adopted.append(protect(look, _adopted(look, shown, occupied=occupied)))
        except FAILURES as error:
            look.failed(shown.contract, error)
    return tuple(adopted)


def _due(look: Look, kind: DiscrepancyKind, shown: VenuePosition) -> bool:
    policy = look.policies[kind]
    if not policy.active:
        return False
    looks = policy.looks if look.view.fills_known else max(policy.looks, policy.looks_in_the_dark)
    return looks < 2 or persists(look.desk, f"adopt {shown.contract} {shown.side}", looks)


def _adopted(look: Look, shown: VenuePosition, *, occupied: bool) -> Position:
    desk = look.desk
    mark = look.quotes.mark(shown.contract)
    if mark is None:
        # Not by its entry: from there a stop may be beyond the price of now, and would close what is not ours.
        raise VenueUnavailable("no price is known by which it could get a stop")
    market = _market_of(look, shown.contract)
    if occupied:
        # Our own record keeps its place until it is booked; the stop of this one does not wait for that.
        market = beside(market)
    try:
        return desk.ledger.adopt_position(adopt_ghost(shown, market, mark, desk.rules, desk.now))
    except StoreConflict:
        if not _unreadable(look, market):
            raise
        # The record in its place protects nothing, because nobody can read it.
        return desk.ledger.adopt_position(adopt_ghost(shown, beside(market), mark, desk.rules, desk.now))


def _unreadable(look: Look, market: Instrument) -> bool:
    try:
        look.desk.ledger.position(market.id)
    except CorruptRecord:
        return True
    return False


def _market_of(look: Look, contract: str) -> Instrument:
    """The contract of a position that is not ours, also when its coin is not in our universe."""
    try:
        known = look.desk.universe().by_contract(contract)
    except FAILURES as error:
        # Not known just now: its grid is all that a stop needs, and the venue tells that.
        look.failed("universe", error)
        known = None
    if known is not None:
        return known
    listed = next((each for each in look.desk.venue.contracts() if each.contract == contract), None)
    if listed is None:
        raise VenueAnswerInvalid(f"the venue holds {contract} and does not list it")
    return stray_instrument(listed)


def cancel_orphans(look: Look, known: tuple[Position, ...]) -> tuple[Position, ...]:
    """Judged by records that were read after the orders were: every order of ours is recorded before it is sent, so
    one that another run has just sent is not taken for an orphan. Returns the records judged by.

    While a record cannot be read nothing is an orphan: what looks like one may be that position's stop."""
    desk, report = look.desk, look.report
    if report.unreadable or not look.acts(DiscrepancyKind.ORPHAN_ORDER) or not orphans(known, look.view):
        return known
    known = desk.ledger.open_positions()
    for order in orphans(known, look.view):
        try:
            desk.venue.cancel_order(order.order_id)
            report.repaired.append(f"{order.contract} orphan {order.kind}")
        except VENUE_FAILURES as error:
            report.failures.append(f"{order.order_id}: {error}")
    return known
