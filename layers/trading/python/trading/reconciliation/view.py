"""What the venue showed in one coherent read, and the words for where it differs from our records."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from trading.model.venue import Fill, OpenOrder, OrderReport, VenuePosition


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueView:
    """All positions, working orders and newest fills of the account; `reports` are look-ups of orders in doubt.

    `not_looked_up`: contracts whose look-up failed, so that nothing may be concluded from silence about their orders.
    `fills_known` False: the fills did not answer and `fills` is empty; what was filled since is not known.
    """

    positions: tuple[VenuePosition, ...]
    open_orders: tuple[OpenOrder, ...]
    fills: tuple[Fill, ...]
    reports: tuple[OrderReport, ...]
    at: datetime
    not_looked_up: frozenset[str] = frozenset()
    fills_known: bool = True

    def position(self, contract: str) -> VenuePosition | None:
        return next((each for each in self.positions if each.contract == contract), None)


class DiscrepancyKind(StrEnum):
    """Every one has its line in `policy.POLICIES`. UNPRICED: an ended position whose money the log does not tell."""

    NAKED_POSITION = "naked_position"
    UNKNOWN_INTENT = "unknown_intent"
    GHOST = "ghost"
    ZOMBIE = "zombie"
    ORPHAN_ORDER = "orphan_order"
    FOREIGN_ORDER = "foreign_order"
    QUANTITY_DRIFT = "quantity_drift"
    ISOLATED_MARGIN = "isolated_margin"
    OPPOSITE_POSITION = "opposite_position"
    WRONG_ORDER = "wrong_order"
    DUPLICATE_STOP = "duplicate_stop"
    UNPRICED = "unpriced"


@dataclass(frozen=True, slots=True, kw_only=True)
class Discrepancy:
    """A difference as a value; `subject` names the contract or order it is about."""

    kind: DiscrepancyKind
    subject: str
    detail: str
