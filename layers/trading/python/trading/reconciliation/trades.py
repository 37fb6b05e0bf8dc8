"""One trade row per position: gross from the fills and the account log, fees and funding from the log alone."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from trading.model.positions import Position, Trade
from trading.model.units import Money, Price, Quantity
from trading.model.venue import LedgerRow


def missing_from(position: Position, rows: tuple[LedgerRow, ...]) -> str:
    """What the account log does not tell yet about an ended position; empty when the trade can be booked from it.

    Nothing is put in the place of a row that is not there: neither a fee nor a price.
    """
    booked = {row.execution for row in rows}
    if unbooked := sorted(fill.id for fill in position.fills if fill.id not in booked):
        return f"no row for the executions {', '.join(unbooked)}"
    if _unseen(position) > 0 and not _unseen_rows(position, rows):
        return f"no row says how the last {_unseen(position)} {position.contract} were closed"
    return ""


def book_trade(position: Position, rows: tuple[LedgerRow, ...], now: datetime) -> Trade:
    """Book an ended position. `rows` are the account log's cash rows since before the position was planned.

    Executions are known by their fill, funding by the contract and the time since the first fill. What was closed
    without a fill that we saw is priced by the log's own rows of the contract.
    """
    traded = own_rows(position, rows)
    paid = funding_rows(position, rows)
    shares = _shares(position)
    gross = sum((row.realised for row in (*traded, *paid)), Decimal(0))
    fees = sum((row.fee * shares.get(row.execution or "", Decimal(1)) for row in (*traded, *paid)), Decimal(0))
    funding = sum((row.funding for row in (*traded, *paid)), Decimal(0))
    net = gross - fees + funding
    share = position.entered / position.planned if position.planned else Decimal(1)
    risk = position.risk * share
    entry = position.average_entry
    assert entry is not None, f"position {position.id} is booked without an entry fill"
    return Trade(
        id=position.id,
        instrument=position.instrument,
        side=position.side,
        regime=position.regime,
        setup=position.setup,
        opened_at=position.opened_at or position.planned_at,
        closed_at=_ended_at(position, rows) or now,
        quantity=Quantity(position.entered),
        entry=Price(entry),
        exit=_exit_price(position, rows, entry),
        gross=Money(gross),
        fees=Money(fees),
        funding=Money(funding),
        net=Money(net),
        r_multiple=(net / risk).quantize(Decimal("0.0001")) if risk else Decimal(0),
        exit_reason=position.close_reason or _reason(position),
    )


def own_rows(position: Position, rows: tuple[LedgerRow, ...]) -> tuple[LedgerRow, ...]:
    """The log's rows of this position's executions, with those that closed what no fill of ours shows."""
    own = {fill.id for fill in position.fills}
    return (*(row for row in rows if row.execution in own), *_unseen_rows(position, rows))


def funding_rows(position: Position, rows: tuple[LedgerRow, ...]) -> tuple[LedgerRow, ...]:
    """What was paid or received for holding it, also a fee of the venue's own: the contract's rows without execution.
    Later ones are of whoever holds it then."""
    opened_at, ended_at = position.opened_at or position.planned_at, _ended_at(position, rows)
    return tuple(
        row
        for row in rows
        if row.execution is None and row.contract == position.contract and row.at >= opened_at
        if ended_at is None or row.at <= ended_at
    )


def _ended_at(position: Position, rows: tuple[LedgerRow, ...]) -> datetime | None:
    """When the last of it went, None while it is held."""
    if position.quantity:
        return None
    times = [fill.at for fill in position.fills] + [row.at for row in _unseen_rows(position, rows)]
    return max(times, default=None)


def _unseen(position: Position) -> Decimal:
    """What is gone although no fill says so. Nothing while the venue still shows some of it."""
    return Decimal(0) if position.quantity else max(position.entered - position.left, Decimal(0))


def _unseen_rows(position: Position, rows: tuple[LedgerRow, ...]) -> tuple[LedgerRow, ...]:
    """Executions on the contract that closed something and belong to no fill that we saw."""
    if _unseen(position) <= 0:
        return ()
    own, opened_at = {fill.id for fill in position.fills}, position.opened_at or position.planned_at
    return tuple(
        row
        for row in rows
        if row.execution and row.execution not in own and row.contract == position.contract
        if row.at >= opened_at and row.realised != 0
    )


def _exit_price(position: Position, rows: tuple[LedgerRow, ...], entry: Decimal) -> Price:
    """Volume weighted over what was ours: of a stranger's order that turned the position over, the closing part."""
    shares = _shares(position)
    parts: list[tuple[Decimal, Decimal]] = [
        (fill.quantity * shares[fill.id], fill.price) for fill in position.fills if not fill.opens
    ]
    if unseen := _unseen(position):
        realised = sum((row.realised for row in _unseen_rows(position, rows)), Decimal(0))
        parts.append((unseen, entry + position.side.sign * realised / unseen))
    total = sum((quantity for quantity, _ in parts), Decimal(0))
    return Price(sum((quantity * price for quantity, price in parts), Decimal(0)) / total if total else entry)


def _shares(position: Position) -> dict[str, Decimal]:
    """How much of each closing fill was this position: all of our own orders', of a stranger's what was left."""
    left, shares = Decimal(position.entered), {}
    for fill in sorted((each for each in position.fills if not each.opens), key=lambda each: each.at):
        ours = fill.quantity if fill.client_order_id is not None else min(fill.quantity, left)
        shares[fill.id] = ours / fill.quantity
        left = max(left - ours, Decimal(0))
    return shares


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
