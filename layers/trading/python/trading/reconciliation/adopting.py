"""A record for a position that is not ours: protected by a stop, and nothing else is ever done about it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from trading.model.instruments import Instrument, InstrumentId, MarginLevel, Side, Tier
from trading.model.orders import PositionId
from trading.model.positions import Position, PositionState
from trading.model.signals import Levels, Regime, Setup
from trading.model.times import to_text
from trading.model.units import BasisPoints, Money, Price, Quantity
from trading.model.venue import ListedContract, VenuePosition
from trading.rules import Rules

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


def places(market: Instrument, side: Side) -> tuple[Instrument, ...]:
    """The same market under the names a record of a stranger's position may stand under, in the order of preference.

    Our own record on the contract keeps its place until it is booked, and so does one of a position that he has turned
    round since; the stop of the new one does not wait for either."""
    names = (market.id, market.contract, f"{market.contract}-{side}")
    return tuple(replace(market, id=InstrumentId(name)) for name in dict.fromkeys(names))


def market_name(place: str) -> str:
    """The coin or contract that the name of a place says."""
    for side in Side:
        place = place.removesuffix(f"-{side}")
    return place
