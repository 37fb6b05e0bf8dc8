"""Bodies of `/api/history` (contract, section 6): decimal text, milliseconds, both spellings of event names."""

from __future__ import annotations

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
    OptionalText,
    PositiveNumber,
    Text,
    Upper,
)


class HistoryOrder(Body):
    """`quantity` is what remains; a full fill shows quantity 0 and the filled amount. Triggers have no `filled`."""

    uid: Text
    tradeable: Upper
    client_id: OptionalText = None
    quantity: NotNegative
    filled: OptionalNotNegative = None
    status: OptionalText = None


class HistoryEvent(Body):
    """The inner object of an event: exactly one of these holds the order, by kind of event."""

    order: HistoryOrder | None = None
    new_order: HistoryOrder | None = None
    old_order: HistoryOrder | None = None
    reason: OptionalText = None


class HistoryElement(Body):
    """`event` maps one event name to its content; the names are an open vocabulary."""

    uid: Text
    timestamp: Moment
    event: dict[str, object]


class HistoryAnswer(Answer):
    required_key = "elements"
    elements: list[HistoryElement]
    continuation_token: OptionalText = None


class ExecutedOrder(Body):
    uid: OptionalText = None
    direction: Lower


class Execution(Body):
    uid: Text
    quantity: PositiveNumber
    price: PositiveNumber
    timestamp: Moment
    taker_order: ExecutedOrder | None = None
    maker_order: ExecutedOrder | None = None


class AccountLogRow(Body):
    """A trade makes two rows: the cash leg, and the position leg whose asset is the contract itself."""

    id: int
    date: Moment
    asset: Lower
    contract: OptionalText = None
    info: Text
    execution: OptionalText = None
    fee: OptionalNumber = None
    realized_pnl: OptionalNumber = Field(default=None, alias="realized_pnl")
    realized_funding: OptionalNumber = Field(default=None, alias="realized_funding")
    old_balance: Number = Field(alias="old_balance")
    new_balance: Number = Field(alias="new_balance")


class AccountLogAnswer(Answer):
    required_key = "logs"
    logs: list[AccountLogRow]
