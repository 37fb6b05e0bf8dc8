"""Where the venue and our records differ, as values. Nothing is inferred from one empty answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from trading.model.instruments import Instrument, InstrumentId, MarginLevel, Side, Tier
from trading.model.orders import CLIENT_ORDER_ID_PREFIX, IntentState, PositionId
from trading.model.positions import Position, PositionState
from trading.model.signals import Levels, Regime, Setup
from trading.model.times import to_text
from trading.model.units import BasisPoints, Money, Price, Quantity
from trading.model.venue import ListedContract, OpenOrder, VenuePosition
from trading.reconciliation.view import Discrepancy, DiscrepancyKind, VenueView
from trading.rules import Rules


def discrepancies(positions: tuple[Position, ...], view: VenueView) -> tuple[Discrepancy, ...]:
    """All differences after the records were settled, in a stable order."""
    found = [*_of_positions(positions, view), *_of_orders(positions, view)]
    return tuple(sorted(found, key=lambda each: (each.kind, each.subject)))


def _of_positions(positions: tuple[Position, ...], view: VenueView) -> list[Discrepancy]:
    found: list[Discrepancy] = []
    ours = {position.contract: position for position in positions}
    for shown in view.positions:
        if shown.isolated:
            found.append(_of(DiscrepancyKind.ISOLATED_MARGIN, shown.contract, "the contract is on isolated margin"))
        position = ours.get(shown.contract)
        if position is None or shown.side is not position.side:
            found.append(_of(DiscrepancyKind.GHOST, shown.contract, f"the venue holds {shown.quantity} {shown.side}"))
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
    for intent in position.intents:
        if intent.state is IntentState.UNKNOWN:
            found.append(_of(DiscrepancyKind.UNKNOWN_INTENT, intent.client_order_id, intent.reason))
    return found


def _of_orders(positions: tuple[Position, ...], view: VenueView) -> list[Discrepancy]:
    found = []
    for order in view.open_orders:
        if not _is_ours(order):
            found.append(_of(DiscrepancyKind.FOREIGN_ORDER, order.order_id, f"{order.kind} on {order.contract}"))
        elif not _wanted(order, positions):
            found.append(_of(DiscrepancyKind.ORPHAN_ORDER, order.order_id, f"{order.kind} on {order.contract}"))
    return found


def orphans(positions: tuple[Position, ...], view: VenueView) -> tuple[OpenOrder, ...]:
    """Working orders of ours that no record wants any more: safe to cancel, because the record ended first."""
    return tuple(each for each in view.open_orders if _is_ours(each) and not _wanted(each, positions))


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


def is_over(position: Position, now: datetime, rules: Rules) -> bool:
    """The position is proven flat: its fills say so, or the venue showed nothing twice with time in between.

    While the entry may still add to it, it is not over and keeps its stop.
    """
    if position.quantity or position.entry_open or not (position.entered or position.adopted):
        return False
    if position.entered and position.left >= position.entered:
        return True
    first = position.missing_since
    return first is not None and now - first >= timedelta(seconds=rules.reconciliation.confirm_after_s)


def ghosts(positions: tuple[Position, ...], view: VenueView) -> tuple[VenuePosition, ...]:
    """Venue positions without a record on their contract."""
    known = {position.contract for position in positions}
    return tuple(shown for shown in view.positions if shown.contract not in known)


NO_FEE = BasisPoints(0)
WHOLE_NOTIONAL = MarginLevel(from_notional=Decimal(0), initial=Decimal(1), maintenance=Decimal(1))
"""Counts a position that is not ours at its dearest."""


def stray_instrument(listed: ListedContract) -> Instrument:
    """A contract outside our universe, good enough to protect a position on it and for nothing else.

    Only its grid is taken over: nonsense in its fees or margin levels must not keep a stop from it."""
    return Instrument(
        id=InstrumentId(listed.contract),
        spot_pair="",
        contract=listed.contract,
        tick=listed.tick,
        step=listed.step,
        minimum=Quantity(listed.step),
        maximum_position=Quantity(max(listed.maximum_position, listed.step)),
        margin_levels=(WHOLE_NOTIONAL,),
        maker_fee=NO_FEE,
        taker_fee=NO_FEE,
        tier=Tier.C,
    )


def adopt_ghost(shown: VenuePosition, instrument: Instrument, mark: Price, rules: Rules, now: datetime) -> Position:
    """A record for a position that is not ours: it gets a stop a fixed share away and nothing else, ever."""
    share = rules.reconciliation.ghost_stop_pct / Decimal(100)
    long = shown.side is Side.LONG
    raw = mark * (1 - share * shown.side.sign)
    stop = instrument.price_down(raw) if long else instrument.price_up(raw)
    distance = abs(mark - stop)
    sign = shown.side.sign
    levels = Levels(
        side=shown.side,
        entry=mark,
        stop=stop,
        invalidation=stop,
        target_1=Price(mark + distance * rules.levels.target_1_r * sign),
        target_2=Price(mark + distance * rules.levels.target_2_r * sign),
    )
    return Position(
        id=PositionId(f"foreign-{instrument.id}-{to_text(now)}"),
        market=instrument,
        side=shown.side,
        state=PositionState.FOREIGN,
        regime=Regime.WIDE_STRUCTURE,
        setup=Setup.TREND,
        planned=shown.quantity,
        levels=levels,
        spot_invalidation=stop,
        stop=stop,
        risk=Money(shown.quantity * distance),
        cost_bps=Decimal(0),
        planned_at=now,
        entry_expires_at=now,
        rules_fingerprint=rules.fingerprint,
        code_version="foreign",
        quantity=shown.quantity,
        opened_at=now,
    )


def mark_missing(position: Position, now: datetime) -> Position:
    """Remember when the venue first showed nothing where our fills say something is left; forget it when it is back."""
    held = position.entered > position.left or position.adopted
    missing = not position.quantity and held
    if missing:
        return position if position.missing_since else replace(position, missing_since=now)
    return replace(position, missing_since=None)
