"""What can be asked of the order desk. A step is a value; `shared` carries it out and records what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from trading.model.orders import ClientOrderId, OrderIntent


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """Record this intent (if it is new) and send its order; one whose fate is unknown is sent again as it was."""

    intent: OrderIntent


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """Take this order of ours off the venue."""

    client_order_id: ClientOrderId
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Leave:
    """Close this position from now on, and say why: no stop can be had for it."""

    reason: str


class EntryStepKind(StrEnum):
    WAIT = "wait"
    SEND_STOP = "send_stop"
    SEND_ENTRY = "send_entry"
    TAKE_ENTRY = "take_entry"
    CANCEL_ENTRY = "cancel_entry"
    ABANDON = "abandon"
    FINISH = "finish"


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryStep:
    kind: EntryStepKind
    why: str = ""


Step = Send | Cancel | Leave
