"""Instruments as the venue in memory lists and matches them; everything else is translated as the product does it."""

from __future__ import annotations

from decimal import Decimal

from shared.venue.paper_translation import (
    contract_stress,
    fill_of,
    ledger_row,
    matching_request,
    open_order,
    order_report,
    send_answer,
)
from trading import matching
from trading.matching import Liquidity, MarginTier, MatchingEngine
from trading.matching.book import levels
from trading.model.depth import OrderBook
from trading.model.instruments import Instrument
from trading.model.units import BasisPoints, Price, Quantity
from trading.model.venue import ListedContract

__all__ = [
    "contract_stress",
    "fill_of",
    "ledger_row",
    "listed_contract",
    "market_of",
    "matching_request",
    "open_order",
    "order_book",
    "order_report",
    "send_answer",
]


def market_of(instrument: Instrument) -> matching.Market:
    return matching.Market(
        symbol=instrument.contract,
        tick_size=instrument.tick,
        size_step=instrument.step,
        max_position=instrument.maximum_position,
        margin_tiers=tuple(
            MarginTier(from_notional=each.from_notional, initial=each.initial, maintenance=each.maintenance)
            for each in instrument.margin_levels
        ),
        liquidity=Liquidity(half_spread=Decimal(0), level_size=Decimal(100_000)),
        maker_fee=instrument.maker_fee / 10_000,
        taker_fee=instrument.taker_fee / 10_000,
    )


def order_book(engine: MatchingEngine, contract: str) -> OrderBook:
    """What a taker would meet on either side now."""
    market, mark = engine.market(contract), engine.point(contract).mark
    bids, asks = (
        tuple((Price(each.price), Quantity(each.size)) for each in levels(market, mark, taker))
        for taker in (matching.Side.SELL, matching.Side.BUY)
    )
    return OrderBook(contract=contract, bids=bids, asks=asks, at=engine.now)


def listed_contract(instrument: Instrument) -> ListedContract:
    return ListedContract(
        contract=instrument.contract,
        kind="flexible_futures",
        base=instrument.id,
        quote="USD",
        tradeable=True,
        post_only=False,
        perpetual=True,
        tick=instrument.tick,
        step=instrument.step,
        maximum_position=instrument.maximum_position,
        margin_levels=instrument.margin_levels,
        maker_fee=BasisPoints(instrument.maker_fee),
        taker_fee=BasisPoints(instrument.taker_fee),
    )
