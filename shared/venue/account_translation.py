"""From validated bodies of the account to our own types. Pure; an unknown word never crashes."""

from __future__ import annotations

from decimal import Decimal

from shared.venue.bodies import AccountsAnswer, FillRow, OpenOrderRow, PositionRow, StatusRow
from shared.venue.history_bodies import AccountLogRow
from trading.errors import VenueAnswerInvalid
from trading.model.instruments import Side
from trading.model.orders import CLIENT_ORDER_ID_PREFIX, OrderSide
from trading.model.units import NOTHING, Money, Price, Quantity
from trading.model.venue import (
    Account,
    Fill,
    LedgerRow,
    OpenOrder,
    OpenOrderKind,
    OrderFate,
    OrderReport,
    VenuePosition,
)

ACCOUNT_CURRENCY = "usd"

_ORDER_KINDS = {
    "lmt": OpenOrderKind.LIMIT,
    "post": OpenOrderKind.LIMIT,
    "stp": OpenOrderKind.STOP,
    "stop": OpenOrderKind.STOP,
    "take_profit": OpenOrderKind.TAKE_PROFIT,
}
_TRIGGER_SIGNALS = {"spot": "index"}
_FATES = {
    "ENTERED_BOOK": OrderFate.WORKING,
    "TRIGGER_PLACED": OrderFate.WORKING,
    "FULLY_EXECUTED": OrderFate.FILLED,
    "CANCELLED": OrderFate.CANCELLED,
    "REJECTED": OrderFate.REJECTED,
    # The trigger fired and the order behind it failed: it rested and rests no more.
    "TRIGGER_ACTIVATION_FAILURE": OrderFate.CANCELLED,
}


def account(answer: AccountsAnswer) -> Account:
    """The only place that says what our equity is: the venue's own margin equity, never a sum of balances.

    Balances count before haircuts, and the portfolio value does too; neither is what positions are margined with.
    Raises VenueAnswerInvalid for an account that has no multi-collateral wallet.
    """
    flex = answer.accounts.flex
    if flex is None:
        raise VenueAnswerInvalid("venue answered accounts without 'flex'; expected a multi-collateral wallet")
    open_profit = (flex.pnl or Decimal(0)) + (flex.unrealized_funding or Decimal(0))
    return Account(
        equity=Money(flex.margin_equity),
        available_margin=Money(flex.available_margin),
        initial_margin=Money(flex.initial_margin),
        maintenance_margin=Money(flex.maintenance_margin),
        portfolio_value=Money(flex.portfolio_value),
        unrealised=Money(open_profit if flex.total_unrealized is None else flex.total_unrealized),
        at=answer.server_time,
    )


def position(row: PositionRow) -> VenuePosition:
    try:
        side = Side(row.side)
    except ValueError:
        raise VenueAnswerInvalid(f"position in {row.symbol} has side {row.side!r}; expected long or short") from None
    return VenuePosition(
        contract=row.symbol,
        side=side,
        quantity=Quantity(row.size),
        entry=Price(row.price),
        isolated=row.max_fixed_leverage is not None,
    )


def open_order(row: OpenOrderRow) -> OpenOrder:
    signal = row.trigger_signal.lower() if row.trigger_signal else None
    return OpenOrder(
        order_id=row.order_id,
        client_order_id=row.cli_ord_id,
        contract=row.symbol,
        side=_order_side(row.side, f"order {row.order_id}"),
        kind=_order_kind(row),
        open_quantity=_open_quantity(row),
        filled=Quantity(row.filled_size),
        reduce_only=row.reduce_only,
        limit_price=_price(row.limit_price),
        trigger_price=_price(row.stop_price),
        trigger_signal=_TRIGGER_SIGNALS.get(signal, signal) if signal else None,
        received_at=row.received_time,
    )


def _open_quantity(row: OpenOrderRow) -> Quantity:
    """A stranger's order without it counts for nothing, and must not hide ours; ours would lose what it covers."""
    if row.unfilled_size is not None:
        return Quantity(row.unfilled_size)
    ours = row.cli_ord_id
    if ours is not None and ours.startswith(CLIENT_ORDER_ID_PREFIX):
        raise VenueAnswerInvalid(f"venue answered openorders with {ours}, expected valid .unfilledSize (a number)")
    return NOTHING


def _order_kind(row: OpenOrderRow) -> OpenOrderKind:
    """A new kind with a trigger price works like a stop, one without like a limit order."""
    unknown = OpenOrderKind.LIMIT if row.stop_price is None else OpenOrderKind.STOP
    return _ORDER_KINDS.get(row.order_type, unknown)


def order_report(row: StatusRow) -> OrderReport:
    """An unknown status still proves that the order exists: it is reported as working and looked at again."""
    return OrderReport(
        order_id=row.order.order_id,
        client_order_id=row.order.cli_ord_id,
        contract=row.order.symbol,
        fate=_FATES.get(row.status, OrderFate.WORKING),
        filled=Quantity(row.order.filled),
    )


def fill(row: FillRow) -> Fill:
    return Fill(
        id=row.fill_id,
        order_id=row.order_id,
        client_order_id=row.cli_ord_id,
        contract=row.symbol,
        side=_order_side(row.side, f"fill {row.fill_id}"),
        quantity=Quantity(row.size),
        price=Price(row.price),
        at=row.fill_time,
        kind=row.fill_type,
    )


def is_cash_leg(row: AccountLogRow) -> bool:
    """Position legs have the contract itself as their asset and carry no money."""
    return row.contract is None or row.asset != row.contract.lower()


def ledger_row(row: AccountLogRow) -> LedgerRow:
    """Amounts booked in another asset (a conversion, a deposit of coins) are no dollars and are given as 0; balances
    are in their asset."""
    in_usd = row.asset == ACCOUNT_CURRENCY
    return LedgerRow(
        id=row.id,
        at=row.date,
        contract=row.contract.upper() if row.contract else None,
        kind=row.info,
        execution=row.execution,
        fee=_money(row.fee if in_usd else None),
        realised=_money(row.realized_pnl if in_usd else None),
        funding=_money(row.realized_funding if in_usd else None),
        asset=row.asset,
        old_balance=Money(row.old_balance),
        new_balance=Money(row.new_balance),
    )


def _order_side(word: str, what: str) -> OrderSide:
    try:
        return OrderSide(word)
    except ValueError:
        raise VenueAnswerInvalid(f"{what} has side {word!r}; expected buy or sell") from None


def _money(value: Decimal | None) -> Money:
    return Money(value if value is not None else 0)


def _price(value: Decimal | None) -> Price | None:
    return None if value is None else Price(value)
