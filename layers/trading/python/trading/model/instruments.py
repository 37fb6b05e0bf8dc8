"""What can be traded: parsed once at discovery. No symbol text is built, split or compared anywhere else."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from typing import NewType

from trading.errors import InvalidInput
from trading.model.units import BasisPoints, Price, Quantity, round_down, round_up

InstrumentId = NewType("InstrumentId", str)
"""Our own name of a market, the coin's code (`BTC`). Never sent to the venue."""

HIGHEST_FEE = BasisPoints(100)
"""1 % of the notional, ten times what any venue charges: a higher fee is somebody's error (maker rebates likewise)."""


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

    def __post_init__(self) -> None:
        if not self.from_notional.is_finite() or self.from_notional < 0:
            raise InvalidInput(f"margin level starts at {self.from_notional} USD; expected 0 or more")
        shares = self.initial, self.maintenance
        if not all(share.is_finite() for share in shares) or not 0 < self.maintenance <= self.initial <= 1:
            raise InvalidInput(
                f"margin level has initial {self.initial} and maintenance {self.maintenance}; "
                "expected 0 < maintenance <= initial <= 1"
            )


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
        """Raises InvalidInput for terms no contract can have: a position must never be sized by nonsense."""
        for name in ("tick", "step", "minimum", "maximum_position"):
            value: Decimal = getattr(self, name)
            if not value.is_finite() or value <= 0:
                raise InvalidInput(f"{self.id} has {name.replace('_', ' ')} {value}; expected a number above 0")
        if self.maximum_position < self.minimum:
            raise InvalidInput(
                f"{self.id} has maximum position {self.maximum_position}; expected at least its minimum {self.minimum}"
            )
        self._check_fees()
        self._check_margin_levels()

    def _check_fees(self) -> None:
        if abs(self.maker_fee) > HIGHEST_FEE:
            raise InvalidInput(
                f"{self.id} has maker fee {self.maker_fee} bps; expected -{HIGHEST_FEE} to {HIGHEST_FEE}"
            )
        if not 0 <= self.taker_fee <= HIGHEST_FEE:
            raise InvalidInput(f"{self.id} has taker fee {self.taker_fee} bps; expected 0 to {HIGHEST_FEE}")

    def _check_margin_levels(self) -> None:
        """Every recorded contract of the venue has levels that start at 0, ascend, and never demand less for more."""
        levels = self.margin_levels
        if not levels or levels[0].from_notional != 0:
            found = f"margin levels from {levels[0].from_notional} USD on" if levels else "no margin levels"
            raise InvalidInput(f"{self.id} has {found}; expected the first from 0")
        for lower, higher in pairwise(levels):
            if higher.from_notional <= lower.from_notional:
                raise InvalidInput(
                    f"{self.id} has a margin level from {higher.from_notional} USD after one from "
                    f"{lower.from_notional}; expected ascending levels"
                )
            if higher.initial < lower.initial or higher.maintenance < lower.maintenance:
                raise InvalidInput(
                    f"{self.id} demands {higher.initial} and {higher.maintenance} from {higher.from_notional} USD on; "
                    f"expected no less than the {lower.initial} and {lower.maintenance} below it"
                )

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
