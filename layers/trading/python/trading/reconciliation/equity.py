"""What our own records say the account is worth: the proof that nothing was lost between the venue's books and ours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from trading.model.positions import Position, Trade
from trading.model.units import Money, Price
from trading.model.venue import LedgerRow


def ledger_equity(
    start: Money,
    trades: Iterable[Trade],
    positions: Sequence[Position],
    rows: Sequence[LedgerRow],
    marks: Mapping[str, Price],
) -> Money:
    """Equity at the start + net of every closed trade + what the open positions have realised and stand at.

    `rows` are account-log rows that cover the open positions' life, `marks` the contracts' mark prices. Funding that
    accrued since the last full hour is in nobody's log yet and not counted.
    """
    closed = sum((trade.net for trade in trades), Decimal(0))
    still_open = sum((_standing(each, rows, marks) for each in positions), Decimal(0))
    return Money(start + closed + still_open)


def _standing(position: Position, rows: Sequence[LedgerRow], marks: Mapping[str, Price]) -> Decimal:
    """Realised so far, fees and funding included, plus the profit of what is left at the mark."""
    own = [row for row in rows if row.contract == position.contract and row.at >= position.planned_at]
    booked = sum((row.realised - row.fee + row.funding for row in own), Decimal(0))
    entry = position.average_entry
    if entry is None or not position.quantity:
        return booked
    return booked + (marks[position.contract] - entry) * position.quantity * position.side.sign
