"""What the venue shows, put together for one test."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from tests.fakes.records import NOW, RULES
from trading.model.orders import OrderIntent, Purpose
from trading.model.positions import Position
from trading.reconciliation.policy import POLICIES, Policies
from trading.reconciliation.settle import settle
from trading.reconciliation.view import DiscrepancyKind, VenueView

EXECUTION = RULES.execution


def view(at: datetime = NOW, **shown: Any) -> VenueView:
    values: dict[str, Any] = {"positions": (), "open_orders": (), "fills": (), "reports": ()}
    return VenueView(at=at, **(values | {name: _tupled(each) for name, each in shown.items()}))


def _tupled(shown: Any) -> Any:
    return shown if isinstance(shown, frozenset | bool) else tuple(shown)


def changed(kind: DiscrepancyKind, **changes: Any) -> Policies:
    """The policy table with one policy changed: `active=False` switches it off."""
    return {**POLICIES, kind: replace(POLICIES[kind], **changes)}


def settled(position: Position, at: datetime = NOW, **shown: Any) -> Position:
    return settle(position, view(at, **shown), EXECUTION)


def intent_of(position: Position, purpose: Purpose) -> OrderIntent:
    found = position.intent(purpose)
    assert found is not None, f"no {purpose} intent"
    return found
