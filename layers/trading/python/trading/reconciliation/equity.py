"""Equity by our own ledger: what we started with, what closed trades left, what open positions stand at."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from trading.model.positions import Position, Trade
from trading.model.venue import LedgerRow
from trading.reconciliation.trades import book_trade


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEquity:
    """USD. `fees` were paid, `funding` was received (negative when paid), over closed and open positions."""

    equity: Decimal
    fees: Decimal
    funding: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenBook:
    """An open position with the account-log rows since it was planned and its contract's mark price."""

    position: Position
    rows: tuple[LedgerRow, ...]
    mark: Decimal


def ledger_equity(start: Decimal, trades: Iterable[Trade], held: Iterable[OpenBook], now: datetime) -> LedgerEquity:
    """`start` plus every trade's net plus, for open positions, what is booked so far and what the mark would give."""
    equity, fees, funding = start, Decimal(0), Decimal(0)
    booked = list(trades)
    for book in held:
        if book.position.fills:
            booked.append(book_trade(book.position, book.rows, now))
            equity += unrealised(book.position, book.mark)
    for trade in booked:
        equity += trade.net
        fees += trade.fees
        funding += trade.funding
    return LedgerEquity(equity=equity, fees=fees, funding=funding)


def unrealised(position: Position, mark: Decimal) -> Decimal:
    """What closing the rest at `mark` would realise, before fees."""
    entry = position.average_entry
    if entry is None:
        return Decimal(0)
    return position.side.sign * (position.entered - position.left) * (mark - entry)
