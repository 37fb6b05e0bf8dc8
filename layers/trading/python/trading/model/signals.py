"""A signal: one entry idea with its levels, all in spot price. Conversion to the contract happens at send time."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from typing import NewType

from trading.errors import InvalidInput
from trading.model.instruments import InstrumentId, Side
from trading.model.times import require_utc, to_text
from trading.model.units import Price

SignalId = NewType("SignalId", str)


class Regime(StrEnum):
    TIGHT_SMC = "tight_smc"
    WIDE_STRUCTURE = "wide_structure"


class Setup(StrEnum):
    ORDER_BLOCK = "order_block"
    FAIR_VALUE_GAP = "fair_value_gap"
    BREAK_OF_STRUCTURE = "break_of_structure"
    TREND = "trend"

    @property
    def regime(self) -> Regime:
        tight = self in (Setup.ORDER_BLOCK, Setup.FAIR_VALUE_GAP)
        return Regime.TIGHT_SMC if tight else Regime.WIDE_STRUCTURE


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """Prices of one idea, in spot USD. A long has stop < entry < target_1 < target_2; a short the mirror.

    `invalidation`: a 15m close beyond it cancels the entry and ends the premise; the stop lies further out.
    """

    side: Side
    entry: Price
    stop: Price
    invalidation: Price
    target_1: Price
    target_2: Price

    def __post_init__(self) -> None:
        ladder = (self.stop, self.entry, self.target_1, self.target_2)
        ordered = ladder if self.side is Side.LONG else ladder[::-1]
        if not all(low < high for low, high in pairwise(ordered)):
            raise InvalidInput(
                f"{self.side} levels are {[str(p) for p in ladder]}; expected stop, entry, targets in order"
            )

    @property
    def stop_distance(self) -> Decimal:
        return abs(self.entry - self.stop)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """`decision_bar` is the close time of the bar it was decided on; it lives until `expires_at`."""

    id: SignalId
    instrument: InstrumentId
    decision_bar: datetime
    expires_at: datetime
    setup: Setup
    structure_id: str
    score: int
    aligned: bool
    levels: Levels
    atr: Decimal
    rules_fingerprint: str
    code_version: str

    def __post_init__(self) -> None:
        require_utc(self.decision_bar, "decision bar")
        if self.expires_at <= self.decision_bar:
            raise InvalidInput(f"signal {self.id} expires at {self.expires_at}; expected after {self.decision_bar}")

    @property
    def side(self) -> Side:
        return self.levels.side

    @property
    def regime(self) -> Regime:
        return self.setup.regime


def signal_id(instrument: InstrumentId, decision_bar: datetime, setup: Setup, structure_id: str) -> SignalId:
    """The same idea always has the same id: a repeated run cannot trade it twice. 16 hex digits."""
    meaning = "|".join((instrument, to_text(decision_bar), setup, structure_id))
    return SignalId(hashlib.sha256(meaning.encode()).hexdigest()[:16])
