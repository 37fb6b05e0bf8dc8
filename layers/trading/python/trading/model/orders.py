"""Orders and the write-ahead intents behind them.

An intent is recorded before anything is sent. Its life cycle is `INTENT_TRANSITIONS`; its client order id is a
pure function of what it means, so that a second send of the same intent is refused by the venue itself.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NewType

from trading.errors import IllegalTransition, InvalidInput
from trading.model.instruments import Side
from trading.model.units import NOTHING, Price, Quantity

PositionId = NewType("PositionId", str)
ClientOrderId = NewType("ClientOrderId", str)

CLIENT_ORDER_ID_PREFIX = "smc-"


LEVEL_PASSED = ("postWouldExecute", "iocWouldNotExecute")
"""Words of a refusal that only say where the price is by now."""


def refused_for_price(detail: str) -> bool:
    return any(word in detail for word in LEVEL_PASSED)


class OrderSide(StrEnum):
    BUY = "buy"
    SELL = "sell"

    @classmethod
    def opening(cls, side: Side) -> OrderSide:
        return cls.BUY if side is Side.LONG else cls.SELL

    @classmethod
    def closing(cls, side: Side) -> OrderSide:
        return cls.SELL if side is Side.LONG else cls.BUY


class OrderType(StrEnum):
    """`POST` rests or is refused; `LIMIT` may take; `IMMEDIATE` takes what is there within its limit; `STOP` is a
    market order once the mark price reaches its trigger."""

    POST = "post"
    LIMIT = "limit"
    IMMEDIATE = "immediate"
    MARKET = "market"
    STOP = "stop"


class Purpose(StrEnum):
    ENTRY = "entry"
    STOP = "stop"
    TARGET_1 = "target_1"
    TARGET_2 = "target_2"
    EXIT = "exit"

    @property
    def protective(self) -> bool:
        """Only ever reduces; may be repeated with a new generation and is never stopped by a kill level."""
        return self is not Purpose.ENTRY


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRequest:
    """What is sent to the venue. `trigger_price` only for STOP; `limit_price` for POST, LIMIT and IMMEDIATE.

    `process_before`: the venue must refuse the request if it has not processed it by then.
    """

    contract: str
    side: OrderSide
    type: OrderType
    quantity: Quantity
    client_order_id: ClientOrderId
    reduce_only: bool
    process_before: datetime
    limit_price: Price | None = None
    trigger_price: Price | None = None

    def __post_init__(self) -> None:
        if self.quantity <= 0:
            raise InvalidInput(f"order {self.client_order_id} has quantity {self.quantity}; expected above 0")
        if (self.trigger_price is not None) != (self.type is OrderType.STOP):
            raise InvalidInput(f"{self.type} order {self.client_order_id} has trigger {self.trigger_price}")
        if (self.limit_price is not None) != (self.type in (OrderType.POST, OrderType.LIMIT, OrderType.IMMEDIATE)):
            raise InvalidInput(f"{self.type} order {self.client_order_id} has limit price {self.limit_price}")


class IntentState(StrEnum):
    PLANNED = "PLANNED"
    SENDING = "SENDING"
    LIVE = "LIVE"
    PARTIAL = "PARTIAL"
    CANCEL_PENDING = "CANCEL_PENDING"
    UNKNOWN = "UNKNOWN"
    FILLED = "FILLED"
    CANCELLED = "CANCELLED"
    REJECTED = "REJECTED"
    NOT_PLACED = "NOT_PLACED"
    ABANDONED = "ABANDONED"

    @property
    def terminal(self) -> bool:
        return not INTENT_TRANSITIONS[self]

    @property
    def may_rest(self) -> bool:
        """The order may be working at the venue."""
        return self in _MAY_REST

    @property
    def works(self) -> bool:
        """The order is known to be working at the venue, and nobody has asked to take it off."""
        return self in (IntentState.LIVE, IntentState.PARTIAL)


INTENT_TRANSITIONS: dict[IntentState, frozenset[IntentState]] = {
    IntentState.PLANNED: frozenset({IntentState.SENDING, IntentState.ABANDONED}),
    IntentState.SENDING: frozenset(
        {IntentState.LIVE, IntentState.PARTIAL, IntentState.FILLED, IntentState.REJECTED, IntentState.UNKNOWN}
    ),
    IntentState.UNKNOWN: frozenset(
        {
            IntentState.LIVE,
            IntentState.PARTIAL,
            IntentState.FILLED,
            IntentState.CANCELLED,
            IntentState.REJECTED,
            IntentState.NOT_PLACED,
        }
    ),
    IntentState.LIVE: frozenset(
        {IntentState.PARTIAL, IntentState.FILLED, IntentState.CANCEL_PENDING, IntentState.CANCELLED}
    ),
    IntentState.PARTIAL: frozenset({IntentState.FILLED, IntentState.CANCEL_PENDING, IntentState.CANCELLED}),
    IntentState.CANCEL_PENDING: frozenset({IntentState.FILLED, IntentState.CANCELLED}),
    IntentState.FILLED: frozenset(),
    IntentState.CANCELLED: frozenset(),
    IntentState.REJECTED: frozenset(),
    IntentState.NOT_PLACED: frozenset(),
    IntentState.ABANDONED: frozenset(),
}

_MAY_REST = frozenset(
    {IntentState.SENDING, IntentState.UNKNOWN, IntentState.LIVE, IntentState.PARTIAL, IntentState.CANCEL_PENDING}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderIntent:
    """One order we mean to have at the venue. `generation` counts replacements of a protective order; an entry
    has generation 1 for ever. Quantities in base coins, prices in USD of the contract.

    `resent_at`: when the same order was sent a second time because its fate was unknown; an entry never is."""

    purpose: Purpose
    generation: int
    client_order_id: ClientOrderId
    side: OrderSide
    type: OrderType
    quantity: Quantity
    reduce_only: bool
    state: IntentState
    planned_at: datetime
    limit_price: Price | None = None
    trigger_price: Price | None = None
    sent_at: datetime | None = None
    process_before: datetime | None = None
    venue_order_id: str | None = None
    filled: Quantity = NOTHING
    reason: str = ""
    absences: tuple[datetime, ...] = ()
    resent_at: datetime | None = None

    def __post_init__(self) -> None:
        if self.generation > 1 and not self.purpose.protective:
            raise InvalidInput(f"{self.purpose} intent has generation {self.generation}; an entry is never repeated")
        if self.resent_at is not None and not self.purpose.protective:
            raise InvalidInput(f"{self.purpose} intent was sent again at {self.resent_at}; an entry is sent once")
        if self.purpose.protective and not self.reduce_only:
            raise InvalidInput(f"{self.purpose} intent is not reduce-only; only an entry may open")

    @property
    def open_quantity(self) -> Quantity:
        return Quantity(max(self.quantity - self.filled, Decimal(0)))

    @property
    def never_worked(self) -> bool:
        """A protective order that the venue refused or never had: nothing will ever come of it."""
        refused = self.state in (IntentState.REJECTED, IntentState.NOT_PLACED, IntentState.ABANDONED)
        return refused and self.purpose.protective and not self.filled

    @property
    def may_be_sent_again(self) -> bool:
        """Its fate is unknown and it only reduces: once more, by the same id, repairs it or proves that it exists."""
        return self.state is IntentState.UNKNOWN and self.purpose.protective and self.resent_at is None

    def moved(self, state: IntentState, **changes: object) -> OrderIntent:
        """The same intent one edge further. Staying where it is is allowed; any other unlisted edge raises."""
        if state is not self.state and state not in INTENT_TRANSITIONS[self.state]:
            raise IllegalTransition(f"intent {self.client_order_id} cannot go from {self.state} to {state}")
        return replace(self, state=state, **changes)  # type: ignore[arg-type]

    def request(self, contract: str, process_before: datetime) -> OrderRequest:
        return OrderRequest(
            contract=contract,
            side=self.side,
            type=self.type,
            quantity=self.quantity,
            client_order_id=self.client_order_id,
            reduce_only=self.reduce_only,
            process_before=process_before,
            limit_price=self.limit_price,
            trigger_price=self.trigger_price,
        )


def client_order_id(position: PositionId, purpose: Purpose, generation: int) -> ClientOrderId:
    """At most 36 characters, the same for the same meaning, different for any other."""
    digest = hashlib.sha256(f"{position}|{purpose}|{generation}".encode()).hexdigest()[:16]
    return ClientOrderId(f"{CLIENT_ORDER_ID_PREFIX}{digest}-{generation}")
