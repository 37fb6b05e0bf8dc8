"""What a kill level means for a position that is held."""

from __future__ import annotations

from trading.model.control import KillLevel
from trading.model.positions import Position, PositionState

HELD = frozenset({PositionState.UNPROTECTED, PositionState.PROTECTED, PositionState.FOREIGN})
REASON = "flatten"


def under_kill_level(position: Position, level: KillLevel) -> Position:
    """From K3 on whatever is held is being closed, also what was filled or adopted after the flatten was ordered."""
    if level < KillLevel.FLATTEN or not position.quantity or position.state not in HELD:
        return position
    return position.moved(PositionState.CLOSING, close_reason=position.close_reason or REASON)
