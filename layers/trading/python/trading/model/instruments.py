"""What can be traded: parsed once at discovery. No symbol text is built, split or compared anywhere else."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import NewType

from trading.errors import InvalidInput
from trading.model.units import BasisPoints, Price, Quantity, round_down, round_up

InstrumentId = NewType("InstrumentId", str)
"""Our own name of a market, the coin's code (`BTC`). Never sent to the venue."""


class Side(StrEnum):
    LONG = "long"
    SHORT = "short"

    @property
    def sign(self) -> int:
        return 1 if self is Side.LONG else -1

    @property
    def opposite(self) -> Side:
        return Side.SHORT if self is Side.LONG else Side.LONG


class Tier(StrEnum):
    """Liquidity tier: sets the notional and leverage caps."""

    A = "A"
    B = "B"
    C = "C"


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginLevel:
    """From this notional (USD) on, these shares of the notional are demanded as margin."""

    from_notional: Decimal
    initial: Decimal
    maintenance: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """One coin: the spot pair that is read and the PF_ perpetual that is traded.

    `tick` in USD, `step` and `minimum` in base coins, fees in basis points of the notional.
    """

    id: InstrumentId
    spot_pair: str
    contract: str
    tick: Decimal
    step: Decimal
    minimum: Quantity
    maximum_position: Quantity
    margin_levels: tuple[MarginLevel, ...]
    maker_fee: BasisPoints
    taker_fee: BasisPoints
    tier: Tier

    def __post_init__(self) -> None:
        if self.tick <= 0 or self.step <= 0:
            raise InvalidInput(f"{self.id} has tick {self.tick} and step {self.step}; expected both above 0")
        if not self.margin_levels:
            raise InvalidInput(f"{self.id} has no margin levels; expected at least one")

    def price_down(self, value: Decimal) -> Price:
        return Price(round_down(value, self.tick))

    def price_up(self, value: Decimal) -> Price:
        return Price(round_up(value, self.tick))

    def price_nearest(self, value: Decimal) -> Price:
        return Price(round_down(value + self.tick / 2, self.tick))

    def quantity_down(self, value: Decimal) -> Quantity:
        """Rounded down to the step; never bumped up to the minimum."""
        return Quantity(round_down(max(value, Decimal(0)), self.step))

    def margin_level(self, notional: Decimal) -> MarginLevel:
        """The level that applies to a position of this notional (USD)."""
        reached = [level for level in self.margin_levels if level.from_notional <= notional]
        return reached[-1] if reached else self.margin_levels[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Universe:
    """The markets that are decided on, by id, and what was left out and why."""

    instruments: tuple[Instrument, ...]
    left_out: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        ids = [instrument.id for instrument in self.instruments]
        if ids != sorted(set(ids)):
            raise InvalidInput(f"universe lists {ids}; expected unique ids in order")

    def __len__(self) -> int:
        return len(self.instruments)

    def get(self, instrument_id: InstrumentId) -> Instrument | None:
        return next((each for each in self.instruments if each.id == instrument_id), None)

    def by_contract(self, contract: str) -> Instrument | None:
        """The market that trades this venue contract (exact venue id)."""
        return next((each for each in self.instruments if each.contract == contract), None)
