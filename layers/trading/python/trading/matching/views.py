"""The books as they stood at an earlier time, rebuilt from what the venue recorded.

A venue's answers may lag behind its matching: an order list, a position list or a list of fills may show the state of
some seconds ago. Nothing is copied for that; the record of events says it all.
"""

from dataclasses import replace
from datetime import datetime

from trading.matching.orders import Order, OrderState, OrderType
from trading.matching.records import Fill, HistoryKind, Position
from trading.matching.rounding import ZERO
from trading.matching.state import Books


def orders_at(books: Books, at: datetime) -> dict[str, Order]:
    """Every order accepted until `at` by its id, live and ended, as it stood then."""
    found: dict[str, Order] = {}
    for row in books.history:
        if row.time > at or row.kind is HistoryKind.REJECTED:
            continue
        order = row.order
        if row.kind is HistoryKind.TRIGGER_ACTIVATED:
            kind = OrderType.IMMEDIATE if order.limit_price is None else OrderType.LIMIT
            order = replace(order, state=OrderState.RESTING, order_type=kind, activated_at=row.time)
        found[order.order_id] = order
    return found


def positions_at(books: Books, at: datetime) -> dict[str, Position]:
    """Positions by symbol as they stood at `at`. Funding accrued until then is not recorded and shown as 0."""
    found: dict[str, Position] = {}
    for row in books.position_log:
        if row.time > at:
            continue
        before = found.pop(row.symbol, None)
        if row.new_size == ZERO:
            continue
        kept = before is not None and row.change != "reverse"
        found[row.symbol] = Position(
            symbol=row.symbol,
            size=row.new_size,
            entry=row.new_entry,
            opened_at=before.opened_at if before is not None and kept else row.time,
            updated_at=row.time,
        )
    return found


def fills_until(books: Books, at: datetime) -> list[Fill]:
    """Executions until `at`, oldest first."""
    return [fill for fill in books.fills if fill.time <= at]
