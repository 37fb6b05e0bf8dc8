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
    LEVELS = "levels"
    MARKET_CLOSED = "market_closed"
    MARKET_DISORDER = "market_disorder"
    CONTRACT_AGE = "contract_age"
    CLOCK_SKEW = "clock_skew"
    QUOTE_AGE = "quote_age"
    QUOTE_COMPLETE = "quote_complete"
    EQUITY_AGE = "equity_age"
    EQUITY_JUMP = "equity_jump"
    BASIS = "basis"
    ENTRY_COLLAR = "entry_collar"
    STOP_MINIMUM = "stop_minimum"
    STOP_MAXIMUM = "stop_maximum"
    SPREAD = "spread"
    FEES = "fees"
    COST = "cost"
    FUNDING = "funding"
    DAILY_LOSS = "daily_loss"
    LOSS_STREAK = "loss_streak"
    OPEN_RISK = "open_risk"
    POSITIONS = "positions"
    CLUSTER_POSITIONS = "cluster_positions"
    INSTRUMENT_POSITIONS = "instrument_positions"
    UNRECORDED_POSITIONS = "unrecorded_positions"
    ISOLATED_MARGIN = "isolated_margin"
    SELF_MATCH = "self_match"
    ENTRIES_PER_MINUTE = "entries_per_minute"
    ENTRIES_PER_DAY = "entries_per_day"
    ENTRIES_PER_COIN = "entries_per_coin"
    REPEATED_ENTRY = "repeated_entry"
    MINIMUM_SIZE = "minimum_size"
    TIER_NOTIONAL = "tier_notional"
    TIER_NOTIONAL_USD = "tier_notional_usd"
    LEVERAGE = "leverage"
    VENUE_MAXIMUM = "venue_maximum"
    VOLUME_SHARE = "volume_share"
    DEPTH = "depth"
    SINGLE_MARGIN = "single_margin"
    AVAILABLE_MARGIN = "available_margin"
    GROSS_NOTIONAL = "gross_notional"
    SIDE_NOTIONAL = "side_notional"
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
    """Quantity in base coins and what it means. `allowed`: the quantity that the risk budget and every size cap allow,
    by name; `capped_by` names the cap that made it smaller than the budget, empty when none did."""

    quantity: Quantity
    allowed: tuple[tuple[RefusalReason, Decimal], ...]
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
