"""What the venue holds and no record of ours stands for: it gets one, so that it can be closed like any other."""

from __future__ import annotations

from functions.control_trading.scopes import NO_UNIVERSE, Scope
from shared.failures import FAILURES
from shared.trading_desk import TradingDesk
from trading.errors import CorruptRecord, StoreConflict, VenueUnavailable
from trading.model.instruments import Instrument, Universe
from trading.model.positions import Position
from trading.model.units import Price
from trading.model.venue import VenuePosition
from trading.reconciliation.adopting import adopt_ghost, beside, stray_instrument


def without_record(
    held: tuple[VenuePosition, ...], positions: tuple[Position, ...], meant: Scope
) -> list[VenuePosition]:
    """Of what the venue shows. A record whose entry came to nothing stands for nothing of it."""
    recorded = {(each.contract, each.side) for each in positions if not each.came_to_nothing}
    return [each for each in held if meant.covers(each.contract) and (each.contract, each.side) not in recorded]


def adopt(desk: TradingDesk, shown: VenuePosition, positions: tuple[Position, ...]) -> Position:
    """Its new record. Reconcile may be first: then that one is taken, whatever it says by now."""
    quote = desk.venue.quotes().get(shown.contract)
    if quote is None:
        raise VenueUnavailable("no price is known by which it could get a stop")
    market = _market(desk, shown.contract)
    if any(each.contract == shown.contract for each in positions):
        market = beside(market)
    try:
        return _adopted(desk, shown, market, quote.mark)
    except StoreConflict:
        found = _recorded(desk, market)
        return found or _adopted(desk, shown, beside(market), quote.mark)


def _adopted(desk: TradingDesk, shown: VenuePosition, market: Instrument, mark: Price) -> Position:
    return desk.ledger.adopt_position(adopt_ghost(shown, market, mark, desk.rules, desk.now))


def _recorded(desk: TradingDesk, market: Instrument) -> Position | None:
    """None where the record in its place cannot be read."""
    try:
        return desk.ledger.position(market.id)
    except CorruptRecord:
        return None


def _market(desk: TradingDesk, contract: str) -> Instrument:
    known = known_universe(desk).by_contract(contract)
    if known is not None:
        return known
    listed = next((each for each in desk.venue.contracts() if each.contract == contract), None)
    if listed is None:
        raise VenueUnavailable(f"the venue holds {contract} and does not list it")
    return stray_instrument(listed)


def known_universe(desk: TradingDesk) -> Universe:
    """Empty when it cannot be read: the venue's own list says what a contract needs."""
    try:
        return desk.universe()
    except FAILURES:
        return NO_UNIVERSE
