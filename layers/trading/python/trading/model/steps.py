"""What can be asked of the order desk. A step is a value; `shared` carries it out and records what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from trading.model.orders import ClientOrderId, OrderIntent


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """Record this intent (if it is new) and send its order."""

    intent: OrderIntent


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """Take this order of ours off the venue."""

    client_order_id: ClientOrderId
    why: str


class EntryStepKind(StrEnum):
    WAIT = "wait"
    SEND_STOP = "send_stop"
    SEND_ENTRY = "send_entry"
    CANCEL_ENTRY = "cancel_entry"
    ABANDON = "abandon"
    FINISH = "finish"


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryStep:
    kind: EntryStepKind
    why: str = ""


Step = Send | Cancel
