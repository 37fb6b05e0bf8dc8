"""One UTC day of the account log, proven: every change of the balance is a trade, funding or a transfer that we can
name, every fee belongs to a fill, and our booked trades say what the log says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise

from trading.model.orders import CLIENT_ORDER_ID_PREFIX
from trading.model.positions import Position, Trade
from trading.model.venue import Fill, LedgerRow
from trading.reconciliation.trades import book_trade, funding_rows, own_rows

TOLERATED_SHARE = Decimal("0.0001")
"""Of the equity: what may stay unexplained."""
CASH = "usd"
NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class DayBooks:
    """`rows`: the account log since before the oldest of `records` was planned; `records`: positions that were open on
    that day or ended on it; `trades`: those booked; `fills`: the account's executions since the day began; USD."""

    day: date
    rows: tuple[LedgerRow, ...]
    records: tuple[Position, ...]
    trades: tuple[Trade, ...]
    fills: tuple[Fill, ...]
    equity: Decimal

    @property
    def begins(self) -> datetime:
        return datetime.combine(self.day, time(), UTC)

    def of_day(self, at: datetime) -> bool:
        return self.begins <= at < self.begins + timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class DayProof:
    """USD. `ours` is what our positions were booked by the log, `others` what everybody else on the account was.

    `waiting`: fills whose rows the log does not show yet. Anything in `faults` is for a person to look at.
    """

    day: date
    rows: int
    opening: Decimal
    closing: Decimal
    realised: Decimal
    fees: Decimal
    funding: Decimal
    transfers: Decimal
    unexplained: Decimal
    ours: Decimal
    others: Decimal
    trades: int
    waiting: tuple[str, ...]
    faults: tuple[str, ...]

    @property
    def proven(self) -> bool:
        return not self.faults and not self.waiting


def prove_day(books: DayBooks) -> DayProof:
    """Everything that does not add up is named; nothing is corrected."""
    rows = sorted((row for row in books.rows if books.of_day(row.at) and row.asset == CASH), key=lambda row: row.id)
    ours = _our_rows(books)
    own = [row for row in rows if row.id in ours]
    unexplained = _unexplained(rows)
    closed = [trade for trade in books.trades if books.of_day(trade.closed_at)]
    return DayProof(
        day=books.day,
        rows=len(rows),
        opening=(rows[0].old_balance or NOTHING) if rows else NOTHING,
        closing=(rows[-1].new_balance or NOTHING) if rows else NOTHING,
        realised=sum((row.realised for row in rows), NOTHING),
        fees=sum((row.fee for row in rows), NOTHING),
        funding=sum((row.funding for row in rows), NOTHING),
        transfers=sum((_change(row) for row in rows if _is_transfer(row)), NOTHING),
        unexplained=unexplained,
        ours=sum(map(_booked, own), NOTHING),
        others=sum((_booked(row) for row in rows if row.id not in ours), NOTHING),
        trades=len(closed),
        waiting=_waiting(books),
        faults=(*_balance_faults(books, rows, unexplained), *_fee_faults(books, rows), *_trade_faults(books, closed)),
    )


def _our_rows(books: DayBooks) -> frozenset[int]:
    found = [row for each in books.records for row in (*own_rows(each, books.rows), *_paid(each, books.rows))]
    return frozenset(row.id for row in found)


def _paid(position: Position, rows: tuple[LedgerRow, ...]) -> tuple[LedgerRow, ...]:
    return funding_rows(position, rows) if position.fills else ()


def _booked(row: LedgerRow) -> Decimal:
    return row.realised - row.fee + row.funding


def _change(row: LedgerRow) -> Decimal:
    return (row.new_balance or NOTHING) - (row.old_balance or NOTHING)


def _is_transfer(row: LedgerRow) -> bool:
    """Money that came or went: no execution, no fee, no profit and no funding."""
    return row.execution is None and not any((row.fee, row.realised, row.funding))


def _unexplained(rows: list[LedgerRow]) -> Decimal:
    """What rows changed beyond their own figures, and what changed between two rows: missing rows. Never set off."""
    inside = (abs(_change(row) - _booked(row)) for row in rows if not _is_transfer(row))
    between = (abs((later.old_balance or NOTHING) - (row.new_balance or NOTHING)) for row, later in pairwise(rows))
    return sum((*inside, *between), NOTHING)


def _balance_faults(books: DayBooks, rows: list[LedgerRow], unexplained: Decimal) -> Iterable[str]:
    if silent := [str(row.id) for row in rows if row.old_balance is None or row.new_balance is None]:
        yield f"rows {', '.join(silent)} tell no balance"
    elif unexplained > abs(books.equity) * TOLERATED_SHARE:
        yield f"{unexplained} USD of the balance's changes have no row that explains them"


def _fee_faults(books: DayBooks, rows: list[LedgerRow]) -> Iterable[str]:
    recorded = {fill.id for each in books.records for fill in each.fills}
    strange = {fill.id for fill in books.fills if not (fill.client_order_id or "").startswith(CLIENT_ORDER_ID_PREFIX)}
    for row in rows:
        if row.fee and row.execution not in recorded | strange:
            yield f"fee {row.fee} of row {row.id} ({row.kind}) is of no recorded fill and of no trade of somebody else"


def _waiting(books: DayBooks) -> tuple[str, ...]:
    booked = {row.execution for row in books.rows}
    fills = [fill for each in books.records for fill in each.fills if books.of_day(fill.at)]
    return tuple(f"no row yet for execution {fill.id}" for fill in fills if fill.id not in booked)


def _trade_faults(books: DayBooks, closed: list[Trade]) -> Iterable[str]:
    records = {each.id: each for each in books.records}
    for trade in closed:
        if sum(each.id == trade.id for each in closed) > 1:
            yield f"trade {trade.id} is booked more than once"
        record = records.get(trade.id)
        if record is None:
            yield f"trade {trade.id} has no record of its position"
            continue
        again = book_trade(record, books.rows, trade.closed_at)
        for name in ("gross", "fees", "funding"):
            said, logged = getattr(trade, name), getattr(again, name)
            if abs(said - logged) > abs(books.equity) * TOLERATED_SHARE:
                yield f"trade {trade.id} is booked with {name} {said}; the account log says {logged}"
