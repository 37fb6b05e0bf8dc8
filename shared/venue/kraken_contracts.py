"""Public derivatives data of Kraken: contracts with their fees, tickers, order books, stress, and candles of the
indices."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from itertools import filterfalse

from shared.venue.asset_codes import common_code
from shared.venue.bodies import (
    FeeSchedule,
    FeeSchedulesAnswer,
    InstrumentRow,
    InstrumentsAnswer,
    TickerRow,
    TickersAnswer,
)
from shared.venue.contract_translation import FeeTable, listed_contract, lowest_tier, quote_of, stated_names
from shared.venue.index_candles import IndexCandlesAnswer, closed_index_bars
from shared.venue.named_rows import named_rows
from shared.venue.order_book import OrderBookAnswer, order_book_of
from shared.venue.reading import read_answer
from shared.venue.stress import InstrumentStatusAnswer, stress_by_contract
from shared.venue.transport import DEFAULT_TIMEOUT_S, KRAKEN_FUTURES_URL, Wire, futures_wire
from trading.errors import InvalidInput, VenueAnswerInvalid, VenueAuthenticationFailed, VenueUnavailable
from trading.model.candles import CandleAnswer
from trading.model.depth import OrderBook
from trading.model.listings import ContractListing
from trading.model.times import Timeframe
from trading.model.venue import ContractStress, ListedContract, Quote

INDEX_CANDLES_MAX = 2000
"""Rows in one answer of the charts, measured by others; what is asked never spans more."""

logger = logging.getLogger(__name__)


class KrakenFuturesMarket:
    """`trading.ports.FuturesMarket`, `StressReports` and `IndexCandles` over HTTP; needs no key."""

    def __init__(self, *, base_url: str = KRAKEN_FUTURES_URL, timeout_s: float = DEFAULT_TIMEOUT_S) -> None:
        self._wire = futures_wire(base_url=base_url, timeout_s=timeout_s)

    @property
    def wire(self) -> Wire:
        return self._wire

    def contracts(self) -> tuple[ListedContract, ...]:
        """Every contract that can be read, by the venue's upper-case id."""
        return self.listing().contracts

    def listing(self) -> ContractListing:
        """Every contract, and those that are nonsense with the reason. Rows that are no contract (indices) are neither.

        Raises VenueAnswerInvalid when no row at all can be read: then it is the answer that is wrong.
        """
        answer = read_answer(self._wire.call("public_get_instruments"), "instruments", InstrumentsAnswer)
        rows, unreadable = named_rows(list(filterfalse(_is_index, answer.instruments)), InstrumentRow, "symbol")
        if answer.instruments and not rows:
            raise VenueAnswerInvalid(f"venue lists {len(answer.instruments)} instruments and none of them is valid")
        names, fees = self._coin_names(rows), self._fees()
        refused = {symbol.upper(): reason for symbol, reason in unreadable.items()}
        contracts = []
        for row in rows:
            try:
                contracts.append(listed_contract(row, _names_of(row, names), fees))
            except InvalidInput as error:
                refused[row.symbol] = str(error)
        return ContractListing(contracts=tuple(contracts), refused=tuple(sorted(refused.items())))

    def quotes(self) -> dict[str, Quote]:
        """Rows that are no contract (indices have no mark) are left out, and so is one with nonsense in any field."""
        answer = read_answer(self._wire.call("public_get_tickers"), "tickers", TickersAnswer)
        rows, unreadable = named_rows(list(filter(_is_contract_ticker, answer.tickers)), TickerRow, "symbol")
        for symbol, reason in unreadable.items():
            logger.warning("ticker of %s is left out: %s", symbol, reason)
        return {row.symbol: quote_of(row, answer.server_time) for row in rows}

    def order_book(self, contract: str) -> OrderBook:
        outcome = self._wire.call("public_get_orderbook", {"symbol": contract})
        return order_book_of(contract, read_answer(outcome, "orderbook", OrderBookAnswer))

    def stress(self) -> dict[str, ContractStress]:
        """`trading.ports.StressReports`; see `stress_by_contract` for what makes an answer invalid."""
        outcome = self._wire.call("public_get_instruments_status")
        return stress_by_contract(read_answer(outcome, "instruments/status", InstrumentStatusAnswer))

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
        names = {row.symbol: stated for row in rows if (stated := stated_names(row))}
        if len(names) < len(rows):
            known = self._wire.markets_by_ccxt()
            names.update({row.symbol: known[row.symbol] for row in rows if row.symbol in known.keys() - names.keys()})
        return {symbol: (common_code(base), common_code(quote)) for symbol, (base, quote) in names.items()}

    def _fees(self) -> FeeTable:
        """Empty when there is no answer (the venue has declared it deprecated): that must not stop discovery.

        A schedule that is given and is nonsense is another matter: contracts that name it are refused.
        """
        try:
            answer = read_answer(self._wire.call("public_get_feeschedules"), "feeschedules", FeeSchedulesAnswer)
        except (VenueUnavailable, VenueAuthenticationFailed) as error:
            logger.warning("fee schedules are not readable, tier 1 fees are assumed: %s", error)
            return FeeTable()
        schedules, flawed = named_rows(answer.fee_schedules, FeeSchedule, "uid")
        return FeeTable(known={each.uid: lowest_tier(each) for each in schedules}, flawed=flawed)


def _is_index(row: dict[str, object]) -> bool:
    """Indices are listed among the contracts and have none of their fields."""
    return "index" in str(row.get("type")).lower()


def _is_contract_ticker(row: dict[str, object]) -> bool:
    """Tickers of indices have neither; a contract's has both, and one that lost the other field is still a contract."""
    return "markPrice" in row or "suspended" in row


def _names_of(row: InstrumentRow, names: Mapping[str, tuple[str, str]]) -> tuple[str, str]:
    if row.symbol not in names:
        raise InvalidInput(f"it names no base and quote: base is {row.base!r}, quote {row.quote!r}, pair {row.pair!r}")
    return names[row.symbol]
