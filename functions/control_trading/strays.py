"""What the venue holds and no record of ours stands for: it gets one, so that it can be closed like any other."""

from __future__ import annotations

from functools import partial

from functions.control_trading.scopes import NO_UNIVERSE, Scope
from shared.failures import FAILURES
from shared.guard import adoption
from shared.trading_desk import TradingDesk
from trading.errors import StoreConflict
from trading.model.instruments import Universe
from trading.model.positions import Position
from trading.model.venue import VenuePosition


def without_record(
    held: tuple[VenuePosition, ...], positions: tuple[Position, ...], meant: Scope
) -> list[VenuePosition]:
    """Of what the venue shows. A record whose entry came to nothing, or that is all gone, stands for nothing of it."""
    recorded = {(each.contract, each.side) for each in _standing(positions)}
    return [each for each in held if meant.covers(each.contract) and (each.contract, each.side) not in recorded]


def adopt(desk: TradingDesk, shown: VenuePosition, positions: tuple[Position, ...]) -> Position:
    """Its new record. Reconcile may be first: then the one that it has made is taken, whatever it says by now."""
    quote = desk.venue.quotes().get(shown.contract)
    market = adoption.market_of(desk, known_universe(desk), shown.contract)
    taken_in = partial(adoption.adopt, desk, shown, market, quote.mark if quote else None)
    try:
        return taken_in(positions)
    except StoreConflict:
        fresh, _ = desk.ledger.readable_positions()
        here = (each for each in _standing(fresh) if (each.contract, each.side) == (shown.contract, shown.side))
        return next(here, None) or taken_in(fresh)


def _standing(positions: tuple[Position, ...]) -> list[Position]:
    return [each for each in positions if not (each.came_to_nothing or each.spent)]


def known_universe(desk: TradingDesk) -> Universe:
    """Empty when it cannot be read: the venue's own list says what a contract needs."""
    try:
        return desk.universe()
    except FAILURES:
        return NO_UNIVERSE
