"""What an execution or a funding payment does to position, balance and account log."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal

from trading.matching.markets import Market
from trading.matching.orders import Order
from trading.matching.records import Fill, FillType, LogInfo, LogRow, Position, PositionRow
from trading.matching.rounding import ZERO, to_money
from trading.matching.state import Books

CASH = "usd"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """What settling needs: the books to change, the market, its mark and funding rate now, and an id source."""

    books: Books
    market: Market
    mark: Decimal
    rate: Decimal
    new_id: Callable[[str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Booking:
    """One change of the cash balance, in USD."""

    info: LogInfo
    fee: Decimal | None
    realised: Decimal | None
    funding: Decimal | None
    fill: Fill | None


def settle_execution(desk: Settlement, order: Order, deal: tuple[Decimal, Decimal], fill_type: FillType) -> Fill:
    """Book an execution of `deal` = (price in USD, base units above 0) and return the fill.

    Accrued funding is realised in the same row, as at the venue. Gross profit is realised on the part that closes;
    an execution beyond the position turns it over and the new entry price is the execution price.
    """
    price, size = deal
    books, symbol = desk.books, desk.market.symbol
    old = books.positions.get(symbol)
    fill = _fill(desk, order, deal, fill_type)
    funding = to_money(old.accrued_funding) if old else ZERO
    new = _store_position(desk, size * order.side.sign, price)
    books.fills.append(fill)
    info = LogInfo.LIQUIDATION if fill_type.is_liquidation else LogInfo.TRADE
    _book_cash(desk, _Booking(info=info, fee=fill.fee, realised=fill.realised, funding=funding or None, fill=fill))
    _book_position(desk, info, fill, (old.size if old else ZERO, new.size))
    books.position_log.append(
        PositionRow(
            event_id=desk.new_id("position"),
            time=books.now,
            symbol=symbol,
            old_size=old.size if old else ZERO,
            new_size=new.size,
            old_entry=old.entry if old else ZERO,
            new_entry=new.entry,
            fill=fill,
            realised_funding=funding,
        )
    )
    return fill


def _fill(desk: Settlement, order: Order, deal: tuple[Decimal, Decimal], fill_type: FillType) -> Fill:
    """The execution as a record: profit on the part that closes, fee on all of it."""
    price, size = deal
    old = desk.books.positions.get(desk.market.symbol)
    realised = ZERO
    if old and old.size * order.side.sign < ZERO:
        direction = 1 if old.size > ZERO else -1
        realised = (price - old.entry) * min(abs(old.size), size) * direction
    rate = desk.market.maker_fee if fill_type is FillType.MAKER else desk.market.taker_fee
    return Fill(
        fill_id=desk.new_id("fill"),
        order_id=order.order_id,
        client_order_id=order.client_order_id,
        symbol=desk.market.symbol,
        side=order.side,
        size=size,
        price=price,
        time=desk.books.now,
        fill_type=fill_type,
        realised=to_money(realised),
        fee=to_money(price * size * rate),
        mark=desk.mark,
        sequence=len(desk.books.fills) + 1,
    )


def settle_funding(desk: Settlement) -> None:
    """Realise the funding a position has accrued: one cash row, nothing when it rounds to zero."""
    position = desk.books.positions[desk.market.symbol]
    amount = to_money(position.accrued_funding)
    desk.books.positions[desk.market.symbol] = replace(position, accrued_funding=ZERO)
    if amount != ZERO:
        _book_cash(desk, _Booking(info=LogInfo.FUNDING, fee=None, realised=None, funding=amount, fill=None))


def _store_position(desk: Settlement, signed: Decimal, price: Decimal) -> Position:
    """Apply a signed size at `price`; the stored position disappears when flat. Accrued funding restarts at 0."""
    books, symbol = desk.books, desk.market.symbol
    old = books.positions.get(symbol)
    if old is None:
        position = Position(symbol=symbol, size=signed, entry=price, opened_at=books.now, updated_at=books.now)
        books.positions[symbol] = position
        return position
    size = old.size + signed
    entry, opened = old.entry, old.opened_at
    if old.size * signed > ZERO:
        entry = (old.entry * abs(old.size) + price * abs(signed)) / abs(size)
    elif size * old.size < ZERO:
        entry, opened = price, books.now
    position = Position(symbol=symbol, size=size, entry=entry, opened_at=opened, updated_at=books.now)
    if size == ZERO:
        del books.positions[symbol]
    else:
        books.positions[symbol] = position
    return position


def _book_cash(desk: Settlement, booking: _Booking) -> None:
    books, symbol = desk.books, desk.market.symbol.lower()
    old = books.balance
    fee, realised, funding = booking.fee or ZERO, booking.realised or ZERO, booking.funding or ZERO
    books.balance = old + realised - fee + funding
    books.fees += fee
    books.realised += realised
    books.funding += funding
    fill = booking.fill
    books.log.append(
        LogRow(
            row_id=len(books.log) + 1,
            booking_id=desk.new_id("booking"),
            time=books.now,
            info=booking.info,
            asset=CASH,
            contract=symbol,
            old_balance=old,
            new_balance=books.balance,
            fee=booking.fee,
            realised_pnl=booking.realised,
            realised_funding=booking.funding,
            execution=fill.fill_id if fill else None,
            funding_rate=desk.rate,
            mark_price=desk.mark,
            trade_price=fill.price if fill else None,
        )
    )


def _book_position(desk: Settlement, info: LogInfo, fill: Fill, sizes: tuple[Decimal, Decimal]) -> None:
    symbol = desk.market.symbol.lower()
    desk.books.log.append(
        LogRow(
            row_id=len(desk.books.log) + 1,
            booking_id=desk.new_id("booking"),
            time=desk.books.now,
            info=info,
            asset=symbol,
            contract=symbol,
            old_balance=sizes[0],
            new_balance=sizes[1],
            fee=None,
            realised_pnl=None,
            realised_funding=None,
            execution=fill.fill_id,
            funding_rate=None,
            mark_price=desk.mark,
            trade_price=fill.price,
        )
    )
