"""Facts the venue keeps and reports: fills, positions, account log, order history."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from trading.matching.orders import Order, Side
from trading.matching.rounding import ZERO


class FillType(StrEnum):
    """How a fill came about."""

    MAKER = "maker"
    TAKER = "taker"
    TAKER_AFTER_EDIT = "takerAfterEdit"
    LIQUIDATION = "liquidation"
    PARTIAL_LIQUIDATION = "partialLiquidation"

    @property
    def is_liquidation(self) -> bool:
        """True when the venue closed (a part of) the position for want of margin."""
        return self in (FillType.LIQUIDATION, FillType.PARTIAL_LIQUIDATION)


class LogInfo(StrEnum):
    """`info` of an account log row."""

    TRADE = "futures trade"
    LIQUIDATION = "futures liquidation"
    FUNDING = "funding rate change"


class HistoryKind(StrEnum):
    """Kind of an order event, in the history API's words."""

    PLACED = "OrderPlaced"
    UPDATED = "OrderUpdated"
    CANCELLED = "OrderCancelled"
    EDITED = "OrderEdited"
    REJECTED = "OrderRejected"
    TRIGGER_PLACED = "OrderTriggerPlaced"
    TRIGGER_ACTIVATED = "OrderTriggerActivated"
    TRIGGER_CANCELLED = "OrderTriggerCancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Net position. `size` is signed base units (long above 0), `entry` the average price in USD."""

    symbol: str
    size: Decimal
    entry: Decimal
    opened_at: datetime
    updated_at: datetime
    accrued_funding: Decimal = ZERO

    def unrealised(self, mark: Decimal) -> Decimal:
        """USD gained if closed at `mark`, before fees."""
        return (mark - self.entry) * self.size

    def accruing(self, funding: Decimal) -> "Position":
        """With so much more funding in USD, not realised yet. Written out: it is made anew in every step of time."""
        return Position(
            symbol=self.symbol,
            size=self.size,
            entry=self.entry,
            opened_at=self.opened_at,
            updated_at=self.updated_at,
            accrued_funding=self.accrued_funding + funding,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """One execution. `size` is base units above 0; `realised` is gross of fees."""

    fill_id: str
    order_id: str
    client_order_id: str | None
    symbol: str
    side: Side
    size: Decimal
    price: Decimal
    time: datetime
    fill_type: FillType
    realised: Decimal
    fee: Decimal
    mark: Decimal
    sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRow:
    """One account log row. Cash rows: new - old = realised_pnl - fee + realised_funding, exactly."""

    row_id: int
    booking_id: str
    time: datetime
    info: LogInfo
    asset: str
    contract: str
    old_balance: Decimal
    new_balance: Decimal
    fee: Decimal | None
    realised_pnl: Decimal | None
    realised_funding: Decimal | None
    execution: str | None
    funding_rate: Decimal | None
    mark_price: Decimal
    trade_price: Decimal | None

    @property
    def is_cash(self) -> bool:
        """True for the leg that moves money, False for the leg that shows the position."""
        return self.asset != self.contract


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryRow:
    """One order event; `old` is the order before the event when it changed an existing one."""

    event_id: str
    time: datetime
    kind: HistoryKind
    order: Order
    old: Order | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionRow:
    """One change of a position, as the position log reports it."""

    event_id: str
    time: datetime
    symbol: str
    old_size: Decimal
    new_size: Decimal
    old_entry: Decimal
    new_entry: Decimal
    fill: Fill
    realised_funding: Decimal

    @property
    def change(self) -> str:
        """open, close, increase, decrease or reverse."""
        if self.old_size == ZERO:
            return "open"
        if self.new_size == ZERO:
            return "close"
        if (self.old_size > ZERO) != (self.new_size > ZERO):
            return "reverse"
        return "increase" if abs(self.new_size) > abs(self.old_size) else "decrease"


class EventKind(StrEnum):
    """Kinds of order events in answers to send, edit and cancel."""

    PLACE = "PLACE"
    EXECUTION = "EXECUTION"
    REJECT = "REJECT"
    CANCEL = "CANCEL"
    EDIT = "EDIT"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderEvent:
    """One event of an answer. `order` is the order before an execution, and after everything else."""

    kind: EventKind
    order: Order
    old: Order | None = None
    fill: Fill | None = None
    reason: str | None = None
    reduced: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Answer to send, edit or cancel: Kraken's status word and what happened at once."""

    status: str
    order_id: str | None
    client_order_id: str | None
    events: tuple[OrderEvent, ...] = ()
