"""Whether the account is flat, so that it may go on after a flatten: nothing held, and no entry that may still fill."""

from __future__ import annotations

from functions.control_trading.desk import ControlDesk
from functions.control_trading.scopes import scope_of
from shared.failures import FAILURES
from trading.errors import InvalidInput
from trading.model.control import Control
from trading.model.positions import Position
from trading.model.venue import VenuePosition
from trading.reconciliation.compare import is_over


def records_left(desk: ControlDesk, current: Control) -> tuple[str, ...]:
    """What is left in the ledger of a flat account, one line each. Raises InvalidInput where it is not flat.

    A record that nobody can read, and one that the account log has no price for, may stay for ever. The venue holds
    nothing of either, so whoever resumes is shown them and decides.
    """
    positions, unreadable = desk.ledger.readable_positions()
    _require_closed(current, [each.instrument for each in positions if not _closed(desk, each)])
    shown = _shown(desk, current)
    unread = [each.partition(":")[0] for each in unreadable]
    _require_closed(current, [each for each in unread if _holds(desk, positions, each, shown)])
    if shown:
        foreign = ", ".join(each.contract for each in shown)
        raise InvalidInput(f"level is K{current.level} and the venue still holds {foreign}; expected nothing")
    ended = [f"{each.instrument}: closed, its record has not ended" for each in positions]
    return (*ended, *(f"{each}: its record cannot be read" for each in unread))


def _require_closed(current: Control, held: list[str]) -> None:
    if held:
        raise InvalidInput(
            f"level is K{current.level} and {', '.join(held)} is not closed yet; expected no open position"
        )


def _closed(desk: ControlDesk, position: Position) -> bool:
    """Also by its fills: the venue's view of positions may lag behind them, and one empty view proves nothing."""
    if position.quantity or position.entry_open:
        return False
    may_be_shown = position.adopted or position.entered > position.left
    return not may_be_shown or is_over(position, desk.now, desk.rules)


def _shown(desk: ControlDesk, current: Control) -> tuple[VenuePosition, ...]:
    try:
        return desk.venue_positions()
    except FAILURES as error:
        raise InvalidInput(f"level is K{current.level} and the venue does not say what is open: {error}") from None


def _holds(desk: ControlDesk, positions: tuple[Position, ...], name: str, shown: tuple[VenuePosition, ...]) -> bool:
    """The venue shows a position of the coin whose record has this name."""
    return any(scope_of(name, desk.universe(), positions).covers(each.contract) for each in shown)
