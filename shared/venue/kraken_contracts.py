"""Public derivatives data of Kraken: contracts with their fees, tickers, and candles of the indices behind them."""

from __future__ import annotations

import logging
from datetime import datetime
from decimal import Decimal

from shared.venue.asset_codes import common_code
from shared.venue.bodies import (
    FeeSchedulesAnswer,
    InstrumentMarginLevel,
    InstrumentRow,
    InstrumentsAnswer,
    TickerRow,
    TickersAnswer,
)
from shared.venue.index_candles import IndexCandlesAnswer, closed_index_bars
from shared.venue.reading import read_answer, valid_rows
from shared.venue.transport import DEFAULT_TIMEOUT_S, KRAKEN_FUTURES_URL, Wire, futures_wire
from trading.errors import InvalidInput, VenueAnswerInvalid, VenueAuthenticationFailed, VenueUnavailable
from trading.model.candles import CandleAnswer
from trading.model.instruments import MarginLevel
from trading.model.times import Timeframe
from trading.model.units import BasisPoints, Price, Quantity
from trading.model.venue import ListedContract, Quote

PERPETUAL_KIND = "flexible_futures"
"""The multi-collateral kind; its dated contracts carry a last trading time, its perpetuals do not."""

# Kraken's published tier 1 (30-day volume below 5 M USD): maker 0.02 %, taker 0.05 % (contract, section 8). Stands in
# for the fee schedules, which Kraken has declared deprecated; the account log is the truth about fees paid.
TIER_1_MAKER = BasisPoints(2)
TIER_1_TAKER = BasisPoints(5)

INDEX_CANDLES_MAX = 2000
"""Rows in one answer of the charts, measured by others; what is asked never spans more."""

Fees = tuple[BasisPoints, BasisPoints]

logger = logging.getLogger(__name__)


class KrakenFuturesMarket:
    """`trading.ports.FuturesMarket` and `IndexCandles` over HTTP; needs no key."""

    def __init__(self, *, base_url: str = KRAKEN_FUTURES_URL, timeout_s: float = DEFAULT_TIMEOUT_S) -> None:
        self._wire = futures_wire(base_url=base_url, timeout_s=timeout_s)

    @property
    def wire(self) -> Wire:
        return self._wire

    def contracts(self) -> tuple[ListedContract, ...]:
        """Every tradable contract by the venue's upper-case id. Rows that are no contract (indices) are left out."""
        answer = read_answer(self._wire.call("public_get_instruments"), "instruments", InstrumentsAnswer)
        rows = valid_rows(answer.instruments, InstrumentRow)
        if answer.instruments and not rows:
            raise VenueAnswerInvalid(f"venue lists {len(answer.instruments)} instruments and none of them is valid")
        names = self._coin_names(rows)
        fees = self._fees()
        return tuple(_contract(row, names[row.symbol], fees) for row in rows if row.symbol in names)

    def quotes(self) -> dict[str, Quote]:
        answer = read_answer(self._wire.call("public_get_tickers"), "tickers", TickersAnswer)
        rows = valid_rows(answer.tickers, TickerRow)
        return {row.symbol: _quote(row, answer.server_time) for row in rows}

    def index_candles(self, contract: str, timeframe: Timeframe, since: datetime) -> CandleAnswer:
        """At most the first 2000 bars from `since` on; the last bar that is there counts as running."""
        first = -(-int(since.timestamp()) // timeframe.seconds) * timeframe.seconds
        query = {
            "price_type": "spot",
            "symbol": contract,
            "interval": timeframe.value,
            "from": first,
            "to": first + INDEX_CANDLES_MAX * timeframe.seconds - 1,
        }
        outcome = self._wire.call("charts_get_price_type_symbol_interval", query)
        answer = read_answer(outcome, "charts", IndexCandlesAnswer, plain=True)
        try:
            return closed_index_bars(timeframe, answer, first)
        except InvalidInput as error:
            raise VenueAnswerInvalid(f"venue answered charts of {contract} with an invalid bar: {error}") from None

    def _coin_names(self, rows: list[InstrumentRow]) -> dict[str, tuple[str, str]]:
        """Base and quote by contract: the venue's own fields, and ccxt's reading for bodies from before 2026."""
        names = {row.symbol: stated for row in rows if (stated := _stated_names(row))}
        if len(names) < len(rows):
            known = self._wire.markets_by_ccxt()
            names.update({row.symbol: known[row.symbol] for row in rows if row.symbol in known.keys() - names.keys()})
        return {symbol: (common_code(base), common_code(quote)) for symbol, (base, quote) in names.items()}

    def _fees(self) -> dict[str, Fees]:
        """Lowest-tier fees by schedule, empty when they cannot be read: fees must not stop discovery."""
        try:
            answer = read_answer(self._wire.call("public_get_feeschedules"), "feeschedules", FeeSchedulesAnswer)
        except (VenueUnavailable, VenueAuthenticationFailed) as error:
            logger.warning("fee schedules are not readable, tier 1 fees are assumed: %s", error)
            return {}
        fees = {}
        for schedule in answer.fee_schedules:
            tier = min(schedule.tiers, key=lambda each: each.usd_volume)
            fees[schedule.uid] = (BasisPoints(tier.maker_fee * 100), BasisPoints(tier.taker_fee * 100))
        return fees


def _stated_names(row: InstrumentRow) -> tuple[str, str] | None:
    if row.base and row.quote:
        return row.base, row.quote
    base, separator, quote = (row.pair or "").partition(":")
    return (base, quote) if separator and base and quote else None


def _contract(row: InstrumentRow, names: tuple[str, str], fees: dict[str, Fees]) -> ListedContract:
    maker, taker = fees.get(row.fee_schedule_uid or "", (TIER_1_MAKER, TIER_1_TAKER))
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
    return MarginLevel(
        from_notional=size or Decimal(0), initial=level.initial_margin, maintenance=level.maintenance_margin
    )


def _quote(row: TickerRow, at: datetime) -> Quote:
    """Funding comes as USD per contract and hour; as a share of the mark it can be compared between coins."""
    volume = row.volume_quote if row.volume_quote is not None else (row.vol24h or Decimal(0)) * row.mark_price
    return Quote(
        contract=row.symbol,
        mark=Price(row.mark_price),
        index=_price(row.index_price),
        bid=_price(row.bid),
        ask=_price(row.ask),
        volume_usd=volume,
        hourly_funding=(row.funding_rate or Decimal(0)) / row.mark_price,
        suspended=row.suspended,
        post_only=row.post_only,
        at=at,
    )


def _price(value: Decimal | None) -> Price | None:
    return None if value is None else Price(value)
