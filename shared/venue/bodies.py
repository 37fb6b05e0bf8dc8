"""Bodies of `/derivatives/api/v3` as far as they are used (contract, section 5). Open vocabularies stay plain text."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from shared.venue.reading import Answer
from shared.venue.wire_types import (
    Body,
    Lower,
    Moment,
    NotNegative,
    Number,
    OptionalNotNegative,
    OptionalNumber,
    OptionalPrice,
    OptionalText,
    PositiveNumber,
    Text,
    Upper,
)


class TimedAnswer(Answer):
    """A body that is worth nothing without its time."""

    server_time: Moment


class InstrumentMarginLevel(Body):
    num_non_contract_units: OptionalNumber = None
    contracts: OptionalNumber = None
    initial_margin: PositiveNumber
    maintenance_margin: PositiveNumber


class InstrumentRow(Body):
    """`contract_value_trade_precision` may be negative: -3 means steps of 1000."""

    symbol: Upper
    type: Lower
    tradeable: bool
    tick_size: PositiveNumber
    contract_value_trade_precision: Annotated[int, Field(ge=-18, le=18)]
    max_position_size: NotNegative
    margin_levels: Annotated[list[InstrumentMarginLevel], Field(min_length=1)]
    last_trading_time: OptionalText = None
    post_only: bool = False
    is_expired: bool = False
    base: OptionalText = None
    quote: OptionalText = None
    pair: OptionalText = None
    fee_schedule_uid: OptionalText = None


class InstrumentsAnswer(Answer):
    """Rows are validated one by one: indices are listed here too and have none of a contract's fields."""

    required_key = "instruments"
    instruments: list[dict[str, object]]


class FeeTier(Body):
    """Percent numbers: 0.02 is two basis points."""

    maker_fee: Number
    taker_fee: Number
    usd_volume: NotNegative


class FeeSchedule(Body):
    uid: Text
    tiers: Annotated[list[FeeTier], Field(min_length=1)]


class FeeSchedulesAnswer(Answer):
    """Rows are validated one by one: a schedule that is nonsense concerns the contracts that name it."""

    required_key = "feeSchedules"
    fee_schedules: list[dict[str, object]]


class TickerRow(Body):
    """`funding_rate` is absolute: USD per contract and hour. Whether it trades at all must be said, both ways."""

    symbol: Upper
    mark_price: PositiveNumber
    index_price: OptionalPrice = None
    bid: OptionalPrice = None
    ask: OptionalPrice = None
    vol24h: OptionalNumber = Field(default=None, alias="vol24h")
    volume_quote: OptionalNumber = None
    funding_rate: OptionalNumber = None
    suspended: bool
    post_only: bool


class TickersAnswer(TimedAnswer):
    """Rows are validated one by one: index tickers have no mark price, and one bad row must not hide the others."""

    required_key = "tickers"
    tickers: list[dict[str, object]]


class FlexAccount(Body):
    """The multi-collateral wallet. Equity and what is available may be below zero: a bust account is a fact."""

    margin_equity: Number
    available_margin: Number
    initial_margin: NotNegative
    maintenance_margin: NotNegative
    portfolio_value: Number
    pnl: OptionalNumber = None
    unrealized_funding: OptionalNumber = None
    total_unrealized: OptionalNumber = None


class Accounts(Body):
    """Cash and single-collateral accounts lie beside the wallet; no position of ours is paid from them."""

    flex: FlexAccount | None = None


class AccountsAnswer(TimedAnswer):
    required_key = "accounts"
    accounts: Accounts


class PositionRow(Body):
    """`max_fixed_leverage` present means isolated margin."""

    symbol: Upper
    side: Lower
    price: PositiveNumber
    size: NotNegative
    max_fixed_leverage: OptionalNumber = None


class OpenPositionsAnswer(Answer):
    required_key = "openPositions"
    open_positions: list[PositionRow]


class TimedOpenPositionsAnswer(TimedAnswer):
    """The same body read for its time."""

    required_key = "openPositions"


class OpenOrderRow(Body):
    """`unfilled_size` may be missing, by the venue's own documentation (contract 5.8); never in a row of ours."""

    order_id: Text = Field(alias="order_id")
    cli_ord_id: OptionalText = None
    symbol: Upper
    side: Lower
    order_type: Lower
    limit_price: OptionalPrice = None
    stop_price: OptionalPrice = None
    filled_size: NotNegative
    unfilled_size: OptionalNotNegative = None
    reduce_only: bool
    trigger_signal: OptionalText = None
    received_time: Moment


class OpenOrdersAnswer(Answer):
    required_key = "openOrders"
    open_orders: list[OpenOrderRow]


class StatusOrder(Body):
    order_id: Text
    cli_ord_id: OptionalText = None
    symbol: Upper
    filled: NotNegative


class StatusRow(Body):
    order: StatusOrder
    status: Upper


class OrderStatusAnswer(Answer):
    required_key = "orders"
    orders: list[StatusRow]


class FillRow(Body):
    fill_id: Text = Field(alias="fill_id")
    order_id: Text = Field(alias="order_id")
    cli_ord_id: OptionalText = None
    symbol: Upper
    side: Lower
    size: PositiveNumber
    price: PositiveNumber
    fill_time: Moment
    fill_type: Text


class FillsAnswer(Answer):
    required_key = "fills"
    fills: list[FillRow]


class CancelStatus(Body):
    status: Text
    order_id: OptionalText = Field(default=None, alias="order_id")


class CancelOrderAnswer(Answer):
    required_key = "cancelStatus"
    cancel_status: CancelStatus
