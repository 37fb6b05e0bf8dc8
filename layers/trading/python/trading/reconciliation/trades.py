"""One trade row per position: gross from the fills and the account log, fees and funding from the log alone."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from trading.model.positions import Position, Trade
from trading.model.units import Money, Price, Quantity
from trading.model.venue import LedgerRow


def log_is_complete(position: Position, rows: tuple[LedgerRow, ...]) -> bool:
    """Every recorded fill has its row in the account log; until then the trade cannot be booked."""
    booked = {row.execution for row in rows}
    return all(fill.id in booked for fill in position.fills)


def book_trade(position: Position, rows: tuple[LedgerRow, ...], now: datetime) -> Trade:
    """Book an ended position. `rows` are the account log's cash rows since before the position was planned.

    Executions are known by their fill, funding by the contract and the time since the first fill.
    """
    opened_at = position.opened_at or position.planned_at
    own = {fill.id for fill in position.fills}
    traded = [row for row in rows if row.execution in own]
    paid = [row for row in rows if row.execution is None and row.contract == position.contract and row.at >= opened_at]
    funded = [*traded, *paid]
    gross = sum((row.realised for row in traded), Decimal(0))
    fees = sum((row.fee for row in traded), Decimal(0))
    funding = sum((row.funding for row in funded), Decimal(0))
    net = gross - fees + funding
    share = position.entered / position.planned if position.planned else Decimal(1)
    risk = position.risk * share
    entry, leave = position.average_entry, position.average_exit
    assert entry is not None, f"position {position.id} is booked without an entry fill"
    return Trade(
        id=position.id,
        instrument=position.instrument,
        side=position.side,
        regime=position.regime,
        setup=position.setup,
        opened_at=opened_at,
        closed_at=max((fill.at for fill in position.fills), default=now),
        quantity=Quantity(position.entered),
        entry=Price(entry),
        exit=Price(leave if leave is not None else entry),
        gross=Money(gross),
        fees=Money(fees),
        funding=Money(funding),
        net=Money(net),
        r_multiple=(net / risk).quantize(Decimal("0.0001")) if risk else Decimal(0),
        exit_reason=position.close_reason or _reason(position),
    )


def _reason(position: Position) -> str:
    """Which order took the last of it."""
    leaving = [fill for fill in position.fills if not fill.opens]
    if not leaving:
        return "gone"
    intent = position.by_client_order_id(leaving[-1].client_order_id or "")
    if intent is None:
        return "closed by somebody else"
    stopped_better = intent.purpose.value == "stop" and intent.trigger_price != position.levels.stop
    return "break_even_stop" if stopped_better else intent.purpose.value
