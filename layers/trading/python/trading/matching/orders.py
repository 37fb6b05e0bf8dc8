"""Orders and the venue's own vocabulary for them (Kraken Derivatives REST v3)."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from trading.matching.rounding import ZERO


class Side(StrEnum):
    """Side of an order."""

    BUY = "buy"
    SELL = "sell"

    @property
    def sign(self) -> int:
        """+1 for a buy, -1 for a sell."""
        return 1 if self is Side.BUY else -1


class OrderType(StrEnum):
    """Order types the core matches, in Kraken's words."""

    LIMIT = "lmt"
    POST = "post"
    IMMEDIATE = "ioc"
    FILL_OR_KILL = "fok"
    MARKET = "mkt"
    STOP = "stp"
    TAKE_PROFIT = "take_profit"

    @property
    def is_trigger(self) -> bool:
        """True for orders that wait for a trigger price."""
        return self in (OrderType.STOP, OrderType.TAKE_PROFIT)


class TriggerSignal(StrEnum):
    """Price that a trigger watches."""

    MARK = "mark"
    INDEX = "index"
    LAST = "last"


class Reason(StrEnum):
    """Why an order ended or changed (values of `updateReason`)."""

    NEW_USER_ORDER = "NEW_USER_ORDER"
    LIQUIDATION = "LIQUIDATION_ORDER"
    STOP_TRIGGERED = "STOP_ORDER_TRIGGERED"
    PARTIAL_FILL = "PARTIAL_FILL"
    FULL_FILL = "FULL_FILL"
    CANCELLED_BY_USER = "CANCELLED_BY_USER"
    NOT_ENOUGH_MARGIN = "NOT_ENOUGH_MARGIN"
    WOULD_NOT_REDUCE = "WOULD_NOT_REDUCE_POSITION"
    IOC_WOULD_NOT_EXECUTE = "IOC_WOULD_NOT_EXECUTE_REASON"
    EDITED_BY_USER = "EDITED_BY_USER"


class OrderState(StrEnum):
    """Life cycle of an order inside the core."""

    TRIGGER = "TRIGGER_PLACED"
    RESTING = "ENTERED_BOOK"
    FILLED = "FULLY_EXECUTED"
    CANCELLED = "CANCELLED"
    ACTIVATION_FAILED = "TRIGGER_ACTIVATION_FAILURE"

    @property
    def is_live(self) -> bool:
        """True while the order can still fill."""
        return self in (OrderState.TRIGGER, OrderState.RESTING)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRequest:
    """What a client asks for. Sizes are base units, prices USD."""

    symbol: str
    side: Side
    order_type: OrderType
    size: Decimal
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trigger_signal: TriggerSignal = TriggerSignal.LAST
    reduce_only: bool = False
    client_order_id: str | None = None
    process_before: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An accepted order. `size` is the total quantity, `filled` the part executed so far."""

    order_id: str
    client_order_id: str | None
    symbol: str
    side: Side
    order_type: OrderType
    size: Decimal
    limit_price: Decimal | None
    stop_price: Decimal | None
    trigger_signal: TriggerSignal | None
    reduce_only: bool
    received_at: datetime
    updated_at: datetime
    sequence: int
    state: OrderState
    filled: Decimal = ZERO
    touched: bool = False
    activated_at: datetime | None = None
    reason: Reason = Reason.NEW_USER_ORDER

    @property
    def remaining(self) -> Decimal:
        """Base units that can still fill."""
        return self.size - self.filled

    @property
    def triggers_above(self) -> bool:
        """True when the trigger fires at or above its price: buy stops and sell take-profits."""
        return (self.order_type is OrderType.STOP) == (self.side is Side.BUY)


REJECT_REASONS: dict[str, str] = {
    "marketSuspended": "MARKET_SUSPENDED",
    "marketInactive": "MARKET_NOT_FOUND",
    "marketIsPostOnly": "MARKET_IS_POST_ONLY",
    "invalidPrice": "INVALID_PRICE",
    "invalidSize": "INVALID_QUANTITY",
    "insufficientAvailableFunds": "INSUFFICIENT_MARGIN",
    "wouldCauseLiquidation": "WOULD_CAUSE_LIQUIDATION",
    "clientOrderIdAlreadyExist": "CLIENT_ORDER_ID_IN_USE",
    "clientOrderIdTooBig": "CLIENT_ORDER_ID_TOO_LONG",
    "maxPositionViolation": "MAX_POSITION_EXCEEDED",
    "outsidePriceCollar": "PRICE_COLLAR",
    "postWouldExecute": "POST_WOULD_EXECUTE",
    "iocWouldNotExecute": "IOC_WOULD_NOT_EXECUTE",
    "selfFill": "WOULD_EXECUTE_SELF",
    "wouldNotReducePosition": "WOULD_NOT_REDUCE_POSITION",
    "tooManyOrders": "ORDER_LIMIT_EXCEEDED",
}
"""sendStatus -> reason of the REJECT event, where Kraken documents one; other statuses carry no event."""
