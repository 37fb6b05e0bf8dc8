"""Bodies of public derivatives data in the terms of `trading.ports`. What the venue did not say stays unsaid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from shared.venue.bodies import FeeSchedule, InstrumentMarginLevel, InstrumentRow, TickerRow
from trading.errors import InvalidInput
from trading.model.instruments import MarginLevel
from trading.model.units import BasisPoints, Price, Quantity
from trading.model.venue import ListedContract, Quote

PERPETUAL_KIND = "flexible_futures"
"""The multi-collateral kind; its dated contracts carry a last trading time, its perpetuals do not."""

# Kraken's published tier 1 (30-day volume below 5 M USD): maker 0.02 %, taker 0.05 % (contract, section 8). Stands in
# for the fee schedules, which Kraken has declared deprecated; the account log is the truth about fees paid.
TIER_1_MAKER = BasisPoints(2)
TIER_1_TAKER = BasisPoints(5)

Fees = tuple[BasisPoints, BasisPoints]


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeTable:
    """Lowest-tier fees (maker, taker) by schedule; `flawed`: schedules that are given and are nonsense, and why."""

    known: Mapping[str, Fees] = field(default_factory=dict)
    flawed: Mapping[str, str] = field(default_factory=dict)

    def of(self, schedule: str | None) -> Fees:
        """Raises InvalidInput for a schedule that the venue gave and that cannot be read."""
        if schedule is not None and schedule in self.flawed:
            raise InvalidInput(f"fee schedule {schedule} cannot be read: {self.flawed[schedule]}")
        return self.known.get(schedule or "", (TIER_1_MAKER, TIER_1_TAKER))


def lowest_tier(schedule: FeeSchedule) -> Fees:
    tier = min(schedule.tiers, key=lambda each: each.usd_volume)
    return BasisPoints(tier.maker_fee * 100), BasisPoints(tier.taker_fee * 100)


def stated_names(row: InstrumentRow) -> tuple[str, str] | None:
    """Base and quote as the venue writes them, None for bodies from before 2026."""
    if row.base and row.quote:
        return row.base, row.quote
    base, separator, quote = (row.pair or "").partition(":")
    return (base, quote) if separator and base and quote else None


def listed_contract(row: InstrumentRow, names: tuple[str, str], fees: FeeTable) -> ListedContract:
    """Raises InvalidInput for margin levels or fees that cannot be, naming the value."""
    maker, taker = fees.of(row.fee_schedule_uid)
    return ListedContract(
        contract=row.symbol,
        kind=row.type,
        base=names[0],
        quote=names[1],
        tradeable=row.tradeable and not row.is_expired,
        post_only=row.post_only,
        perpetual=row.type == PERPETUAL_KIND and row.last_trading_time is None,
        tick=row.tick_size,
        step=Decimal(1).scaleb(-row.contract_value_trade_precision),
        maximum_position=Quantity(row.max_position_size),
        margin_levels=tuple(sorted(map(_margin_level, row.margin_levels), key=lambda level: level.from_notional)),
        maker_fee=maker,
        taker_fee=taker,
    )


def _margin_level(level: InstrumentMarginLevel) -> MarginLevel:
    """Inverse contracts count their levels in contracts of one USD, which is the same number."""
    size = level.num_non_contract_units if level.num_non_contract_units is not None else level.contracts
    if size is None:
        raise InvalidInput(f"margin level with initial {level.initial_margin} names no size that it starts from")
    return MarginLevel(from_notional=size, initial=level.initial_margin, maintenance=level.maintenance_margin)


def quote_of(row: TickerRow, at: datetime) -> Quote:
    """Funding comes as USD per contract and hour; as a share of the mark it can be compared between coins.

    A volume that is missing counts as none, which only ever refuses a trade.
    """
    volume = row.volume_quote if row.volume_quote is not None else (row.vol24h or Decimal(0)) * row.mark_price
    bid, ask = _sides(row)
    return Quote(
        contract=row.symbol,
        mark=Price(row.mark_price),
        index=_price(row.index_price),
        bid=bid,
        ask=ask,
        volume_usd=volume,
        hourly_funding=None if row.funding_rate is None else row.funding_rate / row.mark_price,
        suspended=row.suspended,
        post_only=row.post_only,
        at=at,
    )


def _sides(row: TickerRow) -> tuple[Price | None, Price | None]:
    """A bid above the ask says nothing about the spread, while the mark, which stops hang on, is still good."""
    if row.bid is not None and row.ask is not None and row.bid > row.ask:
        return None, None
    return _price(row.bid), _price(row.ask)


def _price(value: Decimal | None) -> Price | None:
    return None if value is None else Price(value)
