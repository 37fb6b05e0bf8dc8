"""What it means for a record that it is to be closed: by the kill level all of them, by a person's order one of them.

The order for one instrument stands in its record (`close_reason`), so that whoever works on it next carries it out:
an entry whose fate was not known then, and what it brings later, are closed as well.
"""

from __future__ import annotations

from trading.model.control import KillLevel
from trading.model.positions import Position, PositionState

HELD = frozenset({PositionState.UNPROTECTED, PositionState.PROTECTED, PositionState.FOREIGN})
REASON = "flatten"


def under_kill_level(position: Position, level: KillLevel) -> Position:
    """From K3 on whatever is held is being closed, also what was filled or adopted after the flatten was ordered; below
    it, what is to be closed by its own record."""
    ordered = level >= KillLevel.FLATTEN or to_be_closed(position)
    if not ordered or not position.quantity or position.state not in HELD:
        return position
    return position.moved(PositionState.CLOSING, close_reason=position.close_reason or REASON)


def to_be_closed(position: Position) -> bool:
    """A person has ordered it for this record."""
    return position.close_reason == REASON


def ordered_to_close(position: Position) -> Position:
    """The record with that order: what is held is closing, what was never sent is given up, what may still fill, or be
    shown by a venue whose view of positions lags behind its fills, says what is to be done with it. One that is over,
    or closing already for another reason, stays as it is."""
    if position.quantity:
        return under_kill_level(position, KillLevel.FLATTEN)
    if not position.entry_open:
        return position.moved(position.state, close_reason=REASON) if _may_be_shown(position) else position
    return position.given_up(REASON)


def _may_be_shown(position: Position) -> bool:
    held = position.adopted or position.entered > position.left
    return held and position.state is not PositionState.CLOSING
