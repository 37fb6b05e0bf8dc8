"""The answer of the risk gate: approved with a size, or refused with a reason; both list every limit evaluated."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from trading.model.instruments import Instrument
from trading.model.signals import Levels, Signal
from trading.model.units import BasisPoints, Money, Price, Quantity


class RefusalReason(StrEnum):
    """Which limit refused. The name is also the limit's name in every trace."""

    KILL_LEVEL = "kill_level"
    SIGNAL_EXPIRED = "signal_expired"
    MARKET_CLOSED = "market_closed"
    QUOTE_AGE = "quote_age"
    EQUITY_AGE = "equity_age"
    BASIS = "basis"
    ENTRY_COLLAR = "entry_collar"
    DAILY_LOSS = "daily_loss"
    LOSS_STREAK = "loss_streak"
    POSITIONS = "positions"
    CLUSTER_POSITIONS = "cluster_positions"
    INSTRUMENT_POSITIONS = "instrument_positions"
    ISOLATED_MARGIN = "isolated_margin"
    MINIMUM_SIZE = "minimum_size"
    GROSS_NOTIONAL = "gross_notional"
    SIDE_NOTIONAL = "side_notional"
    SINGLE_MARGIN = "single_margin"
    AVAILABLE_MARGIN = "available_margin"
    LIQUIDATION_BUFFER = "liquidation_buffer"
    LIQUIDATION_DISTANCE = "liquidation_distance"


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitCheck:
    """One limit: the value that was compared with the bound, and whether it held."""

    reason: RefusalReason
    value: Decimal
    bound: Decimal
    passed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizing:
    """Quantity in base coins and what it means. `capped_by` names the cap that made it smaller than the risk allows."""

    quantity: Quantity
    notional: Money
    margin: Money
    risk: Money
    cost: BasisPoints
    capped_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskApproved:
    """The only thing execution accepts. `levels` in contract USD, on the tick; `spot_invalidation` in spot USD."""

    signal: Signal
    instrument: Instrument
    levels: Levels
    spot_invalidation: Price
    sizing: Sizing
    limits: tuple[LimitCheck, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskRefused:
    signal: Signal
    reason: RefusalReason
    limits: tuple[LimitCheck, ...]
