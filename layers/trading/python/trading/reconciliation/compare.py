"""Where the venue and our records differ, as values. Nothing is inferred from one empty answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from trading.model.orders import CLIENT_ORDER_ID_PREFIX, IntentState, OrderIntent, OrderSide, PositionId, Purpose
from trading.model.positions import Position, PositionState
from trading.model.times import to_text
from trading.model.venue import OpenOrder, OpenOrderKind, VenuePosition
from trading.reconciliation.belonging import stands_for
from trading.reconciliation.faults import TRIGGERED_BY, order_faults
from trading.reconciliation.policy import POLICIES, Policies
from trading.reconciliation.view import Discrepancy, DiscrepancyKind, VenueView
from trading.rules import Rules


def discrepancies(
    positions: tuple[Position, ...], view: VenueView, read: tuple[Position, ...] = ()
) -> tuple[Discrepancy, ...]:
    """All differences after the records were settled, in a stable order.

    `read`: the records as they were before: settling takes over what a changed order shows, so only they tell of it.
    """
    found = [*_of_positions(positions, view), *_of_orders(positions, view), *_wrong_orders(read, view)]
    return tuple(sorted(found, key=lambda each: (each.kind, each.subject)))


def _of_positions(positions: tuple[Position, ...], view: VenueView) -> list[Discrepancy]:
    found: list[Discrepancy] = []
    strange = ghosts(positions, view)
    for shown in view.positions:
        if shown.isolated:
            found.append(_of(DiscrepancyKind.ISOLATED_MARGIN, shown.contract, "the contract is on isolated margin"))
        if shown in strange:
            kind = kind_of_stranger(positions, shown)
            found.append(_of(kind, shown.contract, f"the venue holds {shown.quantity} {shown.side}"))
    for position in positions:
        found += _of_position(position)
    return found


def _of_position(position: Position) -> list[Discrepancy]:
    found: list[Discrepancy] = []
    if position.state is PositionState.UNPROTECTED:
        since = to_text(position.unprotected_since) if position.unprotected_since else "now"
        found.append(_of(DiscrepancyKind.NAKED_POSITION, position.contract, f"no full stop since {since}"))
    held = position.entered - position.left
    if position.quantity and held != position.quantity and not position.adopted:
        detail = f"fills say {held}, the venue says {position.quantity}"
        found.append(_of(DiscrepancyKind.QUANTITY_DRIFT, position.contract, detail))
    if not position.quantity and held > 0:
        found.append(_of(DiscrepancyKind.ZOMBIE, position.contract, f"fills say {held}, the venue shows none"))
    if len(stops := working_stops(position)) > 1:
        detail = ", ".join(f"{each.open_quantity} at {each.trigger_price}" for each in stops)
        found.append(_of(DiscrepancyKind.DUPLICATE_STOP, position.contract, detail))
    for intent in position.intents:
        if intent.state is IntentState.UNKNOWN:
            found.append(_of(DiscrepancyKind.UNKNOWN_INTENT, intent.client_order_id, intent.reason))
    return found


def working_stops(position: Position) -> tuple[OrderIntent, ...]:
    stops = (each for each in position.intents if each.purpose is Purpose.STOP)
    return tuple(each for each in stops if each.state.works)


def _of_orders(positions: tuple[Position, ...], view: VenueView) -> list[Discrepancy]:
    found = []
    for order in view.open_orders:
        if not _is_ours(order):
            found.append(_of(DiscrepancyKind.FOREIGN_ORDER, order.order_id, f"{order.kind} on {order.contract}"))
        elif not _wanted(order, positions):
            found.append(_of(DiscrepancyKind.ORPHAN_ORDER, order.order_id, f"{order.kind} on {order.contract}"))
    return found


def _wrong_orders(positions: tuple[Position, ...], view: VenueView) -> list[Discrepancy]:
    found = []
    for position in positions:
        for intent, faults in wrong_orders(position, view):
            detail = f"{intent.purpose} on {position.contract}: {'; '.join(faults)}"
            found.append(_of(DiscrepancyKind.WRONG_ORDER, intent.client_order_id, detail))
    return found


def wrong_orders(position: Position, view: VenueView) -> tuple[tuple[OrderIntent, tuple[str, ...]], ...]:
    """Working orders of this record that are not what was meant, with what is wrong about each."""
    found = []
    for order in view.open_orders:
        intent = position.by_client_order_id(order.client_order_id or "")
        if intent is None or intent.state.terminal:
            continue
        if faults := order_faults(intent, position.contract, order):
            found.append((intent, faults))
    return tuple(found)


def orphans(positions: tuple[Position, ...], view: VenueView) -> tuple[OpenOrder, ...]:
    """Working orders of ours that no record wants any more: safe to cancel, because the record ended first.

    Not a stop that is all that covers a position: it goes once a recorded stop covers the whole.
    """
    unwanted = (each for each in view.open_orders if _is_ours(each) and not _wanted(each, positions))
    return tuple(each for each in unwanted if not _covers_alone(each, positions, view))


def _covers_alone(order: OpenOrder, positions: tuple[Position, ...], view: VenueView) -> bool:
    shown = view.position(order.contract)
    if shown is None or order.kind is not OpenOrderKind.STOP or not order.reduce_only:
        return False
    if order.side is not OrderSide.closing(shown.side):
        return False
    ours = (each for each in positions if stands_for(each, shown, view))
    cover = sum((stop.open_quantity for each in ours for stop in working_stops(each)), Decimal(0))
    return cover < shown.quantity


def still_covers(position: Position, others: tuple[Position, ...], view: VenueView) -> bool:
    """Its record is over, and its stop is needed all the same: somebody has bought on its side, and no other record
    covers the whole of it yet."""
    shown = view.position(position.contract)
    if shown is None or shown.side is not position.side:
        return False
    theirs = (each for each in others if each.id != position.id and stands_for(each, shown, view))
    cover = sum((stop.open_quantity for each in theirs for stop in working_stops(each)), Decimal(0))
    return cover < shown.quantity


def uncovered(shown: tuple[VenuePosition, ...], orders: tuple[OpenOrder, ...]) -> tuple[VenuePosition, ...]:
    """What the venue alone shows to stand without a full stop of ours, whoever holds it."""
    return tuple(each for each in shown if _stopped(each, orders) < each.quantity)


def _stopped(shown: VenuePosition, orders: tuple[OpenOrder, ...]) -> Decimal:
    closing = OrderSide.closing(shown.side)
    here = (each for each in orders if each.contract == shown.contract and each.side is closing and _is_ours(each))
    stops = (each for each in here if each.kind is OpenOrderKind.STOP and each.trigger_signal == TRIGGERED_BY)
    return sum((each.open_quantity for each in stops if each.reduce_only), Decimal(0))


def _is_ours(order: OpenOrder) -> bool:
    return order.client_order_id is not None and order.client_order_id.startswith(CLIENT_ORDER_ID_PREFIX)


def _wanted(order: OpenOrder, positions: tuple[Position, ...]) -> bool:
    for position in positions:
        intent = position.by_client_order_id(order.client_order_id or "")
        if intent is not None:
            return not intent.state.terminal
    return False


def _of(kind: DiscrepancyKind, subject: str, detail: str) -> Discrepancy:
    return Discrepancy(kind=kind, subject=subject, detail=detail)


def is_over(position: Position, now: datetime, rules: Rules, policies: Policies = POLICIES) -> bool:
    """The position is proven flat: its fills say so, or the venue showed nothing twice with time in between.

    While the entry may still add to it, it is not over and keeps its stop.
    """
    policy = policies[DiscrepancyKind.ZOMBIE]
    if position.quantity or position.entry_open or not (position.entered or position.adopted):
        return False
    if position.entered and position.left >= position.entered:
        return True
    first = position.missing_since
    if first is None or not policy.active:
        return False
    return now - first >= timedelta(seconds=rules.reconciliation.confirm_after_s * (policy.looks - 1))


def ghosts(positions: tuple[Position, ...], view: VenueView) -> tuple[VenuePosition, ...]:
    """Venue positions that no record stands for."""
    return tuple(shown for shown in view.positions if not any(stands_for(each, shown, view) for each in positions))


def kind_of_stranger(positions: tuple[Position, ...], shown: VenuePosition) -> DiscrepancyKind:
    """What a position without a record is: on our contract the other way round, or one that we know nothing of."""
    ours = any(each.contract == shown.contract and each.side is not shown.side for each in positions)
    return DiscrepancyKind.OPPOSITE_POSITION if ours else DiscrepancyKind.GHOST


def doubled(positions: tuple[Position, ...], view: VenueView) -> frozenset[PositionId]:
    """Adopted records of what an earlier one stands for already: two runs at once, of which one could not read the
    universe's name of the coin, have each made one."""
    adopted = [each for each in positions if each.adopted and _stands(each, view)]
    # One that held nothing at the last look has not begun anew: it is the other that stands.
    adopted.sort(key=lambda each: (not each.quantity, each.planned_at, each.instrument))
    first = {(each.contract, each.side): each.id for each in reversed(adopted)}
    return frozenset(each.id for each in adopted if each.id != first[each.contract, each.side])


def _stands(position: Position, view: VenueView) -> bool:
    shown = view.position(position.contract)
    return shown is not None and stands_for(position, shown, view)


def mark_missing(position: Position, now: datetime, *, sure: bool = True) -> Position:
    """Remember when the venue first showed nothing where our fills say something is left; forget it when it is back.

    Not `sure`: a source did not answer, and an absence before it proves nothing together with one after it.
    """
    held = position.entered > position.left or position.adopted
    missing = not position.quantity and held
    if missing and sure:
        return position if position.missing_since else replace(position, missing_since=now)
    return replace(position, missing_since=None)
