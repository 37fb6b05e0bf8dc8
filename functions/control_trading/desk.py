"""What one manual invocation works with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from shared.alerts import Alerts
from shared.storage.control import ControlStore
from shared.storage.ledger import Ledger
from trading.model.instruments import Universe
from trading.model.venue import VenuePosition
from trading.rules import Rules


class Operated(Protocol):
    @property
    def operator(self) -> str: ...

    @property
    def reason(self) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlDesk:
    """One manual invocation. The callables reach further than the Ledger and are called only when needed.

    `close(scope)` and `cancel_entries()` send orders; both answer what was done. `rules_problem` says why the
    rules of this deployment cannot be read: `rules` are the shipped ones then.
    """

    control: ControlStore
    ledger: Ledger
    alerts: Alerts
    rules: Rules
    now: datetime
    request_id: str
    universe: Callable[[], Universe]
    venue_positions: Callable[[], tuple[VenuePosition, ...]]
    close: Callable[[str], dict[str, Any]]
    cancel_entries: Callable[[], dict[str, Any]]
    rules_problem: str = ""

    def signature(self, request: Operated) -> str:
        return f"{request.operator} (request {self.request_id})"
