"""The order books of the contracts that signals are waiting for. A book that is not known holds its own idea up, for a
minute, and no other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from functions.execute_signals.report import ExecutionReport
from shared.trading_desk import TradingDesk
from trading.errors import TradingError
from trading.model.depth import OrderBook
from trading.risk.allocation import Idea

ASKING_LASTS = timedelta(seconds=6)
"""No further book is asked for after so long: one that hangs (5 s) delays the others, two must not end the run."""


def order_books(desk: TradingDesk, contracts: Sequence[str], report: ExecutionReport) -> Mapping[str, OrderBook]:
    """By contract what has answered, each asked once; none when the rule is switched off. Costs the venue no units."""
    if not desk.rules.risk.depth:
        return {}
    found: dict[str, OrderBook] = {}
    until = desk.clock.now() + ASKING_LASTS
    for contract in dict.fromkeys(contracts):
        if desk.clock.now() > until:
            report.failures.append(f"{contract}: its order book was not asked for, others took too long")
            continue
        try:
            found[contract] = desk.venue.order_book(contract)
        except TradingError as error:
            report.failures.append(f"{contract}: {error}")
    return found


def with_books(desk: TradingDesk, ideas: Sequence[Idea], books: Mapping[str, OrderBook]) -> tuple[Idea, ...]:
    """The ideas that can be judged now, with the book of their contract; the others are looked at again in a minute."""
    if not desk.rules.risk.depth:
        return tuple(ideas)
    return tuple(
        replace(each, market=replace(each.market, order_book=books[each.market.instrument.contract]))
        for each in ideas
        if each.market.instrument.contract in books
    )
