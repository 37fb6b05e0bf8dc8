"""A record for what the venue holds and none of ours stands for: to protect it, or to close it when a person asks."""

from __future__ import annotations

from shared.trading_desk import TradingDesk
from trading.errors import CorruptRecord, StoreConflict, VenueAnswerInvalid, VenueUnavailable
from trading.model.instruments import Instrument, InstrumentId, Universe
from trading.model.positions import Position
from trading.model.units import Price
from trading.model.venue import VenuePosition
from trading.reconciliation.adopting import adopt_ghost, places, stray_instrument


def market_of(desk: TradingDesk, universe: Universe, contract: str) -> Instrument:
    """Also when the coin is not in the universe: its grid is all that a stop needs, and the venue tells that."""
    known = universe.by_contract(contract)
    if known is not None:
        return known
    listed = next((each for each in desk.venue.contracts() if each.contract == contract), None)
    if listed is None:
        raise VenueAnswerInvalid(f"the venue holds {contract} and does not list it")
    return stray_instrument(listed)


def adopt(
    desk: TradingDesk, shown: VenuePosition, market: Instrument, mark: Price | None, known: tuple[Position, ...]
) -> Position:
    """Its new record, in the first place that no record of `known` has. Raises StoreConflict when one that is not known
    and can be read has taken it meanwhile."""
    if mark is None:
        # Not by its entry: from there a stop may be beyond the price of now, and would close what is not ours.
        raise VenueUnavailable("no price is known by which it could get a stop")
    taken = {each.instrument for each in known}
    for place in (each for each in places(market, shown.side) if each.id not in taken):
        try:
            return desk.ledger.adopt_position(adopt_ghost(shown, place, mark, desk.rules, desk.now))
        except StoreConflict:
            if not _unreadable(desk, place.id):
                raise
            # The record in its place protects nothing, because nobody can read it.
    raise StoreConflict(f"every name under which {shown.contract} could get a record is taken")


def _unreadable(desk: TradingDesk, place: InstrumentId) -> bool:
    try:
        desk.ledger.position(place)
    except CorruptRecord:
        return True
    return False
