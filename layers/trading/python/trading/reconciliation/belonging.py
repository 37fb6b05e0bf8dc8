"""Whose it is what the venue shows: a record's own, or what somebody else bought once that record was over."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from trading.model.orders import OrderIntent, OrderSide
from trading.model.positions import Position
from trading.model.venue import Fill, VenuePosition
from trading.reconciliation.view import VenueView


def stands_for(position: Position, shown: VenuePosition, view: VenueView) -> bool:
    """The record stands for what is shown on its contract and side. One whose entry came to nothing stands for nothing,
    nor one that is all gone: without fills neither is concluded, and what was concluded once stays."""
    if (position.contract, position.side) != (shown.contract, shown.side) or position.spent:
        return False
    return not (view.fills_known and (position.came_to_nothing or _gone(position, view)))


def explained(position: Position, view: VenueView) -> bool:
    """The fills since the record began, ours and anybody's, make up the position that is shown. Of one that is not ours
    they always do: what it began with is reckoned back from what is shown."""
    return position.adopted or _traded(position, view) == _shown(position, view)


def intent_of(position: Position, fill: Fill) -> OrderIntent | None:
    for intent in position.intents:
        if fill.client_order_id == intent.client_order_id or fill.order_id == intent.venue_order_id:
            return intent
    return None


def _gone(position: Position, view: VenueView) -> bool:
    """After all that this record brought the account was flat or turned round: what is shown was bought after that, or
    the view of it lags. What somebody adds while it is held adds to it."""
    if position.entry_open or position.left < position.entered:
        return False
    held, flat = _began_with(position, view), False
    for fill in sorted(_fills_of(position, view), key=lambda each: each.at):
        held += _signed(fill)
        if fill.side is OrderSide.opening(position.side) and intent_of(position, fill):
            flat = False
        elif held * position.side.sign <= 0:
            flat = True
    return flat


def _began_with(position: Position, view: VenueView) -> Decimal:
    """Ours began from nothing. What is not ours was held before: by what is shown, less what was traded since as far
    back as the view goes, which may be later than the day its record was made."""
    return _shown(position, view) - _traded(position, view) if position.adopted else Decimal(0)


def _traded(position: Position, view: VenueView) -> Decimal:
    return sum(map(_signed, _fills_of(position, view)), Decimal(0))


def _fills_of(position: Position, view: VenueView) -> Iterator[Fill]:
    for fill in view.fills:
        if fill.contract == position.contract and (fill.at >= position.planned_at or intent_of(position, fill)):
            yield fill


def _signed(fill: Fill) -> Decimal:
    return fill.quantity if fill.side is OrderSide.BUY else -fill.quantity


def _shown(position: Position, view: VenueView) -> Decimal:
    shown = view.position(position.contract)
    return shown.quantity * shown.side.sign if shown else Decimal(0)
